//! What became of alerts, for who asks: the latest deliveries, in memory.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ptp_api::{Deliveries, Delivery, DeliveryOutcome, SinkReport};
use ptp_events::Received;

use super::outbox::Mailbox;
use super::{Message, SinkStatus};

/// How many deliveries are remembered; one has some 200 bytes.
const REMEMBERED: usize = 5_000;

/// A sink that alerts go to: its name, what it has done, and what waits for it.
#[derive(Clone, Debug)]
struct Known {
    name: String,
    status: Arc<SinkStatus>,
    mailbox: Arc<Mailbox>,
}

#[derive(Debug)]
struct Log {
    known_since: Received,
    sinks: Vec<Known>,
    latest: VecDeque<Delivery>,
}

/// The latest deliveries, shared by those who tell people and the API.
#[derive(Clone, Debug)]
pub struct ToldLog(Arc<Mutex<Log>>);

impl ToldLog {
    /// Nothing was told yet.
    #[must_use]
    pub fn new(known_since: Received) -> Self {
        let log = Log { known_since, sinks: Vec::new(), latest: VecDeque::new() };
        Self(Arc::new(Mutex::new(log)))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_sink(&self, name: &str, status: Arc<SinkStatus>, mailbox: Arc<Mailbox>) {
        self.log().sinks.push(Known { name: name.to_owned(), status, mailbox });
    }

    /// Notes what became of a message, at `at`.
    pub(super) fn note(
        &self,
        message: &Message,
        sink: Option<&str>,
        silence: Option<String>,
        outcome: DeliveryOutcome,
        at: Received,
    ) {
        let alert = &message.alert;
        let delivery = Delivery {
            at,
            sink: sink.map(str::to_owned),
            incident: alert.incident.clone(),
            status: alert.status,
            severity: alert.severity,
            outcome,
            silence,
        };
        let mut log = self.log();
        if log.latest.len() >= REMEMBERED
            && let Some(oldest) = log.latest.pop_front()
        {
            log.known_since = log.known_since.max(oldest.at);
        }
        log.latest.push_back(delivery);
    }

    /// All that is remembered, the newest first, and each sink.
    #[must_use]
    pub fn deliveries(&self) -> Deliveries {
        let log = self.log();
        let mut deliveries = Deliveries::new(log.known_since);
        deliveries.items = log.latest.iter().rev().cloned().collect();
        deliveries.total = deliveries.items.len();
        let sinks = log.sinks.iter().map(|known| {
            let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
            SinkReport {
                sink: known.name.clone(),
                delivered: count(&known.status.delivered),
                refused: count(&known.status.failed),
                dropped: count(&known.status.dropped),
                waiting: known.mailbox.waiting(),
                failing: known.status.failing.load(Ordering::Relaxed),
            }
        });
        deliveries.sinks = sinks.collect();
        deliveries
    }
}
