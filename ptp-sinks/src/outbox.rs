//! What one sink has not been told yet, until it has.
//!
//! An outage may last for days, so what waits is kept by incident: what fires, as it is now, and
//! then its end. Nobody is told of an end before the beginning, and a flood of changes of one
//! incident is one message.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ptp_diagnostics::report::AlertStatus;
use tokio::sync::Notify;

use crate::Message;

/// How many incidents may wait; one has some 10 kB.
const MAX_INCIDENTS: usize = 2_000;

/// What is to be told of one incident.
#[derive(Debug, Default)]
struct Pending {
    /// That it fires; told first.
    firing: Option<Message>,
    /// That it is over.
    over: Option<Message>,
}

/// What waits for one sink, by incident, in the order in which the incidents came.
#[derive(Debug, Default)]
struct Outbox {
    order: VecDeque<String>,
    pending: HashMap<String, Pending>,
    /// What is being told.
    taken: Option<Message>,
    closed: bool,
}

impl Outbox {
    /// Takes a newer message than all of its incident that wait; gives the incident that had to make
    /// room.
    fn put(&mut self, message: Message) -> Option<String> {
        let incident = message.alert.incident.clone();
        if let Some(pending) = self.pending.get_mut(&incident) {
            pending.add(message);
            return None;
        }
        let crowded = self.pending.len() >= MAX_INCIDENTS;
        let dropped = if crowded { self.order.pop_front() } else { None };
        if let Some(dropped) = &dropped {
            self.pending.remove(dropped);
        }
        self.order.push_back(incident.clone());
        self.pending.entry(incident).or_default().add(message);
        dropped
    }

    /// What is to be told next.
    fn take(&mut self) -> Option<Message> {
        let incident = self.order.front()?;
        let pending = self.pending.get_mut(incident)?;
        let message = pending.firing.take().or_else(|| pending.over.take());
        if pending.firing.is_none() && pending.over.is_none() {
            self.pending.remove(incident);
            self.order.pop_front();
        }
        self.taken.clone_from(&message);
        message
    }

    /// All that is to be told of an incident, in its order; what is being told may have to be told again.
    fn waiting_of(&self, incident: &str) -> Vec<Message> {
        let taken = self.taken.iter().filter(|message| message.alert.incident == incident);
        let pending = self.pending.get(incident).into_iter();
        let pending = pending.flat_map(|pending| pending.firing.iter().chain(&pending.over));
        taken.chain(pending).cloned().collect()
    }

    /// Takes back what could not be told, and was taken before all that waits.
    fn put_back(&mut self, message: Message) {
        self.taken = None;
        let incident = message.alert.incident.clone();
        match self.pending.get_mut(&incident) {
            Some(pending) => {
                pending.add_older(message);
                self.order.retain(|waiting| *waiting != incident);
            }
            None => self.pending.entry(incident.clone()).or_default().add(message),
        }
        self.order.push_front(incident);
    }
}

impl Pending {
    fn add(&mut self, message: Message) {
        if message.alert.status == AlertStatus::Resolved {
            self.over = Some(message);
            return;
        }
        // It came back before anybody heard that it was over.
        self.over = None;
        let begins = self.firing.take().is_some_and(|old| begins(&old));
        self.firing = Some(if begins { as_beginning(message) } else { message });
    }

    fn add_older(&mut self, message: Message) {
        match &mut self.firing {
            // The newer one says that it fires, and an end before that is of no use any more.
            Some(newer) => {
                if begins(&message) {
                    *newer = as_beginning(newer.clone());
                }
            }
            None if message.alert.status == AlertStatus::Resolved => {
                self.over.get_or_insert(message);
            }
            None => self.firing = Some(message),
        }
    }
}

fn begins(message: &Message) -> bool {
    message.alert.status == AlertStatus::Opened
}

/// The same, told to who has not heard of the incident.
fn as_beginning(mut message: Message) -> Message {
    Arc::make_mut(&mut message.alert).status = AlertStatus::Opened;
    message
}

/// An outbox between who raises alerts and the one who delivers them.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    outbox: Mutex<Outbox>,
    more: Notify,
}

impl Mailbox {
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an alert to be told; gives the incident that had to make room for it, and all that waits of
    /// its own.
    pub(super) fn put(&self, message: Message) -> (Option<String>, Vec<Message>) {
        let incident = message.alert.incident.clone();
        let mut outbox = self.outbox();
        let dropped = outbox.put(message);
        let waiting = outbox.waiting_of(&incident);
        drop(outbox);
        self.more.notify_one();
        (dropped, waiting)
    }

    /// Notes that what [`Self::next`] gave was told, or never will be; gives what still waits of its
    /// incident.
    pub(super) fn settle(&self, incident: &str) -> Vec<Message> {
        let mut outbox = self.outbox();
        outbox.taken = None;
        outbox.waiting_of(incident)
    }

    /// Takes back what [`Self::next`] gave, and could not be told.
    pub(super) fn put_back(&self, message: Message) {
        self.outbox().put_back(message);
    }

    /// What is to be told next, once there is something; `None` when all is told and no more comes.
    /// May be dropped and called again.
    pub(super) async fn next(&self) -> Option<Message> {
        loop {
            {
                let mut outbox = self.outbox();
                if let Some(message) = outbox.take() {
                    return Some(message);
                }
                if outbox.closed {
                    return None;
                }
            }
            self.more.notified().await;
        }
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.outbox().closed = true;
        self.more.notify_one();
    }

    /// How many incidents wait.
    pub(super) fn waiting(&self) -> usize {
        self.outbox().pending.len()
    }
}

#[cfg(test)]
mod tests {
    use ptp_events::Received;

    use super::*;

    fn message(text: &str) -> Message {
        let (incident, status) = text.split_once(' ').unwrap();
        let mut message = super::super::test_alert::message(Received::from_nanos(0));
        let alert = Arc::make_mut(&mut message.alert);
        alert.incident = incident.to_owned();
        alert.status = match status {
            "opened" => AlertStatus::Opened,
            "escalated" => AlertStatus::Escalated,
            _ => AlertStatus::Resolved,
        };
        message
    }

    fn shown(message: &Message) -> String {
        format!("{} {}", message.alert.incident, message.alert.status.as_str())
    }

    /// What waits, when these came while the sink was away.
    fn told(came: &[&str]) -> Vec<String> {
        let mut outbox = Outbox::default();
        for text in came {
            assert_eq!(outbox.put(message(text)), None);
        }
        std::iter::from_fn(|| outbox.take()).map(|message| shown(&message)).collect()
    }

    #[test]
    fn an_outage_is_told_as_it_ended_and_never_the_end_alone() {
        for (came, left) in [
            (vec!["a opened", "b opened"], vec!["a opened", "b opened"]),
            (vec!["a opened", "b opened", "a escalated"], vec!["a opened", "b opened"]),
            (vec!["a opened", "a resolved"], vec!["a opened", "a resolved"]),
            (vec!["a opened", "a escalated", "a resolved"], vec!["a opened", "a resolved"]),
            (vec!["a opened", "a resolved", "a opened"], vec!["a opened"]),
            // The beginning was told before the outage.
            (vec!["a escalated", "a escalated"], vec!["a escalated"]),
            (vec!["a resolved"], vec!["a resolved"]),
            (vec!["a resolved", "a opened"], vec!["a opened"]),
        ] {
            assert_eq!(told(&came), left, "{came:?}");
        }
    }

    /// Taken, then these came, then it turned out that it was not told.
    #[test]
    fn what_was_being_told_is_older_than_what_came_meanwhile() {
        for (taken, came, left) in [
            ("a opened", vec![], vec!["a opened"]),
            ("a opened", vec!["b opened"], vec!["a opened", "b opened"]),
            ("a opened", vec!["a escalated"], vec!["a opened"]),
            ("a opened", vec!["a resolved"], vec!["a opened", "a resolved"]),
            ("a opened", vec!["b opened", "a escalated"], vec!["a opened", "b opened"]),
            ("a resolved", vec!["a opened"], vec!["a opened"]),
            ("a resolved", vec![], vec!["a resolved"]),
        ] {
            let mut outbox = Outbox::default();
            outbox.put(message(taken));
            let taking = outbox.take().unwrap();
            for text in &came {
                outbox.put(message(text));
            }
            outbox.put_back(taking);
            let told: Vec<_> =
                std::iter::from_fn(|| outbox.take()).map(|message| shown(&message)).collect();
            assert_eq!(told, left, "{taken}, {came:?}");
        }
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut outbox = Outbox::default();
        for number in 0..MAX_INCIDENTS {
            assert_eq!(outbox.put(message(&format!("{number} opened"))), None);
        }
        assert_eq!(outbox.put(message("0 resolved")), None);
        assert_eq!(outbox.put(message("new opened")).as_deref(), Some("0"));
        assert_eq!(outbox.pending.len(), MAX_INCIDENTS);
        assert_eq!(shown(&outbox.take().unwrap()), "1 opened");
    }
}
