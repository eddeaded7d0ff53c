//! The offset shifted by more than 3.5 robust standard deviations, which is seven of the median of
//! four samples, and by more than `step-ns` (default 35 ns), and stayed there for four samples.
//!
//! Severity: WARNING. Clears when the offset is back where it was, at the latest after half an
//! hour: then the new level is the usual one.
//!
//! PTP cannot see an asymmetry of its path: half of it becomes time error. What it sees is the
//! step when the asymmetry changes, until the servo has followed, and only a slow servo (partial
//! timing support) takes long enough for samples a minute apart. It takes regular samples.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "offset-step",
    summary: "the offset stepped and stayed",
    manual: include_str!("offset_step.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Step),
    examine,
    describe: |view| match view.clock.trace().step() {
        Some(step) => format!("the offset stepped by {:+.0} ns", step.by_ns),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match view.clock.trace().step() {
        Some(step) if !view.is_settling() => Assessment::Firing {
            severity: Severity::Warning,
            since: view.firing.unwrap_or(step.since),
            again: None,
        },
        _ => Assessment::Quiet,
    }
}
