//! What people were told, and over which sinks.

use ptp_diagnostics::Severity;
use ptp_diagnostics::report::{Alert, AlertStatus};
use ptp_events::Received;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the alerts, and how many there are in all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Alerts {
    /// The entries, newest first.
    pub items: Vec<Alert>,
    /// For the next request, as `cursor`; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in all.
    pub total: usize,
    /// How many of them are CRITICAL.
    pub critical: usize,
}

/// What became of alerts: over which sink, when, or why not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Deliveries {
    /// Since when deliveries are known: the start of the agent, or of the oldest that is remembered.
    pub known_since: Received,
    /// Each sink; none when the agent tells nobody.
    pub sinks: Vec<SinkReport>,
    /// The entries, newest first.
    pub items: Vec<Delivery>,
    /// For the next request, as `cursor`; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in all.
    pub total: usize,
}

impl Deliveries {
    /// None yet.
    #[must_use]
    pub const fn new(known_since: Received) -> Self {
        Self { known_since, sinks: Vec::new(), items: Vec::new(), next_cursor: None, total: 0 }
    }
}

/// What a sink has done since the agent started.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SinkReport {
    /// Its name: slack, alertmanager-0, webhook, kubernetes.
    pub sink: String,
    /// Messages it took.
    pub delivered: u64,
    /// Messages it refused for what they say.
    pub refused: u64,
    /// Incidents that were dropped because too many waited.
    pub dropped: u64,
    /// Incidents of which something waits to be told.
    pub waiting: usize,
    /// Whether its last try failed.
    pub failing: bool,
}

/// One message to one sink.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// When it was settled.
    pub at: Received,
    /// The sink; absent when a silence covers it, and so no sink was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// The incident.
    pub incident: String,
    /// What happened to it.
    pub status: AlertStatus,
    /// How bad it was.
    pub severity: Severity,
    /// What became of the message.
    pub outcome: DeliveryOutcome,
    /// The silence that covers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryOutcome {
    /// The sink took it.
    Delivered,
    /// The sink refused it for what it says; it is not tried again.
    Refused,
    /// Nobody was told, because of a silence.
    Silenced,
}
