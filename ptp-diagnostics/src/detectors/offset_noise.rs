//! Successive offsets differ more than `noise-growth` (default 3) times as much as this clock's
//! own usually do; or they turn again and again by twice `offset-ns`, farther than a clock can.
//!
//! Severity: WARNING. Clears below two thirds of that.
//!
//! The measure is the trimmed mean difference of the last 20 samples, which a drift or a wander leaves
//! alone; the usual one is learnt while things are calm. It takes regular samples. A spread below
//! three twentieths of `offset-ns` is never reported: it threatens nothing. More noise is more
//! variation of packet delay: congestion, a link without PTP support, a route over other equipment.
//! Where a log shows every offset, sixteen of them are enough, and nothing usual is needed: a servo that
//! settles comes to its reference steadily, or rings less and less.

use ptp_events::{Received, Resource};

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "offset-noise",
    summary: "the offset is noisier than this clock's usually is",
    manual: include_str!("offset_noise.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Noise),
    examine,
    describe: |view| match (noise(view), swing(view)) {
        (Some((growth, spread)), _) if growth >= view.settings.noise_growth * STILL => {
            format!("the offset's noise grew {growth:.1} times, to {spread:.0} ns")
        }
        (_, Some((_, size))) => format!("the offset swings, by {size} ns from one to the next"),
        _ => String::new(),
    },
};

/// What part of the threshold the spread must reach to threaten anything.
const LEAST: f64 = 0.15;
/// What part of the growth it takes to go on.
const STILL: f64 = 0.67;

/// By single offsets, or by the root mean squares of many that a log tells in their place.
fn noise(view: &View<'_>) -> Option<(f64, f64)> {
    let summed = view.clock.first_hand().and_then(|seen| seen.noise());
    summed.or_else(|| view.clock.trace().noise())
}

fn swing(view: &View<'_>) -> Option<(Received, u64)> {
    view.clock.first_hand().and_then(|seen| seen.swing(view.settings.offset_ns))
}

fn examine(view: &View<'_>) -> Assessment {
    if let Some((since, _)) = swing(view) {
        let since = view.firing.unwrap_or(since);
        return Assessment::Firing { severity: Severity::Warning, since, again: None };
    }
    let Some((growth, spread)) = noise(view) else {
        return Assessment::Quiet;
    };
    let needed = view.settings.noise_growth * if view.firing.is_some() { STILL } else { 1.0 };
    if growth < needed || spread < view.settings.offset_ns as f64 * LEAST || view.is_settling() {
        return Assessment::Quiet;
    }
    let since = view.firing.unwrap_or(view.now);
    Assessment::Firing { severity: Severity::Warning, since, again: None }
}
