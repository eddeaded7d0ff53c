//! The offset changes steadily and will cross `offset-ns` (default 100 ns) within `drift-horizon`
//! (default 4 h).
//!
//! Severity: WARNING. Clears when the trend does.
//!
//! The slope is that of Theil and Sen over an hour of samples, 64 at most, or over half of that if it
//! is steep, and must be significant (Mann and Kendall, z over 5), amount to three tenths of `offset-ns`
//! unless half of that is used up already, and stand out of what the line leaves unexplained: a clock
//! behind a slow servo wanders by ten or fifteen. What moves back towards zero is no drift.
//! So it takes regular samples: somebody's polling. An offset that grows while the clock is LOCKED
//! is mostly an oscillator that drifts faster and faster behind a slow servo: ageing, temperature,
//! a failing oven. A clock that was seen to start is judged when it has settled, or after `settle` (default 1 h).

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "offset-drift",
    summary: "the offset drifts towards its threshold",
    manual: include_str!("offset_drift.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Drift),
    examine,
    describe: |view| match view.clock.trace().trend() {
        Some(trend) => format!(
            "the offset drifts by {:+.0} ns per hour ({} samples)",
            trend.slope * 3600.0,
            trend.samples
        ),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some(trend) = view.clock.trace().trend().filter(|_| !view.is_settling()) else {
        return Assessment::Quiet;
    };
    // What a slow servo does on its way to its first lock is no drift of the oscillator.
    if !view.is_judged_from(trend.since) {
        return Assessment::Quiet;
    }
    // A slow servo that follows another master is on its way there, and overshoots.
    let changed = view.clock.master().and_then(|(_, since)| since);
    if changed.is_some_and(|since| view.now < since.after(view.settings.settle)) {
        return Assessment::Quiet;
    }
    let limit = view.settings.offset_ns as f64;
    // Three tenths of the way, or beyond the half: less is the wander of a slow servo.
    if trend.change_ns * 10.0 < limit * 3.0 && trend.level_ns.abs() * 2.0 < limit {
        return Assessment::Quiet;
    }
    // On its way back to zero, from where something else has moved it.
    if trend.level_ns * trend.slope < 0.0 {
        return Assessment::Quiet;
    }
    let left = limit - trend.level_ns * trend.slope.signum();
    let horizon = view.settings.drift_horizon.as_secs_f64();
    if left > trend.slope.abs() * horizon {
        return Assessment::Quiet;
    }
    let since = view.firing.unwrap_or(trend.since);
    Assessment::Firing { severity: Severity::Warning, since, again: None }
}
