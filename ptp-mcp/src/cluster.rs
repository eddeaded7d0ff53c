//! Tools on the cluster: what its API server, its nodes and ptp4l on them say at this moment.
//!
//! [`access`] asks, within limits; what comes back is taken apart by functions that ask nothing
//! ([`ptp_linuxptp`]). All of it only reads. What could not
//! be read is said, and is never taken for health.

pub(crate) mod access;
mod arguments;
mod clocks;
mod command;
mod configs;
mod hardware;
mod logs;
mod metrics;
pub(crate) mod names;
mod objects;
mod pods;
mod statement;
mod status;

use arguments::{OfClock, OfClocks, OfNode, OfNodes};

use crate::tool::{Part, Tool, tool};

/// The tools, in the order a client lists them.
pub(crate) const TOOLS: &[Tool] = &[
    tool!(
        "check_ptp_status",
        "Check PTP on a node",
        Cluster,
        Reads,
        OfNode => status::Checked,
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
        OfClock => status::Checked,
        status::analyze,
        "The same from ptp4l itself and the metrics: port states, offset against the threshold of the \
         PtpConfig, grandmaster and its class, states of all clocks. Runs pmc on the node (GET only)."
    ),
    tool!(
        "analyze_ptp_faults",
        "Diagnose a node's log",
        Cluster,
        Reads,
        logs::Faults => logs::FaultsFound,
        logs::faults,
        "Reads the log of a node's daemon and diagnoses it with the engine that watches the fleet, with the \
         thresholds of the node's PtpConfig: incidents with root cause and evidence."
    ),
    tool!(
        "list_ptp_pods",
        "Pods of linuxptp-daemon",
        Cluster,
        Reads,
        OfNodes => pods::Pods,
        pods::list_pods,
        "Where linuxptp-daemon runs, and how its containers are. A node that is not there does no PTP."
    ),
    tool!(
        "get_daemon_logs",
        "Log of the daemon",
        Cluster,
        Reads,
        logs::LogQuery => logs::LogLines,
        logs::daemon,
        "The latest lines of linuxptp-daemon (ptp4l, phc2sys, ts2phc …) on a node, and the events they \
         amount to: states and offsets of clocks."
    ),
    tool!(
        "get_proxy_logs",
        "Log of the publisher",
        Cluster,
        Reads,
        logs::LogQuery => logs::LogLines,
        logs::proxy,
        "The latest lines of cloud-event-proxy on a node: what it published, to whom, and why not."
    ),
    tool!(
        "get_ptp_metrics",
        "Metrics of a node",
        Cluster,
        Reads,
        metrics::MetricsQuery => metrics::MetricsRead,
        metrics::get,
        "The figures a node's exporters show at this moment: states, offsets in nanoseconds, clock class, \
         receiver, DPLL, processes and port roles."
    ),
    tool!(
        "get_ptp_configs",
        "PtpConfigs",
        Cluster,
        Reads,
        Part => configs::Configs,
        configs::list_configs,
        "All PtpConfigs in a line each: profiles, for which nodes they are recommended, and which nodes the \
         operator gave them to; and how events are configured."
    ),
    tool!(
        "get_ptp_config",
        "One PtpConfig",
        Cluster,
        Reads,
        configs::One => configs::Whole,
        configs::one,
        "A PtpConfig with each profile's options of ptp4l taken apart: global ones, those of each port, and \
         the command line, which goes before both."
    ),
    tool!(
        "get_node_ptp_configs",
        "What a node was given",
        Cluster,
        Reads,
        OfNode => configs::GivenTo,
        configs::of_node,
        "The profiles that the operator gave to a node, and ports in them that the node does not have."
    ),
    tool!(
        "validate_ptp_config",
        "Check against G.8275.1",
        Cluster,
        Reads,
        configs::One => configs::Validation,
        configs::validate,
        "Judges the profiles of a PtpConfig by the rules of ITU-T G.8275.1: every deviation with the clause, \
         the value, where it comes from and what it should be; and what cannot be judged."
    ),
    tool!(
        "run_pmc_query",
        "Ask ptp4l",
        Cluster,
        Reads,
        clocks::Query => clocks::Answers,
        clocks::query,
        "Asks ptp4l on a node for data sets (pmc GET): PARENT_DATA_SET, PORT_DATA_SET, TIME_STATUS_NP, \
         PORT_STATS_NP and others of a fixed list. Offsets are nanoseconds."
    ),
    tool!(
        "get_grandmaster_status",
        "Grandmasters",
        Cluster,
        Reads,
        OfClocks => clocks::Grandmasters,
        clocks::grandmasters,
        "Which grandmaster each node follows, with its class, accuracy and priorities, whether it is \
         present, and how many steps away; grouped by grandmaster."
    ),
    tool!(
        "get_clock_hierarchy",
        "Clock hierarchy",
        Cluster,
        Reads,
        OfClocks => clocks::Hierarchy,
        clocks::hierarchy,
        "Who follows whom: every clock with its parent, from what ptp4l on each node says and the PtpConfigs; \
         parents outside of the cluster are named as such, and nodes that could not be asked listed."
    ),
    tool!(
        "list_ptp_interfaces",
        "Interfaces",
        Cluster,
        Reads,
        OfNodes => hardware::Interfaces,
        hardware::interfaces,
        "The interfaces of the nodes that can do PTP, as the daemon found them, and which profile uses them."
    ),
    tool!(
        "get_hardware_info",
        "Hardware of a node",
        Cluster,
        Reads,
        OfNode => hardware::Hardware,
        hardware::info,
        "What the operator knows of a node's PTP hardware: devices with PCI address, firmware and part \
         numbers where it tells them, and the state of its plugins."
    ),
    tool!(
        "map_ptp_hardware",
        "Interfaces and hardware clocks",
        Cluster,
        Reads,
        OfNode => hardware::ClockMap,
        hardware::map,
        "Which interfaces of a node share a PTP hardware clock (/dev/ptpN). Runs ethtool -T on the node."
    ),
    tool!(
        "check_interface_ptp_support",
        "Can an interface do PTP",
        Cluster,
        Reads,
        hardware::Interface => hardware::SupportOf,
        hardware::support,
        "Whether an interface stamps PTP in hardware, also over Ethernet as G.8275.1 needs it, and with \
         which clock. Runs ethtool -T on the node."
    ),
    tool!(
        "get_nic_details",
        "One interface",
        Cluster,
        Reads,
        hardware::Interface => hardware::Nic,
        hardware::nic,
        "An interface's driver, firmware, bus address, link and speed, and what the operator knows of it. \
         Runs ethtool on the node."
    ),
    tool!(
        "exec_ptp_command",
        "Run a command",
        Command,
        Reads,
        command::CommandQuery => command::Ran,
        command::run,
        "Runs one command of a fixed list in the daemon's container of a node, as program and arguments, \
         without a shell: pmc GET, ethtool, ip link, phc_ctl get, cat of the daemon's configurations. \
         Anything else is refused, with the list. Off unless switched on."
    ),
];
