//! What a publisher says that cannot be so, by its own other words.

use std::time::Duration;

use ptp_events::{Measurement, Received, Resource, SyncState};

use crate::detector::View;
use crate::node::Node;
use crate::timeline::{Said, Timeline};
use crate::{Settings, clock_class};

/// Whether a PTP clock is said to be FREERUN by a publisher that missed its lock: offset upon
/// offset is one the clock had while LOCKED, and neither its class nor its receiver knows of a loss.
pub(crate) fn is_stuck(
    clock: &Timeline,
    node: &Node,
    clocks: &[Timeline],
    settings: &Settings,
) -> bool {
    clock.denied().is_some_and(|(count, _)| count >= settings.artefact_samples)
        && *clock.resource() == Resource::LockState
        && node.clocks.iter().map(|member| &clocks[member.id.0 as usize]).all(|other| {
            other.degraded_since().is_none()
                && (*other.resource() != Resource::Gnss || other.gives_time())
        })
}

/// Whether what this clock says follows from clocks of the node that are stuck, itself included.
pub(crate) fn follows_from_stuck(
    clock: &Timeline,
    node: &Node,
    clocks: &[Timeline],
    settings: &Settings,
) -> bool {
    // Nothing is looked up for a clock that is well, and seldom for one that is not.
    if clock.is_locked() {
        return false;
    }
    if *clock.resource() != Resource::SyncState {
        return is_stuck(clock, node, clocks, settings);
    }
    // The worst of both clocks (docs/diagnosis.md §5).
    let below = node.clocks.iter().map(|member| &clocks[member.id.0 as usize]);
    let mut unlocked = below
        .filter(|c| matches!(c.resource(), Resource::LockState | Resource::OsClock))
        .filter(|c| c.state().is_some() && !c.is_locked())
        .peekable();
    unlocked.peek().is_some() && unlocked.all(|c| is_stuck(c, node, clocks, settings))
}

/// When a system clock that two publishers speak for began to flip-flop, and when it last did: it
/// changed `artefact-samples` times within `artefact-window`.
pub(crate) fn flip_flops(view: &View<'_>) -> Option<(Received, Received)> {
    let settings = view.settings;
    contradictions(view, view.clock, settings.artefact_samples, settings.artefact_window)
}

/// Whether the last `changes` of this clock's state are those of a system clock that two publishers
/// speak for: its own, or as the worst of all.
pub(crate) fn are_contradictions(view: &View<'_>, changes: u32, within: Duration) -> bool {
    match view.clock.resource() {
        Resource::SyncState => view
            .of_node(&Resource::OsClock)
            .any(|os| contradictions(view, os, changes / 2, within).is_some()),
        _ => contradictions(view, view.clock, changes, within).is_some(),
    }
}

/// When the last `changes` of a system clock's state began and ended, if no threshold tells them apart.
///
/// They came while every PTP clock was LOCKED, and the offsets said to be FREERUN are no greater than
/// those said to be LOCKED, or than half of what would be too much.
fn contradictions(
    view: &View<'_>,
    clock: &Timeline,
    changes: u32,
    within: Duration,
) -> Option<(Received, Received)> {
    if *clock.resource() != Resource::OsClock {
        return None;
    }
    let (first, last) = (clock.change_before(changes)?, clock.change_before(0)?);
    if view.now.since(first) > within {
        return None;
    }
    let (mut free, mut locked) = (None, None);
    for fact in clock.facts().iter().rev().take(changes as usize + 1) {
        let Said::State {
            state, measured: Some(Measurement::Offset(offset)), stale: false, ..
        } = &fact.said
        else {
            return None;
        };
        let greatest = match state {
            SyncState::Freerun => &mut free,
            state if state.is_locked() => &mut locked,
            _ => return None,
        };
        *greatest = Some(offset.magnitude()).max(*greatest);
    }
    let mut ptp = view.of_node(&Resource::LockState).peekable();
    let well = |clock: &Timeline| {
        clock.is_locked() && clock.state().is_some_and(|(_, since)| since <= first)
    };
    let (free, locked) = (free?, locked?);
    let alike = free <= locked || free.saturating_mul(2) <= view.settings.offset_ns;
    (alike && ptp.peek().is_some() && ptp.all(well)).then_some((first, last))
}

/// Since when a clock's PTP clock has been in HOLDOVER, when its class was 6 before and was told as 6
/// again long after that began.
///
/// A class that changed to 6 meanwhile may have been on its way for long.
pub(crate) fn claims_its_reference(view: &View<'_>) -> Option<Received> {
    let (class, announced) = view.clock.class()?;
    if class != clock_class::LOCKED {
        return None;
    }
    view.of_node(&Resource::LockState)
        .filter(|ptp| ptp.instance() == view.clock.instance() && ptp.is(&SyncState::Holdover))
        .filter_map(|ptp| ptp.state())
        .map(|(_, since)| since)
        .find(|since| {
            announced <= *since && view.clock.last_seen() >= since.after(view.settings.inconsistent)
        })
}

/// Whether the interface is missing from the clock's name.
pub(crate) fn is_nameless(clock: &Timeline) -> bool {
    clock.instance().as_str().starts_with('/')
}
