//! A clock went FREERUN because its process died, and was LOCKED again within `process-restart`
//! (default 30 s).
//!
//! Severity: INFO, and nobody is told; WARNING at the third time within `state-changes-window` (default
//! 1 h), as something restarts it then. Clears after `process-restart`.
//!
//! The daemon reports a dead process as FREERUN with the offset -9999999999999999, which no
//! measurement gives. A restart after a configuration change looks like this on every clock of the
//! node. What does not come back is a `loss-of-lock`.

use ptp_events::{Measurement, Received, Resource, Sentinel, SyncState};

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;
use crate::model::timeline::Said;

pub(super) const DETECTOR: Detector = Detector {
    code: "process-restart",
    summary: "a process was restarted and its clock came back",
    manual: include_str!("process_restart.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock],
        also: &[],
        when: When::Always,
    },
    shows: Shows::stage(Stage::Process).and(Symptom::Restarted),
    examine,
    describe: |_| "FREERUN with its process down, then LOCKED again".to_owned(),
};

/// How many restarts within `state-changes-window` make a loop: nobody restarts a process by hand so often.
const LOOP: usize = 3;

const DOWN: Measurement = Measurement::Sentinel(Sentinel::ProcessDown);

fn examine(view: &View<'_>) -> Assessment {
    let window = view.settings.process_restart;
    // Usually it has been LOCKED for longer than that, and its facts need not be looked at.
    if view.clock.state().is_none_or(|(_, locked)| view.now >= locked.after(window)) {
        return Assessment::Quiet;
    }
    let facts = view.clock.facts();
    let (Some(last), Some(before)) = (facts.back(), facts.iter().nth_back(1)) else {
        return Assessment::Quiet;
    };
    let was_down =
        matches!(&before.said, Said::State { state: SyncState::Freerun, measured: Some(DOWN), .. });
    let again = last.at.after(window);
    if was_down && view.clock.is_locked() && last.at.since(before.at) <= window && view.now < again
    {
        let severity = if is_loop(view) { Severity::Warning } else { Severity::Info };
        Assessment::Firing { severity, since: before.at, again: Some(again) }
    } else {
        Assessment::Quiet
    }
}

/// Whether it has been restarted so often of late that something restarts it.
fn is_loop(view: &View<'_>) -> bool {
    let from = view.now.before(view.settings.state_changes_window);
    let mut restarts = 0;
    let mut last: Option<Received> = None;
    for fact in view.clock.facts().iter().filter(|fact| fact.at >= from) {
        let down = matches!(&fact.said, Said::State { measured: Some(DOWN), .. });
        // What one restart makes the publisher say is over within seconds.
        if down && last.is_none_or(|last| fact.at.since(last) > view.settings.process_restart) {
            restarts += 1;
            last = Some(fact.at);
        }
    }
    restarts >= LOOP
}
