//! Incidents, nodes, what people were told, and silences.

use maud::{Markup, html};
use ptp_diagnostics::report::{IncidentReport, NodeReport, Report};
use ptp_diagnostics::text::lasting;
use ptp_diagnostics::{RootCause, Status};
use ptp_events::Received;

use super::{Range, Shell, escaped, head, of_incident, of_node};
use ptp_api::Silence;

use crate::incident::incident as in_full;
use crate::node::{availability, inside};
use crate::words::{plural, time};

/// How many entries a page lists.
const LISTED: usize = 200;

/// All incidents, the newest first; `older` is where those before them are.
#[must_use]
pub fn incidents(shell: &Shell, incidents: &[IncidentReport], older: Option<&str>) -> String {
    let body = html! {
        h2 { "Incidents" }
        @if incidents.is_empty() { p { "There was none." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Incidents" { table {
                thead { tr { th { "since" } th { "severity" } th { "what" } th { "lasted" } th { "cause" } } }
                tbody { @for incident in incidents { tr {
                    td.time { (time(incident.opened_at)) }
                    td { span class=(format!("badge {}", incident.severity.as_str())) { (incident.severity.as_str()) } }
                    td { a href=(of_incident(&incident.id)) { (incident.summary) } }
                    td.time { @match (incident.status, incident.resolved_at) {
                        (Status::Resolved, Some(over)) => (lasting(over.since(incident.opened_at))),
                        _ => span.badge.CRITICAL { "firing" },
                    } }
                    td { code { (incident.root_cause.code()) } }
                } } }
            } }
        }
        @if let Some(older) = older { p { a href=(older) { "older" } } }
    };
    shell.page("/incidents", "Incidents", &body)
}

/// One incident; the report is that of its nodes.
#[must_use]
pub fn incident(
    shell: &Shell,
    report: &Report,
    incident: &IncidentReport,
    silences: &[Silence],
) -> String {
    let told = report.alerts.iter().filter(|alert| alert.incident == incident.id);
    let covering: Vec<_> = silences.iter().filter(|silence| silence.is_about(incident)).collect();
    let body = html! {
        (in_full(report, incident, [of_node, of_incident]))
        h2 { "What people were told" }
        ul { @for alert in told { li { (time(alert.timestamp)) " " (alert.status.as_str()) " " (alert.severity.as_str()) ": " (alert.summary) } } }
        @if !covering.is_empty() { p { "Silenced: " @for silence in covering { (silence.comment) " (" (silence.created_by) ", until " (time(silence.until)) ") " } } }
        details #silence-it { summary { "Silence it" } (silence_form(incident.origin_nodes.first().map(ToString::to_string).as_deref(), Some(incident.root_cause))) }
        p.soft { "As JSON: " a href=(format!("/api/v1/incidents/{}", incident.id)) { "/api/v1/incidents/" (incident.id) } }
    };
    shell.page("", &incident.summary, &body)
}

/// One node; the report is of it alone, with its incidents.
#[must_use]
pub fn node(shell: &Shell, report: &Report, node: &NodeReport) -> String {
    let name = node.node.as_str();
    let span = Some((shell.at.before(Range::Hour.length()), shell.at));
    let concerned = |incident: &&IncidentReport| incident.affected_nodes.contains(&node.node);
    let body = html! {
        h2 { (name) }
        p { (node.role.as_str()) " " span class=(format!("state {}", node.state.as_str())) { (node.state.as_str()) } span.soft { " " (availability(node)) } }
        (crate::strip::legend())
        (inside(report, node, span))
        h2 { "Incidents" }
        ul { @for incident in report.incidents.iter().rev().filter(concerned).take(LISTED) {
            li { (time(incident.opened_at)) " " a href=(of_incident(&incident.id)) { (incident.summary) }
                @if incident.status != Status::Resolved { " " span.badge.CRITICAL { "firing" } } }
        } }
        p.soft { "What it said: " a href=(format!("/api/v1/events?node={}&newest=true", escaped(name))) { "events" } "; as JSON: " a href=(format!("/api/v1/nodes/{}", escaped(name))) { "/api/v1/nodes/" (name) } }
    };
    shell.page("", name, &body)
}

/// What people were told, the newest first, and of whom the agent knows that they were not.
#[must_use]
pub fn alerts(shell: &Shell, report: &Report) -> String {
    let body = html! {
        h2 { "What people were told" }
        @if report.alerts.is_empty() { p { "Nothing yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Alerts" { table {
                thead { tr { th { "when" } th { "what happened" } th { "severity" } th { "incident" } } }
                tbody { @for alert in report.alerts.iter().rev().take(LISTED) { tr {
                    td.time { (time(alert.timestamp)) } td { (alert.status.as_str()) } td { (alert.severity.as_str()) }
                    td { a href=(of_incident(&alert.incident)) { (alert.summary) } }
                } } }
            } }
            @if report.alerts.len() > LISTED { p.soft { "and " (report.alerts.len() - LISTED) " before them, in /api/v1/alerts" } }
        }
        p.soft { "A sink that takes no alerts is named at the top of every page." }
    };
    shell.page("/told", "Alerts", &body)
}

/// Silences, and a form for one; `preview` is what one of this node and cause would cover.
#[must_use]
pub fn silences(
    shell: &Shell,
    report: &Report,
    silences: &[Silence],
    preview: Option<(&str, &str)>,
) -> String {
    let firing = |silence: &Silence| {
        let goes_on = report.incidents.iter().filter(|incident| incident.resolved_at.is_none());
        goes_on.filter(|incident| silence.is_about(incident)).cloned().collect::<Vec<_>>()
    };
    let body = html! {
        h2 { "Silences" }
        @if silences.is_empty() { p { "Nobody is kept from being told anything." } }
        @for silence in silences {
            article {
                h3 { (what(silence.node.as_deref(), silence.root_cause.as_deref())) }
                p { (silence.comment) span.soft { " " (silence.created_by) ", " (time(silence.from)) " to " (time(silence.until)) } }
                p.soft { "Covers " (plural(firing(silence).len(), "incident")) " that fire now." }
                form.inline method="post" action="/silences" data-api=(format!("/api/v1/silences/{}", silence.id)) data-method="DELETE" {
                    (token()) button type="submit" { "End it" } output {}
                }
            }
        }
        h2 { "A new one" }
        form.inline action="/silences" method="get" {
            label for="preview-node" { "Node" } input #preview-node name="node" value=[preview.map(|(node, _)| node)];
            label for="preview-cause" { "root cause" } input #preview-cause name="root_cause" value=[preview.map(|(_, cause)| cause)];
            button type="submit" { "What would it cover?" }
        }
        @if let Some((node, cause)) = preview { (would_cover(report, node, cause)) }
        (silence_form(preview.map(|(node, _)| node).filter(|node| !node.is_empty()), preview.and_then(|(_, cause)| RootCause::from_code(cause))))
    };
    shell.page("/silences", "Silences", &body)
}

fn would_cover(report: &Report, node: &str, cause: &str) -> Markup {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let silence = Silence {
        id: String::new(),
        node: given(node),
        root_cause: given(cause),
        from: Received::from_nanos(0),
        until: Received::from_nanos(0),
        comment: String::new(),
        created_by: String::new(),
    };
    let goes_on = report.incidents.iter().filter(|incident| incident.resolved_at.is_none());
    let covered: Vec<_> = goes_on.filter(|incident| silence.is_about(incident)).collect();
    html! {
        p { strong { (what(silence.node.as_deref(), silence.root_cause.as_deref())) } " would cover " (plural(covered.len(), "incident")) " that fire now:" }
        ul { @for incident in covered.iter().take(LISTED) { li { a href=(of_incident(&incident.id)) { (incident.summary) } } } }
    }
}

fn what(node: Option<&str>, cause: Option<&str>) -> String {
    match (node, cause) {
        (None, None) => "everything".to_owned(),
        (Some(node), None) => format!("everything on {node}"),
        (None, Some(cause)) => format!("{cause} anywhere"),
        (Some(node), Some(cause)) => format!("{cause} on {node}"),
    }
}

fn token() -> Markup {
    html! { label { span.soft { "Write token " } input type="password" name="token" autocomplete="off" required size="12"; } }
}

fn silence_form(node: Option<&str>, cause: Option<RootCause>) -> Markup {
    html! {
        form.tall action="/silences" method="post" data-api="/api/v1/silences" data-method="POST" {
            label for="silence-node" { "Node" } input #silence-node name="node" value=[node];
            label for="silence-cause" { "Root cause" }
            select #silence-cause name="root_cause" {
                option value="" { "any" }
                @for known in RootCause::ALL { option value=(known.code()) selected[cause == Some(*known)] { (known.code()) } }
            }
            label for="silence-duration" { "For" } input #silence-duration name="duration" value="2h" required;
            label for="silence-comment" { "Why" } input #silence-comment name="comment" required maxlength="1000";
            label for="silence-by" { "Who" } input #silence-by name="created_by" required maxlength="200";
            label for="silence-token" { "Write token" } input #silence-token type="password" name="token" autocomplete="off" required;
            button type="submit" { "Silence" } output {}
        }
    }
}

/// Asks for the read token, on the way to `next`.
#[must_use]
pub fn login(wrong: bool, next: &str) -> String {
    plain(
        "Token",
        &html! {
            h1 { "PTP agent" }
            @if wrong { p.stale { "That is not the token." } }
            form.tall action="/login" method="post" {
            input type="hidden" name="next" value=(next);
                label for="token" { "Read token" } input #token type="password" name="token" required autofocus autocomplete="current-password";
                button type="submit" { "Open" }
            }
            p.soft { "It stands in the agent's configuration (--read-token); the write token will do as well." }
        },
    )
}

/// Says what is wrong.
#[must_use]
pub fn problem(title: &str, detail: &str) -> String {
    plain(title, &html! { h1 { (title) } p { (detail) } p { a href="/" { "To the fleet" } } })
}

fn plain(title: &str, body: &Markup) -> String {
    let page = html! { (maud::DOCTYPE) html lang="en" { (head(title)) body { main { (body) } } } };
    page.into_string()
}
