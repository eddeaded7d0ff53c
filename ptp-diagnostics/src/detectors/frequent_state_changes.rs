//! More than `state-changes` (default 10) changes of one clock's state within
//! `state-changes-window` (default 1 h).
//!
//! Severity: WARNING. Clears when fewer than half as many remain within the window.
//!
//! A clock that keeps losing and finding its reference is mostly behind a congested or flapping
//! link, or has a threshold inside its normal noise. The threshold is the one that the service
//! before this one documented. Changes that are a `publisher-artefact` do not count, and it takes more
//! than those with which a servo settles in the first `relock` (default 2 min) after a long loss.

use ptp_events::Resource;

use super::STATE_CLOCKS;
use super::contradictions::are_contradictions;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;
use crate::text::lasting;
use crate::{Severity, Timeline};

pub(super) const DETECTOR: Detector = Detector {
    code: "frequent-state-changes",
    summary: "a clock's state changes too often",
    manual: include_str!("frequent_state_changes.rs"),
    scope: Scope::Clock { subjects: STATE_CLOCKS, also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Frequent),
    examine,
    describe: |view| {
        let settings = view.settings;
        format!(
            "more than {} state changes within {}",
            settings.state_changes,
            lasting(settings.state_changes_window)
        )
    },
};

/// Whether most of the latest changes are from when the node's servo had just found its reference.
fn are_a_settling(view: &View<'_>, limit: u32) -> bool {
    let Some(found) = view.of_node(&Resource::LockState).filter_map(Timeline::relocked).max()
    else {
        return false;
    };
    let settled = found.after(view.settings.relock);
    let changes = (0..=limit).filter_map(|n| view.clock.change_before(n));
    let others = changes.filter(|at| *at < found || *at > settled).count();
    others < limit.div_ceil(2) as usize
}

fn examine(view: &View<'_>) -> Assessment {
    let window = view.settings.state_changes_window;
    // To fire, the change before the latest `limit` must still be within the window; to go on
    // firing, the one that makes half of them.
    let limit = view.settings.state_changes;
    let needed = if view.firing.is_some() { limit.div_ceil(2).saturating_sub(1) } else { limit };
    match view.clock.change_before(needed) {
        Some(oldest)
            if view.now < oldest.after(window)
                && (view.firing.is_some() || view.is_judged_from(oldest))
                && !view.is_settling()
                && !are_contradictions(view, needed, window)
                && (view.firing.is_some() || !are_a_settling(view, limit)) =>
        {
            Assessment::Firing {
                severity: Severity::Warning,
                since: view.firing.unwrap_or(oldest),
                again: Some(oldest.after(window)),
            }
        }
        _ => Assessment::Quiet,
    }
}
