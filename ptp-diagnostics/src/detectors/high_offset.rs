//! The offset exceeds `offset-ns` (default 100 ns) in `offset-samples` (default 3) successive
//! samples; or one sample exceeds `offset-critical-ns` (default 1100 ns) and nothing better follows
//! within `offset-critical-hold` (default 3 s).
//!
//! Severity: WARNING; CRITICAL over 1100 ns. Clears after as many samples below 80 % of the
//! threshold, or when the clock has been LOCKED within the threshold for `resolve` (default 30 s),
//! because publishers send no further samples while nothing changes.
//!
//! 100 ns is the publishers' own default threshold; 1100 ns is the network limit at the input of
//! the end application (ITU-T G.8271.1, reference point C). The sample that comes with a change to
//! LOCKED counts towards the three but is never taken alone: the servo has only just settled. A
//! clock on its way to its first lock is not judged, nor for `process-restart` (default 30 s) one whose
//! process died. One bad sample that is corrected within
//! fractions of a second happens on healthy systems (docs/protocol.md §5).

use ptp_events::{Received, Resource};

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "high-offset",
    summary: "the offset exceeds its threshold",
    manual: include_str!("high_offset.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::Always,
    },
    shows: Shows::symptom(Symptom::HighOffset),
    examine,
    describe: |view| {
        let samples = view.clock.samples();
        format!(
            "{} sample{} in a row over {} ns, up to {} ns",
            samples.over,
            if samples.over == 1 { "" } else { "s" },
            view.settings.offset_ns,
            samples.over_peak
        )
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let settings = view.settings;
    let samples = view.clock.samples();
    let Some((at, last)) = samples.last else {
        return Assessment::Quiet;
    };
    let is_far = last.magnitude() > settings.offset_critical_ns && !samples.in_range;
    let is_calm = samples.over == 0 && !is_far;
    if is_calm && view.firing.is_none() {
        return Assessment::Quiet;
    }
    if view.is_starting() || view.is_settling() {
        return Assessment::Quiet;
    }
    // A process that was just started again measures how far the clock got meanwhile.
    let restarted = view.clock.unlocked_since().map(|at| at.after(settings.process_restart));
    if let Some(due) = restarted.filter(|due| view.clock.process_down() && view.now < *due) {
        return Assessment::Wait(due);
    }
    let severity = if samples.over_peak > settings.offset_critical_ns {
        Severity::Critical
    } else {
        Severity::Warning
    };
    let over_since = samples.over_since().unwrap_or(view.now);
    if samples.over >= settings.offset_samples {
        // A servo that answers one bad sample rings for seconds, and a log has all of that: there it
        // takes as long as a lost lock does.
        let due = over_since.after(settings.loss_of_lock);
        let in_a_log = view.clock.first_hand().is_some();
        if in_a_log && view.firing.is_none() && view.now < due {
            return Assessment::Wait(due);
        }
        let since = view.firing.or(samples.over_since()).unwrap_or(view.now);
        return Assessment::Firing { severity, since, again: None };
    }
    if let Some(since) = view.firing {
        return firing(view, since);
    }
    let at = Received::from_nanos(at);
    let settling =
        view.clock.is_locked() && view.clock.state().is_some_and(|(_, since)| since == at);
    if is_far && !settling {
        return Assessment::after(view, at, settings.offset_critical_hold, Severity::Critical);
    }
    Assessment::Quiet
}

/// Whether it still fires: until enough calm samples, or enough calm time.
fn firing(view: &View<'_>, since: Received) -> Assessment {
    let samples = view.clock.samples();
    if samples.calm >= view.settings.offset_samples {
        return Assessment::Quiet;
    }
    let locked_since = view.clock.state().filter(|_| view.clock.is_locked());
    let again = locked_since
        .filter(|_| samples.over == 0)
        .map(|(_, locked)| locked.after(view.settings.resolve));
    match again {
        Some(due) if view.now >= due => Assessment::Quiet,
        again => Assessment::Firing { severity: Severity::Warning, since, again },
    }
}
