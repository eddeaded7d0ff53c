//! Who hears of what, and again until it was heard.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ptp_diagnostics::report::AlertStatus;
use ptp_events::ReceiveClock;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Message, Named, Silences, SinkError, SinkStatus, alertmanager};
use crate::engine_task::Snapshot;
use crate::health::Health;

/// How many alerts may wait for one sink; there is at most one per change of an incident.
const QUEUE: usize = 256;
/// How often one alert is tried: for some 10 min, so that a server may be moved or restarted.
const TRIES: u32 = 15;
/// How long the first pause between tries is; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How often it is looked whether a silence has ended.
const SILENCES_EVERY: Duration = Duration::from_secs(10);
/// How many silenced incidents are remembered for when their silence ends.
const MAX_SILENCED: usize = 10_000;

/// What telling people needs besides the alerts and the sinks.
pub struct Telling {
    /// The silences in force.
    pub silences: Silences,
    /// What fires and was not told before the last restart, because of a silence.
    pub silenced: Vec<Message>,
    /// The time that silences are held against.
    pub clock: ReceiveClock,
    /// Where a sink that fails is shown.
    pub health: Health,
    /// What fires now, for sinks that repeat it.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// How long sinks may take to finish.
    pub grace: Duration,
}

/// Hands every alert to every sink until `stop`; then what has been raised by then, and lets the
/// sinks finish, within the grace.
pub async fn dispatch(
    mut alerts: mpsc::Receiver<Message>,
    sinks: Vec<Named>,
    telling: Telling,
    stop: CancellationToken,
) {
    let Telling { silences, silenced, clock, health, snapshot, grace } = telling;
    let mut tasks = JoinSet::new();
    let mut queues = Vec::new();
    for sink in sinks {
        let (queue, messages) = mpsc::channel(QUEUE);
        queues.push((queue, sink.name.clone(), Arc::clone(&sink.status)));
        let worker = Worker { sink, health: health.clone(), snapshot: snapshot.clone() };
        tasks.spawn(worker.run(messages));
    }
    let silenced = silenced.into_iter().map(|message| (message.alert.incident.clone(), message));
    let mut dispatcher = Dispatcher { queues, silences, clock, silenced: silenced.collect() };
    let mut look = tokio::time::interval(SILENCES_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            message = alerts.recv() => match message {
                Some(message) => dispatcher.handle(message),
                None => break,
            },
            _ = look.tick() => dispatcher.look_at_silences(),
        }
    }
    while let Ok(message) = alerts.try_recv() {
        dispatcher.handle(message);
    }
    drop(dispatcher);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, drained).await.is_err() {
        tracing::warn!("gave up alerts that could not be delivered in time");
    }
}

/// Decides who hears of what.
struct Dispatcher {
    queues: Vec<(mpsc::Sender<Message>, String, Arc<SinkStatus>)>,
    silences: Silences,
    clock: ReceiveClock,
    /// Incidents nobody was told of because of a silence, and what they would have been told.
    silenced: BTreeMap<String, Message>,
}

impl Dispatcher {
    fn handle(&mut self, message: Message) {
        let alert = &message.alert;
        tracing::info!(
            incident = alert.incident,
            status = alert.status.as_str(),
            severity = alert.severity.as_str(),
            root_cause = alert.root_cause.code(),
            nodes = alert.affected_nodes.len(),
            "alert"
        );
        if alert.status == AlertStatus::Resolved {
            // `resolved` is sent only if `opened` was.
            if self.silenced.remove(&alert.incident).is_none() {
                self.send(&message);
            }
            return;
        }
        if let Some(silence) = self.silences.covering(alert, self.clock.stamp()) {
            tracing::info!(incident = alert.incident, silence, "silenced");
            if alert.status == AlertStatus::Opened && self.silenced.len() < MAX_SILENCED
                || self.silenced.contains_key(&alert.incident)
            {
                self.silenced.insert(alert.incident.clone(), message);
            }
            return;
        }
        self.silenced.remove(&alert.incident);
        self.send(&message);
    }

    /// Tells of what goes on although its silence has ended.
    fn look_at_silences(&mut self) {
        let now = self.clock.stamp();
        let over = |message: &Message| self.silences.covering(&message.alert, now).is_none();
        let ended: Vec<_> =
            self.silenced.iter().filter(|(_, m)| over(m)).map(|(id, _)| id.clone()).collect();
        for id in ended {
            if let Some(message) = self.silenced.remove(&id) {
                self.send(&message);
            }
        }
    }

    fn send(&self, message: &Message) {
        for (queue, sink, status) in &self.queues {
            if queue.try_send(message.clone()).is_err() {
                status.dropped.fetch_add(1, Ordering::Relaxed);
                let incident = &message.alert.incident;
                tracing::error!(sink, incident, "too many alerts wait for a sink; one is dropped");
            }
        }
    }
}

/// Delivers to one sink, one alert after the other.
struct Worker {
    sink: Named,
    health: Health,
    snapshot: watch::Receiver<Arc<Snapshot>>,
}

impl Worker {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut refresh = tokio::time::interval(alertmanager::REPEAT);
        loop {
            let message = tokio::select! {
                message = messages.recv() => message,
                _ = refresh.tick() => {
                    if let Some(outcome) = self.sink.sink.refresh(&self.snapshot).await {
                        self.note(&outcome.map(drop));
                    }
                    continue;
                }
            };
            let Some(message) = message else { return };
            let status = Arc::clone(&self.sink.status);
            match self.deliver(&message).await {
                Ok(()) => status.delivered.fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    let (sink, why) = (&self.sink.name, crate::store::chain(&error));
                    let incident = &message.alert.incident;
                    tracing::error!(sink, why, incident, "an alert was given up");
                    status.failed.fetch_add(1, Ordering::Relaxed)
                }
            };
        }
    }

    async fn deliver(&mut self, message: &Message) -> Result<(), SinkError> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 1;
        loop {
            let outcome = self.sink.sink.deliver(message).await.map(drop);
            self.note(&outcome);
            let Err(error) = outcome else { return Ok(()) };
            let wait = match &error {
                SinkError::Refused { .. } => return Err(error),
                _ if tries >= TRIES => return Err(error),
                SinkError::Later { after: Some(after), .. } => (*after).min(LONGEST_PAUSE),
                _ => pause,
            };
            tokio::time::sleep(wait).await;
            pause = (pause * 2).min(LAST_PAUSE);
            tries += 1;
        }
    }

    /// Says at once that a sink fails, and when it is well again: whoever waits for an alert that
    /// does not come must be able to learn why.
    fn note(&self, outcome: &Result<(), SinkError>) {
        let (sink, condition) = (&self.sink.name, format!("sink {}", self.sink.name));
        match outcome {
            Ok(()) => {
                if self.sink.status.failing.swap(false, Ordering::Relaxed) {
                    self.health.clear(&condition);
                    tracing::info!(sink, "a sink takes alerts again");
                }
            }
            Err(error) => {
                let why = crate::store::chain(error);
                if !self.sink.status.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(sink, why, "a sink does not take alerts; they are tried again");
                }
                self.health.set_degraded(&condition, &why);
            }
        }
    }
}
