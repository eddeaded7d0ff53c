//! `/api/v1/fleet` and `/api/v1/nodes`: how the nodes are, together and each.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ptp_api::{ClockSamples, Fleet, Listed, Named, NodeQuiet, Nothing, PageQuery};
use ptp_diagnostics::report::NodeReport;
use ptp_events::NodeName;

use super::super::parameters::{Asked, not_about_nobody};
use super::{Answer, Api, Problem, page};
use crate::engine_task::Unanswered;

/// How many nodes that are not LOCKED, and conditions, an overview names.
const NAMED: usize = 50;
/// How many of a node's blind windows are told with why nothing fires on it.
const WINDOWS: usize = 5;

pub(super) async fn fleet(
    State(api): State<Api>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answer<Fleet> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = &snapshot.report;
    let mut fleet = Fleet::new(snapshot.at);
    fleet.cluster.clone_from(&api.identity.cluster);
    fleet.labels.clone_from(&api.identity.labels);
    fleet.nodes = report.nodes.len();
    for node in &report.nodes {
        let state = node.state.as_str();
        *fleet.states.entry(state.to_owned()).or_default() += 1;
        *fleet.roles.entry(node.role.as_str().to_owned()).or_default() += 1;
        if state != "LOCKED" && fleet.not_locked.len() < NAMED {
            fleet.not_locked.push(Named { node: node.node.clone(), state: state.to_owned() });
        }
    }
    for incident in report.incidents.iter().filter(|incident| incident.resolved_at.is_none()) {
        *fleet.firing.entry(incident.severity.to_string()).or_default() += 1;
    }
    fleet.incidents = report.incidents.len();
    fleet.blind = report.blind_windows.iter().filter(|window| window.to.is_none()).count();
    fleet.silences = api.silences.all().len();
    fleet.conditions = api.health.conditions(&api.store);
    fleet.conditions.truncate(NAMED);
    Ok(Json(fleet))
}

pub(super) async fn nodes(
    State(api): State<Api>,
    Asked(query): Asked<PageQuery>,
) -> Answer<Listed<NodeReport>> {
    let snapshot = api.engine.snapshot.borrow().clone();
    // Only those of the page are cloned: one is some kilobytes.
    let Json(Listed { items, next_cursor, total }) =
        page(&query, snapshot.report.nodes.iter().collect())?;
    Ok(Json(Listed { items: items.into_iter().cloned().collect(), next_cursor, total }))
}

pub(super) async fn node(State(api): State<Api>, Path(name): Path<String>) -> Answer<NodeReport> {
    let snapshot = api.engine.snapshot.borrow().clone();
    not_about_nobody(&snapshot.report, Some(&name))?;
    let found = snapshot.report.nodes.iter().find(|node| node.node.as_str() == name);
    found.cloned().map(Json).ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such node")
}

/// The node of this name, if anything is known of it.
pub(super) fn known(api: &Api, name: &str) -> Result<NodeName, Problem> {
    not_about_nobody(&api.engine.snapshot.borrow().report, Some(name))?;
    NodeName::new(name).map_err(|_| missing())
}

/// Why the engine does not answer.
pub(super) fn unanswered(why: Unanswered) -> Problem {
    let status = match why {
        Unanswered::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Unanswered::NoSuchNode => StatusCode::NOT_FOUND,
    };
    Problem::new(status, why.to_string())
}

/// The latest offsets of a node's PTP clocks, for statistics.
pub(super) async fn samples(
    State(api): State<Api>,
    Path(name): Path<String>,
    Asked(query): Asked<PageQuery>,
) -> Answer<Listed<ClockSamples>> {
    let node = NodeName::new(&name).map_err(|_| missing())?;
    page(&query, api.engine.samples(node).await.map_err(unanswered)?)
}

/// Why nothing fires on a node.
pub(super) async fn quiet(
    State(api): State<Api>,
    Path(name): Path<String>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answer<NodeQuiet> {
    let node = known(&api, &name)?;
    let mut answer = NodeQuiet::new(api.engine.quiet(node.clone()).await.map_err(unanswered)?);
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = &snapshot.report;
    let on_it = report.incidents.iter().filter(|i| i.affected_nodes.contains(&node));
    let (firing, over): (Vec<_>, Vec<_>) = on_it.partition(|i| i.resolved_at.is_none());
    answer.incidents = firing.into_iter().cloned().collect();
    answer.last_resolved = over.into_iter().max_by_key(|i| i.resolved_at).cloned();
    let now = api.store.clock().stamp();
    let covers = |silence: &ptp_api::Silence| {
        silence.until > now && silence.node.as_deref().is_none_or(|of| of == node.as_str())
    };
    answer.silences = api.silences.all().into_iter().filter(covers).collect();
    let windows = report.blind_windows.iter().rev().filter(|window| window.node == node);
    answer.blind_windows = windows.take(WINDOWS).cloned().collect();
    Ok(Json(answer))
}
