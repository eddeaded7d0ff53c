//! A clock has been FREERUN without a break for longer than `persistent-freerun` (default 5 min).
//!
//! Severity: CRITICAL; INFO while a servo that was not seen to settle since it started may still be
//! settling. Needs no further event: time passing is enough.
//!
//! In FREERUN nothing holds a clock; a typical oscillator leaves 1.5 µs within minutes to hours.
//! What took the lock away is told by the incident's root cause. The threshold is the one that
//! the service before this one documented. Not when the state is a `publisher-artefact`.

use ptp_events::{Resource, SyncState};

use super::STATE_CLOCKS;
use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::text::lasting;

pub(super) const DETECTOR: Detector = Detector {
    code: "persistent-freerun",
    summary: "a clock has been FREERUN without a break for too long",
    manual: include_str!("persistent_freerun.rs"),
    scope: Scope::Clock {
        subjects: STATE_CLOCKS,
        also: &[Resource::SyncState],
        when: When::Unlocked,
    },
    shows: Shows::STATE,
    examine,
    describe: |view| {
        format!(
            "FREERUN without a break for more than {}",
            lasting(view.settings.persistent_freerun)
        )
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some((SyncState::Freerun, since)) = view.clock.state() else {
        return Assessment::Quiet;
    };
    if view.is_locked_after_all() || view.is_artefact() {
        return Assessment::Quiet;
    }
    // A start that was never seen to settle is noted, and wakes nobody.
    let severity = if view.is_settling() { Severity::Info } else { Severity::Critical };
    match Assessment::after(view, since, view.settings.persistent_freerun, severity) {
        Assessment::Firing { severity, since, .. } => {
            Assessment::Firing { severity, since, again: view.settling_until() }
        }
        waiting => waiting,
    }
}
