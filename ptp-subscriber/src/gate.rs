//! Lets in only events of publishers we know, about the nodes they speak for.

use std::collections::VecDeque;
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
}

/// A body that is no event.
#[derive(Clone, Debug, Eq, PartialEq)]
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
        Self { directory, intake, counts: Default::default(), samples: Mutex::default() }
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
        let accepted = admitted.collect::<Result<_, _>>()?;
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
