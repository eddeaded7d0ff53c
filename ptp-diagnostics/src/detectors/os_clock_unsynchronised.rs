//! The system clock (`CLOCK_REALTIME`) is not LOCKED while every PTP clock of the node is, for
//! `os-clock` (default 10 s).
//!
//! Severity: CRITICAL. A node that is seen to start has six times as long, and so has one of which a
//! PTP clock may still be settling, if the offset is well within the threshold.
//!
//! The OS clock follows the PTP clock through phc2sys, so with PTP well the fault is in between:
//! phc2sys, its configuration, or another daemon (chronyd, ntpd) that steers the same clock. When
//! the PTP clock is not LOCKED either, look upstream instead.

use std::time::Duration;

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::timeline::is_calm;

pub(super) const DETECTOR: Detector = Detector {
    code: "os-clock-unsynchronised",
    summary: "the system clock is not locked although PTP is",
    manual: include_str!("os_clock_unsynchronised.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::OsClock],
        also: &[Resource::LockState, Resource::SyncState],
        when: When::Unlocked,
    },
    shows: Shows::STATE,
    examine,
    describe: |view| {
        let state = view.clock.state().map_or("", |(state, _)| state.as_str());
        format!("CLOCK_REALTIME {state} while PTP is LOCKED")
    },
};

/// The system clock follows within a second (docs/protocol.md §5).
const LAG: Duration = Duration::from_secs(1);

fn examine(view: &View<'_>) -> Assessment {
    let Some(unlocked) = view.clock.unlocked_since() else {
        return Assessment::Quiet;
    };
    if view.is_locked_after_all() {
        return Assessment::Quiet;
    }
    if let Some(since) = seen::unsteered(view.clock, view.settings) {
        let since = view.firing.unwrap_or(since);
        return Assessment::Firing { severity: Severity::Critical, since, again: None };
    }
    let mut since = unlocked;
    let mut ptp_clocks = 0;
    for ptp in view.of_node(&Resource::LockState) {
        match ptp.state() {
            Some((_, locked)) if ptp.is_locked() => since = since.max(locked),
            _ => return Assessment::Quiet,
        }
        ptp_clocks += 1;
    }
    if ptp_clocks == 0 {
        return Assessment::Quiet;
    }
    // A servo that is settling takes the system clock along, and its own word may be lost.
    let calm = view.clock.samples().last.is_some_and(|(_, last)| is_calm(last, view.settings));
    let starting = view.is_starting() || (calm && view.is_settling());
    let mut hold = view.settings.os_clock * if starting { 6 } else { 1 };
    // PTP has its lock back, and the system clock, which lags by a second, was asked too soon.
    if since > unlocked && view.clock.last_seen() < since.after(LAG) {
        // Where nobody asks, what it said next may be lost, or the recording's end came before it.
        hold = hold.max(view.cadence().unwrap_or(view.settings.silence) + LAG);
    }
    Assessment::after(view, since, hold, Severity::Critical)
}
