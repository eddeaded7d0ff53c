//! What several tools answer with: an incident in a line, and what is told of it.

use ptp_diagnostics::report::{Evidence, IncidentReport};
use ptp_diagnostics::text::lasting;
use ptp_diagnostics::{Severity, Status, Verdict};
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::Serialize;

use crate::resources;

/// How many of its nodes a line names.
const NODES_NAMED: usize = 10;

/// An incident in a line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct IncidentLine {
    /// Its id.
    pub id: String,
    /// How bad it was at worst.
    pub severity: Severity,
    /// Whether it goes on.
    pub status: Status,
    /// Why: the code of its root cause.
    pub root_cause: String,
    /// How sure that is.
    pub verdict: Verdict,
    /// The same, from 0 to 1.
    pub confidence: f64,
    /// When the fault began.
    pub opened_at: Received,
    /// When it was over.
    pub resolved_at: Option<Received>,
    /// How long it lasted, or has lasted.
    pub lasted: String,
    /// Where it began; ten nodes at most.
    pub origin_nodes: Vec<NodeName>,
    /// How many nodes it is felt on.
    pub affected: usize,
    /// Where it is felt; ten nodes at most.
    pub affected_nodes: Vec<NodeName>,
    /// One line.
    pub summary: String,
}

impl IncidentLine {
    /// Of an incident, as of `now`.
    pub(crate) fn new(incident: &IncidentReport, now: Received) -> Self {
        let named = |nodes: &[NodeName]| nodes.iter().take(NODES_NAMED).cloned().collect();
        Self {
            id: incident.id.clone(),
            severity: incident.severity,
            status: incident.status,
            root_cause: incident.root_cause.code().to_owned(),
            verdict: incident.verdict,
            confidence: incident.confidence,
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            lasted: lasting(incident.resolved_at.unwrap_or(now).since(incident.opened_at)),
            origin_nodes: named(&incident.origin_nodes),
            affected: incident.affected_nodes.len(),
            affected_nodes: named(&incident.affected_nodes),
            summary: incident.summary.clone(),
        }
    }

    /// Where to read all of it.
    pub(crate) fn link(&self) -> (String, String) {
        (resources::incident(&self.id), self.id.clone())
    }
}

/// What was said, for or against.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EvidenceLine {
    /// When it was received.
    pub at: Received,
    /// Who said it.
    pub node: NodeName,
    /// Of which clock.
    pub clock: String,
    /// In words.
    pub says: String,
    /// Whether it fits the root cause.
    pub supports: bool,
    /// The event it stands in.
    pub event_id: String,
}

impl From<&Evidence> for EvidenceLine {
    fn from(evidence: &Evidence) -> Self {
        Self {
            at: evidence.at,
            node: evidence.node.clone(),
            clock: format!("{} {}", evidence.resource, evidence.instance).trim().to_owned(),
            says: evidence.says.clone(),
            supports: evidence.supports,
            event_id: evidence.event_id.to_string(),
        }
    }
}

/// What one does, and what several do: `1 incident fires`, `2 incidents fire`.
pub(crate) fn acts(number: usize, what: &str, does: &str) -> String {
    let does = if number == 1 { format!("{does}s") } else { does.to_owned() };
    format!("{} {does}", count(number, what))
}

/// `1 incident`, `2 incidents`.
pub(crate) fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
