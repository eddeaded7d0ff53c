//! What to do next about one publisher, so that we stay subscribed to it.
//!
//! A level-triggered loop, as publishers forget without saying so (docs/protocol.md §3): list what
//! is there, create what is missing, adopt what exists, delete our own stale subscriptions by id,
//! and pull the current state regularly. This module decides and does nothing else:
//!
//! 1. [`Reconciler::poll_action`] says what to do next, one thing at a time;
//! 2. [`Reconciler::handle_answer`] takes what came of it;
//! 3. [`Reconciler::poll_change`] says what has become known;
//! 4. when there is nothing to do, [`Reconciler::poll_timeout`] says when there will be.

mod action;
mod backoff;
mod round;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use ptp_events::{ApiVersion, NodeName, Resource, SubscriptionId};

pub use action::{Action, Answer, Change, Failure};
pub use backoff::{Backoff, Jitter};

use round::Step;
use slot::Slot;

/// What shall be true of one publisher.
#[derive(Clone, Eq, PartialEq)]
pub struct DesiredState {
    /// Where it shall send events: our URL, with its token.
    pub callback: String,
    /// Every subscription whose endpoint lies below this URL is ours too, from an earlier life.
    pub callback_base: String,
    /// What to subscribe to.
    pub resources: Vec<Resource>,
    /// The node it shall speak for, when that is known.
    pub node: Option<NodeName>,
}

/// Without the callback, whose token is not for logs.
impl fmt::Debug for DesiredState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesiredState")
            .field("callback_base", &self.callback_base)
            .field("resources", &self.resources)
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl DesiredState {
    /// Whether a subscription with this endpoint was made by us.
    fn owns(&self, endpoint: &str) -> bool {
        let base = self.callback_base.trim_end_matches('/');
        let below = endpoint.strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        endpoint == self.callback || (below && !base.is_empty())
    }
}

/// How often to do what.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pace {
    /// Between two looks at the list of subscriptions.
    pub check: Duration,
    /// Between two pulls of one resource's current state.
    pub pull: Duration,
    /// After failures.
    pub backoff: Backoff,
    /// How long a subscription may be wanted and not there before that is said ([`Change::Missing`]).
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            check: Duration::from_secs(30),
            pull: Duration::from_mins(1),
            backoff: Backoff::default(),
            patience: Duration::from_secs(55),
        }
    }
}

/// Whether the publisher answers.
#[derive(Clone, Copy, Debug)]
enum Reach {
    /// Not asked yet.
    Unknown,
    /// It answered last at this time.
    Up(Instant),
    /// It does not answer; `Some` is when it last did.
    Down(Option<Instant>),
}

/// How far leaving has come.
#[derive(Clone, Copy, Debug)]
enum Leaving {
    /// We do not know yet what is ours.
    ToList,
    /// What is ours is stale.
    Listed,
}

/// Keeps track of one publisher.
#[derive(Debug)]
pub struct Reconciler {
    wanted: DesiredState,
    pace: Pace,
    /// The version of the API that it answered in. What the operator's configuration says of it is
    /// nothing to go by: a value from an earlier release may have stayed there.
    version: Option<ApiVersion>,
    node: Option<NodeName>,
    step: Step,
    /// When the next step, or else the next round, is due.
    round_at: Instant,
    failures: u32,
    reach: Reach,
    slots: Vec<Slot>,
    stale: VecDeque<SubscriptionId>,
    in_flight: Option<Action>,
    changes: VecDeque<Change>,
    leaving: Option<Leaving>,
}

impl Reconciler {
    /// Starts to keep track of a publisher; the first action is due at once.
    #[must_use]
    pub fn new(mut wanted: DesiredState, pace: Pace, now: Instant) -> Self {
        wanted.resources.sort();
        wanted.resources.dedup();
        Self {
            version: None,
            node: wanted.node.clone(),
            wanted,
            pace,
            step: Step::FIRST,
            round_at: now,
            failures: 0,
            reach: Reach::Unknown,
            slots: Vec::new(),
            stale: VecDeque::new(),
            in_flight: None,
            changes: VecDeque::new(),
            leaving: None,
        }
    }

    /// The version of the API to speak for the next action.
    #[must_use]
    pub fn version(&self) -> ApiVersion {
        match self.in_flight {
            Some(Action::Probe(version)) => version,
            _ => self.version.unwrap_or_default(),
        }
    }

    /// The node the publisher speaks for, as far as that is known.
    #[must_use]
    pub fn node(&self) -> Option<&NodeName> {
        self.node.as_ref()
    }

    /// Whether we are subscribed to all that is wanted and offered.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.reach, Reach::Up(_))
            && !self.slots.is_empty()
            && self.slots.iter().all(Slot::is_held)
    }

    /// From now on, only removes what is ours; done when there is nothing left to do.
    ///
    /// It lists once more: an action may have been given up just now, and its answer with it.
    pub fn handle_leave(&mut self) {
        self.slots.clear();
        self.stale.clear();
        self.in_flight = None;
        self.leaving = Some(Leaving::ToList);
    }

    /// What to do now; nothing else is due until that is answered.
    pub fn poll_action(&mut self, now: Instant) -> Option<Action> {
        if self.in_flight.is_some() {
            return None;
        }
        self.tell_missing(now);
        let action = if let Some(leaving) = self.leaving {
            self.leaving = Some(Leaving::Listed);
            match leaving {
                Leaving::ToList => Some(Action::ListSubscriptions),
                Leaving::Listed => self.next_stale(),
            }
        } else if now >= self.round_at {
            Some(self.next_step())
        } else if self.step == Step::FIRST {
            self.next_for_slots(now)
        } else {
            // Waiting to go on with a round; the slots may be out of date.
            None
        };
        self.in_flight.clone_from(&action);
        action
    }

    /// Says what has been missing for too long, whatever the reason; one that does not answer at all has said so.
    fn tell_missing(&mut self, now: Instant) {
        if let (Reach::Down(_), _) | (_, Some(_)) = (self.reach, self.leaving) {
            return;
        }
        let patience = self.pace.patience;
        for slot in &mut self.slots {
            if let Some((since, why)) = slot.poll_missing(patience, now) {
                let resource = slot.resource.clone();
                self.changes.push_back(Change::Missing { resource, since, why });
            }
        }
    }

    fn next_stale(&mut self) -> Option<Action> {
        self.stale.pop_front().map(|id| Action::Delete { id })
    }

    /// New subscriptions come before the removal of old ones, so that nothing is missed between.
    fn next_for_slots(&mut self, now: Instant) -> Option<Action> {
        if let Reach::Down(_) = self.reach {
            return None;
        }
        if let Some(slot) = self.slots.iter().find(|slot| slot.wants_creation(now)) {
            return Some(Action::Create {
                resource: slot.resource.clone(),
                address: slot.address.clone(),
            });
        }
        if let Some(action) = self.next_stale() {
            return Some(action);
        }
        let slot = self.slots.iter().find(|slot| slot.wants_pull(now))?;
        Some(Action::PullCurrentState {
            resource: slot.resource.clone(),
            address: slot.address.clone(),
            node: self.node.clone()?,
        })
    }

    /// When to call [`Self::poll_action`] again, if it has nothing to do now.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.in_flight.is_some() || self.leaving.is_some() {
            return None;
        }
        let slots = self.slots.iter().map(|slot| slot.due(self.pace.patience));
        match (self.reach, self.step == Step::FIRST) {
            (Reach::Down(_), _) | (_, false) => Some(self.round_at),
            _ => Some(slots.fold(self.round_at, Instant::min)),
        }
    }

    /// What has become known since the last call.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Takes what came of the action that was polled last.
    ///
    /// `jitter` spreads retries, so that publishers that failed together are not asked together.
    pub fn handle_answer(&mut self, answer: Result<Answer, Failure>, now: Instant, jitter: Jitter) {
        let Some(action) = self.in_flight.take() else {
            return;
        };
        if self.leaving.is_some() {
            if let Ok(Answer::Subscriptions(list)) = answer {
                self.compare(&list, now);
            }
            return;
        }
        let answer = match answer {
            Err(failure) if failure.is_unreachable() => {
                return self.give_up_round(failure.why, now, jitter);
            }
            answer => answer,
        };
        match action {
            Action::Probe(_)
            | Action::CheckHealth
            | Action::ListPublishers
            | Action::ListSubscriptions => self.handle_step(&action, answer, now, jitter),
            Action::Create { resource, .. } => self.handle_created(&resource, answer, now, jitter),
            // What could not be deleted is found again by the next round.
            Action::Delete { .. } => self.answered(now),
            Action::PullCurrentState { resource, .. } => self.handle_state(&resource, answer, now),
        }
    }

    fn slot(&mut self, resource: &Resource) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.resource == *resource)
    }

    fn handle_created(
        &mut self,
        resource: &Resource,
        answer: Result<Answer, Failure>,
        now: Instant,
        jitter: Jitter,
    ) {
        self.answered(now);
        let backoff = self.pace.backoff;
        let Some(slot) = self.slot(resource) else {
            return;
        };
        match answer {
            Ok(Answer::Created(id)) => {
                slot.hold(id, now);
                self.changes
                    .push_back(Change::Subscribed { resource: resource.clone(), adopted: false });
            }
            Ok(_) => {}
            Err(failure) => {
                slot.fail(&failure.why, backoff, now, jitter);
                if failure.is_conflict() {
                    // It exists already: the list has its id.
                    self.step = Step::Subscriptions;
                    self.round_at = now;
                } else if slot.failures == 1 {
                    self.changes.push_back(Change::NotSubscribed {
                        resource: resource.clone(),
                        why: failure.why,
                    });
                }
            }
        }
    }

    fn handle_state(&mut self, resource: &Resource, answer: Result<Answer, Failure>, now: Instant) {
        self.answered(now);
        let pull = self.pace.pull;
        let Some(slot) = self.slot(resource) else {
            return;
        };
        let found = matches!(answer, Ok(Answer::State { found: true }));
        if slot.pulled(found, now + pull) {
            // There was data and now there is none: it restarted, and may have forgotten us.
            self.round_at = now;
        }
        if let Err(failure) = answer {
            self.changes
                .push_back(Change::NoState { resource: resource.clone(), why: failure.why });
        }
    }
}
