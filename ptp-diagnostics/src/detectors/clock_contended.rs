//! linuxptp's clock check says again and again that the clock was moved by somebody else
//! (`sanity_freq_limit`, ptp4l(8)).
//!
//! Severity: WARNING; CRITICAL while the clock is not LOCKED. Clears 2 min after the last.
//!
//! Two services that steer one clock take turns in moving it: chronyd or ntpd beside phc2sys, a second
//! phc2sys, two ptp4l on one card. It takes a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "clock-contended",
    summary: "something else moves a clock that a servo steers",
    manual: include_str!("clock_contended.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::FirstHand,
    },
    shows: Shows::symptom(Symptom::Contended),
    examine,
    describe: |_| "the clock was moved by somebody else, again and again".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    let Some(since) = seen::contended(view.clock, view.now) else {
        return Assessment::Quiet;
    };
    let lost = view.clock.unlocked_since().is_some();
    Assessment::Firing {
        severity: if lost { Severity::Critical } else { Severity::Warning },
        since: view.firing.unwrap_or(since),
        again: Some(view.now.after(seen::OVER)),
    }
}
