//! A log in which offsets stood at a regular distance has none any more of this clock, for ten of them and at
//! least ten seconds, while it goes on otherwise.
//!
//! Severity: CRITICAL. Clears with the next offset, or when the clock is no longer said to be LOCKED.
//!
//! A servo that gets no time stamps prints nothing, and the last state stands: nobody knows how far the clock
//! is. Events have no such distance, as publishers send on change only. A log that ended says nothing.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "samples-stopped",
    summary: "a clock that is said to be LOCKED is no longer measured",
    manual: include_str!("samples_stopped.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::FirstHand,
    },
    shows: Shows::symptom(Symptom::Unmeasured),
    examine,
    describe: |view| match seen::unmeasured(view.clock) {
        Some((last, _)) => format!("no offset since {}", crate::text::time_of_day(last)),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some((last, hold)) = seen::unmeasured(view.clock) else {
        return Assessment::Quiet;
    };
    // Nobody could be measured while nothing was written.
    let last = last.max(view.node.resumed_at);
    // A log that ended is no clock that is no longer measured: something else must have been said since.
    if view.node.last_seen() < last.after(hold) {
        return if view.ended.is_some() {
            Assessment::Quiet
        } else {
            Assessment::Wait(last.after(hold))
        };
    }
    Assessment::after(view, last, hold, Severity::Critical)
}
