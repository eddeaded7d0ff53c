//! A clock entered HOLDOVER and stayed there for `holdover` (default 3 s).
//!
//! Severity: WARNING; CRITICAL when its time error is forecast to reach `holdover-limit-ns`
//! (default 1500 ns) within `holdover-critical` (default 10 min).
//!
//! In holdover the oscillator keeps time alone. Without samples the forecast is the one the daemon
//! configures by default: 1500 ns in 14400 s, about 104 ps/s, on top of the last offset before the
//! loss.

use ptp_events::{Resource, SyncState};

use super::STATE_CLOCKS;
use crate::detector::{Assessment, Detector, Scope, View};
use crate::{Severity, forecast};

pub(super) const DETECTOR: Detector = Detector {
    code: "holdover",
    summary: "a clock has lost its reference and keeps time alone",
    manual: include_str!("holdover.rs"),
    scope: Scope::Clock { subjects: STATE_CLOCKS, also: &[Resource::SyncState] },
    examine,
    describe: |_| "HOLDOVER".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    let settings = view.settings;
    let Some((SyncState::Holdover, since)) = view.clock.state() else {
        return Assessment::Quiet;
    };
    if view.is_locked_after_all() {
        return Assessment::Quiet;
    }
    let critical_at = forecast::holdover_limit(view.clock, settings)
        .map(|limit| limit.before(settings.holdover_critical));
    match Assessment::after(view, since, settings.holdover, Severity::Warning) {
        Assessment::Firing { since, .. } => {
            let critical = critical_at.is_some_and(|at| view.now >= at);
            Assessment::Firing {
                severity: if critical { Severity::Critical } else { Severity::Warning },
                since,
                again: critical_at.filter(|_| !critical),
            }
        }
        waiting => waiting,
    }
}
