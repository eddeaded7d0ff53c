//! The fleet at a glance.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use maud::{Markup, html};
use ptp_diagnostics::report::{IncidentReport, NodeReport, Report};
use ptp_diagnostics::text::lasting;
use ptp_diagnostics::{NodeState, Verdict};
use ptp_events::{NodeName, Received};

use super::line::line;
use super::{Shell, of_incident, of_node};
use crate::states;
use crate::strip;
use crate::words::{nanos, plural, time};

/// How many nodes, and how many firing incidents, one page shows.
const NODES: usize = 2000;
const FIRING: usize = 100;

/// How much time the strips cover.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Range {
    /// A quarter of an hour.
    Quarter,
    /// An hour.
    #[default]
    Hour,
    /// Six hours.
    Shift,
    /// A day.
    Day,
    /// Seven days.
    Week,
}

impl Range {
    const ALL: [Self; 5] = [Self::Quarter, Self::Hour, Self::Shift, Self::Day, Self::Week];

    /// As it stands in an address: `15m`, `1h`, `6h`, `24h`, `7d`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quarter => "15m",
            Self::Hour => "1h",
            Self::Shift => "6h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// From an address; `None` of anything else.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == text)
    }

    /// How long it is.
    #[must_use]
    pub const fn length(self) -> Duration {
        match self {
            Self::Quarter => Duration::from_mins(15),
            Self::Hour => Duration::from_hours(1),
            Self::Shift => Duration::from_hours(6),
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(7 * 24),
        }
    }
}

/// What of the fleet is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fleet<'a> {
    /// How much time.
    pub range: Range,
    /// Only nodes whose names contain this.
    pub search: &'a str,
}

/// The page of the fleet.
#[must_use]
pub fn fleet(shell: &Shell, report: &Report, Fleet { range, search }: Fleet<'_>) -> String {
    let firing: Vec<_> =
        report.incidents.iter().filter(|incident| incident.resolved_at.is_none()).collect();
    let unwell = report.nodes.iter().filter(|node| node.state != NodeState::Locked).count();
    let title = match firing.len() {
        0 => "Fleet".to_owned(),
        n => format!("{} firing", plural(n, "incident")),
    };
    let body = html! {
        (counts(report, firing.len()))
        (incidents(&firing, shell.at))
        h2 { "Nodes" }
        p {
            @for other in Range::ALL {
                @if other == range { strong { (other.as_str()) } } @else { a href=(format!("/?range={}", other.as_str())) { (other.as_str()) } }
                " "
            }
            span.soft { "until " (time(shell.at)) "; " (unwell) " of " (report.nodes.len()) " not LOCKED" }
            @if !search.is_empty() { " · names with " strong { (search) } " · " a href="/" { "all" } }
        }
        (strip::legend())
        (nodes(shell, report, range, search))
    };
    shell.page("/", &title, &body)
}

fn counts(report: &Report, firing: usize) -> Markup {
    let mut states: BTreeMap<NodeState, usize> = BTreeMap::new();
    for node in &report.nodes {
        *states.entry(node.state).or_default() += 1;
    }
    html! {
        p {
            @if report.nodes.is_empty() { span.badge.WARNING { "No node is observed" } " " }
            @else if firing == 0 { span.badge.well { "No incident is firing" } " " }
            @else { span.badge.CRITICAL { (plural(firing, "incident")) " firing" } " " }
            @for (state, count) in states.iter().rev() {
                span class=(format!("state {}", state.as_str())) { (count) " " (state.as_str()) } " "
            }
        }
    }
}

/// Those that go on, the worst first.
fn incidents(firing: &[&IncidentReport], now: Received) -> Markup {
    if firing.is_empty() {
        return html! {};
    }
    let mut firing = firing.to_vec();
    firing.sort_by_key(|incident| (std::cmp::Reverse(incident.severity), incident.opened_at));
    html! {
        h2 { "Firing" }
        div.scroll tabindex="0" role="region" aria-label="Firing incidents" { table {
            thead { tr { th { "severity" } th { "what" } th { "for" } th { "how long" } th { "where" } } }
            tbody { @for incident in firing.iter().take(FIRING) { tr {
                td { span class=(format!("badge {}", incident.severity.as_str())) { (incident.severity.as_str()) } }
                td { a href=(of_incident(&incident.id)) { (incident.summary) } @if incident.verdict != Verdict::Confirmed { span.soft { " (" (incident.verdict.as_str()) ")" } } }
                td.time { (lasting(now.since(incident.opened_at))) }
                td { @if let Some(forecast) = &incident.forecast {
                    (nanos(forecast.limit_ns as f64))
                    @if forecast.at <= now { " reached" } @else { " in " (lasting(forecast.at.since(now))) }
                } }
                td { (places(incident)) }
            } } }
        } }
        @if firing.len() > FIRING { p { a href="/incidents" { "and " (firing.len() - FIRING) " more" } } }
    }
}

fn places(incident: &IncidentReport) -> Markup {
    const SHOWN: usize = 3;
    let nodes = &incident.origin_nodes;
    html! {
        @for (n, node) in nodes.iter().take(SHOWN).enumerate() {
            @if n > 0 { ", " } a href=(of_node(node.as_str())) { (node) }
        }
        @if nodes.len() > SHOWN { " and " (nodes.len() - SHOWN) " more" }
    }
}

/// A line of time for each node, by its part in the timing domain, the worst first.
fn nodes(shell: &Shell, report: &Report, range: Range, search: &str) -> Markup {
    let (from, to) = (shell.at.before(range.length()), shell.at);
    let mut holes: HashMap<&NodeName, Vec<(Received, Received)>> = HashMap::new();
    for window in &report.blind_windows {
        let until = window.to.unwrap_or(to).max(window.from);
        holes.entry(&window.node).or_default().push((window.from, until));
    }
    for windows in holes.values_mut() {
        windows.sort();
    }
    let mut groups: BTreeMap<&str, Vec<&NodeReport>> = BTreeMap::new();
    let matches = |node: &&NodeReport| node.node.as_str().contains(search);
    let mut wanted: Vec<_> = report.nodes.iter().filter(matches).collect();
    wanted.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.node.cmp(&b.node)));
    let found = wanted.len();
    for node in wanted.into_iter().take(NODES) {
        groups.entry(node.role.as_str()).or_default().push(node);
    }
    html! {
        @if groups.is_empty() && !search.is_empty() { p { "No node is called so." } }
        @for (role, nodes) in &groups {
            (group(role, nodes, &holes, from, to))
        }
        @if found > NODES { p.soft { "Only " (NODES) " of " (found) " nodes are shown, the worst first; search for the others." } }
    }
}

/// What people call a part in the timing domain.
fn called(role: &str) -> &str {
    match role {
        "t-gm" => "Grandmasters (T-GM)",
        "t-bc" => "Boundary clocks (T-BC)",
        "t-tsc" => "Slave clocks (T-TSC)",
        _ => "Role not known",
    }
}

fn group(
    role: &str,
    nodes: &[&NodeReport],
    holes: &HashMap<&NodeName, Vec<(Received, Received)>>,
    from: Received,
    to: Received,
) -> Markup {
    // Of one that left nothing is known, whatever it said last.
    let left = |node: &NodeReport, holes: &[(Received, Received)]| {
        node.state == NodeState::Unknown && holes.last().is_none_or(|(_, end)| *end < to)
    };
    html! {
        h3 { (called(role)) span.soft { " " (plural(nodes.len(), "node")) } }
        ul.fleet { @for node in nodes.iter() {
            @let holes = holes.get(&node.node).map_or(&[][..], Vec::as_slice);
            li {
                a href=(of_node(node.node.as_str())) { (node.node) }
                span class=(format!("state {}", node.state.as_str())) { (node.state.as_str()) }
                @if !left(node, holes) { (line(&states::of_node(node, holes, (from, to)), from, to)) }
            }
        } }
    }
}
