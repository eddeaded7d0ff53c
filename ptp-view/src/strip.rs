//! A clock's states as a strip: how bad is told by height as well as by colour.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use ptp_diagnostics::NodeState;
use ptp_diagnostics::text::time_of_day;

use crate::scale::TimeScale;
use crate::states::Stretch;

/// How high a strip is.
pub(crate) const HEIGHT: f64 = 14.0;

/// The pattern for what is not known; once per page.
pub(crate) const fn patterns() -> PreEscaped<&'static str> {
    PreEscaped(
        r#"<svg class="patterns" aria-hidden="true"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs></svg>"#,
    )
}

/// The strip of one clock, `top` from the top of its picture; what nobody saw is hatched.
pub(crate) fn strip(stretches: &[Stretch], scale: &TimeScale, top: f64) -> Markup {
    let mut bars = String::new();
    // Numbers and our own words: nothing that needs to be escaped.
    let _ = write!(
        bars,
        r#"<rect class="UNKNOWN" x="{:.1}" y="{top:.1}" width="{:.1}" height="{HEIGHT}"/>"#,
        scale.left, scale.width
    );
    for Stretch { from, to, state } in stretches {
        if *to < scale.from || *from > scale.to {
            continue;
        }
        let (x, end) = (scale.x(*from), scale.x(*to));
        // What is short must be seen all the same.
        let width = (end - x).max(1.0);
        let share = match state {
            NodeState::Locked => 0.4,
            NodeState::Holdover => 0.7,
            NodeState::Freerun | NodeState::Unknown => 1.0,
        };
        let height = HEIGHT * share;
        let y = top + HEIGHT - height;
        let name = state.as_str();
        let _ = write!(
            bars,
            r#"<rect class="known" x="{x:.1}" y="{top:.1}" width="{width:.1}" height="{HEIGHT}"/><rect class="{name}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}"><title>{name} {} to {}</title></rect>"#,
            time_of_day(*from),
            time_of_day(*to),
        );
    }
    html! { (PreEscaped(bars)) }
}

/// What the heights and colours mean.
pub(crate) fn legend() -> Markup {
    let entry = |state: NodeState, share: f64, word: &str| {
        html! {
            span {
                svg viewBox="0 0 20 14" width="20" height="14" class="key" aria-hidden="true" {
                    rect class=(state.as_str()) x="0" y=(HEIGHT * (1.0 - share)) width="20" height=(HEIGHT * share) {}
                }
                " " (word)
            }
        }
    };
    html! {
        p.legend.soft {
            (entry(NodeState::Locked, 0.4, "LOCKED"))
            (entry(NodeState::Holdover, 0.7, "HOLDOVER"))
            (entry(NodeState::Freerun, 1.0, "FREERUN"))
            (entry(NodeState::Unknown, 1.0, "not known"))
        }
    }
}
