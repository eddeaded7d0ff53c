//! Why nothing fires on a node: what is seen of it, and what is near to being a finding.

use ptp_events::{Instance, NodeName, Received, Resource, SyncState};
use serde::{Deserialize, Serialize};

use super::BlindWindow;
use crate::NodeState;
use crate::text::Text;

/// What is seen of a node, what fires on it, and what would.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Quiet {
    /// The node.
    pub node: NodeName,
    /// As of when.
    pub at: Received,
    /// Its state.
    pub state: NodeState,
    /// Since when.
    pub since: Received,
    /// The last word of it.
    pub last_heard: Received,
    /// Whether it left the cluster: nothing is found on it then.
    pub left: bool,
    /// While it cannot be observed, nothing can be found on it but that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<BlindWindow>,
    /// Findings about the node as a whole that will fire unless something changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Its clocks.
    pub clocks: Vec<WatchedClock>,
}

/// A clock, and what is near to being a finding about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WatchedClock {
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// Its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Received>,
    /// How often its state changed within `changes_window_s`, as far as that is remembered: one more than
    /// `changes_limit` at most.
    pub changes: u32,
    /// More changes than this are a finding.
    pub changes_limit: u32,
    /// Within this time, in seconds.
    pub changes_window_s: u64,
    /// Its latest offset, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_ns: Option<i64>,
    /// Offsets over this are a finding when they stay, in nanoseconds.
    pub offset_limit_ns: u64,
    /// Findings that fire now, by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firing: Vec<Text>,
    /// Findings that will fire unless something changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<Waiting>,
    /// Why what it does is not held against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excused: Vec<Text>,
}

/// A finding that will fire unless something changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Waiting {
    /// Which.
    pub code: Text,
    /// What it is.
    pub summary: Text,
    /// When it fires, or is judged again.
    pub at: Received,
}
