//! One resource we want to be subscribed to.

use std::time::{Duration, Instant};

use ptp_events::{Resource, SubscriptionId};

use super::{Backoff, Jitter};

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) resource: Resource,
    pub(super) address: String,
    /// Failed creations in a row.
    pub(super) failures: u32,
    held: Option<Held>,
    /// Since when it is wanted and not there, and whether people were told so.
    missing: Missing,
    create_at: Instant,
    pull_at: Instant,
    had_data: bool,
}

/// A subscription that is wanted and not there.
#[derive(Debug)]
struct Missing {
    since: Instant,
    /// What the publisher answered last, if it did.
    why: Option<String>,
    told: bool,
}

impl Missing {
    const fn since(since: Instant) -> Self {
        Self { since, why: None, told: false }
    }
}

#[derive(Debug)]
struct Held {
    id: SubscriptionId,
    /// When the publisher last said that it has it.
    seen: Instant,
}

impl Slot {
    pub(super) const fn new(resource: Resource, address: String, now: Instant) -> Self {
        Self {
            resource,
            address,
            failures: 0,
            held: None,
            missing: Missing::since(now),
            create_at: now,
            pull_at: now,
            had_data: false,
        }
    }

    pub(super) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    pub(super) fn is(&self, id: &SubscriptionId) -> bool {
        self.held.as_ref().is_some_and(|held| held.id == *id)
    }

    pub(super) fn wants_creation(&self, now: Instant) -> bool {
        self.held.is_none() && self.create_at <= now
    }

    pub(super) fn wants_pull(&self, now: Instant) -> bool {
        self.held.is_some() && self.pull_at <= now
    }

    /// When there is something to do for it, or to say.
    pub(super) fn due(&self, patience: Duration) -> Instant {
        match self.held {
            Some(_) => self.pull_at,
            None if self.missing.told => self.create_at,
            None => self.create_at.min(self.missing.since + patience),
        }
    }

    /// Since when it is not there, and what the publisher says to it, once that has been so for longer than
    /// `patience`: said once.
    pub(super) fn poll_missing(
        &mut self,
        patience: Duration,
        now: Instant,
    ) -> Option<(Instant, Option<String>)> {
        let missing = &mut self.missing;
        if self.held.is_some() || missing.told || now < missing.since + patience {
            return None;
        }
        missing.told = true;
        Some((missing.since, missing.why.clone()))
    }

    /// We have the subscription; whether that is new.
    pub(super) fn hold(&mut self, id: SubscriptionId, now: Instant) -> bool {
        let new = self.held.is_none();
        if new {
            self.pull_at = now;
            self.failures = 0;
        }
        self.held = Some(Held { id, seen: now });
        new
    }

    /// We do not have the subscription; since when that may be so, if we had it.
    pub(super) fn lose(&mut self, now: Instant) -> Option<Instant> {
        let held = self.held.take()?;
        self.missing = Missing::since(now);
        self.create_at = now;
        Some(held.seen)
    }

    pub(super) fn fail(&mut self, why: &str, backoff: Backoff, now: Instant, jitter: Jitter) {
        self.missing.why = Some(why.to_owned());
        self.failures = self.failures.saturating_add(1);
        self.create_at = now + backoff.delay(self.failures, jitter);
    }

    /// Takes note of a pull; whether data that was there has gone.
    pub(super) const fn pulled(&mut self, found: bool, next: Instant) -> bool {
        self.pull_at = next;
        let gone = self.had_data && !found;
        self.had_data = found;
        gone
    }
}
