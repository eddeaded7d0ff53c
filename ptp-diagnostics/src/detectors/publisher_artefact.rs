//! What a publisher says of a clock is what a known bug of publishers makes it say.
//!
//! Severity: INFO; nobody is told. It lowers what it explains: `loss-of-lock`, `persistent-freerun`
//! and `frequent-state-changes` of the same clock, and of the node's overall state, clear. These
//! patterns are recognised, each by what the publisher itself says besides:
//!
//! - **Stuck at FREERUN** after a restart of the sidecar (OCPBUGS-85092, fixed in 4.22.2): FREERUN is
//!   repeated, not out of HOLDOVER, and `artefact-samples` (default 5) offsets in a row, each
//!   different from the one before, are below 80 % of `offset-ns` and no greater than one that was
//!   repeated while LOCKED. Not when a class of the node got worse or its receiver gives no time.
//! - **The system clock flip-flops** because two publishers speak for it (OCPBUGS-84900, -88369): its
//!   state changed `artefact-samples` times after a first within `artefact-window` (default 5 min),
//!   no offset said to be FREERUN is greater than all said to be LOCKED, and PTP was LOCKED all the
//!   time. Clears when the window has passed.
//! - **Stale class 6** (OCPBUGS-98868): a clock that is no grandmaster announced class 6, and says so
//!   again when it has been in HOLDOVER for `inconsistent` (default 60 s).
//! - **An empty interface name** (ptp-operator#93): the clock is called `/master`.
//!
//! Others cannot be told from events alone: class changes that are missing (OCPBUGS-83557, -84240)
//! look like none, and stuck at HOLDOVER like HOLDOVER, whose offset is the last one before. What a
//! publisher says when it has no data is no data, and a crashed process is a `process-restart`.

use std::time::Duration;

use ptp_events::{Received, Resource};

use super::contradictions::{claims_its_reference, flip_flops};
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::artefacts::{is_nameless, is_stuck};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;
use crate::{Role, Severity};

pub(super) const DETECTOR: Detector = Detector {
    code: "publisher-artefact",
    summary: "a known bug of the publisher",
    manual: include_str!("publisher_artefact.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::LockState, Resource::OsClock, Resource::ClockClass, Resource::Gnss],
        also: &[Resource::LockState],
        when: When::Always,
    },
    shows: Shows::stage(Stage::Artefact).and(Symptom::Artefact),
    examine,
    describe: |view| pattern(view).map_or_else(String::new, |artefact| artefact.says.to_owned()),
};

/// A pattern that was recognised.
struct Artefact {
    since: Received,
    again: Option<Received>,
    says: &'static str,
}

fn pattern(view: &View<'_>) -> Option<Artefact> {
    let clock = view.clock;
    if is_nameless(clock) {
        let says = "its name has no interface (ptp-operator#93)";
        return Some(Artefact { since: clock.first_seen(), again: None, says });
    }
    match clock.resource() {
        Resource::LockState => {
            let stuck = is_stuck(clock, view.node, &view.model.clocks, view.settings);
            let (_, since) = clock.denied().filter(|_| stuck)?;
            let says = "FREERUN is repeated with offsets of a locked clock (OCPBUGS-85092)";
            Some(Artefact { since, again: None, says })
        }
        Resource::OsClock => {
            let (since, _) = flip_flops(view)?;
            let again = Some(since.after(view.settings.artefact_window));
            let says = "two publishers contradict each other (OCPBUGS-84900)";
            Some(Artefact { since, again, says })
        }
        Resource::ClockClass if view.node.role() != Role::Grandmaster => {
            let since = claims_its_reference(view)?;
            let says = "class 6 is repeated in HOLDOVER (OCPBUGS-98868)";
            Some(Artefact { since, again: None, says })
        }
        _ => None,
    }
}

fn examine(view: &View<'_>) -> Assessment {
    match pattern(view) {
        Some(Artefact { since, again, .. }) => Assessment::Firing {
            severity: Severity::Info,
            since: view.firing.unwrap_or(since),
            // The window is closed, so that at its end it still holds.
            again: again.map(|at| at.after(Duration::from_millis(1))),
        },
        None => Assessment::Quiet,
    }
}
