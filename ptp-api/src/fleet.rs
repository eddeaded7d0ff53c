//! How the nodes are, and the agent itself.

use std::collections::BTreeMap;

use ptp_diagnostics::report::quiet::Quiet;
use ptp_diagnostics::report::{BlindWindow, IncidentReport};
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Silence;

/// The fleet in a few figures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Fleet {
    /// As of when.
    pub at: Received,
    /// What people call the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Further labels of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// How many nodes there are.
    pub nodes: usize,
    /// How many are in which state.
    pub states: BTreeMap<String, usize>,
    /// How many have which role.
    pub roles: BTreeMap<String, usize>,
    /// Nodes that are not LOCKED, by name; at most 50.
    pub not_locked: Vec<Named>,
    /// Incidents that go on, by severity.
    pub firing: BTreeMap<String, usize>,
    /// Incidents that are remembered, firing and resolved.
    pub incidents: usize,
    /// How many nodes cannot be observed at present.
    pub blind: usize,
    /// How many silences are in force, or planned.
    pub silences: usize,
    /// What keeps the agent from its work; at most 50.
    pub conditions: Vec<Condition>,
}

impl Fleet {
    /// Of no nodes yet.
    #[must_use]
    pub fn new(at: Received) -> Self {
        Self {
            at,
            cluster: None,
            labels: BTreeMap::new(),
            nodes: 0,
            states: BTreeMap::new(),
            roles: BTreeMap::new(),
            not_locked: Vec::new(),
            firing: BTreeMap::new(),
            incidents: 0,
            blind: 0,
            silences: 0,
            conditions: Vec::new(),
        }
    }
}

/// A node and its state.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Its name.
    pub node: NodeName,
    /// LOCKED, HOLDOVER, FREERUN or UNKNOWN.
    pub state: String,
}

/// One node, summed up: what `/summary` says of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NodeSummary {
    /// How many events it sent.
    pub total_events: u64,
    /// LOCKED, HOLDOVER, FREERUN, or UNKNOWN: it cannot be observed.
    pub latest_state: String,
    /// Of which types its events were.
    pub event_types: Vec<String>,
    /// Its part in the timing domain.
    pub role: String,
    /// The share of the known time that it was LOCKED, from 0 to 1; absent when nothing is known.
    pub availability: Option<f64>,
    /// The incidents on it that fire, by id.
    pub incidents: Vec<String>,
}

impl NodeSummary {
    /// Of a node in this state and role, of which nothing else is known.
    #[must_use]
    pub fn new(latest_state: &str, role: &str) -> Self {
        Self {
            total_events: 0,
            latest_state: latest_state.to_owned(),
            event_types: Vec::new(),
            role: role.to_owned(),
            availability: None,
            incidents: Vec::new(),
        }
    }
}

/// Something that keeps the agent from its work.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// What suffers: `journal`, `discovery`, `sink NAME`, or the name of a publisher.
    pub name: String,
    /// Why, for people.
    pub why: String,
    /// How much of the agent's work it keeps it from; agents before 0.1 do not say it.
    #[serde(default)]
    pub gravity: Gravity,
}

/// How much of its work something keeps the agent from.
#[derive(
    Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// Everything is observed, diagnosed and kept; some other service does not do its part.
    Degraded,
    /// Something is not observed, diagnosed or kept.
    #[default]
    Failing,
}

/// What `/health` says in JSON.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HealthReport {
    /// Whether nothing keeps the agent from its work.
    pub healthy: bool,
    /// `ok`, `degraded` or `failing`; agents before 0.1 do not say it.
    #[serde(default)]
    pub status: String,
    /// What people call the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What keeps the agent from its work.
    pub conditions: Vec<Condition>,
}

/// Why nothing fires on a node, or what does.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NodeQuiet {
    /// What is seen of it, and what is near to being a finding.
    #[serde(flatten)]
    pub quiet: Quiet,
    /// Incidents that fire on it.
    pub incidents: Vec<IncidentReport>,
    /// The latest incident on it that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_resolved: Option<IncidentReport>,
    /// Silences that cover it.
    pub silences: Vec<Silence>,
    /// When it could not be observed, the newest first; at most five.
    pub blind_windows: Vec<BlindWindow>,
}

impl NodeQuiet {
    /// What is seen of a node, with nothing that fires.
    #[must_use]
    pub fn new(quiet: Quiet) -> Self {
        Self {
            quiet,
            incidents: Vec::new(),
            last_resolved: None,
            silences: Vec::new(),
            blind_windows: Vec::new(),
        }
    }
}
