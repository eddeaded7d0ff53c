//! `/summary` and `/health`, as the service before this one documented them.
//!
//! Its fields keep their names; others were added.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ptp_api::{ConfigReport, Gravity, HealthReport, NodeSummary, SummaryQuery};

use super::parameters::Asked;
use super::{Api, Problem};

/// `GET /summary`: every node, by name.
pub(super) async fn summary(
    State(api): State<Api>,
    Asked(SummaryQuery { node: wanted }): Asked<SummaryQuery>,
) -> Json<BTreeMap<String, NodeSummary>> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = &snapshot.report;
    // Few of the incidents go on; all of them for each node would be too many to look at.
    let firing: Vec<_> =
        report.incidents.iter().filter(|incident| incident.resolved_at.is_none()).collect();
    let nodes = report.nodes.iter();
    let nodes = nodes.filter(|n| wanted.as_deref().is_none_or(|name| n.node.as_str() == name));
    let summary = nodes.map(|node| {
        let mut summary = NodeSummary::new(node.state.as_str(), node.role.as_str());
        summary.total_events = node.events;
        let types = node.clocks.iter().map(|clock| clock.resource.event_type().to_owned());
        summary.event_types = types.collect();
        summary.event_types.dedup();
        summary.availability = node.availability;
        let firing = firing.iter().filter(|incident| incident.affected_nodes.contains(&node.node));
        summary.incidents = firing.map(|incident| incident.id.clone()).collect();
        (node.node.to_string(), summary)
    });
    Json(summary.collect())
}

/// `GET /health`: `OK` when all is well, as before; what is wrong otherwise; JSON when asked for.
///
/// 503 only when the agent cannot observe, diagnose or keep: one whose Slack does not answer is worth
/// more running than restarted.
pub(super) async fn health(State(api): State<Api>, headers: HeaderMap) -> Response {
    let conditions = api.health.conditions(&api.store);
    let worst = conditions.iter().map(|condition| condition.gravity).max();
    let (status, word) = match worst {
        None => (StatusCode::OK, "ok"),
        Some(Gravity::Degraded) => (StatusCode::OK, "degraded"),
        Some(Gravity::Failing) => (StatusCode::SERVICE_UNAVAILABLE, "failing"),
    };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("json")) {
        let detail = HealthReport {
            healthy: conditions.is_empty(),
            status: word.to_owned(),
            cluster: api.identity.cluster.clone(),
            conditions,
        };
        return (status, Json(detail)).into_response();
    }
    if conditions.is_empty() {
        return "OK".into_response();
    }
    let lines = conditions.iter().map(|c| format!("{}: {}", c.name, c.why));
    // A reader of the first line, as of the service before, takes `OK` for all is well.
    let degraded = (worst == Some(Gravity::Degraded)).then(|| "DEGRADED".to_owned());
    let lines: Vec<_> = degraded.into_iter().chain(lines).collect();
    (status, lines.join("\n")).into_response()
}

/// `GET /config`: what the agent was told, without its secrets.
pub(super) async fn config(State(api): State<Api>) -> Json<ConfigReport> {
    Json((*api.config).clone())
}

/// `GET /readyz`: whether requests should be sent here. Not before the first publisher was found, so
/// that a wrong namespace shows when the agent is installed.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    let unready = |why: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).into_response();
    if !api.health.is_ready() {
        return unready("starting or stopping");
    }
    match api.health.why_none() {
        None => "ok".into_response(),
        Some(why) => unready(&why),
    }
}
