//! What a node says that its own other words deny, over time.

use std::time::Duration;

use ptp_events::{Measurement, Received, Resource, SyncState};

use super::View;
use crate::model::clock_class;
use crate::model::timeline::{Said, Timeline};

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
