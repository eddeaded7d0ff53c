//! `/api/v1/incidents`: those the engine holds, and before them those in the journal.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ptp_api::{IncidentForecast, IncidentsQuery, Listed, Nothing};
use ptp_diagnostics::Status;
use ptp_diagnostics::report::IncidentReport;
use ptp_store::IncidentQuery;
use serde_json::Value;

use super::super::parameters::{
    Asked, SEVERITIES, cursor, not_about_nobody, root_cause, time, word,
};
use super::{Answer, Api, LIMIT, Problem, read};
use crate::engine_task::Snapshot;

/// How near to a time an incident must be that went on `at` it: people say the minute.
const NEAR: Duration = Duration::from_mins(2);

/// `GET /api/v1/incidents`: the newest first. Those of the journal are given as they were kept, whatever
/// version wrote them.
pub(super) async fn incidents(
    State(api): State<Api>,
    Asked(query): Asked<IncidentsQuery>,
) -> Answer<Listed<Value>> {
    let (limit, from) = (query.limit.unwrap_or(LIMIT), cursor(query.cursor.as_ref())?);
    let statuses = [Status::Firing, Status::Resolved].map(|s| (s.as_str(), s.as_str()));
    let now = api.store.clock().stamp();
    let severity = word("severity", query.severity.as_ref(), &SEVERITIES)?;
    let wanted = IncidentQuery {
        status: word("status", query.status.as_ref(), &statuses)?.map(str::to_owned),
        severity: severity.map(|severity| severity.to_string()),
        root_cause: root_cause(query.root_cause.as_ref())?.map(str::to_owned),
        finding: query.finding,
        since: time("since", query.since.as_ref(), now)?,
        at: time("at", query.at.as_ref(), now)?.map(|at| (at.before(NEAR), at.after(NEAR))),
        node: query.node,
    };
    let node = wanted.node.clone();
    let (items, more) = select(&api, wanted, from, limit).await?;
    if items.is_empty() && from == 0 {
        not_about_nobody(&api.engine.snapshot.borrow().report, node.as_deref())?;
    }
    let next_cursor = more.then(|| (from + items.len()).to_string());
    // How many the journal has is not counted.
    let total = (!more).then(|| from + items.len());
    Ok(Json(Listed { items, next_cursor, total }))
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
        && wanted.at.is_none_or(|(from, to)| {
            incident.opened_at <= to && incident.resolved_at.is_none_or(|over| over >= from)
        })
        && wanted
            .finding
            .as_ref()
            .is_none_or(|code| incident.findings.iter().any(|finding| finding.code == *code))
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
pub(super) async fn forecasts(
    State(api): State<Api>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Json<Listed<IncidentForecast>> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let forecasts = snapshot.report.incidents.iter().filter_map(|incident| {
        Some(IncidentForecast {
            incident: incident.id.clone(),
            nodes: incident.affected_nodes.clone(),
            forecast: incident.forecast.clone()?,
        })
    });
    let items: Vec<_> = forecasts.collect();
    Json(Listed { total: Some(items.len()), items, next_cursor: None })
}
