//! Along which edges a fault travels: within a node, and from a master to those that follow it.

use std::time::Duration;

use ptp_events::{Received, Resource};

use super::Subject;
use crate::model::Model;
use crate::model::clock_class;
use crate::model::node::{NodeId, Role};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::timeline::{Timeline, is_calm};

/// A fault at one stage of a node breaks another stage of the same node.
///
/// An edge that is not always there says when it is.
struct Edge {
    from: Stage,
    to: Stage,
    when: fn(&Model, NodeId, Times) -> bool,
}

/// Since when something is so, and when it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub since: Received,
    pub now: Received,
}

const fn always(from: Stage, to: Stage) -> Edge {
    Edge { from, to, when: |_, _, _| true }
}

/// A grandmaster takes its time from its receiver, by a pulse: it has no path to a master.
fn has_master(model: &Model, node: NodeId, _: Times) -> bool {
    !model.is_grandmaster(node)
}

fn follows_worse_master(model: &Model, node: NodeId, _: Times) -> bool {
    model.receives_reference(node) || model.lost_with_others(node)
}

fn ptp_troubled(model: &Model, node: NodeId, Times { now, .. }: Times) -> bool {
    model.ptp_troubled(node, now)
}

/// phc2sys follows the PTP clock: what it does while that is LOCKED is its own.
fn may_be_troubled(model: &Model, node: NodeId, Times { since, now }: Times) -> bool {
    let mut os = model.of(node, &Resource::OsClock);
    if os.any(|clock| seen::unsteered(clock, &model.settings).is_some()) {
        return false;
    }
    let lost_later =
        model.ptp_last_lost(node).is_some_and(|lost| lost > since.after(model.settings.correlate));
    !model.knows_ptp(node)
        || (model.ptp_troubled(node, now) && !lost_later)
        || (is_calm_itself(model, node) && model.ptp_changed_since(node, since))
}

/// The system clock is where phc2sys wants it: what is said against it is its PTP clock's state, which a
/// publisher lets count (docs/protocol.md §9).
fn is_calm_itself(model: &Model, node: NodeId) -> bool {
    let mut offsets = model.of(node, &Resource::OsClock).filter_map(|os| os.samples().last);
    offsets.all(|(_, offset)| is_calm(offset, &model.settings))
}

/// The chain within a node (docs/diagnosis.md §5), in its order.
const WITHIN: &[Edge] = &[
    always(Stage::Receiver, Stage::Ptp),
    always(Stage::Receiver, Stage::Synce),
    Edge { from: Stage::Segment, to: Stage::Ptp, when: has_master },
    Edge { from: Stage::Path, to: Stage::Ptp, when: has_master },
    // A link that is down carries no frequency either.
    Edge { from: Stage::Segment, to: Stage::Synce, when: ptp_troubled },
    Edge { from: Stage::Path, to: Stage::Synce, when: ptp_troubled },
    always(Stage::Process, Stage::Ptp),
    always(Stage::Process, Stage::Os),
    always(Stage::Receiver, Stage::TimeOfDay),
    always(Stage::Receiver, Stage::Dpll),
    always(Stage::TimeOfDay, Stage::Ptp),
    always(Stage::Dpll, Stage::Ptp),
    always(Stage::Dpll, Stage::Os),
    always(Stage::TimeOfDay, Stage::Os),
    // A master of a worse class may serve a time that moves, or be one that all turn away from.
    Edge { from: Stage::Class, to: Stage::Ptp, when: follows_worse_master },
    always(Stage::Ptp, Stage::Class),
    Edge { from: Stage::Ptp, to: Stage::Os, when: may_be_troubled },
    always(Stage::Ptp, Stage::Overall),
    always(Stage::Os, Stage::Overall),
];

/// Whether a fault that breaks `from` on a node can be what breaks `to` on it.
pub(crate) fn reaches(model: &Model, node: NodeId, from: Stage, to: Stage, times: Times) -> bool {
    let mut reached = [false; Stage::COUNT];
    reached[from as usize] = true;
    // The edges are listed in the order of the chain, so one pass will do.
    for edge in WITHIN {
        if reached[edge.from as usize] && (edge.when)(model, node, times) {
            reached[edge.to as usize] = true;
        }
    }
    reached[to as usize]
}

/// Whether the trouble of a master of its domain is what a node suffers from.
///
/// A grandmaster in holdover still serves time: it explains a worse class, and a follower that hears it
/// and is off, but not one that hears nobody, unless many lose theirs together. One that has gone free
/// is no better a master than the follower itself, which then turns away from it (ITU-T G.8275.1, 6.3:
/// alternate BMCA).
pub(crate) fn master_reaches(
    model: &Model,
    master: NodeId,
    node: NodeId,
    stage: Stage,
    since: Received,
) -> bool {
    if master == node || !model.shares_domain(node, &[master]) || model.is_grandmaster(node) {
        return false;
    }
    let bad = model.is_troubled(master);
    match stage {
        Stage::Class => bad,
        Stage::Ptp | Stage::Os | Stage::Overall => {
            bad && (model.receives_reference(node)
                || went_free(model, master, node, since)
                || model.domain_outage(node, since).is_some())
        }
        _ => false,
    }
}

/// Whether a master went free shortly before a node fell silent, or is free while most of the others are
/// without their lock as well: with others LOCKED, and long after, the node has a fault of its own.
fn went_free(model: &Model, master: NodeId, node: NodeId, since: Received) -> bool {
    let mut classes = model.of(master, &Resource::ClockClass).filter_map(Timeline::class);
    let free = classes.find(|(class, _)| clock_class::is_free_running(*class));
    free.is_some_and(|(_, at)| {
        apart(at, since) <= model.settings.correlate * 2
            || model.domain(node).others_are_locked(node) == Some(false)
    })
}

/// Whether a node hears the boundary clock `relay`, which has lost its own reference: it announces the
/// same worse class, or hears a time that has moved, or moves; `known` when it was found to before.
pub(crate) fn boundary_reaches(
    model: &Model,
    relay: NodeId,
    subject: &Subject,
    known: bool,
) -> bool {
    let (node, stage) = (subject.node, subject.stage(model));
    if !matches!(stage, Stage::Class | Stage::Ptp | Stage::Os | Stage::Overall)
        || relay == node
        || model.node(relay).role() == Role::Grandmaster
        || !model.shares_domain(node, &[relay])
        || model.ptp_unlocked(relay).is_none()
    {
        return false;
    }
    // A node that receives no master has a local fault. If only its class is known, assume that it
    // still receives.
    if model.knows_ptp(node) && !model.receives_reference(node) {
        return false;
    }
    let degraded = |node| {
        let class = model.of(node, &Resource::ClockClass);
        class.filter(|clock| clock.degraded_since().is_some()).find_map(Timeline::class)
    };
    // One that is slow lags behind a clock in holdover, and stays LOCKED.
    let moved = model.ptp_unlocked(node).is_some() || subject.is_of_offsets();
    match (degraded(relay), degraded(node)) {
        (Some((theirs, _)), Some((ours, _))) => known || theirs == ours,
        (Some((theirs, _)), None) => moved && clock_class::is_boundary_holdover(theirs),
        (None, _) => false,
    }
}

/// Whether a node follows a master of `origin` that is back where it was, or was moved, since `opened`.
pub(crate) fn follows_recovered_master(
    model: &Model,
    origin: &[NodeId],
    opened: Received,
    subject: &Subject,
    stage: Stage,
) -> bool {
    let node = subject.node;
    model.shares_domain(node, origin)
        && matches!(stage, Stage::Ptp | Stage::Os | Stage::Overall)
        && subject.since >= opened
        && model.receives_reference(node)
        && (model.ptp_unlocked(node).is_some()
            || (subject.is_of_offsets()
                // A system clock follows its PTP clock, which shows it.
                && (stage == Stage::Ptp || model.ptp_changed_since(node, opened))))
}

/// How far two times are apart.
pub(crate) fn apart(a: Received, b: Received) -> Duration {
    a.since(b).max(b.since(a))
}
