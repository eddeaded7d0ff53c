//! A clock's states as a line of text: `=` locked, `~` holdover, `!` lost, `.` unknown.

use ptp_diagnostics::report::{ClockReport, Report};
use ptp_events::{Received, Resource, SyncState};

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

/// The cells of one clock between two times.
pub(crate) fn cells(clock: &ClockReport, from: Received, to: Received) -> Vec<Cell> {
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
        for slot in &mut cells[cell_of(at)..=cell_of(end)] {
            *slot = (*slot).max(cell);
        }
    }
    cells
}

/// The span that the timelines of a report cover.
pub(crate) fn span(report: &Report) -> Option<(Received, Received)> {
    let first = report.input.first?;
    let history = report.nodes.iter().flat_map(|n| &n.clocks).flat_map(|c| &c.history);
    let from = history.map(|moment| moment.at).min().unwrap_or(first).min(first);
    Some((from, report.input.last?))
}
