//! The best master algorithm chose another master and then the first one again, twice within an hour.
//!
//! Severity: WARNING. Clears an hour after it began, when it did not go on.
//!
//! Two masters that announce the same quality, or of which one comes and goes, take turns; every turn moves
//! the time by what they differ (ITU-T G.8275.1, 6.3: alternate BMCA). It takes a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "frequent-master-changes",
    summary: "a clock goes back and forth between masters",
    manual: include_str!("frequent_master_changes.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Segment).and(Symptom::MastersAlternate),
    examine,
    describe: |view| match seen::masters_alternate(view.clock, view.now) {
        Some((back, _)) => format!("went back to a master it had left {back} times within an hour"),
        None => String::new(),
    },
};

/// How often it must have gone back.
const OFTEN: usize = 2;

fn examine(view: &View<'_>) -> Assessment {
    match seen::masters_alternate(view.clock, view.now) {
        Some((back, since)) if back >= OFTEN => Assessment::Firing {
            severity: Severity::Warning,
            since: view.firing.unwrap_or(since),
            again: Some(view.now.after(seen::AGAIN)),
        },
        _ => Assessment::Quiet,
    }
}
