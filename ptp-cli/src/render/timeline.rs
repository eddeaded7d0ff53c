//! A clock's states as a line of text: `=` locked, `~` holdover, `!` lost, `.` unknown.

use ptp_diagnostics::report::{ClockReport, Report};
use ptp_events::{NodeName, Received, Resource, SyncState};

/// How many cells a line has.
pub(crate) const CELLS: usize = 44;

/// One cell, by how bad the worst moment in it was.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Cell {
    Unknown,
    Locked,
    Holdover,
    Lost,
}

impl Cell {
    pub(crate) const fn glyph(self) -> char {
        match self {
            Self::Unknown => '.',
            Self::Locked => '=',
            Self::Holdover => '~',
            Self::Lost => '!',
        }
    }

    const fn of(state: &SyncState) -> Self {
        match state {
            SyncState::Locked | SyncState::Synchronized => Self::Locked,
            SyncState::Holdover => Self::Holdover,
            _ => Self::Lost,
        }
    }
}

/// Whether a clock has states worth drawing: the overall state only repeats its clocks.
pub(crate) fn is_drawn(clock: &ClockReport) -> bool {
    let states = clock.history.iter().filter(|moment| moment.state.is_some()).count();
    states > 0 && clock.resource != Resource::SyncState
}

/// The cells of one clock between two times; what lies in a hole, when nobody could see its node, is
/// unknown.
pub(crate) fn cells(
    clock: &ClockReport,
    holes: &[(Received, Received)],
    from: Received,
    to: Received,
) -> Vec<Cell> {
    let span = to.since(from).as_nanos().max(1);
    let cell_of = |at: Received| {
        let at = at.since(from).as_nanos().min(span);
        usize::try_from(at * CELLS as u128 / span).unwrap_or(0).min(CELLS - 1)
    };
    let mut cells = vec![Cell::Unknown; CELLS];
    let mut states = clock
        .history
        .iter()
        .filter_map(|moment| moment.state.as_ref().map(|state| (moment.at, Cell::of(state))))
        .peekable();
    while let Some((at, cell)) = states.next() {
        let end = states.peek().map_or(to, |(next, _)| *next);
        for (begin, end) in seen(at, end, holes) {
            for slot in &mut cells[cell_of(begin)..=cell_of(end)] {
                *slot = (*slot).max(cell);
            }
        }
    }
    cells
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

/// When a node could not be seen, in order; what lasts, lasts until `to`.
pub(crate) fn holes(report: &Report, node: &NodeName, to: Received) -> Vec<(Received, Received)> {
    let windows = report.blind_windows.iter().filter(|window| window.node == *node);
    let mut holes: Vec<_> =
        windows.map(|window| (window.from, window.to.unwrap_or(to).max(window.from))).collect();
    holes.sort();
    holes
}

/// The span that the timelines of a report cover.
pub(crate) fn span(report: &Report) -> Option<(Received, Received)> {
    let first = report.input.first?;
    let history = report.nodes.iter().flat_map(|n| &n.clocks).flat_map(|c| &c.history);
    let from = history.map(|moment| moment.at).min().unwrap_or(first).min(first);
    Some((from, report.input.last?))
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
