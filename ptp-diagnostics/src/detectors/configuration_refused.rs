//! ptp4l says that it cannot do what it is configured for: the interface cannot stamp messages so, no clock
//! can be made of it, or a port would have to be a master and may only be a slave.
//!
//! Severity: CRITICAL. Clears when the clock is LOCKED, or an hour after the last such line.
//!
//! ptp4l ends after the first two (linuxptp, clock.c), and whatever starts it tries again in vain. It takes
//! a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "configuration-refused",
    summary: "ptp4l cannot do what it is configured for",
    manual: include_str!("configuration_refused.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Path).and(Symptom::ConfigurationRefused),
    examine,
    describe: |view| match seen::configuration_refused(view.clock, view.now) {
        Some(complaint) => format!("ptp4l: {}", complaint.remark.as_str()),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match seen::configuration_refused(view.clock, view.now) {
        Some(complaint) => Assessment::Firing {
            severity: Severity::Critical,
            since: view.firing.unwrap_or(complaint.first),
            again: Some(view.now.after(seen::AGAIN)),
        },
        None => Assessment::Quiet,
    }
}
