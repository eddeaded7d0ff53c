//! Offset and path delay are exactly nothing, in ten samples and more.
//!
//! Severity: WARNING. Clears with the first other sample.
//!
//! No path has a delay of 0 ns, and no oscillator an offset of 0 ns ten times over: nothing is measured. The
//! delay mechanism or the profile is not the master's (`delay_mechanism`, `network_transport`, ptp4l(8)), and
//! LOCKED says nothing. It takes a log with offsets.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "nothing-measured",
    summary: "offset and path delay are exactly nothing",
    manual: include_str!("nothing_measured.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Path).and(Symptom::NothingMeasured),
    examine,
    describe: |_| "offset 0 ns and path delay 0 ns, again and again".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    match seen::nothing_measured(view.clock) {
        Some(since) => Assessment::Firing { severity: Severity::Warning, since, again: None },
        None => Assessment::Quiet,
    }
}
