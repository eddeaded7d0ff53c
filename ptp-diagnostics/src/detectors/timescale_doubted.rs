//! ptp4l doubts the timescale of its master: the UTC offset that it announces is below the one that is known
//! (`running in a temporal vortex`; linuxptp, clock.c).
//!
//! Severity: WARNING. Clears ten minutes after the last such line.
//!
//! Whoever makes UTC of it is whole seconds wrong. It takes a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "timescale-doubted",
    summary: "a master announces a UTC offset that cannot be",
    manual: include_str!("timescale_doubted.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::TimeOfDay).and(Symptom::TimescaleDoubted),
    examine,
    describe: |_| "the UTC offset of the master is below the one that is known".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    match seen::timescale_doubted(view.clock, view.now) {
        Some(since) => Assessment::Firing {
            severity: Severity::Warning,
            since: view.firing.unwrap_or(since),
            again: Some(view.now.after(seen::OF_LATE)),
        },
        None => Assessment::Quiet,
    }
}
