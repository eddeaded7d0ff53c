//! A SyncE clock left LOCKED, or its quality level got worse, for `synce` (default 0 s: at once).
//!
//! Severity: WARNING. SyncE carries frequency: PTP goes on, but holdover gets worse.
//!
//! Quality levels are compared by rank (ITU-T G.8264): PRC and PRS, then SSU-A, SSU-B, EEC, and
//! "do not use" (15). An extended level of 255 means none was received.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::quality;

pub(super) const DETECTOR: Detector = Detector {
    code: "synce-degraded",
    summary: "a SyncE clock lost its lock or its quality",
    manual: include_str!("synce_degraded.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::SynceState, Resource::SynceQuality],
        also: &[],
        when: When::Always,
    },
    shows: Shows::STATE,
    examine,
    describe: |view| match (view.clock.state(), view.clock.quality()) {
        (Some((state, _)), _) => format!("SyncE {state}"),
        (None, Some((quality, _))) => format!("SyncE quality level {quality}"),
        (None, None) => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let clock = view.clock;
    let since = if *clock.resource() == Resource::SynceState {
        clock.unlocked_since().filter(|_| !view.is_starting())
    } else {
        clock.quality().zip(clock.normal_quality()).and_then(|((now, since), normal)| {
            (quality::rank(now) > quality::rank(normal)).then_some(since)
        })
    };
    match since {
        Some(since) => Assessment::after(view, since, view.settings.synce, Severity::Warning),
        None => Assessment::Quiet,
    }
}
