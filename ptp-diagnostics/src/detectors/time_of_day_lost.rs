//! A grandmaster has no usable time of day (NMEA, `nmea_status 0`) for `reference` (default 10 s), or for a
//! minute before its first lock; or ts2phc says that what it gets is stale, damaged, or of no use for its pulse.
//!
//! Severity: CRITICAL. Clears when the time of day is there again, or no complaint was heard for 2 min.
//!
//! A pulse says where a second begins, and not which one it is: without the time of day a clock may be
//! steered by the pulse and be whole seconds wrong (linuxptp, ts2phc(8)). It takes a log or metrics.

use ptp_events::{Received, Resource};

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "time-of-day-lost",
    summary: "a grandmaster has no usable time of day",
    manual: include_str!("time_of_day_lost.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::TimeOfDay).and(Symptom::TimeOfDayLost),
    examine,
    describe: |view| {
        let from = from(view).unwrap_or(view.now);
        match seen::complaints_of_time(view.clock, from, view.now, view.settings) {
            Some(complaint) => format!("ts2phc: {}", complaint.remark.as_str()),
            None => "no NMEA".to_owned(),
        }
    },
};

fn from(view: &View<'_>) -> Option<Received> {
    seen::gives_time_from(view.of_node(&Resource::Gnss))
}

fn examine(view: &View<'_>) -> Assessment {
    let Some(from) = from(view) else { return Assessment::Quiet };
    match seen::no_time_of_day(view.clock, from, view.now, view.settings) {
        Some(since) => Assessment::Firing {
            severity: Severity::Critical,
            since: view.firing.unwrap_or(since),
            again: Some(view.now.after(seen::OVER)),
        },
        None => match seen::time_of_day_due(view.clock, from, view.now, view.settings) {
            Some(due) => Assessment::Wait(due),
            None => Assessment::Quiet,
        },
    }
}
