//! The announced clock class has been worse than it should be for `clock-class` (default 1 s).
//!
//! Severity: WARNING for 7, 14 and 135 (holdover within specification); CRITICAL for the others
//! (140, 150, 160, 165, the legacy classes, and 248 after something better).
//!
//! The holdover classes 7, 135, 140, 150, 160 and 165 say by themselves that a reference was lost.
//! 248 is also what a clock starts with, and counts only after a traceable class was seen. 255 is
//! normal for a slave-only clock and never counts. The second of waiting lets the events that
//! explain the change arrive first; a clock that is no grandmaster is given as long as `holdover`
//! (default 3 s), because the reason is then its own lost lock, or one upstream; and from a traceable
//! class straight to 248 as long as `loss-of-lock` (default 10 s), because that is also what it announces
//! for a moment when it starts again, and so does a master. A reference that is lost shows by a holdover
//! class first (ITU-T G.8275.1, appendix V). Meanings: IEEE 1588-2019 table 4, ITU-T G.8275.1 table 2.

use ptp_events::Resource;

use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::clock_class;
use crate::{Role, Severity};

pub(super) const DETECTOR: Detector = Detector {
    code: "clock-class-degraded",
    summary: "a clock announces a worse class than it should",
    manual: include_str!("clock_class_degraded.rs"),
    scope: Scope::Clock { subjects: &[Resource::ClockClass], also: &[], when: When::Always },
    shows: Shows::STATE,
    examine,
    describe: |view| match view.clock.class() {
        Some((class, _)) => format!("class {class}: {}", clock_class::meaning(class)),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let (Some(since), Some((class, _))) = (view.clock.degraded_since(), view.clock.class()) else {
        return Assessment::Quiet;
    };
    let severity = match clock_class::rank(class) {
        0..=2 => Severity::Warning,
        _ => Severity::Critical,
    };
    // What a clock passes on, or announces without its lock, `holdover` explains: here or upstream.
    let hold = match view.node.role() {
        Role::Grandmaster => view.settings.clock_class,
        // A node that starts announces 248 for a moment, and so may a master that does.
        _ if clock_class::is_free_running(class) && view.clock.was_traceable() => {
            view.settings.loss_of_lock
        }
        _ => view.settings.clock_class.max(view.settings.holdover),
    };
    Assessment::after(view, since, hold, severity)
}
