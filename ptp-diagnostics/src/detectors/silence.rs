//! A node whose regular samples came stopped sending for `silence` (default 5 min), or for five
//! times its own cadence if that is longer; or its publisher cannot be reached.
//!
//! Severity: WARNING. It is a blind window, not a timing fault: nothing is known about the node's
//! time, and its state is reported as UNKNOWN.
//!
//! Publishers send on change only. A node without regular samples (somebody's polling of
//! CurrentState) has no cadence, and its quiet is normal.

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View};
use crate::model::stage::Stage;

pub(super) const DETECTOR: Detector = Detector {
    code: "silence",
    summary: "nothing comes from a node that used to be heard",
    manual: include_str!("silence.rs"),
    scope: Scope::Node,
    shows: Shows::stage(Stage::Telemetry),
    examine,
    describe: |view| match &view.node.blind {
        Some((_, why)) => why.clone(),
        None => "its regular samples stopped".to_owned(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    if let Some((since, _)) = &view.node.blind {
        return Assessment::Firing { severity: Severity::Warning, since: *since, again: None };
    }
    match view.cadence() {
        Some(cadence) => {
            let hold = view.settings.silence.max(cadence * 5);
            // A recording that ended is no node that fell silent.
            if view.ended.is_some_and(|ended| view.node.last_seen().after(hold) > ended) {
                return Assessment::Quiet;
            }
            Assessment::after(view, view.node.last_seen(), hold, Severity::Warning)
        }
        None => Assessment::Quiet,
    }
}
