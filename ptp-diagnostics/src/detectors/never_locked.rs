//! A clock has been seen for `never-locked` (default 10 min) and was never LOCKED.
//!
//! Severity: WARNING. Not when the node as a whole is LOCKED: then the word of its clock was lost.
//!
//! A PTP clock that only ever sent a number, without a state, counts as well: that is what a publisher
//! sends before there is a state (observed, docs/protocol.md §11), unless another PTP clock of the
//! node has one.
//!
//! A start takes seconds to minutes. After ten, the usual reason is configuration: wrong domain
//! number, wrong profile or transport, wrong interface, no grandmaster on the VLAN.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;
use crate::text::lasting;

pub(super) const DETECTOR: Detector = Detector {
    code: "never-locked",
    summary: "a clock was never locked since we first saw it",
    manual: include_str!("never_locked.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[Resource::SyncState],
        when: When::NeverLocked,
    },
    shows: Shows::symptom(Symptom::NeverLocked),
    examine,
    describe: |view| format!("never LOCKED in {}", lasting(view.settings.never_locked)),
};

fn examine(view: &View<'_>) -> Assessment {
    let locked = view.clock.last_locked().is_some() || view.is_locked_after_all();
    if locked || (view.clock.state().is_none() && !is_without_any_state(view)) {
        return Assessment::Quiet;
    }
    // The system clock waits for a PTP clock that was LOCKED, and is not done yet.
    if let Some(until) = view.settling_until() {
        return Assessment::Wait(until);
    }
    let settings = view.settings;
    Assessment::after(view, view.clock.first_seen(), settings.never_locked, Severity::Warning)
}

/// Whether the publisher knows of a PTP clock on the node, and of no state of any.
fn is_without_any_state(view: &View<'_>) -> bool {
    *view.clock.resource() == Resource::LockState
        && view.of_node(&Resource::LockState).all(|clock| clock.state().is_none())
}
