//! A node's states in a list of a thousand nodes.

use std::fmt::Write as _;

use maud::{Markup, html};
use ptp_diagnostics::NodeState;
use ptp_events::Received;

use crate::scale::TimeScale;
use crate::states::Stretch;
use crate::strip::HEIGHT;

/// How wide the strip of a node in a list is, in units of its own.
const LINE: f64 = 400.0;

/// A strip that stands in a list of a thousand: as few bytes as it takes. What is not known shows the ground.
pub(super) fn line(stretches: &[Stretch], from: Received, to: Received) -> Markup {
    let scale = TimeScale { from, to, left: 0.0, width: LINE };
    let states = [NodeState::Locked, NodeState::Holdover, NodeState::Freerun];
    let drawn = states.map(|wanted| {
        let mut path = String::new();
        for Stretch { from, to, .. } in stretches.iter().filter(|stretch| stretch.state == wanted) {
            let (x, end) = (scale.x(*from), scale.x(*to));
            let _ = write!(path, "M{x:.0} 0h{:.0}v{HEIGHT}H{x:.0}z", (end - x).max(1.0));
        }
        (wanted.as_str(), path)
    });
    html! {
        svg.line viewBox=(format!("0 0 {LINE} {HEIGHT}")) preserveAspectRatio="none" aria-hidden="true" {
            @for (state, path) in drawn.iter().filter(|(_, path)| !path.is_empty()) { path class=(state) d=(path) {} }
        }
    }
}
