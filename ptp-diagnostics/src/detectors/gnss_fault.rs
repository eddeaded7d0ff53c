//! A GNSS receiver gives no time for `gnss-fault` (default 3 s): its status is one of the failure,
//! antenna, booting or acquiring values, or its fix is below 3D.
//!
//! Severity: WARNING; CRITICAL once time is out of specification: the node's PTP clock lost its
//! lock, or announces a class that says so.
//!
//! A receiver that is seen to start (the publisher had no data before) has `never-locked`
//! (default 10 min) to find its first fix, unless the node's PTP clock is in HOLDOVER, which only a
//! clock can be that was locked: then this is no start, but a loss. Class 6, announced since, says that it
//! has. Fix values are the u-blox ones:
//! 0 none, 1 dead reckoning, 2 2D, 3 3D, 5 time only.

use ptp_events::Resource;

use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::clock_class;
use crate::{Severity, Timeline};

pub(super) const DETECTOR: Detector = Detector {
    code: "gnss-fault",
    summary: "a GNSS receiver gives no time",
    manual: include_str!("gnss_fault.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::Gnss],
        also: &[Resource::LockState, Resource::ClockClass],
        when: When::Always,
    },
    shows: Shows::STATE,
    examine,
    describe: |view| {
        let state = view.clock.state().map_or("", |(state, _)| state.as_str());
        match view.clock.fix() {
            Some(fix) => format!("GNSS {state}, gpsFix {fix}"),
            None => format!("GNSS {state}"),
        }
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some(since) = view.clock.no_time_since() else {
        return Assessment::Quiet;
    };
    // Class 6 is only told with a reference: the receiver's own word was lost.
    let followed = |clock: &Timeline| {
        clock.class().is_some_and(|(class, told)| class == clock_class::LOCKED && told > since)
    };
    if view.is_starting() && view.of_node(&Resource::ClockClass).any(followed) {
        return Assessment::Quiet;
    }
    if view.is_starting() {
        return Assessment::after(view, since, view.settings.never_locked, Severity::Warning);
    }
    let lost = view.of_node(&Resource::LockState).any(|clock| clock.lost_since().is_some());
    let announced = view
        .of_node(&Resource::ClockClass)
        .filter_map(|clock| clock.class().filter(|_| clock.degraded_since().is_some()))
        .any(|(class, _)| clock_class::is_out_of_spec(class));
    let severity = if lost || announced { Severity::Critical } else { Severity::Warning };
    Assessment::after(view, since, view.settings.gnss_fault, severity)
}
