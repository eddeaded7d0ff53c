//! At least three nodes, and at least half of those that follow in a timing domain, lost their lock within `upstream`
//! (default 10 s) of each other, and all were LOCKED again within `switch` (default 20 s).
//!
//! Severity: INFO; nobody is told. Clears after `resolve` (default 30 s).
//!
//! When the best master clock algorithm chooses another grandmaster, every follower selects anew
//! for a second or two and finds a slightly different time. What does not come back so soon is a
//! lost grandmaster or switch.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "grandmaster-switch",
    summary: "the followers of a domain turned to another grandmaster",
    manual: include_str!("grandmaster_switch.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Returned),
    examine,
    describe: |_| "lost its lock together with others, and all came back".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    let Some((lost, back)) = view.clock.last_break() else {
        return Assessment::Quiet;
    };
    let settings = view.settings;
    // All have had the time to lose their lock and to come back.
    let due = lost.after(settings.switch);
    let over = due.after(settings.resolve);
    if back > due || view.now >= over || view.is_settling() || view.clock.broke_by_process() {
        return Assessment::Quiet;
    }
    if view.now < due {
        return Assessment::Wait(due);
    }
    if view.all_came_back(lost) {
        return Assessment::Firing { severity: Severity::Info, since: lost, again: Some(over) };
    }
    Assessment::Quiet
}
