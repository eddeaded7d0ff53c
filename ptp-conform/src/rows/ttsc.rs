//! Requirements for a slave that serves nobody. What a boundary clock must do it must too, but for what it
//! would announce.

use super::ANNOUNCE;
use crate::requirement::{Check as C, Line, Requirement, State as S};

const fn row(id: &'static str, must: &'static str, check: C) -> Requirement {
    Requirement::new(id, must, check)
}

pub(crate) const ROWS: &[Requirement] = &[
    row("FUNC-TTSC001-R1", "no ptp4l serves time", C::NothingServed),
    row("FUNC-TTSC001-R2", "neither Announce nor Sync is sent", C::Needs(ANNOUNCE)),
    row("FUNC-TTSC001-R3", "the exported class is always 255", C::ClassIs { class: 255 }),
    row("FUNC-TTSC001-R4", "no class is sent with a change of state", C::NoClass)
        .known("gap list: it follows classes"),
    row(
        "FUNC-TTSC002-R1",
        "ptp4l begins, then phc2sys, then ts2phc",
        C::Order { first: "ptp4l", then: "phc2sys" },
    ),
    row(
        "FUNC-TTSC002-R2",
        "they end in the opposite order",
        C::Needs("the log of a stop, with PTP_PROCESS_STATUS of each process"),
    )
    .contested("a boundary clock may stop in any order"),
    row(
        "FUNC-TTSC003-R1",
        "the states are those of a boundary clock",
        C::EventAfter { line: Line::Status },
    ),
    row(
        "FUNC-TTSC003-R2",
        "both states follow LOCKED to HOLDOVER, and no class",
        C::Overall { from: S::Locked, to: S::Holdover, classes: None },
    ),
];
