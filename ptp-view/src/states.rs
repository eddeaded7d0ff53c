//! In which state a clock was, and when: what a strip shows.

use ptp_diagnostics::NodeState;
use ptp_diagnostics::report::{ClockReport, NodeReport, Report};
use ptp_events::{NodeName, Received, Resource, SyncState};

/// A stretch of time in which a clock was in one state.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stretch {
    /// Since when.
    pub from: Received,
    /// Until when.
    pub to: Received,
    /// In which.
    pub state: NodeState,
}

/// The time that a report covers; `None` where it is made from nothing.
#[must_use]
pub fn span(report: &Report) -> Option<(Received, Received)> {
    let first = report.input.first?;
    let history = report.nodes.iter().flat_map(|n| &n.clocks).flat_map(|c| &c.history);
    let from = history.map(|moment| moment.at).min().unwrap_or(first).min(first);
    Some((from, report.input.last?))
}

/// Whether a clock has states worth drawing: the overall state only repeats its clocks.
#[must_use]
pub fn is_drawn(clock: &ClockReport) -> bool {
    let states = clock.history.iter().filter(|moment| moment.state.is_some()).count();
    states > 0 && clock.resource != Resource::SyncState
}

/// The states of a node as a whole, the worst of its PTP and system clocks at each time, from `from` to `to`.
///
/// Of a clock without a history only its present state is known, since it has been in it.
#[must_use]
pub fn of_node(
    node: &NodeReport,
    holes: &[(Received, Received)],
    (from, to): (Received, Received),
) -> Vec<Stretch> {
    let mut all = Vec::new();
    let counts =
        |clock: &&ClockReport| matches!(clock.resource, Resource::LockState | Resource::OsClock);
    for clock in node.clocks.iter().filter(counts) {
        let told = stretches(clock, holes, to);
        if let (true, Some(state), Some(since)) = (told.is_empty(), &clock.state, clock.since) {
            let state = state_of(state);
            let seen = seen(since, to, holes).into_iter();
            all.extend(seen.map(|(from, to)| Stretch { from, to, state }));
        }
        all.extend(told);
    }
    let within = |at: Received| at.clamp(from, to);
    let mut bounds: Vec<Received> =
        all.iter().flat_map(|stretch| [within(stretch.from), within(stretch.to)]).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut joined: Vec<Stretch> = Vec::new();
    for pair in bounds.windows(2) {
        let (begin, end) = (pair[0], pair[1]);
        let there = all.iter().filter(|stretch| stretch.from <= begin && stretch.to >= end);
        let Some(state) = there.map(|stretch| stretch.state).max() else { continue };
        match joined.last_mut() {
            Some(last) if last.state == state && last.to == begin => last.to = end,
            _ => joined.push(Stretch { from: begin, to: end, state }),
        }
    }
    joined
}

/// When a node could not be seen, in order; what lasts, lasts until `to`.
#[must_use]
pub fn holes(report: &Report, node: &NodeName, to: Received) -> Vec<(Received, Received)> {
    let windows = report.blind_windows.iter().filter(|window| window.node == *node);
    let mut holes: Vec<_> =
        windows.map(|window| (window.from, window.to.unwrap_or(to).max(window.from))).collect();
    holes.sort();
    holes
}

/// The states of a clock until `to`, in order; what lies in a hole is no state.
#[must_use]
pub fn stretches(
    clock: &ClockReport,
    holes: &[(Received, Received)],
    to: Received,
) -> Vec<Stretch> {
    let mut all = Vec::new();
    let mut states = clock
        .history
        .iter()
        .filter_map(|moment| moment.state.as_ref().map(|state| (moment.at, state_of(state))))
        .peekable();
    while let Some((at, state)) = states.next() {
        let end = states.peek().map_or(to, |(next, _)| *next);
        let seen = seen(at, end, holes).into_iter();
        all.extend(seen.map(|(from, to)| Stretch { from, to, state }));
    }
    all
}

const fn state_of(state: &SyncState) -> NodeState {
    match state {
        SyncState::Locked | SyncState::Synchronized => NodeState::Locked,
        SyncState::Holdover => NodeState::Holdover,
        _ => NodeState::Freerun,
    }
}

/// What is left of a stretch of time without the holes in it.
fn seen(from: Received, to: Received, holes: &[(Received, Received)]) -> Vec<(Received, Received)> {
    let mut left = Vec::new();
    let mut at = from;
    for (begin, end) in holes {
        if *end <= at || *begin >= to {
            continue;
        }
        if *begin >= at {
            left.push((at, *begin));
        }
        at = *end;
    }
    if at <= to {
        left.push((at, to));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_cut_out_of_what_was_seen() {
        let at = |s: i64| Received::from_nanos(s);
        let left = |holes: &[(i64, i64)]| -> Vec<_> {
            let holes: Vec<_> = holes.iter().map(|(a, b)| (at(*a), at(*b))).collect();
            let left = seen(at(10), at(20), &holes).into_iter();
            left.map(|(a, b)| (a.as_nanos(), b.as_nanos())).collect()
        };
        assert_eq!(left(&[]), [(10, 20)]);
        assert_eq!(left(&[(12, 15)]), [(10, 12), (15, 20)]);
        assert_eq!(left(&[(5, 12), (14, 16), (18, 30)]), [(12, 14), (16, 18)]);
        assert_eq!(left(&[(0, 5), (25, 30)]), [(10, 20)]);
        assert!(left(&[(5, 30)]).is_empty());
    }
}
