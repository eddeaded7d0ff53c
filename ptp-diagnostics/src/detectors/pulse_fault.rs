//! A clock that is steered by a pulse per second was a millisecond off and more, and not by whole seconds, in
//! the last hour; or its DPLL has had no pulse for `reference` (default 10 s) while it is said to be LOCKED.
//!
//! Severity: CRITICAL. Clears an hour after the last such pulse.
//!
//! An oscillator off by 1 ppm takes a quarter of an hour for a millisecond: from one pulse to the next it is
//! the pulse that moved. Receivers without a lock may give pulses all the same. It takes a log of ts2phc, or metrics.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "pulse-fault",
    summary: "the pulse a clock is steered by is missing or off",
    manual: include_str!("pulse_fault.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Dpll).and(Symptom::PulseFault),
    examine,
    describe: |view| match view.clock.first_hand().and_then(|seen| seen.far().back()) {
        Some((_, nanos)) => format!("a pulse was {:.3} ms off", *nanos as f64 / 1e6),
        None => "the DPLL has no 1PPS".to_owned(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let (clock, now) = (view.clock, view.now);
    match seen::pulse_off(clock, now).or_else(|| seen::pulse_missing(clock, now, view.settings)) {
        Some(since) => Assessment::Firing {
            severity: Severity::Critical,
            since: view.firing.unwrap_or(since),
            again: Some(now.after(seen::AGAIN)),
        },
        None => Assessment::Quiet,
    }
}
