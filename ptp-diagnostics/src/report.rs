//! The report: everything the engine knows, in the form the outside world depends on.
//!
//! Field names are public API, schema `ptp-report/v1` (docs/diagnosis.md §9). Fields may be added,
//! never renamed.

use ptp_events::{
    ClockClass, EventId, GpsFix, Instance, NodeName, QualityLevel, Received, Resource, SyncState,
};
use serde::{Deserialize, Serialize};

use crate::Severity;
use crate::causality::score::Verdict;
use crate::causes::RootCause;
use crate::incidents::finding::Finding;
use crate::incidents::incident::Status;
use crate::model::curve::Curve;
use crate::model::node::{NodeState, Role};
use crate::report::known_bugs::KnownBug;
use crate::report::stability::StabilityReport;

pub mod known_bugs;
pub mod manual;
pub mod quiet;
pub mod reach;
pub mod stability;

pub(crate) mod advice;
pub(crate) mod narrate;

pub use crate::text::Text;

/// The schema this module writes.
pub const SCHEMA: &str = "ptp-report/v1";

/// A whole diagnosis.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: Text,
    /// Who made it.
    pub generator: Generator,
    /// What it was made from.
    pub input: Input,
    /// Every node seen, by name.
    pub nodes: Vec<NodeReport>,
    /// Every incident, by when it began.
    pub incidents: Vec<IncidentReport>,
    /// What people were told, in that order.
    pub alerts: Vec<Alert>,
    /// When we could not see.
    pub blind_windows: Vec<BlindWindow>,
    /// How steady the clocks say they are, by name; only when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stability: Option<Vec<StabilityReport>>,
}

/// Who made a report.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Generator {
    /// The program.
    pub name: Text,
    /// Its version.
    pub version: Text,
}

/// What a report was made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Input {
    /// The files, as they were named.
    pub files: Vec<String>,
    /// Events diagnosed, each once.
    pub events: u64,
    /// Lines that were no events.
    pub malformed: u64,
    /// Events that had come before.
    pub duplicates: u64,
    /// Events that only said that there is no data yet; they are among `events`.
    pub placeholders: u64,
    /// When the first event was received.
    pub first: Option<Received>,
    /// When the last event was received.
    pub last: Option<Received>,
}

/// One node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct NodeReport {
    /// Its name.
    pub node: NodeName,
    /// Its part in the timing domain.
    pub role: Role,
    /// Its state at the end.
    pub state: NodeState,
    /// How many events it sent.
    pub events: u64,
    /// The share of the known time that it was LOCKED; `null` when nothing is known.
    pub availability: Option<f64>,
    /// Seconds spent in each state.
    pub time_in_state_s: TimeInState,
    /// Its clocks.
    pub clocks: Vec<ClockReport>,
    /// Its timing domain, numbered from 0, where the topology names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<u32>,
    /// Whom it follows, as the topology says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<NodeName>,
}

/// Seconds spent in each state.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub struct TimeInState {
    /// Seconds.
    pub locked: f64,
    /// Seconds.
    pub holdover: f64,
    /// Seconds.
    pub freerun: f64,
    /// Seconds in which nothing was known: before its first state, while it could not be observed,
    /// and after it left. Reports of before 0.1 have none.
    #[serde(default)]
    pub unknown: f64,
}

/// One clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ClockReport {
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// Its state at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// Since when it is known to be in that state; not while its node cannot be observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Received>,
    /// The class it announces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_class: Option<ClockClass>,
    /// The receiver's fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gps_fix: Option<GpsFix>,
    /// Its `SyncE` quality level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_level: Option<QualityLevel>,
    /// How many events spoke of it.
    pub events: u64,
    /// How often its state changed.
    pub changes: u64,
    /// Its offsets in nanoseconds; stale ones and sentinels do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_ns: Option<OffsetReport>,
    /// The latest changes of what it said, oldest first; only for nodes in an incident, unless curves are asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Moment>,
    /// Its offsets over time, for plots; only where [`crate::Settings::curve_points`] asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

/// The offsets of a clock, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct OffsetReport {
    /// How many there were.
    pub samples: u64,
    /// The latest.
    pub last: i64,
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
    /// The mean.
    pub mean: i64,
}

/// Something a clock said at some time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Moment {
    /// When.
    pub at: Received,
    /// Its state from then on, if that is what it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// What it said, in words.
    pub says: String,
}

/// One incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct IncidentReport {
    /// Stable for the same input.
    pub id: String,
    /// Why.
    pub root_cause: RootCause,
    /// How sure that is.
    pub verdict: Verdict,
    /// The same, from 0 to 1.
    pub confidence: f64,
    /// How bad it was at worst.
    pub severity: Severity,
    /// Whether it goes on.
    pub status: Status,
    /// When the fault began.
    pub opened_at: Received,
    /// When we could say so.
    pub detected_at: Received,
    /// When it was over.
    pub resolved_at: Option<Received>,
    /// Where it began.
    pub origin_nodes: Vec<NodeName>,
    /// Everywhere it was felt, the origin included.
    pub affected_nodes: Vec<NodeName>,
    /// One line.
    pub summary: String,
    /// A short paragraph.
    pub details: String,
    /// What was said, for and against.
    pub evidence: Vec<Evidence>,
    /// What else it could be, most likely first.
    pub alternatives: Vec<Alternative>,
    /// What to do, in order.
    pub recommendations: Vec<Recommendation>,
    /// Known bugs that look like it: each may be why, and none need be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_bugs: Vec<KnownBug>,
    /// When a limit will be reached.
    pub forecast: Option<Forecast>,
    /// Why there is no forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast_note: Option<Text>,
    /// What the detectors found.
    pub findings: Vec<Finding>,
    /// The incident that this one turned out to be a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// While it fires: when it closes if nothing more happens; absent while something keeps it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Received>,
    /// While findings hold whose end is known if nothing more happens: it closes no sooner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_not_before: Option<Received>,
    /// While it fires: what keeps it open, if it is not only time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_open_by: Option<String>,
    /// While it fires: its clocks, and since when each is well again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recovery: Vec<Recovery>,
}

/// A clock of an incident that fires, and whether it is well again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Recovery {
    /// The clock's node.
    pub node: NodeName,
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// Its state now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// Since when it has been LOCKED; absent while it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_since: Option<Received>,
}

/// Something that was said, for or against a root cause.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Evidence {
    /// When we received it.
    pub at: Received,
    /// Who said it.
    pub node: NodeName,
    /// Of what.
    pub resource: Resource,
    /// Of which one.
    pub instance: Instance,
    /// The event it stands in.
    pub event_id: EventId,
    /// In words.
    pub says: String,
    /// Whether it fits the root cause.
    pub supports: bool,
}

/// Another root cause that is possible.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Alternative {
    /// Which.
    pub root_cause: RootCause,
    /// From 0 to 1.
    pub confidence: f64,
    /// What would decide.
    pub decide_by: Text,
}

/// Something to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Recommendation {
    /// In words.
    pub action: String,
    /// As a command to paste.
    pub command: Option<String>,
}

/// When a limit will be reached.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Forecast {
    /// The time error in question, in nanoseconds.
    pub limit_ns: u64,
    /// When it is reached, at the median.
    pub at: Received,
    /// The 10 % bound; without samples that of the oscillators there are.
    pub earliest: Option<Received>,
    /// The 90 % bound; without samples that of the oscillators there are.
    pub latest: Option<Received>,
    /// How many samples it rests on.
    pub samples: u64,
    /// `linear` or `quadratic` when it was fitted to samples; `measured` when the limit is reached, and when that was
    /// measured. Else
    /// [`crate::Settings::holdover_limit_ns`] is reached in a time that is known before: `declared`
    /// for the node in the topology, or by `default` [`crate::Settings::holdover_model`], or that of
    /// followers.
    pub model: Text,
}

/// What people are told.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alert {
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: String,
    /// A short paragraph.
    pub details: String,
    /// What to do, in order.
    pub recommendations: Vec<String>,
    /// Every node it is felt on.
    pub affected_nodes: Vec<NodeName>,
    /// When people are told.
    pub timestamp: Received,
    /// The incident it is about.
    pub incident: String,
    /// What happened to it.
    pub status: AlertStatus,
    /// Why.
    pub root_cause: RootCause,
}

/// What happened to an incident, as far as people are told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AlertStatus {
    /// It began, or came back.
    Opened,
    /// It got worse.
    Escalated,
    /// It is over.
    Resolved,
}

impl AlertStatus {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
        }
    }
}

/// A stretch in which a fault could not have been seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct BlindWindow {
    /// Where.
    pub node: NodeName,
    /// Since when.
    pub from: Received,
    /// Until when; `null` while it lasts.
    pub to: Option<Received>,
    /// Why.
    pub why: String,
}

impl Report {
    /// The same about nobody: what it was made from, and nothing of what was found.
    #[must_use]
    pub fn about_nobody(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            generator: self.generator.clone(),
            input: self.input.clone(),
            nodes: Vec::new(),
            incidents: Vec::new(),
            alerts: Vec::new(),
            blind_windows: Vec::new(),
            stability: None,
        }
    }
}

impl Recommendation {
    /// The action, and its command after a colon.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        match &self.command {
            Some(command) => format!("{}: {command}", self.action),
            None => self.action.clone(),
        }
    }
}

impl IncidentReport {
    /// One of severity INFO that no engine found, to see whether messages arrive.
    #[must_use]
    pub fn test(summary: &str, details: &str, at: Received) -> Self {
        Self {
            id: "test".to_owned(),
            root_cause: RootCause::default(),
            verdict: Verdict::Inconclusive,
            confidence: 0.0,
            severity: Severity::Info,
            status: Status::Firing,
            opened_at: at,
            detected_at: at,
            resolved_at: None,
            origin_nodes: Vec::new(),
            affected_nodes: Vec::new(),
            summary: summary.to_owned(),
            details: details.to_owned(),
            evidence: Vec::new(),
            alternatives: Vec::new(),
            recommendations: Vec::new(),
            known_bugs: Vec::new(),
            forecast: None,
            forecast_note: None,
            findings: Vec::new(),
            merged_into: None,
            closes_at: None,
            closes_not_before: None,
            kept_open_by: None,
            recovery: Vec::new(),
        }
    }
}

impl BlindWindow {
    pub(crate) const fn new(node: NodeName, from: Received, why: String) -> Self {
        Self { node, from, to: None, why }
    }
}
