//! `/alerts`, `/summary` and `/health`, as the service before this one documented them.
//!
//! Its fields keep their names; others were added.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ptp_diagnostics::report::Alert;
use serde::Serialize;

use super::{Api, Problem};
use crate::health::Condition;

/// The most hours that `/alerts` looks back: a year.
const MAX_HOURS: f64 = 8784.0;

/// One parameter of the query, read by a function that says what it wanted.
fn parameter<T>(
    query: &HashMap<String, String>,
    name: &str,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    match query.get(name) {
        None => Ok(None),
        Some(text) => match read(text) {
            Some(value) => Ok(Some(value)),
            None => Err(Problem::parameter(name, text, wanted)),
        },
    }
}

/// Refuses parameters nobody reads, which are mostly misspelt ones.
pub(super) fn only(query: &HashMap<String, String>, known: &[&str]) -> Result<(), Problem> {
    match query.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let unknown: String = unknown.chars().take(60).flat_map(char::escape_debug).collect();
            let detail =
                format!("there is no parameter `{unknown}`; there are {}", known.join(", "));
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
    }
}

/// `GET /alerts?hours=24&severity=&node=&status=`: the newest last.
pub(super) async fn alerts(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Vec<Alert>>, Problem> {
    only(&query, &["hours", "severity", "node", "status"])?;
    let hours = parameter(&query, "hours", "a number of hours from 0 to 8784", |text| {
        text.parse::<f64>().ok().filter(|hours| (0.0..=MAX_HOURS).contains(hours))
    })?;
    let severity = parameter(&query, "severity", "INFO, WARNING or CRITICAL", |text| {
        let text = text.to_ascii_uppercase();
        matches!(text.as_str(), "INFO" | "WARNING" | "CRITICAL").then_some(text)
    })?;
    let status = parameter(&query, "status", "opened, escalated or resolved", |text| {
        matches!(text, "opened" | "escalated" | "resolved").then(|| text.to_owned())
    })?;
    let node = query.get("node");
    let since =
        api.store.clock().stamp().before(Duration::from_secs_f64(hours.unwrap_or(24.0) * 3600.0));
    let snapshot = api.brain.snapshot.borrow().clone();
    let wanted = snapshot.report.alerts.iter().filter(|alert| {
        alert.timestamp >= since
            && severity.as_deref().is_none_or(|wanted| alert.severity.as_str() == wanted)
            && status.as_deref().is_none_or(|wanted| alert.status.as_str() == wanted)
            && node.is_none_or(|wanted| alert.affected_nodes.iter().any(|n| n.as_str() == wanted))
    });
    Ok(Json(wanted.cloned().collect()))
}

#[derive(Serialize)]
pub(super) struct NodeSummary {
    total_events: u64,
    latest_state: &'static str,
    event_types: Vec<String>,
    role: &'static str,
    availability: Option<f64>,
    incidents: Vec<String>,
}

/// `GET /summary`: every node, by name.
pub(super) async fn summary(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<BTreeMap<String, NodeSummary>>, Problem> {
    only(&query, &["node"])?;
    let snapshot = api.brain.snapshot.borrow().clone();
    let report = &snapshot.report;
    let wanted = query.get("node");
    // Few of the incidents go on; all of them for each node would be too many to look at.
    let firing: Vec<_> =
        report.incidents.iter().filter(|incident| incident.resolved_at.is_none()).collect();
    let nodes = report.nodes.iter().filter(|n| wanted.is_none_or(|name| n.node.as_str() == name));
    let summary = nodes.map(|node| {
        let mut types: Vec<_> =
            node.clocks.iter().map(|clock| clock.resource.event_type().to_owned()).collect();
        types.dedup();
        let firing = firing.iter().filter(|incident| incident.affected_nodes.contains(&node.node));
        let summary = NodeSummary {
            total_events: node.events,
            latest_state: node.state.as_str(),
            event_types: types,
            role: node.role.as_str(),
            availability: node.availability,
            incidents: firing.map(|incident| incident.id.clone()).collect(),
        };
        (node.node.to_string(), summary)
    });
    Ok(Json(summary.collect()))
}

/// `GET /health`: `OK` when all is well, as before; what is wrong otherwise; JSON when asked for.
pub(super) async fn health(State(api): State<Api>, headers: HeaderMap) -> Response {
    let conditions = api.health.conditions(&api.store);
    let status =
        if conditions.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("json")) {
        #[derive(Serialize)]
        struct Detail {
            healthy: bool,
            conditions: Vec<Condition>,
        }
        return (status, Json(Detail { healthy: conditions.is_empty(), conditions }))
            .into_response();
    }
    if conditions.is_empty() {
        return "OK".into_response();
    }
    let lines: Vec<_> = conditions.iter().map(|c| format!("{}: {}", c.name, c.why)).collect();
    (status, lines.join("\n")).into_response()
}

/// `GET /config`: what the agent was told, without its secrets.
pub(super) async fn config(State(api): State<Api>) -> Json<serde_json::Value> {
    Json((*api.config).clone())
}

/// `GET /readyz`: whether requests should be sent here.
pub(super) async fn ready(State(api): State<Api>) -> Response {
    if api.health.is_ready() {
        "ok".into_response()
    } else {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "starting or stopping").into_response()
    }
}
