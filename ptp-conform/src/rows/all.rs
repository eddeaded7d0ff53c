//! What ITU-T G.8275.1 and O-RAN's notification API ask of every clock.

use super::{ANNOUNCE, CONFIG};
use crate::requirement::{Check as C, Requirement};

const fn row(id: &'static str, must: &'static str, check: C) -> Requirement {
    Requirement::new(id, must, check)
}

pub(crate) const ROWS: &[Requirement] = &[
    row(
        "G.8275.1-CLASS",
        "an announced class is one of the profile's (ITU-T G.8275.1, table 3)",
        C::ClassIn { classes: &[6, 7, 135, 140, 150, 160, 165, 248, 255] },
    ),
    row("G.8275.1-DOMAIN", "the domain is 24 to 43 (ITU-T G.8275.1, annex A)", C::Needs(CONFIG)),
    row(
        "G.8275.1-RATES",
        "Announce messages come 8 times a second, Sync and Delay_Req 16 times (ITU-T G.8275.1, 6.2.8)",
        C::Needs(ANNOUNCE),
    ),
    row(
        "O-RAN-SYNC-STATE",
        "sync-state is the worst of the node's PTP clock and system clock (O-RAN.WG6.O-Cloud Notification API)",
        C::WorstOf,
    ),
];
