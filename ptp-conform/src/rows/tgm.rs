//! Requirements for a grandmaster.

use ptp_events::Resource;
use ptp_events::metrics::Metric;

use super::{ANNOUNCE, CONFIG, EXTERNAL, KUBERNETES, ONLY_CLASS, PINS, RECEIVER, STATES};
use crate::requirement::{Check as C, Line, Requirement, State as S};

const fn row(id: &'static str, must: &'static str, check: C) -> Requirement {
    Requirement::new(id, must, check)
}

pub(crate) const ROWS: &[Requirement] = &[
    row("FUNC-TGM001-R1", "LOCKED when receiver, DPLL and PHC are locked", C::LockedWithParts),
    row(
        "FUNC-TGM001-R2",
        "LOCKED is announced as class 6, accuracy 0x21, GNSS, traceable",
        C::Class { from: Some(S::Freerun), to: S::Locked, classes: &[6] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TGM002-R1",
        "HOLDOVER when the receiver is lost and the DPLL holds",
        C::LossHoldsOver,
    ),
    row(
        "FUNC-TGM002-R2",
        "HOLDOVER is announced as class 7, accuracy 0xFE, oscillator, traceable",
        C::Class { from: Some(S::Locked), to: S::Holdover, classes: &[7] },
    )
    .but(ONLY_CLASS),
    row("FUNC-TGM002-R3", "no pin changes its direction in holdover", C::Needs(PINS)),
    row(
        "FUNC-TGM003-R1",
        "out of specification the clock stays in HOLDOVER",
        C::StaysInHoldover { class: 140 },
    )
    .but("whether it came at the right moment needs the DPLL's estimate and the limits")
    .known("gap list: FREERUN is sent together with class 140"),
    row(
        "FUNC-TGM003-R2",
        "out of specification is announced as class 140, time not traceable",
        C::InHoldover { classes: &[7, 140] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TGM004-R1",
        "beyond the last limit FREERUN and class 248 come together",
        C::FreerunWithClass,
    )
    .but("whether it came at the right moment needs the DPLL's estimate and the limits"),
    row(
        "FUNC-TGM004-R2",
        "FREERUN is announced as class 248, neither time nor frequency traceable",
        C::Class { from: Some(S::Holdover), to: S::Freerun, classes: &[248] },
    )
    .but(ONLY_CLASS)
    .known("gap list: frequency is announced as traceable at 248"),
    row("FUNC-TGM005-R1", "LOCKED again when all parts are locked again", C::LockedWithParts),
    row(
        "FUNC-TGM005-R2",
        "LOCKED again is announced as at first",
        C::Class { from: Some(S::Holdover), to: S::Locked, classes: &[6] },
    )
    .but(ONLY_CLASS),
    row("FUNC-TGM006-R1", "a fault that is not the receiver's is FREERUN", C::FaultElsewhere)
        .contested("012-R2 asks for HOLDOVER where a process died"),
    row("FUNC-TGM007-R1", "the type is the configured one", C::Needs(CONFIG)),
    row(
        "FUNC-TGM007-R2",
        "processes begin in the order of 011",
        C::Order { first: "dpll", then: "ts2phc" },
    ),
    row(
        "FUNC-TGM007-R3",
        "a start ends in FREERUN",
        C::BeginsIn { resource: &Resource::LockState },
    ),
    row("FUNC-TGM007-R4", "a receiver that is ready at once does not skip FREERUN", C::NoBypass),
    row("FUNC-TGM007-R5", "a configuration that breaks the profile is refused", C::Needs(CONFIG))
        .known("gap list: it is accepted"),
    row("FUNC-TGM008-R1", "the configured constellations are set", C::Needs(RECEIVER)),
    row("FUNC-TGM008-R2", "a survey is made where no position is saved", C::Needs(RECEIVER)),
    row("FUNC-TGM008-R3", "the position is saved when the survey is done", C::Needs(RECEIVER))
        .known("gap list: it is saved when the survey begins"),
    row("FUNC-TGM008-R4", "the antenna's cable delay is applied", C::Needs(CONFIG))
        .known("gap list: there is no such field"),
    row("FUNC-TGM008-R5", "custom commands are applied", C::Needs(RECEIVER)),
    row(
        "FUNC-TGM009-R1",
        "LOCKED announces 6/0x21/0x4E5D, GNSS",
        C::Class { from: None, to: S::Locked, classes: &[6] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TGM009-R2",
        "HOLDOVER announces 7/0xFE/0xFFFF, oscillator",
        C::Class { from: None, to: S::Holdover, classes: &[7] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TGM009-R3",
        "out of specification announces 140/0xFE, time not traceable",
        C::InHoldover { classes: &[7, 140] },
    )
    .but(ONLY_CLASS),
    row(
        "FUNC-TGM009-R4",
        "FREERUN announces 248/0xFE, nothing traceable",
        C::Class { from: None, to: S::Freerun, classes: &[248] },
    )
    .but(ONLY_CLASS),
    row("FUNC-TGM009-R5", "the UTC offset is right and valid in every state", C::Needs(ANNOUNCE)),
    row(
        "FUNC-TGM009-R6",
        "what is announced follows within an Announce interval",
        C::Needs("a capture of Announce messages; pmc is too coarse"),
    ),
    row(
        "FUNC-TGM010-R1",
        "an event comes within a second of a change of state",
        C::EventAfter { line: Line::Status },
    ),
    row("FUNC-TGM010-R2", "an event has a state, an offset and its clock", C::Payload),
    row(
        "FUNC-TGM010-R3",
        "an event comes within a second of a change of class",
        C::EventAfter { line: Line::Class },
    ),
    row(
        "FUNC-TGM010-R4",
        "an event comes within a second of a change of the fix",
        C::EventAfter { line: Line::Fix },
    )
    .known("gap list: the daemon's own event API sends none"),
    row(
        "FUNC-TGM010-R5",
        "nothing is sent that has not changed",
        C::EdgeOnly { resources: STATES },
    ),
    row(
        "FUNC-TGM011-R1",
        "receiver and DPLL are watched first",
        C::Order { first: "gnss", then: "ts2phc" },
    ),
    row("FUNC-TGM011-R2", "then ts2phc begins", C::Order { first: "dpll", then: "ts2phc" }),
    row("FUNC-TGM011-R3", "then ptp4l", C::Order { first: "ts2phc", then: "ptp4l" }),
    row(
        "FUNC-TGM011-R4",
        "phc2sys waits for ts2phc's lock",
        C::Gated { process: "phc2sys", by: "ts2phc" },
    )
    .known("gap list: it begins once the offset is below a second"),
    row("FUNC-TGM011-R5", "a process that dies is started again alone", C::EndsAlone),
    row(
        "FUNC-TGM011-R6",
        "after a change of configuration all start in order",
        C::Needs("the log of a change of configuration, with the time of the change"),
    ),
    row(
        "FUNC-TGM012-R1",
        "ts2phc may be down for a moment without an event",
        C::ShortOutage { process: "ts2phc", resource: &Resource::LockState },
    )
    .known("gap list: events come at once"),
    row(
        "FUNC-TGM012-R2",
        "ts2phc down for longer is HOLDOVER and an event",
        C::LongOutage { process: "ts2phc", resource: &Resource::LockState },
    ),
    row(
        "FUNC-TGM012-R3",
        "ptp4l down for longer is an event of the class",
        C::LongOutage { process: "ptp4l", resource: &Resource::ClockClass },
    )
    .contested("the state of the clock is not touched by it"),
    row(
        "FUNC-TGM012-R4",
        "phc2sys may be down for a moment without an event of the system clock",
        C::ShortOutage { process: "phc2sys", resource: &Resource::OsClock },
    )
    .known("gap list: events come at once"),
    row("FUNC-TGM012-R5", "a process that died runs again", C::RunsAgain)
        .but("that its restarts are counted right needs the metric before and after")
        .known("gap list: first starts are counted as well"),
    row(
        "FUNC-TGM013-R1",
        "clock_state is there for gnss, dpll, ts2phc and phc2sys",
        C::Exported {
            metric: Metric::ClockState,
            processes: &["gnss", "dpll", "ts2phc", "phc2sys"],
        },
    ),
    row("FUNC-TGM013-R2", "clock_class is the one that was sent", C::ClassAsSent)
        .but("a scrape cannot show that it followed within a second"),
    row(
        "FUNC-TGM013-R3",
        "offset_ns is there for gnss, dpll, ts2phc and phc2sys",
        C::Exported { metric: Metric::Offset, processes: &["gnss", "dpll", "ts2phc", "phc2sys"] },
    ),
    row("FUNC-TGM013-R4", "every port serves", C::AllMasters),
    row(
        "FUNC-TGM013-R5",
        "process_status is there for each process",
        C::Exported { metric: Metric::ProcessStatus, processes: &["ts2phc", "ptp4l", "phc2sys"] },
    ),
    row(
        "FUNC-TGM013-R6",
        "receiver and DPLL are told at least once a second",
        C::EverySecond { process: "dpll", figure: "state" },
    ),
    row("FUNC-TGM014-R1", "frequency is served by SyncE on every port", C::Needs(EXTERNAL)),
    row(
        "FUNC-TGM014-R2",
        "SyncE quality is PRC while LOCKED",
        C::Quality { state: S::Locked, good: &[0x2, 0x1, 0x20] },
    ),
    row(
        "FUNC-TGM014-R3",
        "SyncE events come within a second",
        C::Needs("synce4l's lines beside the events"),
    ),
    row("FUNC-TGM015-R1", "messages are authenticated", C::Needs("a capture of PTP messages")),
    row(
        "FUNC-TGM015-R2",
        "a change of keys restarts what it concerns, and not the pod",
        C::Needs(KUBERNETES),
    ),
    row(
        "FUNC-TGM015-R3",
        "a spoofed receiver is FREERUN at once",
        C::Needs("the receiver's spoofing and jamming flags (UBX-SEC-SIG, UBX-NAV-STATUS)"),
    )
    .known("gap list: the receiver stays LOCKED"),
    row("FUNC-TGM016-R1", "the position's drift is watched", C::Needs(RECEIVER))
        .known("gap list: it is not"),
    row("FUNC-TGM016-R2", "a drift makes a new survey", C::Needs(RECEIVER))
        .known("gap list: it never does"),
    row("PERF-TGM001-R1", "100 ns at most (PRTC-A)", C::Needs(EXTERNAL)),
    row("PERF-TGM001-R2", "40 ns at most (PRTC-B)", C::Needs(EXTERNAL)),
    row("PERF-TGM001-R3", "the class of the PRTC can be declared", C::Needs(CONFIG)),
    row("PERF-TGM002-R1", "holdover keeps within the specification", C::Needs(EXTERNAL)),
    row(
        "PERF-TGM002-R2",
        "the offset in holdover is exported",
        C::Exported { metric: Metric::Offset, processes: &["dpll"] },
    )
    .but("the duration of holdover is not exported")
    .known("gap list: no duration"),
    row(
        "PERF-TGM003-R1",
        "Sync messages come as often as configured",
        C::Needs("a capture of PTP messages"),
    ),
    row(
        "PERF-TGM003-R2",
        "Announce messages come as often as configured",
        C::Needs("a capture of PTP messages"),
    ),
    row(
        "PERF-TGM003-R3",
        "the PHC's offset is measured at least once a second",
        C::EverySecond { process: "ts2phc", figure: "offset" },
    ),
    row("PERF-TGM003-R4", "delay requests are answered", C::Needs("a capture of PTP messages")),
];
