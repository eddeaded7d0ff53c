//! A node: its figures, and the curve and states of each of its clocks.

use maud::{Markup, html};
use ptp_diagnostics::report::{ClockReport, NodeReport, Report};
use ptp_events::Received;

use crate::plot::Plot;
use crate::states::{holes, is_drawn, of_clock};
use crate::words::{clock_name, nanos, plural, seconds, time};

/// From how many unknown seconds on they are named.
const WORTH_A_WORD_S: f64 = 60.0;

/// How many clocks of a node are drawn.
const DRAWN: usize = 8;

pub(crate) fn node(
    report: &Report,
    node: &NodeReport,
    span: Option<(Received, Received)>,
) -> Markup {
    let name = node.node.as_str();
    html! {
        details.node id=(anchor(name)) {
            summary {
                strong { (name) } " " (node.role.as_str()) " "
                span class=(format!("state {}", node.state.as_str())) { (node.state.as_str()) }
                span.soft { " " (availability(node)) ", " (plural(usize::try_from(node.events).unwrap_or(usize::MAX), "event")) }
            }
            (inside(report, node, span))
        }
    }
}

/// Its clocks, and what is drawn of them.
pub(crate) fn inside(
    report: &Report,
    node: &NodeReport,
    span: Option<(Received, Received)>,
) -> Markup {
    let name = node.node.as_str();
    html! {
            (clocks(&node.clocks))
            @if let Some(span) = span {
                @let holes = holes(report, &node.node, span.1);
                @for clock in node.clocks.iter().filter(|clock| is_drawn(clock) || clock.curve.is_some()).take(DRAWN) {
                    h4 { (clock_name(clock)) }
                    (Plot {
                        label: format!("{name} {}: offset and states over time", clock_name(clock)),
                        curve: clock.curve.as_ref(),
                        stretches: &of_clock(clock, &holes, span.1),
                        span,
                        fault: None,
                    }.draw())
                }
            }
    }
}

/// One line of a table, where there are too many for more.
pub(crate) fn row(node: &NodeReport) -> Markup {
    let name = node.node.as_str();
    html! {
        tr id=(anchor(name)) {
            td { (name) } td { (node.role.as_str()) } td { (node.state.as_str()) } td { (availability(node)) }
        }
    }
}

fn clocks(clocks: &[ClockReport]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Clocks" { table {
            thead { tr {
                th { "clock" } th { "kind" } th { "state" } th { "since" }
                th.number { "class" } th.number { "changes" }
                th.number { "offset: last" } th.number { "least" } th.number { "mean" } th.number { "greatest" }
            } }
            tbody { @for clock in clocks { tr {
                td { (clock_name(clock)) }
                td { (clock.resource) }
                td { @if let Some(state) = &clock.state { (state) } }
                td.time { @if let Some(since) = clock.since { (time(since)) } }
                td.number { @if let Some(class) = clock.clock_class { (class.0) } }
                td.number { (clock.changes) }
                @match &clock.offset_ns {
                    Some(offset) => {
                        td.number { (nanos(offset.last as f64)) } td.number { (nanos(offset.min as f64)) }
                        td.number { (nanos(offset.mean as f64)) } td.number { (nanos(offset.max as f64)) }
                    },
                    None => { td {} td {} td {} td {} }
                }
            } } }
        } }
    }
}

/// How much of the time it was LOCKED, and for how long nobody knows.
pub(crate) fn availability(node: &NodeReport) -> String {
    let unknown = node.time_in_state_s.unknown;
    match node.availability {
        Some(share) if unknown >= WORTH_A_WORD_S => {
            format!("LOCKED {:.2} % of the time, not known for {}", share * 100.0, seconds(unknown))
        }
        Some(share) => format!("LOCKED {:.2} % of the time", share * 100.0),
        None => "state not known".to_owned(),
    }
}

/// Where a node stands in the page.
pub(crate) fn anchor(node: &str) -> String {
    format!("node-{node}")
}
