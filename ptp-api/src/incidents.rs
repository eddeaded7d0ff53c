//! What incidents lead to, and how they are related.

pub use ptp_diagnostics::report::reach::Relation;

use ptp_diagnostics::report::Forecast;
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an incident that goes on will reach a limit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IncidentForecast {
    /// The incident, by id.
    pub incident: String,
    /// Where it is felt.
    pub nodes: Vec<NodeName>,
    /// When.
    pub forecast: Forecast,
}

/// Another incident, and whether one reason may be behind both.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Related {
    /// The other, by id.
    pub incident: String,
    /// Its root cause.
    pub root_cause: String,
    /// When it began.
    pub opened_at: Received,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Received>,
    /// Where it began.
    pub origin_nodes: Vec<NodeName>,
    /// Whether one reason is behind both.
    pub relation: Relation,
    /// What speaks for it, and against it.
    pub why: Vec<String>,
}

impl Related {
    /// An incident of which nothing else is said.
    #[must_use]
    pub const fn new(
        incident: String,
        root_cause: String,
        opened_at: Received,
        relation: Relation,
        why: Vec<String>,
    ) -> Self {
        Self {
            incident,
            root_cause,
            opened_at,
            resolved_at: None,
            origin_nodes: Vec::new(),
            relation,
            why,
        }
    }
}
