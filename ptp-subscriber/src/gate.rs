//! Lets in only events of publishers we know, about the nodes they speak for.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use ptp_events::recording::Origin;
use ptp_events::server::{Delivery, Refusal, Rejection, Sink};
use ptp_events::{DecodeError, Event, Received};

use crate::directory::Directory;
use crate::target::PublisherName;

/// An event that was let in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Accepted {
    /// Who posted it.
    pub publisher: PublisherName,
    /// When the body was complete; strictly increasing.
    pub received: Received,
    /// Push or initial. An event that changes while we subscribe counts as initial.
    pub origin: Origin,
    /// The event; may be a placeholder.
    pub event: Event,
    /// The event as it was sent, byte for byte.
    pub raw: Bytes,
}

/// Takes in the events that were let in.
pub trait Intake: Send + Sync + 'static {
    /// Takes the events of one request, never none, all of them or nothing; returns when they are
    /// durably taken, under the rules of [`Sink::take`].
    fn take(&self, accepted: Vec<Accepted>) -> impl Future<Output = Result<(), Refusal>> + Send;
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What became of a request to the receiver.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Outcome {
            $($(#[$doc])* $variant,)*
        }

        impl Outcome {
            /// All of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// A stable name for metrics.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

outcomes! {
    /// Taken.
    Accepted = "accepted",
    /// Refused: the token is missing or unknown.
    UnknownToken = "unknown_token",
    /// Refused: about a node its sender does not speak for.
    WrongNode = "wrong_node",
    /// Refused: more than its sender may post.
    TooMany = "too_many",
    /// Refused: the queue is full.
    Busy = "busy",
    /// Refused: it cannot be stored.
    CannotStore = "cannot_store",
    /// Not an event.
    NotAnEvent = "not_an_event",
    /// Larger than 1 MiB.
    TooLarge = "too_large",
    /// Not complete within 10 s.
    TooSlow = "too_slow",
    /// Broken off.
    Incomplete = "incomplete",
    /// Rejected for a reason this version has no name for.
    Other = "other",
}

impl From<&Rejection> for Outcome {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::NotAnEvent(_) => Self::NotAnEvent,
            Rejection::TooSlow => Self::TooSlow,
            Rejection::TooLarge => Self::TooLarge,
            Rejection::Incomplete(_) => Self::Incomplete,
            Rejection::Refused(refusal) => match refusal {
                Refusal::TooMany => Self::TooMany,
                Refusal::Busy => Self::Busy,
                Refusal::CannotStore => Self::CannotStore,
                Refusal::UnknownToken => Self::UnknownToken,
                Refusal::WrongNode => Self::WrongNode,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// The sink of the receiver: checks each event, counts it, and hands it on.
#[derive(Debug)]
pub struct Gate<I> {
    directory: Directory,
    intake: I,
    counts: [AtomicU64; Outcome::ALL.len()],
    samples: Mutex<VecDeque<Sample>>,
    budgets: Mutex<HashMap<PublisherName, Budget>>,
}

/// How many events and bytes a publisher may post in a second over a long time: fifty times what a node with
/// all its clocks flapping at the rate of ptp4l's samples does.
const EVENTS_PER_S: f64 = 2_000.0;
const BYTES_PER_S: f64 = 2_097_152.0;
/// For how many seconds it may save that up; a publisher was seen to send 1,500 in one (docs/protocol.md §3).
const SAVED_S: f64 = 15.0;

/// What a publisher may still post.
#[derive(Clone, Copy, Debug)]
struct Budget {
    events: f64,
    bytes: f64,
    at: Received,
}

impl Budget {
    const fn new(at: Received) -> Self {
        Self { events: EVENTS_PER_S * SAVED_S, bytes: BYTES_PER_S * SAVED_S, at }
    }

    /// Takes so much off; false where there is not enough.
    fn take(&mut self, at: Received, events: usize, bytes: usize) -> bool {
        let passed = at.since(self.at).as_secs_f64();
        self.at = at;
        self.events = (self.events + passed * EVENTS_PER_S).min(EVENTS_PER_S * SAVED_S);
        self.bytes = (self.bytes + passed * BYTES_PER_S).min(BYTES_PER_S * SAVED_S);
        let (events, bytes) = (events as f64, bytes as f64);
        let enough = self.events >= events && self.bytes >= bytes;
        if enough {
            self.events -= events;
            self.bytes -= bytes;
        }
        enough
    }
}

/// A body that is no event.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Its first bytes, whatever is not UTF-8 replaced.
    pub body: String,
    /// What is wrong with it.
    pub why: String,
}

/// How many such bodies are kept, and how much of each, in bytes: enough to see what a publisher
/// gets wrong, too little to be worth filling.
const MAX_SAMPLES: usize = 20;
const SAMPLE_BYTES: usize = 2048;

impl<I> Gate<I> {
    /// A gate before `intake`.
    pub fn new(directory: Directory, intake: I) -> Self {
        let (counts, samples) = (Default::default(), Mutex::default());
        Self { directory, intake, counts, samples, budgets: Mutex::default() }
    }

    /// How many requests came to this outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u64 {
        self.counts[outcome as usize].load(Ordering::Relaxed)
    }

    /// The latest bodies that were no events, oldest first.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(&self, outcome: Outcome) {
        self.counts[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl<I> Gate<I> {
    /// Whether the one who posted these may post so much.
    fn is_affordable(&self, accepted: &[Accepted]) -> bool {
        let Some(first) = accepted.first() else { return true };
        let bytes = accepted.iter().map(|accepted| accepted.raw.len()).sum();
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        match budgets.get_mut(&first.publisher) {
            Some(budget) => budget.take(first.received, accepted.len(), bytes),
            None => {
                let mut budget = Budget::new(first.received);
                let enough = budget.take(first.received, accepted.len(), bytes);
                // As many as there are publishers; one that left is no burden, and one that comes back has rested.
                if budgets.len() >= self.directory.len() * 2 + 16 {
                    budgets.clear();
                }
                budgets.insert(first.publisher.clone(), budget);
                enough
            }
        }
    }
}

impl<I: Intake> Sink for Gate<I> {
    fn admits(&self, token: Option<&str>) -> bool {
        self.directory.knows(token)
    }

    async fn take(&self, delivery: Delivery) -> Result<(), Refusal> {
        let token = delivery.token.as_deref();
        let admitted = delivery.events.into_iter().map(|posted| {
            let admission = self.directory.admit(token, &posted.event)?;
            Ok(Accepted {
                publisher: admission.publisher,
                received: posted.received,
                origin: admission.origin,
                event: posted.event,
                raw: posted.raw,
            })
        });
        let accepted = admitted.collect::<Result<Vec<Accepted>, _>>()?;
        if !self.is_affordable(&accepted) {
            return Err(Refusal::TooMany);
        }
        self.intake.take(accepted).await?;
        self.add(Outcome::Accepted);
        Ok(())
    }

    fn malformed(&self, body: &[u8], error: &DecodeError) {
        let mut why = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            why = format!("{why}: {cause}");
        }
        let body = String::from_utf8_lossy(&body[..body.len().min(SAMPLE_BYTES)]).into_owned();
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == MAX_SAMPLES {
            samples.pop_front();
        }
        samples.push_back(Sample { body, why });
    }

    fn rejected(&self, rejection: &Rejection) {
        self.add(rejection.into());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_floods_is_held_to_his_share_and_recovers() {
        let at = |seconds| Received::from_nanos(0).after(Duration::from_secs(seconds));
        let mut budget = Budget::new(at(0));
        let taken = (0..1_000_000).take_while(|_| budget.take(at(0), 1, 600)).count();
        assert_eq!(taken, 30_000, "fifteen seconds' worth at once");
        let later = (0..10_000).filter(|_| budget.take(at(1), 1, 600)).count();
        assert_eq!(later, 2_000, "and then a second's worth each second");
        let mut large = Budget::new(at(0));
        let taken = (0..10_000).take_while(|_| large.take(at(0), 1, 64 << 10)).count();
        assert_eq!(taken, 480, "large ones count by their bytes");
        assert!(large.take(at(3600), 1, 64 << 10));
    }
}
