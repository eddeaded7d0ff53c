//! The one task that owns the engine.
//!
//! It is given inputs and the time by the store, in order, and hands out snapshots and
//! notifications. Nobody else touches the engine, so there are no locks to reason about.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ptp_api::ClockSamples;
use ptp_diagnostics::report::quiet::Quiet;
use ptp_diagnostics::report::{Alert, IncidentReport, Report};
use ptp_diagnostics::{ChangeKind, Counts, Engine, Settings};
use ptp_events::{NodeName, Received};
use ptp_sinks::Message;
use ptp_store::{Given, Opened, Record, Replayed, Store, StoredAlert, StoredIncident};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

/// How often a new snapshot is made while things happen.
const SNAPSHOT_EVERY: Duration = Duration::from_millis(250);
/// How many notifications a slow listener may be behind.
const LISTENERS_LAG: usize = 1024;
/// How many alerts may be on their way to whoever tells people; the engine waits for the next.
const ALERTS: usize = 64;
/// How long the engine waits to be told the time when too much is given to it for that.
const TIME_AGAIN: Duration = Duration::from_millis(100);
/// How old an alert may be that was found and not told because the process ended.
const UNTOLD: Duration = Duration::from_hours(1);
/// How far after the present an entry of the journal may be: further, and the clock was wrong then.
const FUTURE: Duration = Duration::from_hours(24);
/// How long the engine may go without being told the time.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);

/// Everything that is known, as of some moment.
#[derive(Debug)]
pub struct Snapshot {
    /// When it was made.
    pub at: Received,
    /// The report.
    pub report: Report,
    /// What the engine counted.
    pub counts: Counts,
}

impl AsRef<Report> for Snapshot {
    fn as_ref(&self) -> &Report {
        &self.report
    }
}

/// Something people, or programs, may want to hear of at once.
#[derive(Clone, Debug)]
pub struct Notification {
    /// What happened to the incident.
    pub change: ChangeKind,
    /// The incident as it is now.
    pub incident: Arc<IncidentReport>,
    /// What people are told, if they are.
    pub alert: Option<Arc<Alert>>,
    /// When.
    pub at: Received,
}

/// A question to the engine, and where the answer goes: nothing of a node never heard of.
enum Question {
    /// The latest offsets of a node's PTP clocks.
    Samples(NodeName, oneshot::Sender<Option<Vec<ClockSamples>>>),
    /// Why nothing fires on a node.
    Quiet(NodeName, oneshot::Sender<Option<Quiet>>),
}

/// Why a question to the engine has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unanswered {
    /// Too many ask.
    #[error("the engine is busy; try again")]
    Busy,
    /// It never heard of the node.
    #[error("no such node")]
    NoSuchNode,
}

/// How many questions may wait.
const QUESTIONS: usize = 16;

/// What others see of the engine task.
#[derive(Clone, Debug)]
pub struct EngineTask {
    questions: mpsc::Sender<Question>,
    /// The latest snapshot.
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    /// Everything that happens from now on.
    pub notifications: broadcast::Sender<Notification>,
}

/// The engine as it was when the journal ended.
#[derive(Debug)]
pub struct Recalled {
    /// Boxed, as it is large and travels through futures.
    engine: Box<Engine>,
    told: HashSet<(String, String, i64)>,
    /// What was raised, and not handed to those who tell people.
    unhanded: HashSet<(String, String, i64)>,
    /// When the last of them was received.
    pub latest: Option<Received>,
    /// How much was read back.
    pub replayed: Replayed,
    /// What could not be read, for people.
    pub trouble: Option<String>,
}

impl EngineTask {
    /// The latest offsets of a node's PTP clocks.
    ///
    /// # Errors
    /// When the engine is too busy to answer, or never heard of the node.
    pub async fn samples(&self, node: NodeName) -> Result<Vec<ClockSamples>, Unanswered> {
        self.ask(|answer| Question::Samples(node, answer)).await
    }

    /// What is seen of a node, and near to firing.
    ///
    /// # Errors
    /// When the engine is too busy to answer, or never heard of the node.
    pub async fn quiet(&self, node: NodeName) -> Result<Quiet, Unanswered> {
        self.ask(|answer| Question::Quiet(node, answer)).await
    }

    async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<Option<T>>) -> Question,
    ) -> Result<T, Unanswered> {
        let (answer, wait) = oneshot::channel();
        self.questions.try_send(question(answer)).map_err(|_| Unanswered::Busy)?;
        wait.await.map_err(|_| Unanswered::Busy)?.ok_or(Unanswered::NoSuchNode)
    }
}

impl Recalled {
    /// Reads the journal back into an engine.
    #[must_use]
    pub fn from(opened: &mut Opened, settings: Settings, now: Received) -> Self {
        // What is given comes in order: nothing need be held back.
        let settings = Settings { reorder_window: Duration::ZERO, ..settings };
        let until = now.after(FUTURE);
        let read = |opened: &mut Opened| {
            let mut engine = Box::new(Engine::new(settings.clone()));
            let read = opened.replay(until, |received, input| {
                // What cannot be decoded was refused when it came.
                let _ = engine.handle_input(&input, received);
                while engine.poll_change().is_some() {}
            });
            (engine, read.and_then(|read| Ok((read, opened.told()?))))
        };
        let (mut engine, mut outcome) = read(opened);
        if let Err(error) = &outcome
            && error.is_unreadable()
        {
            opened.mend(error);
            (engine, outcome) = read(opened);
        }
        let (replayed, told, trouble) = match outcome {
            Ok((replayed, told)) => (replayed, told, None),
            Err(error) => (Replayed::default(), Vec::new(), Some(ptp_events::chain(&error))),
        };
        let told: Vec<_> = told.into_iter().filter(|alert| alert.at <= until).collect();
        // Time that passed after the last input is not in the journal, but what was told by then is.
        if let Some(time) = told.iter().map(|alert| alert.at).max() {
            engine.handle_time(time);
            while engine.poll_change().is_some() {}
        }
        let (told, unhanded): (Vec<_>, Vec<_>) = told.into_iter().partition(|alert| alert.handed);
        let keys = |alerts: Vec<StoredAlert>| {
            alerts.into_iter().map(|a| (a.incident, a.status, a.at.as_nanos())).collect()
        };
        let (told, unhanded) = (keys(told), keys(unhanded));
        Self { latest: engine.latest(), engine, told, unhanded, replayed, trouble }
    }

    /// For each firing incident that people were told of, what they were told last.
    #[must_use]
    pub fn firing(&self) -> Vec<Message> {
        let report = self.engine.report();
        let firing = report.incidents.into_iter().filter(|i| i.resolved_at.is_none());
        let last = |incident: &IncidentReport| {
            report.alerts.iter().rev().find(|alert| alert.incident == incident.id).cloned()
        };
        firing
            .filter_map(|incident| {
                let alert = last(&incident)?;
                Some(Message { alert: Arc::new(alert), incident: Arc::new(incident) })
            })
            .collect()
    }

    /// How to ask it, what people are to be told, and the task that is the engine task; it ends when the
    /// store does.
    ///
    /// Whoever tells people must keep up: unlike other listeners they are waited for, as an alert
    /// must not get lost when many come at once.
    #[must_use = "the engine works only while its task runs"]
    pub fn start(
        self,
        store: Store,
        mut given: mpsc::Receiver<Arc<Vec<Given>>>,
    ) -> (EngineTask, mpsc::Receiver<Message>, impl Future<Output = ()> + Send) {
        let Self { engine, told, unhanded, .. } = self;
        let now = store.clock().stamp();
        let (snapshots, snapshot) = watch::channel(Arc::new(snapshot(&engine, now)));
        let (notifications, _) = broadcast::channel(LISTENERS_LAG);
        let (questions, mut asked) = mpsc::channel::<Question>(QUESTIONS);
        let handle = EngineTask { questions, snapshot, notifications: notifications.clone() };
        let (alerts, to_tell) = mpsc::channel(ALERTS);
        let mut task = Task {
            engine,
            told,
            alerts_seen: 0,
            asked: false,
            ask_again: Instant::now(),
            store,
            snapshots,
            notifications,
            to_tell: Vec::new(),
            changed: BTreeMap::new(),
        };
        let run = async move {
            task.tell_untold(now, &unhanded);
            task.tell_people(&alerts).await;
            task.record_changed();
            // What fell due while nobody was running is told now.
            task.ask_for_time();
            let mut dirty = false;
            let mut due = Instant::now() + SNAPSHOT_EVERY;
            loop {
                let wake = task.wake();
                tokio::select! {
                    batch = given.recv() => match batch {
                        Some(batch) => {
                            for given in batch.iter() {
                                task.take(given);
                                task.tell_people(&alerts).await;
                            }
                            task.record_changed();
                            dirty = true;
                        }
                        None => break,
                    },
                    Some(question) = asked.recv() => task.answer(question),
                    () = tokio::time::sleep_until(wake) => task.ask_for_time(),
                    () = tokio::time::sleep_until(due), if dirty => {}
                }
                if dirty && Instant::now() >= due {
                    task.publish();
                    dirty = false;
                    due = Instant::now() + SNAPSHOT_EVERY;
                }
            }
            task.publish();
        };
        (handle, to_tell, run)
    }
}

/// What makes an alert the same after a restart.
fn key(alert: &Alert) -> (String, String, i64) {
    (alert.incident.clone(), alert.status.as_str().to_owned(), alert.timestamp.as_nanos())
}

fn samples(engine: &Engine, node: &NodeName) -> Option<Vec<ClockSamples>> {
    let clocks = engine.timelines(node)?.filter(|clock| clock.trace().samples().len() > 0);
    let samples = clocks.map(|clock| {
        let (resource, instance) = (clock.resource().clone(), clock.instance().clone());
        let samples = clock.trace().samples().collect();
        ClockSamples::new(resource, instance, samples, engine.settings().offset_ns)
    });
    Some(samples.collect())
}

fn snapshot(engine: &Engine, at: Received) -> Snapshot {
    Snapshot { at, report: engine.report(), counts: engine.counts() }
}

struct Task {
    engine: Box<Engine>,
    /// What people were told before this start: it would be found again only now.
    told: HashSet<(String, String, i64)>,
    alerts_seen: u64,
    /// The time was asked for and has not come yet.
    asked: bool,
    /// Not before, after the store was too busy.
    ask_again: Instant,
    store: Store,
    snapshots: watch::Sender<Arc<Snapshot>>,
    notifications: broadcast::Sender<Notification>,
    /// What people are to be told next.
    to_tell: Vec<Message>,
    /// Incidents that changed since they were recorded.
    changed: BTreeMap<String, Arc<IncidentReport>>,
}

impl Task {
    fn answer(&self, question: Question) {
        // Who asked may have gone.
        match question {
            Question::Samples(node, answer) => drop(answer.send(samples(&self.engine, &node))),
            Question::Quiet(node, answer) => drop(answer.send(self.engine.quiet(&node))),
        }
    }

    /// When the engine wants to be told the time.
    fn wake(&self) -> Instant {
        if self.asked {
            return Instant::now() + LONGEST_SLEEP;
        }
        let now = self.store.clock().stamp();
        let sleep = self.engine.poll_timeout().map_or(LONGEST_SLEEP, |due| due.since(now));
        // A little later rather than a little earlier, so that it is due when we say the time.
        let wake = Instant::now() + sleep.min(LONGEST_SLEEP) + Duration::from_millis(1);
        wake.max(self.ask_again)
    }

    /// The time comes through the store, behind everything that was given before.
    fn ask_for_time(&mut self) {
        match self.store.tell_time() {
            Ok(()) => self.asked = true,
            // Every input tells it too, and there are many of them then.
            Err(error) => {
                tracing::debug!(%error, "cannot tell the engine the time");
                self.ask_again = Instant::now() + TIME_AGAIN;
            }
        }
    }

    /// Tells what was found just before the last process ended, and not told any more.
    fn tell_untold(&mut self, now: Received, unhanded: &HashSet<(String, String, i64)>) {
        let untold: Vec<Alert> = self
            .engine
            .alerts_after(0)
            .map(|(_, alert)| alert)
            .filter(|alert| {
                let key = key(alert);
                let lately = now.since(alert.timestamp) < UNTOLD;
                unhanded.contains(&key) || (lately && !self.told.contains(&key))
            })
            .cloned()
            .collect();
        self.alerts_seen = self.engine.alerts_after(0).last().map_or(0, |(number, _)| number);
        let incidents = self.engine.report().incidents;
        for alert in untold {
            let Some(incident) = incidents.iter().find(|i| i.id == alert.incident) else {
                continue;
            };
            let is_recorded = unhanded.contains(&key(&alert));
            self.tell(
                Notification {
                    change: ChangeKind::Updated,
                    incident: Arc::new(incident.clone()),
                    at: alert.timestamp,
                    alert: Some(Arc::new(alert)),
                },
                is_recorded,
            );
        }
    }

    fn take(&mut self, given: &Given) {
        match given {
            Given::Time(now) => {
                self.asked = false;
                self.engine.handle_time(*now);
            }
            Given::Input(received, input) => {
                let _ = self.engine.handle_input(input, *received);
            }
        }
        while let Some(change) = self.engine.poll_change() {
            let Some(incident) = self.engine.incident(change.incident) else { continue };
            let alert = self.next_alert(&incident.id, change.at);
            let alert = alert.map(Arc::new);
            let incident = Arc::new(incident);
            self.tell(Notification { change: change.kind, incident, alert, at: change.at }, false);
        }
    }

    /// The alert that was raised with a change, unless people were told before a restart.
    fn next_alert(&mut self, incident: &str, at: Received) -> Option<Alert> {
        let (number, alert) = self
            .engine
            .alerts_after(self.alerts_seen)
            .find(|(_, alert)| alert.incident == incident && alert.timestamp == at)?;
        let alert = alert.clone();
        self.alerts_seen = number;
        // Nothing is added here: an alert is found once in a process, and memory must not grow.
        (!self.told.contains(&key(&alert))).then_some(alert)
    }

    fn tell(&mut self, notification: Notification, is_recorded: bool) {
        let incident = &notification.incident;
        self.changed.insert(incident.id.clone(), Arc::clone(incident));
        if let Some(alert) = &notification.alert {
            if !is_recorded {
                self.record(Record::Alert(Box::new(StoredAlert {
                    incident: alert.incident.clone(),
                    status: alert.status.as_str().to_owned(),
                    at: alert.timestamp,
                    json: serde_json::to_string(&**alert).unwrap_or_default(),
                    handed: false,
                })));
            }
            let (alert, incident) = (Arc::clone(alert), Arc::clone(incident));
            self.to_tell.push(Message { alert, incident });
        }
        // Without listeners there is nobody to tell.
        let _ = self.notifications.send(notification);
    }

    /// Records incidents as they are now: one that a whole fleet joins changes a thousand times
    /// in a moment, and is large.
    fn record_changed(&mut self) {
        for incident in std::mem::take(&mut self.changed).into_values() {
            self.record(Record::Incident(Box::new(StoredIncident {
                id: incident.id.clone(),
                opened_at: incident.opened_at,
                status: incident.status.as_str().to_owned(),
                severity: incident.severity.as_str().to_owned(),
                json: serde_json::to_string(&*incident).unwrap_or_default(),
            })));
        }
    }

    fn record(&self, record: Record) {
        if let Err(error) = self.store.record(record) {
            tracing::warn!(%error, "cannot keep what happened to an incident");
        }
    }

    async fn tell_people(&mut self, alerts: &mpsc::Sender<Message>) {
        for message in self.to_tell.drain(..) {
            // Without anybody who tells, nobody is told.
            let _ = alerts.send(message).await;
        }
    }

    fn publish(&self) {
        let at = self.store.clock().stamp();
        self.snapshots.send_replace(Arc::new(snapshot(&self.engine, at)));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicI64, Ordering};

    use ptp_events::Input;
    use ptp_events::ReceiveClock;
    use ptp_events::recording::Origin;
    use tempfile::TempDir;

    use super::*;
    use ptp_store::Retention;

    /// A time that passes only when it is told to.
    #[derive(Clone, Default)]
    struct Clock(Arc<AtomicI64>);

    impl Clock {
        fn pass(&self, time: Duration) {
            self.0.fetch_add(i64::try_from(time.as_nanos()).unwrap(), Ordering::Relaxed);
        }

        fn started(&self) -> ReceiveClock {
            let nanos = Arc::clone(&self.0);
            let epoch = Received::parse("2026-11-23T06:00:00Z").unwrap().as_nanos();
            ReceiveClock::new(move || Received::from_nanos(epoch + nanos.load(Ordering::Relaxed)))
        }
    }

    fn lock(node: usize, state: &str) -> Input {
        let text = format!(
            r#"{{"id":"{node}-{state}","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:00:00Z","data":{{"values":[
                {{"ResourceAddress":"/cluster/node/w{node}/ens1fx/master","data_type":"notification","value":"{state}"}},
                {{"ResourceAddress":"/cluster/node/w{node}/ens1fx/master","data_type":"metric","value":"3"}}]}}}}"#
        );
        Input::Event { origin: Origin::Push, node: None, body: text.into_bytes() }
    }

    /// One life of an agent, in which these nodes lose their lock; what people are told in it, and
    /// what it reports at its end.
    async fn live(journal: &Path, clock: &Clock, nodes: usize) -> (Vec<Message>, Report) {
        let mut opened = Opened::open(Some(journal));
        let started = clock.started();
        let recalled = Recalled::from(&mut opened, Settings::default(), started.stamp());
        let path = Some(journal.to_owned());
        let (store, given, writer) = opened.start(path, Retention::default(), started, None);
        let (engine, mut alerts, thinking) = recalled.start(store.clone(), given);
        for state in ["LOCKED", "FREERUN"] {
            store.give_all((0..nodes).map(|node| lock(node, state)).collect()).await.unwrap();
            clock.pass(Duration::from_mins(1));
        }
        store.tell_time().unwrap();
        // All that is before it thinks of any of it.
        store.close();
        let told = async {
            let mut told = Vec::new();
            while let Some(message) = alerts.recv().await {
                told.push(message);
            }
            told
        };
        let ((), told) = tokio::join!(thinking, told);
        for message in &told {
            let alert = &message.alert;
            let key = (alert.incident.clone(), alert.status.as_str().to_owned(), alert.timestamp);
            store.record(Record::Handed { alert: key, waiting: Vec::new() }).unwrap();
        }
        store.finish();
        writer.join().unwrap();
        let report = engine.snapshot.borrow().report.clone();
        (told, report)
    }

    #[tokio::test]
    async fn what_is_told_while_stopping_is_not_told_again() {
        let dir = TempDir::new().unwrap();
        let (journal, clock) = (dir.path().join("journal.db"), Clock::default());
        let (told, _) = live(&journal, &clock, 1).await;
        assert_eq!(told.len(), 1);
        let mut opened = Opened::open(Some(&journal));
        assert_eq!(opened.told().unwrap().len(), 1, "and it is recorded");
        drop(opened);
        let (again, report) = live(&journal, &clock, 0).await;
        assert_eq!((again.len(), report.alerts.len()), (0, 1));
    }

    /// More happens at once than a listener may be behind.
    #[tokio::test]
    async fn no_alert_is_lost_when_a_whole_fleet_fails() {
        let dir = TempDir::new().unwrap();
        let nodes = LISTENERS_LAG + 500;
        let (told, report) = live(&dir.path().join("journal.db"), &Clock::default(), nodes).await;
        let ids = |alert: &Alert| (alert.incident.clone(), alert.status);
        let told: Vec<_> = told.iter().map(|message| ids(&message.alert)).collect();
        assert!(!told.is_empty());
        assert_eq!(told, report.alerts.iter().map(ids).collect::<Vec<_>>());
    }
}
