//! What became of alerts, for who asks: the latest deliveries.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ptp_api::{Deliveries, Delivery, DeliveryOutcome, SinkReport};
use ptp_events::Received;
use ptp_store::DELIVERIES;

use crate::outbox::Mailbox;
use crate::{Message, SinkStatus};

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
    /// What the journal remembers; without anything, deliveries are known from `now` on.
    #[must_use]
    pub fn new(remembered: Vec<Delivery>, now: Received) -> Self {
        let known_since = remembered.first().map_or(now, |oldest| oldest.at);
        let log = Log { known_since, sinks: Vec::new(), latest: remembered.into() };
        Self(Arc::new(Mutex::new(log)))
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_sink(&self, name: &str, status: Arc<SinkStatus>, mailbox: Arc<Mailbox>) {
        self.log().sinks.push(Known { name: name.to_owned(), status, mailbox });
    }

    /// Notes what became of a message.
    pub(super) fn note(&self, delivery: Delivery) {
        let mut log = self.log();
        if log.latest.len() >= DELIVERIES
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
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let sinks = log.sinks.iter().map(|known| SinkReport {
            sink: known.name.clone(),
            delivered: count(&known.status.delivered),
            refused: count(&known.status.failed),
            dropped: count(&known.status.dropped),
            waiting: known.mailbox.waiting(),
            failing: known.status.failing.load(Ordering::Relaxed),
        });
        deliveries.sinks = sinks.collect();
        deliveries
    }
}

/// What became of a message: over which sink, or by which silence nobody was told.
pub(super) fn delivery(
    message: &Message,
    sink: Option<&str>,
    silence: Option<String>,
    outcome: DeliveryOutcome,
    at: Received,
) -> Delivery {
    let alert = &message.alert;
    Delivery {
        at,
        sink: sink.map(str::to_owned),
        incident: alert.incident.clone(),
        status: alert.status,
        severity: alert.severity,
        outcome,
        silence,
    }
}
