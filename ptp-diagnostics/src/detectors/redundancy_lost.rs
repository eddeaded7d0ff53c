//! A port that followed, or could have (SLAVE, PASSIVE), is FAULTY, DISABLED or LISTENING for ten seconds,
//! while another one follows and the clock is LOCKED.
//!
//! Severity: WARNING: the next fault is an outage. Clears when the port follows again, or could.
//!
//! It takes a log that names ports.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "redundancy-lost",
    summary: "another way to the master is lost, and time is kept",
    manual: include_str!("redundancy_lost.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Path).and(Symptom::RedundancyLost),
    examine,
    describe: |view| match seen::redundancy_lost(view.clock) {
        Some((port, _)) => format!("{port} is lost, another port follows"),
        None => String::new(),
    },
};

/// Longer than a link that was plugged takes.
const HOLD: std::time::Duration = std::time::Duration::from_secs(10);

fn examine(view: &View<'_>) -> Assessment {
    match seen::redundancy_lost(view.clock) {
        Some((_, since)) => Assessment::after(view, since, HOLD, Severity::Warning),
        None => Assessment::Quiet,
    }
}
