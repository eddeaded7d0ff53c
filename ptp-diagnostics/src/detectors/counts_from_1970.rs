//! The offset is ten years or more in three samples.
//!
//! Severity: CRITICAL. Clears with the first smaller one.
//!
//! No error of a path, an oscillator or a leap second is that large: one of the two clocks was never set and
//! counts from 1970, the epoch of the PTP timescale (IEEE 1588-2019, 7.2.3) and of Unix.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "counts-from-1970",
    summary: "a clock is decades off its reference",
    manual: include_str!("counts_from_1970.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::Always,
    },
    shows: Shows::stage(Stage::TimeOfDay).and(Symptom::CountsFrom1970),
    examine,
    describe: |view| match seen::years_off(view.clock) {
        Some((years, ..)) => format!("off by {years:.1} years: one side counts from 1970"),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match seen::years_off(view.clock) {
        Some((_, since, samples)) if samples >= view.settings.offset_samples => {
            let since = view.firing.unwrap_or(since);
            Assessment::Firing { severity: Severity::Critical, since, again: None }
        }
        _ => Assessment::Quiet,
    }
}
