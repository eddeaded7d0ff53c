//! Telling people: each sink has its own queue and its own retries, and delays nobody.

mod alertmanager;
mod destination;
mod dispatch;
mod identity;
mod kubernetes;
mod outbox;
mod silences;
mod slack;
mod test_alert;
mod told;
mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use ptp_diagnostics::report::{Alert, IncidentReport, Report};
use serde::{Deserialize, Serialize};

pub use alertmanager::{Alertmanager, alerts_url};
pub use destination::{Answer, Destination, Said, SinkError, read_token};
pub use dispatch::{Telling, dispatch};
pub use identity::{Identity, RUNBOOK, parse_label};
pub use kubernetes::KubernetesEvents;
pub use silences::{MAX_SILENCES, Silences};
pub use slack::Slack;
pub use test_alert::{Tried, try_all};
pub use told::ToldLog;
pub use webhook::Webhook;

/// One alert, with the incident it is about.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    /// What people are told.
    pub alert: Arc<Alert>,
    /// The incident as it was then.
    pub incident: Arc<IncidentReport>,
}

/// Whoever runs the sinks.
pub trait Host: Send + Sync {
    /// What is known now, for sinks that repeat what fires.
    fn known(&self) -> Arc<dyn AsRef<Report> + Send + Sync>;

    /// A sink takes alerts again.
    fn sink_works(&self, sink: &str);

    /// A sink does not take alerts, and why.
    fn sink_fails(&self, sink: &str, why: &str);
}

/// What a sink has done, and how it is.
#[derive(Debug, Default)]
pub struct SinkStatus {
    /// Alerts delivered.
    pub delivered: AtomicU64,
    /// Alerts refused for what they say, and not tried again.
    pub failed: AtomicU64,
    /// Incidents dropped because too many waited.
    pub dropped: AtomicU64,
    /// Whether the last try failed.
    pub failing: AtomicBool,
}

/// A sink by the name that people, metrics and `/health` know it by.
#[derive(Debug)]
pub struct Named {
    /// `slack`, `alertmanager-0`, …
    pub name: String,
    /// The sink itself.
    pub sink: Sink,
    /// What it has done.
    pub status: Arc<SinkStatus>,
}

impl Named {
    /// A sink that has done nothing yet.
    #[must_use]
    pub fn new(name: String, sink: Sink) -> Self {
        Self { name, sink, status: Arc::default() }
    }
}

/// Somewhere alerts go.
#[derive(Debug)]
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
    async fn deliver(&mut self, message: &Message) -> Result<Answer, SinkError> {
        match self {
            Self::Slack(slack) => slack.deliver(message).await,
            Self::Alertmanager(alertmanager) => alertmanager.deliver(message).await,
            Self::Webhook(webhook) => webhook.deliver(message).await,
            Self::Kubernetes(events) => events.deliver(message).await,
        }
    }

    /// Sends a message that is about no incident, and leaves no trace of it in what is repeated.
    async fn deliver_test(&mut self, message: &Message) -> Result<Answer, SinkError> {
        match self {
            Self::Alertmanager(alertmanager) => alertmanager.deliver_test(message).await,
            other => other.deliver(message).await,
        }
    }

    /// What to do when nothing new has come for a while: Alertmanager forgets what is not repeated.
    /// `None` when there was nothing to do.
    async fn refresh(&mut self, host: &dyn Host) -> Option<Result<Answer, SinkError>> {
        match self {
            Self::Alertmanager(alertmanager) => {
                let known = host.known();
                alertmanager.refresh(&(*known).as_ref().incidents).await
            }
            _ => None,
        }
    }
}
