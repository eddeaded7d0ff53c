//! An incident: what, where, since when, how we know, what to do.

use std::collections::HashSet;
use std::time::Duration;

use maud::{Markup, html};
use ptp_diagnostics::report::{Evidence, IncidentReport, NodeReport, Report};
use ptp_diagnostics::text::{lasting, moment, time_of_day};
use ptp_diagnostics::{NodeState, Status};
use ptp_events::{NodeName, Received, Resource};

use crate::plot::{Plot, strips};
use crate::states::{Stretch, holes, is_drawn, stretches};
use crate::words::{clock_name, expected, time};

/// How many curves, strips and pieces of evidence an incident shows.
const CURVES: usize = 2;
const STRIPS: usize = 12;
const EVIDENCE: usize = 40;
const NAMES: usize = 12;

/// In full; the two say where a node, and where another incident, is.
pub(crate) fn incident(
    report: &Report,
    incident: &IncidentReport,
    [to, to_incident]: [fn(&str) -> String; 2],
) -> Markup {
    let firing = incident.status != Status::Resolved;
    html! {
        article id=(incident.id) class=(incident.severity.as_str()) {
            h3 {
                span class=(format!("badge {}", incident.severity.as_str())) { (incident.severity.as_str()) }
                " " (incident.summary) " "
                @if firing { span.badge.CRITICAL { "firing" } } @else { span.badge.resolved { "resolved" } }
            }
            dl {
                dt { "cause" }
                dd { code { (incident.root_cause.code()) } ", " (incident.verdict.as_str()) " (confidence "
                    (format!("{:.2}", incident.confidence)) ")" }
                dt { "since" }
                dd { (time(incident.opened_at)) ", known "
                    (lasting(incident.detected_at.since(incident.opened_at))) " later"
                    @if let Some(over) = incident.resolved_at {
                        ", over after " (lasting(over.since(incident.opened_at)))
                    } @else { ", still firing" } }
                dt { "where" }
                dd { (names(&incident.origin_nodes, to)) @if let Some(others) = others(incident, to) { "; felt on " (others) } }
                @if let Some(forecast) = &incident.forecast {
                    dt { "how long" } dd { (expected(incident, forecast, report.input.last)) }
                } @else if let Some(note) = &incident.forecast_note {
                    dt { "how long" } dd { "no forecast: " (note) }
                }
                @if let Some(into) = &incident.merged_into {
                    dt { "part of" } dd { a href=(to_incident(into)) { (into) } }
                }
            }
            p { (incident.details) }
            (pictures(report, incident))
            h4 { "How we know" }
            (evidence(incident))
            h4 { "What to do" }
            ol {
                @for advice in &incident.recommendations {
                    li { (advice.action) @if let Some(command) = &advice.command { (crate::incident::command(command)) } }
                }
            }
            @if !incident.alternatives.is_empty() {
                h4 { "Could also be" }
                ul { @for other in &incident.alternatives {
                    li { code { (other.root_cause.code()) } " (" (format!("{:.2}", other.confidence)) "): decide by " (other.decide_by) }
                } }
            }
            @if !incident.known_bugs.is_empty() {
                h4 { "Known bugs that look like this" }
                ul { @for bug in &incident.known_bugs { li { (bug.id) ": " (bug.in_one_line()) } } }
            }
        }
    }
}

/// One line of a table, where there are too many for more.
pub(crate) fn row(incident: &IncidentReport) -> Markup {
    html! {
        tr id=(incident.id) {
            td.time { (moment(incident.opened_at)) }
            td { (incident.severity.as_str()) }
            td { (incident.summary) }
            td { @if let Some(over) = incident.resolved_at { (lasting(over.since(incident.opened_at))) } @else { "firing" } }
        }
    }
}

fn command(command: &str) -> Markup {
    html! { pre.command { code { (command) } } }
}

fn names(nodes: &[NodeName], to: fn(&str) -> String) -> Markup {
    html! {
        @for (n, node) in nodes.iter().take(NAMES).enumerate() {
            @if n > 0 { ", " }
            a href=(to(node.as_str())) { (node.as_str()) }
        }
        @if nodes.len() > NAMES { " and " (nodes.len() - NAMES) " more" }
    }
}

fn others(incident: &IncidentReport, to: fn(&str) -> String) -> Option<Markup> {
    let is_other = |node: &&NodeName| !incident.origin_nodes.contains(node);
    let others: Vec<_> = incident.affected_nodes.iter().filter(is_other).cloned().collect();
    (!others.is_empty()).then(|| names(&others, to))
}

fn evidence(incident: &IncidentReport) -> Markup {
    if incident.evidence.is_empty() {
        return html! { ul { @for finding in &incident.findings {
            li { (finding.node) " " code { (finding.code) } ": " (finding.says) }
        } } };
    }
    let clock = |evidence: &Evidence| match evidence.instance.as_str() {
        "" => evidence.resource.to_string(),
        name => name.to_owned(),
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Evidence" { table {
            thead { tr { th { "time (UTC)" } th { "node" } th { "clock" } th { "what it said" } } }
            tbody { @for evidence in incident.evidence.iter().take(EVIDENCE) {
                tr class=[(!evidence.supports).then_some("against")] {
                    td.time { (time_of_day(evidence.at)) }
                    td { (evidence.node) } td { (clock(evidence)) }
                    td { (evidence.says) @if !evidence.supports { " (speaks against it)" } }
                }
            } }
        } }
        @if incident.evidence.len() > EVIDENCE {
            p.soft { "and " (incident.evidence.len() - EVIDENCE) " more" }
        }
    }
}

/// The curves of where it began, and the states of all that felt it on one line of time.
fn pictures(report: &Report, incident: &IncidentReport) -> Markup {
    let Some(whole) = crate::states::span(report) else { return html! {} };
    let Some(span) = around(incident, whole) else { return html! {} };
    let affected: HashSet<_> = incident.affected_nodes.iter().collect();
    let origins: HashSet<_> = incident.origin_nodes.iter().collect();
    let (affected, origins) = (&affected, &origins);
    let nodes = |origin: bool| {
        let is_one = move |node: &&NodeReport| {
            affected.contains(&node.node) && origins.contains(&node.node) == origin
        };
        report.nodes.iter().filter(is_one)
    };
    let of = |node: &NodeReport| {
        let holes = holes(report, &node.node, whole.1);
        let drawn = node.clocks.iter().filter(|clock| is_drawn(clock));
        drawn
            .map(|clock| {
                let name = format!("{} {}", node.node, clock_name(clock));
                (name, clock.clone(), stretches(clock, &holes, whole.1))
            })
            .collect::<Vec<_>>()
    };
    let origin: Vec<_> = nodes(true).flat_map(of).take(STRIPS).collect();
    let has_curve = |clock: &ptp_diagnostics::report::ClockReport| {
        clock.curve.as_ref().is_some_and(|curve| {
            curve.points.iter().filter(|point| (span.0..=span.1).contains(&point.at)).count() > 1
        })
    };
    // The clock that is unwell says more than the one beside it.
    let unwell =
        |states: &[Stretch]| states.iter().any(|stretch| stretch.state != NodeState::Locked);
    let mut curves: Vec<_> = origin.iter().filter(|(_, clock, _)| has_curve(clock)).collect();
    curves
        .sort_by_key(|(_, clock, states)| (!unwell(states), clock.resource != Resource::LockState));
    let felt = nodes(false).flat_map(of).take(STRIPS.saturating_sub(origin.len()));
    let rows: Vec<_> =
        origin.iter().cloned().chain(felt).map(|(name, _, states)| (name, states)).collect();
    html! {
        @for (n, (name, clock, states)) in curves.iter().take(CURVES).enumerate() {
            h4 { "Offset of " (name) }
            (Plot {
                label: format!("Offset of {name} over time, with its tolerance and states"),
                curve: clock.curve.as_ref(),
                stretches: states,
                span,
                fault: Some((incident.opened_at, incident.forecast.as_ref().filter(|_| n == 0))),
            }.draw())
        }
        @if !rows.is_empty() {
            h4 { "States, " (time(span.0)) " to " (time(span.1)) }
            (strips(&rows, span))
        }
    }
}

/// The incident with a quarter of its length before and behind it, at least five minutes, within what was
/// seen; `None` where nothing of it was.
fn around(incident: &IncidentReport, whole: (Received, Received)) -> Option<(Received, Received)> {
    let over = incident.resolved_at.unwrap_or(whole.1);
    if over < whole.0 || incident.opened_at > whole.1 {
        return None;
    }
    let over = over.min(whole.1);
    let margin = (over.since(incident.opened_at) / 4).max(Duration::from_mins(5));
    let from = incident.opened_at.before(margin).max(whole.0);
    let to = over.after(margin).min(whole.1);
    Some(if from < to { (from, to) } else { whole })
}
