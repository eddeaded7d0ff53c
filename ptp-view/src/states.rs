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
    let counts =
        |clock: &&ClockReport| matches!(clock.resource, Resource::LockState | Resource::OsClock);
    let clocks = node.clocks.iter().filter(counts);
    // Where a stretch begins one clock more is in its state, and where it ends one fewer.
    let mut turns: Vec<(Received, NodeState, i32)> = Vec::new();
    for Stretch { from: begin, to: end, state } in clocks.flat_map(|c| of_clock(c, holes, to)) {
        let (begin, end) = (begin.clamp(from, to), end.clamp(from, to));
        turns.extend([(begin, state, 1), (end, state, -1)]);
    }
    turns.sort_unstable();
    let mut joined: Vec<Stretch> = Vec::new();
    let mut in_state = [0; 4];
    let mut turns = turns.into_iter().peekable();
    while let Some((at, state, by)) = turns.next() {
        in_state[state as usize] += by;
        let Some(next) = turns.peek().map(|(next, ..)| *next).filter(|next| *next > at) else {
            continue;
        };
        let worst = [NodeState::Freerun, NodeState::Holdover, NodeState::Locked];
        let Some(state) = worst.into_iter().find(|state| in_state[*state as usize] > 0) else {
            continue;
        };
        match joined.last_mut() {
            Some(last) if last.state == state && last.to == at => last.to = next,
            _ => joined.push(Stretch { from: at, to: next, state }),
        }
    }
    joined
}

/// The states of a clock until `to`; of one without a history, its present one since it is known to be in it.
#[must_use]
pub fn of_clock(clock: &ClockReport, holes: &[(Received, Received)], to: Received) -> Vec<Stretch> {
    let told = stretches(clock, holes, to);
    match (&clock.state, clock.since) {
        (Some(state), Some(since)) if told.is_empty() => {
            let state = state_of(state);
            let seen = seen(since, to, holes).into_iter();
            seen.map(|(from, to)| Stretch { from, to, state }).collect()
        }
        _ => told,
    }
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
    use ptp_diagnostics::report::NodeReport;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_is_as_well_as_its_worst_clock() {
        let at = |s: i64| Received::from_nanos(s * 1_000_000_000);
        let time = |s: i64| at(s).to_string();
        let clock = |resource: &str, states: &[(i64, &str)]| {
            let history =
                states.iter().map(|(s, state)| json!({"at": time(*s), "state": state, "says": ""}));
            json!({"resource": resource, "instance": "x", "events": 1, "changes": 1,
                "history": history.collect::<Vec<_>>()})
        };
        let node: NodeReport = serde_json::from_value(json!({
            "node": "n", "role": "t-tsc", "state": "LOCKED", "events": 1, "availability": null,
            "time_in_state_s": {"LOCKED": 0.0, "HOLDOVER": 0.0, "FREERUN": 0.0, "UNKNOWN": 0.0},
            "clocks": [
                clock("lock-state", &[(10, "LOCKED"), (20, "HOLDOVER"), (30, "LOCKED")]),
                clock("os-clock-sync-state", &[(12, "LOCKED"), (25, "FREERUN"), (40, "LOCKED")]),
                clock("gnss-sync-status", &[(10, "ANTENNA-DISCONNECTED")]),
            ],
        }))
        .unwrap();
        let told = of_node(&node, &[(at(44), at(46))], (at(15), at(50)));
        let told: Vec<_> = told.iter().map(|s| (s.from, s.to, s.state.as_str())).collect();
        assert_eq!(
            told,
            [
                (at(15), at(20), "LOCKED"),
                (at(20), at(25), "HOLDOVER"),
                (at(25), at(40), "FREERUN"),
                (at(40), at(44), "LOCKED"),
                (at(46), at(50), "LOCKED"),
            ]
        );
    }

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
