//! A clock entered HOLDOVER and stayed there for `holdover` (default 3 s).
//!
//! Severity: WARNING; CRITICAL when its time error is forecast to reach `holdover-limit-ns`
//! (default 1500 ns) within `holdover-critical` (default 10 min).
//!
//! In holdover the oscillator keeps time alone. Where a publisher goes on measuring it, from four
//! samples on a Kalman filter follows phase, frequency and drift, and tells a TCXO from an OCXO by
//! what it does. Without samples the forecast is what the topology says that the node holds
//! (docs/topology.md), or else `holdover-model` (default 4 h to the limit, as the daemon configures:
//! about 104 ps/s) for a grandmaster or boundary clock, and `holdover-model-follower` (default 20 min,
//! what a TCXO holds) for other nodes, on top of the last offset before the loss; the bounds, of 10
//! and 90 %, are then wide.

use ptp_events::{Resource, SyncState};

use super::STATE_CLOCKS;
use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::forecast;

pub(super) const DETECTOR: Detector = Detector {
    code: "holdover",
    summary: "a clock has lost its reference and keeps time alone",
    manual: include_str!("holdover.rs"),
    scope: Scope::Clock {
        subjects: STATE_CLOCKS,
        also: &[Resource::SyncState],
        when: When::Unlocked,
    },
    shows: Shows::STATE,
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
    let critical_at = forecast::holdover_limit(view.clock, view.node, settings)
        .map(|limit| limit.at.before(settings.holdover_critical));
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
