//! The frequency correction has not moved in ten samples and more, at 1 ppm or beyond, and the clock is off
//! by more than `offset-ns` all the while.
//!
//! Severity: CRITICAL. Clears when the correction moves, or the clock is within its threshold.
//!
//! An integrator that sees an offset moves: one that stands still is at its limit (`max_frequency`, or what
//! the driver allows), and the clock cannot be steered that far. It takes a log with offsets; in `s0` a servo
//! does not steer yet, and what it prints does not count. A system clock
//! whose PTP clock is not LOCKED only follows it.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "servo-saturated",
    summary: "a servo steers as far as it can, and the clock is still off",
    manual: include_str!("servo_saturated.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::FirstHand,
    },
    shows: Shows::symptom(Symptom::Saturated),
    examine,
    describe: |view| match seen::saturated(view.clock, view.settings) {
        Some((frequency, run)) => format!(
            "the frequency correction stands at {frequency} ppb while the offset goes from {} to {} ns",
            run.from_ns, run.to_ns
        ),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let follows = *view.clock.resource() == Resource::OsClock
        && view.of_node(&Resource::LockState).any(|ptp| ptp.unlocked_since().is_some());
    match seen::saturated(view.clock, view.settings) {
        Some((_, run)) if !follows => {
            Assessment::Firing { severity: Severity::Critical, since: run.since, again: None }
        }
        _ => Assessment::Quiet,
    }
}
