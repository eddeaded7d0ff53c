//! What really happened: the label beside a recording.

use std::collections::BTreeMap;

use ptp_events::{NodeName, Received};
use serde::Serialize;

use crate::topology::Topology;

/// What a fault is called; the codes are those of `ptp-diagnostics`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RootCause {
    /// Antenna open or short.
    GnssAntennaFault,
    /// No usable satellite signal.
    GnssSignalLoss,
    /// The receiver or its oscillator loop.
    GnssReceiverFault,
    /// An upstream grandmaster lost its reference.
    GrandmasterDegraded,
    /// Followers chose another grandmaster.
    GrandmasterSwitch,
    /// A shared switch or the grandmaster is unreachable.
    UpstreamLoss,
    /// One node's link or port.
    PtpPathLoss,
    /// A flapping link or growing packet delay variation.
    PtpPathUnstable,
    /// The two directions of a path came to differ.
    PathAsymmetry,
    /// An oscillator beyond what its servo can correct.
    OscillatorDrift,
    /// `phc2sys` or a rival time daemon.
    OsClockFault,
    /// A process of linuxptp died.
    ProcessDown,
    /// The frequency reference.
    SynceDegraded,
    /// A process was started again.
    ProcessRestart,
    /// The publisher's threshold is too tight for the noise there is.
    OffsetThresholdHugging,
    /// TAI is taken for UTC, or the other way round.
    TimescaleMismatch,
    /// Configured wrong.
    Misconfiguration,
    /// We are blind.
    TelemetryGap,
}

/// One fault, as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LabelledFault {
    /// What it is called.
    pub root_cause: RootCause,
    /// Where it sits. Not every such node publishes: an upstream grandmaster may be another's.
    pub origin_nodes: Vec<NodeName>,
    /// The publishing nodes whose time it can affect, the origin among them.
    pub affected_nodes: Vec<NodeName>,
    /// Those of them that published a change while it lasted.
    pub visible_nodes: Vec<NodeName>,
    /// When it began.
    pub start: Received,
    /// When its cause was removed; absent when it is still there at the end.
    pub end: Option<Received>,
    /// When all affected nodes were well again; absent when they are not at the end.
    pub recovered: Option<Received>,
    /// For holdovers: when the origin's true time error first exceeded 1500 ns, if it did.
    pub limit_crossing: Option<Received>,
    /// The same per affected node.
    pub limit_crossings: BTreeMap<NodeName, Received>,
}

/// What really happened in a scenario.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Truth {
    /// The version of this format.
    pub schema: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// What it was drawn from.
    pub seed: u64,
    /// When it begins.
    pub start: Received,
    /// Until when time passes, also after the last event.
    pub end: Received,
    /// Whether there is anything to tell; not so for clean days and normal starts.
    pub expect_alerts: bool,
    /// The faults, in the order they began.
    pub faults: Vec<LabelledFault>,
    /// How the recording was spoilt, if it was.
    pub mess: Vec<String>,
    /// The network.
    pub topology: Topology,
}

impl Truth {
    /// The label as JSON, indented.
    ///
    /// # Panics
    /// Never: all keys in it are strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("maps in it have strings for keys")
    }
}
