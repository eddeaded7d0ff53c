//! A clock that was LOCKED is off by a whole number of seconds, to the millisecond.
//!
//! Fires at once, CRITICAL, and stays for `reopen` (10 min): the clock steps to where it is told within
//! a second or two and is LOCKED again, but the time of the node is another than before, and every
//! radio with it. No path, servo or oscillator moves a clock by whole seconds: a leap second counted
//! wrongly does, TAI taken for UTC (37 s, IERS Bulletin C 52 and later), or a time of day on the wrong
//! side of the pulse (1 s).

use ptp_events::Resource;

use super::{Assessment, Detector, Scope, Shows, View, When};
use crate::Severity;
use crate::model::seen;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "time-jump",
    summary: "a clock jumped by whole seconds",
    manual: include_str!("time_jump.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::Always,
    },
    shows: Shows::symptom(Symptom::WholeSeconds),
    examine,
    describe: |view| match seen::second_jumps(view.clock, view.now).last() {
        Some((_, seconds)) => format!("the clock was {seconds:+} s off at once"),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    if view.clock.second_jump().is_none() && view.clock.first_hand().is_none() {
        return Assessment::Quiet;
    }
    let Some((at, _)) = seen::second_jumps(view.clock, view.now).last() else {
        return Assessment::Quiet;
    };
    let over = at.after(view.settings.reopen);
    if view.now >= over {
        return Assessment::Quiet;
    }
    let since = view.firing.unwrap_or(at);
    Assessment::Firing { severity: Severity::Critical, since, again: Some(over) }
}
