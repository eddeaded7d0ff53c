//! A clock's states as a line of text: `=` locked, `~` holdover, `!` lost, `.` unknown.

use ptp_diagnostics::NodeState;
use ptp_diagnostics::report::ClockReport;
use ptp_events::Received;
use ptp_view::states::{Stretch, stretches};

/// How many cells a line has in 80 columns.
pub(crate) const CELLS: usize = 44;

/// How a cell is drawn: by how bad the worst moment in it was.
pub(crate) const fn glyph(state: NodeState) -> char {
    match state {
        NodeState::Unknown => '.',
        NodeState::Locked => '=',
        NodeState::Holdover => '~',
        NodeState::Freerun => '!',
    }
}

/// The cells of one clock between two times; what lies in a hole, when nobody could see its node, is
/// unknown.
pub(crate) fn cells(
    clock: &ClockReport,
    holes: &[(Received, Received)],
    from: Received,
    to: Received,
    count: usize,
) -> Vec<NodeState> {
    let span = to.since(from).as_nanos().max(1);
    let cell_of = |at: Received| {
        let at = at.since(from).as_nanos().min(span);
        usize::try_from(at * count as u128 / span).unwrap_or(0).min(count - 1)
    };
    let mut cells = vec![NodeState::Unknown; count];
    for Stretch { from: begin, to: end, state } in stretches(clock, holes, to) {
        for slot in &mut cells[cell_of(begin)..=cell_of(end)] {
            *slot = (*slot).max(state);
        }
    }
    cells
}
