//! Who is not to be told of what, until when.

use ptp_diagnostics::RootCause;
use ptp_diagnostics::report::{Alert, IncidentReport};
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A silence: people are not told of some incidents for a while.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Silence {
    /// Its id.
    pub id: String,
    /// Only incidents that affect this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only incidents of this root cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// From when on.
    pub from: Received,
    /// Until when.
    pub until: Received,
    /// Why, for the next shift.
    pub comment: String,
    /// Who asked for it.
    pub created_by: String,
}

impl Silence {
    /// Whether people are not to be told of an alert at a time.
    #[must_use]
    pub fn covers(&self, alert: &Alert, at: Received) -> bool {
        (self.from..self.until).contains(&at) && self.is_of(alert.root_cause, &alert.affected_nodes)
    }

    /// Whether it is about an incident, whenever that is.
    #[must_use]
    pub fn is_about(&self, incident: &IncidentReport) -> bool {
        self.is_of(incident.root_cause, &incident.affected_nodes)
    }

    fn is_of(&self, cause: RootCause, nodes: &[NodeName]) -> bool {
        self.root_cause.as_deref().is_none_or(|wanted| wanted == cause.code())
            && self
                .node
                .as_deref()
                .is_none_or(|wanted| nodes.iter().any(|node| node.as_str() == wanted))
    }
}

/// A silence to be made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Only incidents that affect this node
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only incidents of this root cause
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// All incidents; must be said when neither `node` nor `root_cause` is
    #[serde(default)]
    pub everything: bool,
    /// When it begins, such as 22:00 (in UTC) or 2026-11-24T22:00:00Z; now unless given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when, such as 06:00 (in UTC) or 2026-11-24T06:00:00Z; at most 31 days away
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Instead of `until`, for how long from its beginning on, such as 2h
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Why, for the next shift
    pub comment: String,
    /// The person who asked for it
    pub created_by: String,
}

/// A silence, and what is odd about it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MadeSilence {
    /// The silence.
    #[serde(flatten)]
    pub silence: Silence,
    /// What its author may want to know.
    #[serde(default)]
    pub warnings: Vec<String>,
}
