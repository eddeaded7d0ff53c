//! What the agent was told.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ptp_events::{Resource, SyncState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The agent's configuration as it may be shown: of secrets only whether they are set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct ConfigReport {
    /// Where publishers are.
    pub publishers: PublishersReport,
    /// Where publishers post to, `ADDRESS:PORT`.
    pub listen: String,
    /// Where the API is, `ADDRESS:PORT`.
    pub api: String,
    /// What publishers are told to post to, where it is not `listen`.
    pub callback: Option<String>,
    /// The file in which inputs are kept.
    pub journal: Option<PathBuf>,
    /// For how long, in seconds.
    pub journal_age_s: u64,
    /// How large it may get.
    pub journal_bytes: u64,
    /// How often the current state is asked for, in seconds.
    pub poll_s: u64,
    /// Whether subscriptions are removed at the end.
    pub remove_subscriptions: bool,
    /// What people call the cluster.
    pub cluster: Option<String>,
    /// Labels of every alert.
    pub labels: BTreeMap<String, String>,
    /// Where people reach the API.
    pub external_url: Option<String>,
    /// Whether there is a Slack channel.
    pub slack: bool,
    /// How many Alertmanagers there are.
    pub alertmanagers: usize,
    /// Whether there is a webhook.
    pub webhook: bool,
    /// Whether incidents are recorded as Events.
    pub kubernetes_events: bool,
    /// Whether reading takes a token.
    pub read_token: bool,
    /// Whether there is a token for changing things; without one nothing can be changed.
    pub write_token: bool,
    /// Whether models may run commands in the daemon's pods.
    pub mcp_exec: bool,
    /// What decides whether something is wrong.
    pub thresholds: ThresholdsReport,
    /// How many timing domains the topology has; 0 without one.
    pub timing_domains: u32,
    /// How long stopping may take, in seconds.
    pub grace_s: u64,
}

/// Where publishers are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PublishersReport {
    /// At these URLs.
    Fixed(Vec<String>),
    /// Behind the daemon's pods.
    Cluster {
        /// The daemon's namespace.
        namespace: String,
    },
}

/// The thresholds that people set most.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdsReport {
    /// Beyond this an offset is too large, in nanoseconds.
    pub offset_ns: u64,
    /// For how long a clock may be without lock, in seconds.
    pub loss_of_lock_s: f64,
    /// The states that are no lock.
    pub lost_states: Vec<SyncState>,
    /// The resources whose alerts are told; absent for all.
    pub alert_resources: Option<Vec<Resource>>,
}
