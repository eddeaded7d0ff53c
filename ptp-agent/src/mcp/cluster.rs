//! Tools on the cluster: what its API server, its nodes and ptp4l on them say at this moment.
//!
//! [`access`] asks, within limits; what comes back is taken apart by functions that ask nothing
//! ([`pmc`], [`conf`], [`g8275`], [`ethtool`], [`hierarchy`]). All of it only reads. What could not
//! be read is said, and is never taken for health.

mod access;
mod clocks;
mod command;
mod conf;
mod configs;
mod ethtool;
mod g8275;
mod hardware;
mod hierarchy;
mod logs;
mod metrics;
mod names;
mod objects;
mod pmc;
mod pods;
mod statement;
mod status;

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::Value;

use super::Reach;
use super::tool::{Part, Refusal, Tool, a, list, maybe, object, tool};

pub use access::{Cluster, ClusterError, Right};

/// The tools, in the order a client lists them.
pub(super) const TOOLS: &[Tool] = &[
    tool!(
        "check_ptp_status",
        "Check PTP on a node",
        Cluster,
        Reads,
        OfNode,
        status::schema(),
        status::check,
        "Whether a node is synchronised, from its daemon's pod, the PtpConfigs it was given, and its log of \
         the last ten minutes. Each statement names what shows it; what could not be read makes the \
         verdict unknown, never synchronised."
    ),
    tool!(
        "analyze_sync_status",
        "Analyse a node's synchronisation",
        Cluster,
        Reads,
        OfClock,
        status::schema(),
        status::analyze,
        "The same from ptp4l itself and the metrics: port states, offset against the threshold of the \
         PtpConfig, grandmaster and its class, states of all clocks. Runs pmc on the node (GET only)."
    ),
    tool!(
        "analyze_ptp_faults",
        "Diagnose a node's log",
        Cluster,
        Reads,
        logs::Faults,
        logs::faults_schema(),
        logs::faults,
        "Reads the log of a node's daemon and diagnoses it with the engine that watches the fleet, with the \
         thresholds of the node's PtpConfig: incidents with root cause and evidence."
    ),
    tool!(
        "list_ptp_pods",
        "Pods of linuxptp-daemon",
        Cluster,
        Reads,
        OfNodes,
        pods::schema(),
        pods::list_pods,
        "Where linuxptp-daemon runs, and how its containers are. A node that is not there does no PTP."
    ),
    tool!(
        "get_daemon_logs",
        "Log of the daemon",
        Cluster,
        Reads,
        logs::LogQuery,
        logs::schema(),
        logs::daemon,
        "The latest lines of linuxptp-daemon (ptp4l, phc2sys, ts2phc …) on a node, and the events they \
         amount to: states and offsets of clocks."
    ),
    tool!(
        "get_proxy_logs",
        "Log of the publisher",
        Cluster,
        Reads,
        logs::LogQuery,
        logs::schema(),
        logs::proxy,
        "The latest lines of cloud-event-proxy on a node: what it published, to whom, and why not."
    ),
    tool!(
        "get_ptp_metrics",
        "Metrics of a node",
        Cluster,
        Reads,
        metrics::MetricsQuery,
        metrics::schema(),
        metrics::get,
        "The figures a node's exporters show at this moment: states, offsets in nanoseconds, clock class, \
         receiver, DPLL, processes and port roles."
    ),
    tool!(
        "get_ptp_configs",
        "PtpConfigs",
        Cluster,
        Reads,
        Part,
        configs::list_schema(),
        configs::list_configs,
        "All PtpConfigs in a line each: profiles, for which nodes they are recommended, and which nodes the \
         operator gave them to; and how events are configured."
    ),
    tool!(
        "get_ptp_config",
        "One PtpConfig",
        Cluster,
        Reads,
        configs::One,
        configs::one_schema(),
        configs::one,
        "A PtpConfig with each profile's options of ptp4l taken apart: global ones, those of each port, and \
         the command line, which goes before both."
    ),
    tool!(
        "get_node_ptp_configs",
        "What a node was given",
        Cluster,
        Reads,
        OfNode,
        configs::node_schema(),
        configs::of_node,
        "The profiles that the operator gave to a node, and ports in them that the node does not have."
    ),
    tool!(
        "validate_ptp_config",
        "Check against G.8275.1",
        Cluster,
        Reads,
        configs::One,
        configs::validation_schema(),
        configs::validate,
        "Judges the profiles of a PtpConfig by the rules of ITU-T G.8275.1: every deviation with the clause, \
         the value, where it comes from and what it should be; and what cannot be judged."
    ),
    tool!(
        "run_pmc_query",
        "Ask ptp4l",
        Cluster,
        Reads,
        clocks::Query,
        clocks::query_schema(),
        clocks::query,
        "Asks ptp4l on a node for data sets (pmc GET): PARENT_DATA_SET, PORT_DATA_SET, TIME_STATUS_NP, \
         PORT_STATS_NP and others of a fixed list. Offsets are nanoseconds."
    ),
    tool!(
        "get_grandmaster_status",
        "Grandmasters",
        Cluster,
        Reads,
        OfClocks,
        clocks::grandmasters_schema(),
        clocks::grandmasters,
        "Which grandmaster each node follows, with its class, accuracy and priorities, whether it is \
         present, and how many steps away; grouped by grandmaster."
    ),
    tool!(
        "get_clock_hierarchy",
        "Clock hierarchy",
        Cluster,
        Reads,
        OfClocks,
        clocks::hierarchy_schema(),
        clocks::hierarchy,
        "Who follows whom: every clock with its parent, from what ptp4l on each node says and the PtpConfigs; \
         parents outside of the cluster are named as such, and nodes that could not be asked listed."
    ),
    tool!(
        "list_ptp_interfaces",
        "Interfaces",
        Cluster,
        Reads,
        OfNodes,
        hardware::interfaces_schema(),
        hardware::interfaces,
        "The interfaces of the nodes that can do PTP, as the daemon found them, and which profile uses them."
    ),
    tool!(
        "get_hardware_info",
        "Hardware of a node",
        Cluster,
        Reads,
        OfNode,
        hardware::info_schema(),
        hardware::info,
        "What the operator knows of a node's PTP hardware: devices with PCI address, firmware and part \
         numbers where it tells them, and the state of its plugins."
    ),
    tool!(
        "map_ptp_hardware",
        "Interfaces and hardware clocks",
        Cluster,
        Reads,
        OfNode,
        hardware::map_schema(),
        hardware::map,
        "Which interfaces of a node share a PTP hardware clock (/dev/ptpN). Runs ethtool -T on the node."
    ),
    tool!(
        "check_interface_ptp_support",
        "Can an interface do PTP",
        Cluster,
        Reads,
        hardware::Interface,
        hardware::support_schema(),
        hardware::support,
        "Whether an interface stamps PTP in hardware, also over Ethernet as G.8275.1 needs it, and with \
         which clock. Runs ethtool -T on the node."
    ),
    tool!(
        "get_nic_details",
        "One interface",
        Cluster,
        Reads,
        hardware::Interface,
        hardware::nic_schema(),
        hardware::nic,
        "An interface's driver, firmware, bus address, link and speed, and what the operator knows of it. \
         Runs ethtool on the node."
    ),
    tool!(
        "exec_ptp_command",
        "Run a command",
        Command,
        Reads,
        command::CommandQuery,
        command::schema(),
        command::run,
        "Runs one command of a fixed list in the daemon's container of a node, as program and arguments, \
         without a shell: pmc GET, ethtool, ip link, phc_ctl get, cat of the daemon's configurations. \
         Anything else is refused, with the list. Off unless switched on."
    ),
];

/// The cluster; tools that need it are only offered where there is one.
fn cluster(reach: &Reach) -> Result<&Cluster, Refusal> {
    let none = || Refusal::NotFound("there is no cluster to ask".to_owned());
    reach.cluster.as_ref().ok_or_else(none)
}

/// Which node.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfNode {
    /// The node's name
    node: String,
}

/// Which clock of which node.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfClock {
    /// The node's name
    node: String,
    /// Which ptp4l of the node, by the number in its configuration's name; 0 unless given
    #[schemars(range(max = 15))]
    config: Option<u8>,
}

/// Which nodes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfNodes {
    /// Only this node
    node: Option<String>,
    /// How many entries at most; 20 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// Which nodes' clocks.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfClocks {
    /// Only this node; otherwise all, up to `limit`
    node: Option<String>,
    /// How many nodes are asked at most; 20 unless given, 100 at most
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

/// A field's text, or nothing.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The texts of a list, joined.
fn joined(value: &Value, field: &str) -> String {
    let texts = value[field].as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.take(8).collect::<Vec<_>>().join(", ")
}
