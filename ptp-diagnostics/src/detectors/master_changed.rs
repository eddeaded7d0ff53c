//! The best master algorithm chose another master than before.
//!
//! Severity: INFO, and nobody is told: a change that was planned looks the same. Clears after `reopen`.
//!
//! What it does to the time is told by what else is found then. It takes a log of ptp4l (`selected best
//! master clock`).

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "master-changed",
    summary: "another master was chosen",
    manual: include_str!("master_changed.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::stage(Stage::Segment).and(Symptom::AnotherMaster),
    examine,
    describe: |view| match view.clock.master() {
        Some((master, _)) => format!("follows {master} now"),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some((_, Some(since))) = view.clock.master() else {
        return Assessment::Quiet;
    };
    let over = since.after(view.settings.reopen);
    if view.now >= over {
        return Assessment::Quiet;
    }
    Assessment::Firing { severity: Severity::Info, since, again: Some(over) }
}
