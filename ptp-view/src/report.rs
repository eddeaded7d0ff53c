//! A whole report as one page.

use maud::{Markup, PreEscaped, html};
use ptp_diagnostics::report::{IncidentReport, Report};
use ptp_diagnostics::text::lasting;
use ptp_diagnostics::{NodeState, Status};

use crate::incident::{incident, row};
use crate::node::{self, node};
use crate::words::{plural, time};
use crate::{document, states, strip, wander};

/// How much of the page incidents and nodes may take, in full and in a line of a table, in bytes: a page of
/// 5 MB is still opened without waiting.
const INCIDENTS: [usize; 2] = [900_000, 2_000_000];
const NODES: [usize; 2] = [1_100_000, 700_000];

/// How many incidents the table of contents lists.
const LISTED: usize = 30;

/// A report as a page that stands alone, at most 5 MB: what there is no room for is counted.
///
/// Curves are drawn of the clocks that have one ([`ptp_diagnostics::Settings::curve_points`]).
#[must_use]
pub fn report(report: &Report) -> String {
    let mut incidents: Vec<_> = report.incidents.iter().collect();
    // What goes on first, the worst of it first.
    incidents.sort_by_key(|incident| {
        (
            incident.status == Status::Resolved,
            std::cmp::Reverse(incident.severity),
            incident.opened_at,
        )
    });
    let body = html! {
        header {
            h1 { "PTP diagnosis" }
            (summary(report))
            (strip::legend())
        }
        (contents(report, &incidents))
        main {
            h2 #incidents { "Incidents" }
            (in_order(report, &incidents))
            h2 #nodes { "Nodes" }
            (nodes(report))
            (blind(report))
            @if let Some(clocks) = &report.stability {
                h2 #stability { "Stability while LOCKED" }
                (wander::stability(clocks, report))
            }
            h2 #read { "What was read" }
            (read(report))
        }
        footer { p.soft { (report.generator.name) " " (report.generator.version) ", " (report.schema) ". Times are UTC." } }
    };
    document::standalone("PTP diagnosis", &body)
}

fn summary(report: &Report) -> Markup {
    let firing =
        report.incidents.iter().filter(|incident| incident.status != Status::Resolved).count();
    let worst = report.incidents.iter().map(|incident| incident.severity).max();
    let unwell = report.nodes.iter().filter(|node| node.state != NodeState::Locked).count();
    html! {
        p {
            @match worst {
                None => span.badge.well { "No incidents" },
                Some(worst) => {
                    span class=(format!("badge {}", worst.as_str())) { (plural(report.incidents.len(), "incident")) ", the worst " (worst.as_str()) }
                    " " (firing) " still firing"
                }
            }
            ". " (plural(report.nodes.len(), "node")) ", " (unwell) " not LOCKED at the end."
        }
        @if let (Some(first), Some(last)) = (report.input.first, report.input.last) {
            p.soft { (time(first)) " to " (time(last)) ", " (lasting(last.since(first))) ", "
                (plural(usize::try_from(report.input.events).unwrap_or(usize::MAX), "event")) "." }
        }
    }
}

fn contents(report: &Report, incidents: &[&IncidentReport]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ol {
                @for incident in incidents.iter().take(LISTED) {
                    li { a href=(format!("#{}", incident.id)) { (incident.summary) }
                        @if incident.status != Status::Resolved { " " span.badge.CRITICAL { "firing" } } }
                }
                @if incidents.len() > LISTED { li { a href="#incidents" { "and " (incidents.len() - LISTED) " more incidents" } } }
                li { a href="#nodes" { (plural(report.nodes.len(), "node")) } }
                @if !report.blind_windows.is_empty() { li { a href="#blind" { "What could not be seen" } } }
                @if report.stability.is_some() { li { a href="#stability" { "Stability while LOCKED" } } }
                li { a href="#read" { "What was read" } }
            }
        }
    }
}

/// As many as there is room for in full, and of the others as many as there is room for in a line; and how
/// many are left.
fn fill<'a, T>(
    items: &[&'a T],
    room: [usize; 2],
    in_full: impl Fn(&'a T) -> Markup,
    in_a_line: impl Fn(&'a T) -> Markup,
) -> (Markup, Markup, usize) {
    let mut left = items.iter();
    let mut fill = |room: usize, draw: &dyn Fn(&'a T) -> Markup| {
        let mut page = String::new();
        while page.len() < room
            && let Some(next) = left.next()
        {
            page.push_str(&draw(next).into_string());
        }
        PreEscaped(page)
    };
    let full = fill(room[0], &in_full);
    let lines = fill(room[1], &in_a_line);
    (full, lines, left.len())
}

/// Where a node stands in the page.
fn in_page(node: &str) -> String {
    format!("#{}", node::anchor(node))
}

fn in_order(report: &Report, incidents: &[&IncidentReport]) -> Markup {
    let (full, lines, left) = fill(
        incidents,
        INCIDENTS,
        |next| incident(report, next, [in_page, |id| format!("#{id}")]),
        row,
    );
    html! {
        @if incidents.is_empty() { p { "Nothing was found." } }
        (full)
        @if !lines.0.is_empty() {
            p { "There is no room for all in full; these are the others. " code { "--node" } ", " code { "--since" } " and " code { "--min-severity" } " choose." }
            div.scroll tabindex="0" role="region" aria-label="Further incidents" { table {
                thead { tr { th { "since (UTC)" } th { "severity" } th { "what" } th { "lasted" } } }
                tbody { (lines) }
            } }
        }
        @if left > 0 { p { "and " (left) " more" } }
    }
}

fn nodes(report: &Report) -> Markup {
    let mut nodes: Vec<_> = report.nodes.iter().collect();
    // The worst first; the order is stable for equals.
    nodes.sort_by(|a, b| a.availability.unwrap_or(0.0).total_cmp(&b.availability.unwrap_or(0.0)));
    let span = states::span(report);
    let (full, lines, left) = fill(&nodes, NODES, |next| node(report, next, span), node::row);
    html! {
        (full)
        @if !lines.0.is_empty() {
            p { "The curves of all would be too much for one page; " code { "--node" } " draws those of the others:" }
            div.scroll tabindex="0" role="region" aria-label="Further nodes" { table {
                thead { tr { th { "node" } th { "role" } th { "state" } th { "availability" } } }
                tbody { (lines) }
            } }
        }
        @if left > 0 { p { "and " (left) " more" } }
    }
}

fn blind(report: &Report) -> Markup {
    const SHOWN: usize = 100;
    if report.blind_windows.is_empty() {
        return html! {};
    }
    html! {
        h2 #blind { "What could not be seen" }
        div.scroll tabindex="0" role="region" aria-label="Blind windows" { table {
            thead { tr { th { "node" } th { "from (UTC)" } th { "to" } th { "why" } } }
            tbody { @for window in report.blind_windows.iter().take(SHOWN) { tr {
                td { (window.node) } td.time { (time(window.from)) }
                td.time { @if let Some(to) = window.to { (time(to)) } @else { "now" } }
                td { (window.why) }
            } } }
        } }
        @if report.blind_windows.len() > SHOWN { p.soft { "and " (report.blind_windows.len() - SHOWN) " more" } }
    }
}

fn read(report: &Report) -> Markup {
    const SHOWN: usize = 100;
    let input = &report.input;
    html! {
        dl {
            dt { "events" } dd { (input.events) }
            dt { "without data yet" } dd { (input.placeholders) }
            dt { "sent twice" } dd { (input.duplicates) }
            dt { "not understood" } dd { (input.malformed) }
        }
        ul {
            @for file in input.files.iter().take(SHOWN) { li { code { (file) } } }
            @if input.files.len() > SHOWN { li { "and " (input.files.len() - SHOWN) " more" } }
        }
    }
}
