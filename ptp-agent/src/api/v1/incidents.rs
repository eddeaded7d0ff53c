//! `/api/v1/incidents`: those the engine holds, and before them those in the journal.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ptp_diagnostics::Status;
use ptp_diagnostics::report::IncidentReport;
use serde_json::{Value, json};

use super::super::parameters::{SEVERITIES, not_about_nobody, only, root_cause, time, word};
use super::read;
use super::{Answer, Api, Listed, Paging, Params, Problem, paging};
use crate::engine_task::Snapshot;
use crate::store::IncidentQuery;

/// `GET /api/v1/incidents`: the newest first.
pub(super) async fn incidents(
    State(api): State<Api>,
    Query(query): Params,
) -> Answer<Listed<Value>> {
    only(&query, &["limit", "cursor", "status", "severity", "node", "root_cause", "since"])?;
    let Paging { limit, cursor } = paging(&query)?;
    let statuses = [Status::Firing, Status::Resolved].map(|s| (s.as_str(), s.as_str()));
    let wanted = IncidentQuery {
        status: word(&query, "status", &statuses)?.map(str::to_owned),
        severity: word(&query, "severity", &SEVERITIES)?.map(|severity| severity.to_string()),
        node: query.get("node").cloned(),
        root_cause: root_cause(&query)?.map(str::to_owned),
        since: time(&query, "since", api.store.clock().stamp())?,
    };
    let node = wanted.node.clone();
    let (items, more) = select(&api, wanted, cursor, limit).await?;
    if items.is_empty() && cursor == 0 {
        not_about_nobody(&api.engine.snapshot.borrow().report, node.as_deref())?;
    }
    let next_cursor = more.then(|| (cursor + items.len()).to_string());
    Ok(Json(Listed { items, next_cursor }))
}

/// The newest first, of those held and of those in the journal, after the first `cursor`; and whether there
/// are more.
async fn select(
    api: &Api,
    wanted: IncidentQuery,
    cursor: usize,
    limit: usize,
) -> Result<(Vec<Value>, bool), Problem> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let held = snapshot.report.incidents.iter().rev().filter(|incident| wants(&wanted, incident));
    let held: Vec<&IncidentReport> = held.collect();
    let mut items: Vec<Value> = held
        .iter()
        .skip(cursor)
        .take(limit)
        .map(|incident| serde_json::to_value(incident).unwrap_or_default())
        .collect();
    // One more than asked for, to know whether there is a next page.
    let (skip, left) = (cursor.saturating_sub(held.len()), limit + 1 - items.len());
    let more_held = held.len() > cursor + items.len();
    let older = if more_held { Vec::new() } else { older(api, wanted, skip, left).await? };
    let more = more_held || older.len() == left;
    items.extend(older.into_iter().take(left - 1));
    Ok((items, more))
}

/// The same for whoever draws them: all of them, whatever they are, and where the next page begins.
pub(in crate::api) async fn listed(
    api: &Api,
    cursor: usize,
    limit: usize,
) -> Result<(Vec<IncidentReport>, Option<usize>), Problem> {
    let (items, more) = select(api, IncidentQuery::default(), cursor, limit).await?;
    let next = more.then(|| cursor + items.len());
    // One of another version is left out; /api/v1/incidents has it as it is.
    let typed = items.into_iter().filter_map(|item| serde_json::from_value(item).ok());
    Ok((typed.collect(), next))
}

/// One of them, held or in the journal.
pub(in crate::api) async fn find(api: &Api, id: &str) -> Result<IncidentReport, Problem> {
    let value = one(api, id.to_owned()).await?;
    serde_json::from_value(value).map_err(|_| unreadable())
}

fn unreadable() -> Problem {
    let detail = "an incident in the journal is of a version that this agent cannot draw; see /api/v1/incidents";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

fn wants(wanted: &IncidentQuery, incident: &IncidentReport) -> bool {
    let is = |wanted: &Option<String>, actual| wanted.as_deref().is_none_or(|w| w == actual);
    is(&wanted.status, incident.status.as_str())
        && is(&wanted.severity, incident.severity.as_str())
        && is(&wanted.root_cause, incident.root_cause.code())
        && wanted.since.is_none_or(|since| incident.opened_at >= since)
        && wanted
            .node
            .as_ref()
            .is_none_or(|node| incident.affected_nodes.iter().any(|n| n.as_str() == node))
}

fn ids(snapshot: &Snapshot) -> Vec<String> {
    snapshot.report.incidents.iter().map(|incident| incident.id.clone()).collect()
}

/// Those that only the journal has still.
async fn older(
    api: &Api,
    wanted: IncidentQuery,
    skip: usize,
    limit: usize,
) -> Result<Vec<Value>, Problem> {
    let held = ids(&api.engine.snapshot.borrow());
    read(api, move |store| store.older_incidents(&wanted, &held, skip, limit)).await
}

/// `GET /api/v1/incidents/{id}`.
pub(super) async fn incident(State(api): State<Api>, Path(id): Path<String>) -> Answer<Value> {
    one(&api, id).await.map(Json)
}

async fn one(api: &Api, id: String) -> Result<Value, Problem> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let held = snapshot.report.incidents.iter().find(|incident| incident.id == id);
    let found = match held {
        Some(incident) => serde_json::to_value(incident).ok(),
        None => read(api, move |store| store.incident(&id)).await?,
    };
    found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such incident"))
}

/// `GET /api/v1/forecasts`: of incidents that go on.
pub(super) async fn forecasts(State(api): State<Api>) -> Json<Value> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let items: Vec<_> = snapshot
        .report
        .incidents
        .iter()
        .filter_map(|incident| {
            let forecast = incident.forecast.as_ref()?;
            let nodes = &incident.affected_nodes;
            Some(json!({"incident": incident.id, "nodes": nodes, "forecast": forecast}))
        })
        .collect();
    Json(json!({"items": items}))
}
