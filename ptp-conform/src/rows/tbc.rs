//! Requirements for a boundary clock.

use ptp_events::Resource;
use ptp_events::metrics::Metric;

use super::{ANNOUNCE, CONFIG, ESTIMATE, EXTERNAL, KUBERNETES, ONLY_CLASS, PINS, STATES};
use crate::requirement::{Check as C, Line, Requirement, State as S};

const fn row(id: &'static str, must: &'static str, check: C) -> Requirement {
    Requirement::new(id, must, check)
}

/// Any class that says of no loss: the grandmaster's.
const ITS_MASTERS: &[u8] = &[];

pub(crate) const ROWS: &[Requirement] = &[
    row("FUNC-TBC001-R1", "LOCKED when a source is valid and all are in sync", C::LockedWithParts)
        .but("the thresholds of being in sync are in the configuration"),
    row(
        "FUNC-TBC001-R2",
        "LOCKED announces what the grandmaster does",
        C::Class { from: Some(S::Freerun), to: S::Locked, classes: ITS_MASTERS },
    )
    .but(ONLY_CLASS),
    row("FUNC-TBC002-R1", "HOLDOVER when the source is lost and the DPLL can hold", C::PortLoss),
    row("FUNC-TBC002-R2", "the direction between PHC and DPLL turns round", C::Needs(PINS)),
    row(
        "FUNC-TBC002-R3",
        "HOLDOVER announces class 135 and its own identity",
        C::Class { from: Some(S::Locked), to: S::Holdover, classes: &[135] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC003-R1",
        "out of specification the clock stays in HOLDOVER",
        C::StaysInHoldover { class: 165 },
    )
    .but("whether it came at the right moment needs the DPLL's estimate and the limits"),
    row(
        "FUNC-TBC003-R2",
        "out of specification announces class 165, time not traceable",
        C::InHoldover { classes: &[135, 165] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC004-R1",
        "beyond the last limit FREERUN and class 248 come together",
        C::FreerunWithClass,
    )
    .but("whether it came at the right moment needs the DPLL's estimate and the limits")
    .known("gap list: it comes when a timer runs out"),
    row("FUNC-TBC004-R2", "the same straight from within the specification", C::FreerunWithClass)
        .but("which it was needs the DPLL's estimate and the limits"),
    row(
        "FUNC-TBC004-R3",
        "FREERUN announces class 248, time not traceable",
        C::Class { from: Some(S::Holdover), to: S::Freerun, classes: &[248] },
    )
    .but(ONLY_CLASS),
    row("FUNC-TBC004-R4", "the DPLL's output is off in FREERUN", C::Needs(PINS)),
    row(
        "FUNC-TBC005-R1",
        "LOCKED again announces what the grandmaster does",
        C::Class { from: Some(S::Holdover), to: S::Locked, classes: ITS_MASTERS },
    ),
    row("FUNC-TBC005-R2", "the direction from PHC to DPLL is restored", C::Needs(PINS)),
    row("FUNC-TBC005-R3", "the grandmaster's data are announced again", C::Needs(ANNOUNCE)),
    row(
        "FUNC-TBC006-R1",
        "a source that is lost without a DPLL that can hold is FREERUN",
        C::IncapableIsFree,
    )
    .known("gap list: HOLDOVER in its place"),
    row(
        "FUNC-TBC006-R2",
        "FREERUN straight after LOCKED is sent with class 248",
        C::Class { from: Some(S::Locked), to: S::Freerun, classes: &[248] },
    ),
    row(
        "FUNC-TBC007-R1",
        "all ports follow within a second",
        C::Needs("a capture of Announce messages of every port"),
    ),
    row("FUNC-TBC007-R2", "all ports announce the same", C::Needs(ANNOUNCE)),
    row(
        "FUNC-TBC008-R1",
        "an event comes with every change of state",
        C::EventAfter { line: Line::Status },
    ),
    row("FUNC-TBC008-R2", "an event has a state, an offset and its clock", C::Payload),
    row(
        "FUNC-TBC009-R1",
        "an event comes with every change of class",
        C::EventAfter { line: Line::Class },
    ),
    row(
        "FUNC-TBC009-R2",
        "events are CloudEvents 1.0 of the O-Cloud API v2",
        C::Needs("the bodies as they were posted, with their headers"),
    ),
    row(
        "FUNC-TBC010-R1",
        "T1: a start sends FREERUN of the PTP clock",
        C::BeginsIn { resource: &Resource::LockState },
    ),
    row(
        "FUNC-TBC010-R2",
        "T2: FREERUN to LOCKED sends both states and the grandmaster's class",
        C::Overall { from: S::Freerun, to: S::Locked, classes: Some(ITS_MASTERS) },
    ),
    row(
        "FUNC-TBC010-R3",
        "T3: LOCKED to HOLDOVER sends both states and class 135",
        C::Overall { from: S::Locked, to: S::Holdover, classes: Some(&[135]) },
    ),
    row(
        "FUNC-TBC010-R4",
        "T4: LOCKED to FREERUN sends both states and class 248",
        C::Overall { from: S::Locked, to: S::Freerun, classes: Some(&[248]) },
    ),
    row(
        "FUNC-TBC010-R5",
        "T5: HOLDOVER to LOCKED sends both states and the grandmaster's class",
        C::Overall { from: S::Holdover, to: S::Locked, classes: Some(ITS_MASTERS) },
    ),
    row(
        "FUNC-TBC010-R6",
        "T6: out of specification sends class 165 and no state",
        C::StaysInHoldover { class: 165 },
    ),
    row(
        "FUNC-TBC010-R7",
        "T7: HOLDOVER to FREERUN sends both states and class 248",
        C::Overall { from: S::Holdover, to: S::Freerun, classes: Some(&[248]) },
    ),
    row(
        "FUNC-TBC010-R8",
        "T8: the same as T5 from out of specification",
        C::Overall { from: S::Holdover, to: S::Locked, classes: Some(ITS_MASTERS) },
    ),
    row(
        "FUNC-TBC010-R9",
        "T9: the same as T7 from out of specification",
        C::Overall { from: S::Holdover, to: S::Freerun, classes: Some(&[248]) },
    ),
    row("FUNC-TBC010-R10", "the system clock is not LOCKED while its PTP clock is not", C::OsFits)
        .but("its thresholds are in the configuration")
        .known("gap list: fixed; older versions sent FREERUN or LOCKED in HOLDOVER"),
    row(
        "FUNC-TBC010-R11",
        "nothing is sent that has not changed",
        C::EdgeOnly { resources: STATES },
    )
    .known("gap list: SyncE events come with every line"),
    row("FUNC-TBC012-R1", "the type is the configured one", C::Needs(CONFIG)),
    row(
        "FUNC-TBC012-R2",
        "processes begin in the order of 015",
        C::Order { first: "ptp4l", then: "phc2sys" },
    ),
    row("FUNC-TBC012-R3", "pins begin in their first state", C::Needs(PINS)),
    row("FUNC-TBC012-R4", "a start ends in FREERUN and class 248", C::BeginsWithClass),
    row("FUNC-TBC012-R5", "nothing skips FREERUN at a start", C::NoBypass),
    row("FUNC-TBC013-R1", "with a limit out of reach a loss is never FREERUN", C::Needs(CONFIG)),
    row(
        "FUNC-TBC013-R2",
        "with a limit within the specification class 165 is never sent",
        C::Needs(CONFIG),
    ),
    row("FUNC-TBC013-R3", "FREERUN comes on its condition alone", C::Needs(ESTIMATE))
        .known("gap list: another threshold is used"),
    row("FUNC-TBC014-R1", "the limits of holdover can be set", C::Needs(CONFIG)),
    row(
        "FUNC-TBC014-R2",
        "how long holdover lasts follows from the oscillator",
        C::Needs(ESTIMATE),
    )
    .known("gap list: a timer"),
    row(
        "FUNC-TBC014-R3",
        "4 h, 1500 ns and 104 ps/s are the defaults of the card",
        C::Needs(ESTIMATE),
    ),
    row("FUNC-TBC014-R4", "the 8 h model grows with the square of time", C::Needs(ESTIMATE))
        .known("gap list: it grows evenly"),
    row("FUNC-TBC014-R5", "the 4 h model grows by 104 ps/s", C::Needs(ESTIMATE)),
    row("FUNC-TBC014-R6", "a DPLL that cannot hold makes a loss FREERUN", C::IncapableIsFree)
        .known("gap list: HOLDOVER in its place"),
    row(
        "FUNC-TBC014-R7",
        "nothing relies on an oscillator in its first 10 to 100 h",
        C::Needs("how long the node has had power"),
    ),
    row("FUNC-TBC014-R8", "capable are DPLLs that all have acquired holdover", C::PortLoss),
    row(
        "FUNC-TBC015-R1",
        "ptp4l of the receiving port begins first",
        C::Order { first: "ptp4l", then: "ts2phc" },
    )
    .known("gap list: it begins after others"),
    row(
        "FUNC-TBC015-R2",
        "phc2sys waits for a qualified source",
        C::Gated { process: "phc2sys", by: "ptp4l" },
    )
    .known("gap list: it begins once the offset is below a second"),
    row(
        "FUNC-TBC015-R3",
        "ts2phc begins after phc2sys",
        C::Order { first: "phc2sys", then: "ts2phc" },
    ),
    row(
        "FUNC-TBC015-R4",
        "ptp4l of the transmitting ports waits until all is in sync",
        C::Needs("which configuration is that of the transmitting ports"),
    )
    .known("gap list: it begins at once"),
    row("FUNC-TBC015-R5", "processes end in any order", C::Always),
    row("FUNC-TBC015-R6", "processes have a priority that can be set", C::Needs(CONFIG)),
    row("FUNC-TBC015-R7", "a process that dies is started again alone", C::EndsAlone),
    row(
        "FUNC-TBC016-R1",
        "ptp4l may be down for a moment without an event",
        C::ShortOutage { process: "ptp4l", resource: &Resource::LockState },
    )
    .known("gap list: events come at once"),
    row(
        "FUNC-TBC016-R2",
        "ptp4l that dies sends no event of the system clock",
        C::ShortOutage { process: "ptp4l", resource: &Resource::OsClock },
    )
    .contested("§12.5 of the same text lets the system clock follow into HOLDOVER"),
    row(
        "FUNC-TBC016-R3",
        "transmitting ports whose ptp4l dies run free",
        C::Needs("which configuration is that of the transmitting ports"),
    ),
    row(
        "FUNC-TBC016-R4",
        "ts2phc may be down for a moment without an event",
        C::ShortOutage { process: "ts2phc", resource: &Resource::LockState },
    ),
    row(
        "FUNC-TBC016-R5",
        "phc2sys may be down for a moment without an event of the system clock",
        C::ShortOutage { process: "phc2sys", resource: &Resource::OsClock },
    ),
    row("FUNC-TBC016-R6", "how long a process may be down can be set", C::Needs(CONFIG)),
    row("FUNC-TBC016-R7", "a process that died runs again", C::RunsAgain),
    row("FUNC-TBC017-R1", "pins of the card at a start", C::Needs(PINS)),
    row("FUNC-TBC017-R2", "pins of the card with a qualified source", C::Needs(PINS)),
    row("FUNC-TBC017-R3", "pins of the card in holdover", C::Needs(PINS)),
    row("FUNC-TBC017-R4", "pins of the card when it is LOCKED again", C::Needs(PINS)),
    row("FUNC-TBC017-R5", "pins of GNR-D at a start", C::Needs(PINS)),
    row("FUNC-TBC017-R6", "pins of GNR-D with a qualified source", C::Needs(PINS)),
    row("FUNC-TBC017-R7", "pins of GNR-D in holdover", C::Needs(PINS)),
    row("FUNC-TBC017-R8", "pins of GNR-D when it is LOCKED again", C::Needs(PINS)),
    row(
        "FUNC-TBC018-R1",
        "what FREERUN announces",
        C::Class { from: None, to: S::Freerun, classes: &[248] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC018-R2",
        "what LOCKED announces",
        C::Class { from: None, to: S::Locked, classes: ITS_MASTERS },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC018-R3",
        "what HOLDOVER announces",
        C::Class { from: None, to: S::Holdover, classes: &[135] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC018-R4",
        "what out of specification announces",
        C::InHoldover { classes: &[135, 165] },
    )
    .but(ONLY_CLASS),
    row("FUNC-TBC018-R5", "the UTC offset is valid but in FREERUN", C::Needs(ANNOUNCE)),
    row("FUNC-TBC018-R6", "the accuracy in HOLDOVER follows the model", C::Needs(ANNOUNCE)),
    row(
        "FUNC-TBC019-R1",
        "ptp4l's offset is exported",
        C::Exported { metric: Metric::Offset, processes: &["ptp4l"] },
    ),
    row(
        "FUNC-TBC019-R2",
        "the DPLL's offset is exported",
        C::Exported { metric: Metric::Offset, processes: &["dpll"] },
    ),
    row(
        "FUNC-TBC019-R3",
        "ts2phc's offset is exported",
        C::Exported { metric: Metric::Offset, processes: &["ts2phc"] },
    ),
    row(
        "FUNC-TBC019-R4",
        "phc2sys' offset is exported",
        C::Exported { metric: Metric::Offset, processes: &["phc2sys"] },
    ),
    row("FUNC-TBC019-R5", "the moment of going out of specification", C::Needs(ESTIMATE)),
    row("FUNC-TBC019-R6", "the moment of going free", C::Needs(ESTIMATE)),
    row("FUNC-TBC019-R7", "the moment of being in sync", C::Needs(ESTIMATE)),
    row(
        "FUNC-TBC020-R1",
        "clock_state is there for each process",
        C::Exported {
            metric: Metric::ClockState,
            processes: &["T-BC", "ptp4l", "ts2phc", "dpll", "phc2sys"],
        },
    ),
    row("FUNC-TBC020-R2", "clock_class is the one that was sent", C::ClassAsSent),
    row(
        "FUNC-TBC020-R3",
        "offset_ns is there for each process",
        C::Exported {
            metric: Metric::Offset,
            processes: &["T-BC", "ptp4l", "ts2phc", "dpll", "phc2sys"],
        },
    ),
    row(
        "FUNC-TBC020-R4",
        "phase_status is there for the DPLL",
        C::Exported { metric: Metric::PhaseStatus, processes: &["dpll"] },
    ),
    row(
        "FUNC-TBC020-R5",
        "interface_role is there for ptp4l",
        C::Exported { metric: Metric::InterfaceRole, processes: &["ptp4l"] },
    ),
    row(
        "FUNC-TBC020-R6",
        "process_status is there for each process",
        C::Exported { metric: Metric::ProcessStatus, processes: &["ptp4l", "ts2phc", "phc2sys"] },
    ),
    row(
        "FUNC-TBC020-R7",
        "the eleven thresholds are exported",
        C::Needs("`openshift_ptp_threshold` of a scrape, which is not read yet"),
    )
    .known("gap list: other names"),
    row("FUNC-TBC021-R1", "the status of a PtpConfig tells errors", C::Needs(KUBERNETES)),
    row("FUNC-TBC021-R2", "the status of a NodePtpDevice tells devices", C::Needs(KUBERNETES)),
    row("FUNC-TBC021-R3", "the status of a HardwareConfig tells matches", C::Needs(KUBERNETES)),
    row("FUNC-TBC021-R4", "there is a condition for what is active", C::Needs(KUBERNETES)),
    row(
        "FUNC-TBC021-R5",
        "a failed configuration is an event of the cluster",
        C::Needs(KUBERNETES),
    ),
    row("FUNC-TBC021-R6", "a jump of time is an event of the cluster", C::Needs(KUBERNETES)),
    row("FUNC-TBC021-R7", "a leap second is an event of the cluster", C::Needs(KUBERNETES)),
    row(
        "FUNC-TBC022-R1",
        "a redundant port that flaps sends no event",
        C::ShortOutage { process: "ptp4l", resource: &Resource::LockState },
    )
    .known("gap list: events come at once"),
    row(
        "FUNC-TBC022-R2",
        "the events of T4",
        C::Overall { from: S::Locked, to: S::Freerun, classes: Some(&[248]) },
    ),
    row("FUNC-TBC022-R3", "the events of T6", C::StaysInHoldover { class: 165 }),
    row(
        "FUNC-TBC022-R4",
        "ptp4l that dies sends no event of the system clock",
        C::ShortOutage { process: "ptp4l", resource: &Resource::OsClock },
    ),
    row(
        "FUNC-TBC022-R5",
        "LOCKED again carries nothing of the holdover",
        C::Class { from: Some(S::Holdover), to: S::Locked, classes: ITS_MASTERS },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TBC022-R6",
        "another grandmaster's data are announced after a switch",
        C::Needs(ANNOUNCE),
    ),
    row("FUNC-TBC022-R7", "a leap second in holdover changes the UTC offset", C::Needs(ANNOUNCE)),
    row("PERF-TBC001-R1", "class C: 30 ns at most", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R2", "class D: 5 ns at most, filtered", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R3", "constant time error of 10 ns at most", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R4", "MTIE of 10 ns, TDEV of 2 ns in 1000 s", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R5", "fast noise of 30 ns from peak to peak", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R6", "constant relative time error of 12 ns at most", C::Needs(EXTERNAL)),
    row("PERF-TBC001-R7", "relative MTIE of 14 ns in 1000 s", C::Needs(EXTERNAL)),
    row("PERF-TBC002-R1", "the noise of G.8271.1 is tolerated", C::Needs(EXTERNAL)),
    row("PERF-TBC002-R2", "without an alarm, a switch or a holdover", C::Needs(EXTERNAL)),
    row("PERF-TBC003-R1", "the bandwidth is 0.05 to 0.1 Hz", C::Needs(EXTERNAL)),
    row("PERF-TBC003-R2", "the gain is 0.1 dB at most", C::Needs(EXTERNAL)),
    row("SEC-TBC001", "MACsec can be set", C::Needs(KUBERNETES)),
    row("SEC-TBC002", "its keys come from a secret", C::Needs(KUBERNETES)),
    row("SEC-TBC003", "the state machine is the same with it", C::Needs(KUBERNETES)),
    row("SEC-TBC004", "no PTP message is sent in the clear", C::Needs("a capture of the link")),
    row(
        "SEC-TBC005",
        "a failed association is a link that is down",
        C::Needs("the log of such a failure"),
    ),
];
