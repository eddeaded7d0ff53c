//! What a node says of its clocks contradicts itself, and each of them said it again when the last
//! change was `inconsistent` (default 60 s) ago.
//!
//! Severity: WARNING; CRITICAL for class 6 in HOLDOVER. Of the rules in docs/diagnosis.md §5 those
//! are checked that events alone decide:
//!
//! - **sync-state is the worst** of the PTP and the system clock (FREERUN, HOLDOVER, LOCKED), on nodes
//!   with one of each; with several it is not said which of them count. When both are LOCKED and it
//!   stays worse, the publisher is stuck: `publisher-artefact`.
//! - **The system clock is not LOCKED while PTP is FREERUN**: it follows PTP, on every interface.
//! - **A grandmaster in HOLDOVER does not announce class 6**: whoever follows trusts bad time. Of
//!   other clocks this is known as a bug of the publisher, `publisher-artefact`.
//!
//! Only what is said again counts, so a recording of changes alone, in which a lost event looks like
//! a contradiction, never shows this; somebody must ask for CurrentState. Neither do clocks that
//! start, and clocks whose state is a `publisher-artefact`. That classes fit the kind of clock cannot
//! be judged, for the kind is known by the class; nor that changes are told within 1 s.

use ptp_events::{Received, Resource, SyncState};

use super::contradictions::claims_its_reference;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::artefacts::is_stuck;
use crate::model::clock_class;
use crate::model::node::NodeState;
use crate::model::symptom::Symptom;
use crate::{Role, Severity, Timeline};

pub(super) const DETECTOR: Detector = Detector {
    code: "inconsistent-state",
    summary: "what a node says of its clocks contradicts itself",
    manual: include_str!("inconsistent_state.rs"),
    scope: Scope::Clock {
        subjects: &[Resource::SyncState, Resource::OsClock, Resource::ClockClass],
        also: &[Resource::LockState, Resource::OsClock],
        when: When::Always,
    },
    shows: Shows::symptom(Symptom::Contradiction),
    examine,
    describe: |view| match view.clock.state() {
        None => format!("class {} is announced in HOLDOVER", clock_class::LOCKED),
        Some((state, _)) if *view.clock.resource() == Resource::SyncState => {
            let worst = view.node.state().0.as_str();
            format!("sync-state {state}, and the worst clock is {worst}")
        }
        Some((state, _)) => format!("CLOCK_REALTIME {state} while PTP is FREERUN"),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let (worst, _) = view.node.state();
    // Usually all is well, and nothing need be looked up.
    if worst == NodeState::Unknown || (worst == NodeState::Locked && view.clock.is_locked()) {
        return Assessment::Quiet;
    }
    let (since, severity) = match view.clock.resource() {
        Resource::SyncState => (is_not_the_worst(view, worst), Severity::Warning),
        Resource::OsClock => (is_locked_to_nothing(view), Severity::Warning),
        Resource::ClockClass if view.node.role() == Role::Grandmaster => {
            (claims_its_reference(view), Severity::Critical)
        }
        _ => (None, Severity::Warning),
    };
    match since {
        Some(since) => {
            let since = view.firing.unwrap_or(since);
            Assessment::Firing { severity, since, again: None }
        }
        None => Assessment::Quiet,
    }
}

fn is_not_the_worst(view: &View<'_>, worst: NodeState) -> Option<Received> {
    let (state, _) = view.clock.state()?;
    if NodeState::of(state) == worst {
        return None;
    }
    let [ptp, os] = [&Resource::LockState, &Resource::OsClock].map(|resource| {
        let mut clocks = view.of_node(resource);
        clocks.next().filter(|_| clocks.next().is_none())
    });
    let since = confirmed(view, &[view.clock, ptp?, os?])?;
    // Of states nobody has named, none is worse than another.
    [view.clock, ptp?, os?].iter().all(|clock| is_ranked(clock)).then_some(since)
}

fn is_locked_to_nothing(view: &View<'_>) -> Option<Received> {
    if !view.clock.is_locked() {
        return None;
    }
    if !view.of_node(&Resource::LockState).all(|ptp| ptp.is(&SyncState::Freerun)) {
        return None;
    }
    let mut clocks: Vec<&Timeline> = view.of_node(&Resource::LockState).collect();
    if clocks.is_empty() {
        return None;
    }
    clocks.push(view.clock);
    confirmed(view, &clocks)
}

/// Since when these clocks have all said what they say now, if each has said it again since, and
/// what it says can be held against it.
fn confirmed(view: &View<'_>, clocks: &[&Timeline]) -> Option<Received> {
    let since = clocks.iter().filter_map(|clock| clock.state()).map(|(_, since)| since).max()?;
    let from = since.after(view.settings.inconsistent);
    let holds = |clock: &&Timeline| {
        clock.last_seen() >= from
            && !view.node.has_yet_to_lock(clock, &view.model.clocks)
            && !is_stuck(clock, view.node, &view.model.clocks, view.settings)
    };
    clocks.iter().all(holds).then_some(since)
}

fn is_ranked(clock: &Timeline) -> bool {
    clock.is_locked() || clock.is(&SyncState::Holdover) || clock.is(&SyncState::Freerun)
}
