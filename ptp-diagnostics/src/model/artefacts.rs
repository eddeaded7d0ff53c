//! What a publisher says that cannot be so, by its own other words.

use ptp_events::Resource;

use crate::Settings;
use crate::model::node::Node;
use crate::model::timeline::Timeline;

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

/// Whether the interface is missing from the clock's name.
pub(crate) fn is_nameless(clock: &Timeline) -> bool {
    clock.instance().as_str().starts_with('/')
}
