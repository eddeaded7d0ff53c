//! Telling people: each sink has its own queue and its own retries, and delays nobody.

mod alertmanager;
mod kubernetes;
mod slack;
mod webhook;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ptp_diagnostics::report::{Alert, AlertStatus, IncidentReport};
use ptp_events::{ReceiveClock, Received};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::store::Silence;

pub use alertmanager::Alertmanager;
pub use kubernetes::KubernetesEvents;
pub use slack::Slack;
pub use webhook::Webhook;

/// How many alerts may wait for one sink; there is at most one per change of an incident.
const QUEUE: usize = 256;
/// How often one alert is tried: for some 10 min, so that a server may be moved or restarted.
const TRIES: u32 = 15;
/// How long the first pause between tries is; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How long one call may take.
pub(crate) const CALL: Duration = Duration::from_secs(10);

/// One alert, with the incident it is about.
#[derive(Clone, Debug)]
pub struct Message {
    /// What people are told.
    pub alert: Arc<Alert>,
    /// The incident as it was then.
    pub incident: Arc<IncidentReport>,
}

/// Why an alert was not delivered. Never names the URL: it may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// No answer, or none in time.
    #[error("no answer")]
    Unreachable {
        /// Why, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The API server did not take it.
    #[error("the API server did not take the event")]
    Kubernetes {
        /// Why not.
        source: Box<kube::Error>,
    },
    /// Not now; perhaps the server said when.
    #[error("refused for now with status {status}")]
    Later {
        /// The status.
        status: u16,
        /// How long the server wants us to wait.
        after: Option<Duration>,
    },
    /// Not at all: trying again would change nothing.
    #[error("refused with status {status}")]
    Refused {
        /// The status.
        status: u16,
    },
}

/// What a sink has done.
#[derive(Debug, Default)]
pub struct SinkCounts {
    /// Alerts delivered.
    pub delivered: AtomicU64,
    /// Alerts given up.
    pub failed: AtomicU64,
    /// Alerts dropped because the queue was full.
    pub dropped: AtomicU64,
}

/// Somewhere alerts go.
pub enum Sink {
    /// A Slack channel.
    Slack(Slack),
    /// An Alertmanager.
    Alertmanager(Alertmanager),
    /// Anybody's program.
    Webhook(Webhook),
    /// Events on the node.
    Kubernetes(KubernetesEvents),
}

impl Sink {
    const fn name(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Alertmanager(_) => "alertmanager",
            Self::Webhook(_) => "webhook",
            Self::Kubernetes(_) => "kubernetes",
        }
    }

    async fn deliver(&mut self, message: &Message) -> Result<(), SinkError> {
        match self {
            Self::Slack(slack) => slack.deliver(message).await,
            Self::Alertmanager(alertmanager) => alertmanager.deliver(message).await,
            Self::Webhook(webhook) => webhook.deliver(message).await,
            Self::Kubernetes(events) => events.deliver(message).await,
        }
    }

    /// What to do when nothing new has come for a while: Alertmanager forgets what is not repeated.
    async fn refresh(&mut self) {
        if let Self::Alertmanager(alertmanager) = self
            && let Err(error) = alertmanager.refresh().await
        {
            tracing::warn!(why = crate::store::chain(&error), "cannot repeat alerts");
        }
    }
}

/// Asks once and reads the status; the URL never gets into an error.
pub(crate) async fn call(request: reqwest::RequestBuilder) -> Result<(), SinkError> {
    let answer = request
        .timeout(CALL)
        .send()
        .await
        .map_err(|source| SinkError::Unreachable { source: source.without_url() })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let after = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let status = status.as_u16();
    Err(if status == 429 || status >= 500 {
        SinkError::Later { status, after }
    } else {
        SinkError::Refused { status }
    })
}

/// The silences in force, shared with the API.
#[derive(Clone, Debug, Default)]
pub struct Silences(Arc<Mutex<BTreeMap<String, Silence>>>);

/// How many silences may exist.
pub const MAX_SILENCES: usize = 1000;

impl Silences {
    /// Adds or replaces one, and forgets those that are over at `now`; false when there are too
    /// many.
    #[must_use]
    pub fn put(&self, silence: Silence, now: Received) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, silence| silence.until > now);
        let fits = all.len() < MAX_SILENCES || all.contains_key(&silence.id);
        if fits {
            all.insert(silence.id.clone(), silence);
        }
        fits
    }

    /// All of them, by id.
    #[must_use]
    pub fn all(&self) -> Vec<Silence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The silence that covers an alert at `now`.
    #[must_use]
    pub fn covering(&self, alert: &Alert, now: Received) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().find(|silence| silence.covers(alert, now)).map(|silence| silence.id.clone())
    }
}

/// How often it is looked whether a silence has ended.
const SILENCES_EVERY: Duration = Duration::from_secs(10);

/// Hands every alert to every sink until `stop`; then what has been raised by then, and lets the
/// sinks finish, within `grace`.
///
/// `silenced` is what fires and was not told before the last restart.
pub async fn dispatch(
    mut alerts: mpsc::Receiver<Message>,
    sinks: Vec<(Sink, Arc<SinkCounts>)>,
    silences: Silences,
    silenced: Vec<Message>,
    clock: ReceiveClock,
    grace: Duration,
    stop: CancellationToken,
) {
    let mut tasks = JoinSet::new();
    let mut queues = Vec::new();
    for (sink, counts) in sinks {
        let (queue, messages) = mpsc::channel(QUEUE);
        queues.push((queue, Arc::clone(&counts)));
        tasks.spawn(work(sink, counts, messages));
    }
    let silenced = silenced.into_iter().map(|message| (message.alert.incident.clone(), message));
    let mut desk = Desk { queues, silences, clock, silenced: silenced.collect() };
    let mut look = tokio::time::interval(SILENCES_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            message = alerts.recv() => match message {
                Some(message) => desk.handle(message),
                None => break,
            },
            _ = look.tick() => desk.look_at_silences(),
        }
    }
    while let Ok(message) = alerts.try_recv() {
        desk.handle(message);
    }
    drop(desk);
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, drained).await.is_err() {
        tracing::warn!("gave up alerts that could not be delivered in time");
    }
}

/// Decides who hears of what.
struct Desk {
    queues: Vec<(mpsc::Sender<Message>, Arc<SinkCounts>)>,
    silences: Silences,
    clock: ReceiveClock,
    /// Incidents nobody was told of because of a silence, and what they would have been told.
    silenced: BTreeMap<String, Message>,
}

impl Desk {
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
            // The end is told whenever the beginning was.
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
        for (queue, counts) in &self.queues {
            if queue.try_send(message.clone()).is_err() {
                counts.dropped.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    incident = message.alert.incident,
                    "too many alerts wait for a sink"
                );
            }
        }
    }
}

/// How many silenced incidents are remembered for when their silence ends.
const MAX_SILENCED: usize = 10_000;

async fn work(mut sink: Sink, counts: Arc<SinkCounts>, mut messages: mpsc::Receiver<Message>) {
    let mut refresh = tokio::time::interval(alertmanager::REPEAT);
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            _ = refresh.tick() => {
                sink.refresh().await;
                continue;
            }
        };
        let Some(message) = message else { return };
        let outcome = deliver(&mut sink, &message).await;
        let counter = if outcome.is_ok() { &counts.delivered } else { &counts.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = outcome {
            let (sink, why) = (sink.name(), crate::store::chain(&error));
            tracing::error!(sink, why, incident = message.alert.incident, "an alert was given up");
        }
    }
}

async fn deliver(sink: &mut Sink, message: &Message) -> Result<(), SinkError> {
    let mut pause = FIRST_PAUSE;
    let mut tries = 1;
    loop {
        let error = match sink.deliver(message).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
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
