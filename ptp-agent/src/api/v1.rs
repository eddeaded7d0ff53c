//! The versioned API.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ptp_diagnostics::RootCause;
use ptp_diagnostics::report::{BlindWindow, IncidentReport, NodeReport};
use ptp_events::{Received, journal::Input, recording::Origin};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::legacy::only;
use super::{Api, Problem, stream};
use crate::store::{Record, Silence};

/// How many entries of a list are given unless asked otherwise, and at most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;
/// How long a silence may last.
const MAX_SILENCE: std::time::Duration = std::time::Duration::from_hours(31 * 24);

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/nodes", get(nodes))
        .route("/nodes/{node}", get(node))
        .route("/incidents", get(incidents))
        .route("/incidents/{id}", get(incident))
        .route("/forecasts", get(forecasts))
        .route("/blind-windows", get(blind_windows))
        .route("/events", get(events))
        .route("/rejected", get(rejected))
        .route("/silences", get(silences).post(make_silence))
        .route("/silences/{id}", get(silence).delete(end_silence))
        .route("/stream", get(stream::changes))
}

/// A part of a list, and how to get the next.
#[derive(Serialize)]
struct Listed<T> {
    items: Vec<T>,
    /// For the next request; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

struct Paging {
    limit: usize,
    cursor: usize,
}

fn paging(query: &HashMap<String, String>) -> Result<Paging, Problem> {
    let limit = match query.get("limit") {
        None => LIMIT,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_LIMIT).contains(limit))
            .ok_or_else(|| Problem::parameter("limit", text, "a number from 1 to 1000"))?,
    };
    let cursor = match query.get("cursor") {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::parameter("cursor", text, "the `next_cursor` of an answer"))?,
    };
    Ok(Paging { limit, cursor })
}

fn page<T>(paging: &Paging, items: impl Iterator<Item = T>) -> Json<Listed<T>> {
    let mut items = items.skip(paging.cursor);
    let page: Vec<T> = items.by_ref().take(paging.limit).collect();
    let next_cursor = items.next().map(|_| (paging.cursor + page.len()).to_string());
    Json(Listed { items: page, next_cursor })
}

type Answer<T> = Result<Json<T>, Problem>;
type Params = Query<HashMap<String, String>>;

async fn nodes(State(api): State<Api>, Query(query): Params) -> Answer<Listed<NodeReport>> {
    only(&query, &["limit", "cursor"])?;
    let snapshot = api.brain.snapshot.borrow().clone();
    Ok(page(&paging(&query)?, snapshot.report.nodes.iter().cloned()))
}

async fn node(State(api): State<Api>, Path(name): Path<String>) -> Answer<NodeReport> {
    let snapshot = api.brain.snapshot.borrow().clone();
    let found = snapshot.report.nodes.iter().find(|node| node.node.as_str() == name);
    found.cloned().map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such node"))
}

async fn incidents(State(api): State<Api>, Query(query): Params) -> Answer<Listed<IncidentReport>> {
    only(&query, &["limit", "cursor", "status", "severity", "node", "root_cause"])?;
    let snapshot = api.brain.snapshot.borrow().clone();
    let is = |name: &str, actual: &str| query.get(name).is_none_or(|wanted| wanted == actual);
    let wanted = snapshot.report.incidents.iter().rev().filter(|incident| {
        is("status", incident.status.as_str())
            && is("severity", incident.severity.as_str())
            && is("root_cause", incident.root_cause.code())
            && query
                .get("node")
                .is_none_or(|node| incident.affected_nodes.iter().any(|n| n.as_str() == node))
    });
    Ok(page(&paging(&query)?, wanted.cloned()))
}

async fn incident(State(api): State<Api>, Path(id): Path<String>) -> Answer<IncidentReport> {
    let snapshot = api.brain.snapshot.borrow().clone();
    let found = snapshot.report.incidents.iter().find(|incident| incident.id == id);
    found.cloned().map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such incident"))
}

async fn forecasts(State(api): State<Api>) -> Json<Value> {
    let snapshot = api.brain.snapshot.borrow().clone();
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

async fn blind_windows(
    State(api): State<Api>,
    Query(query): Params,
) -> Answer<Listed<BlindWindow>> {
    only(&query, &["limit", "cursor"])?;
    let snapshot = api.brain.snapshot.borrow().clone();
    Ok(page(&paging(&query)?, snapshot.report.blind_windows.iter().rev().cloned()))
}

#[derive(Serialize)]
struct JournalEntry {
    seq: i64,
    received: Received,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// The journal itself, oldest first.
async fn events(State(api): State<Api>, Query(query): Params) -> Answer<Listed<JournalEntry>> {
    only(&query, &["limit", "cursor"])?;
    let Paging { limit, cursor } = paging(&query)?;
    let store = api.store.clone();
    let after = i64::try_from(cursor).unwrap_or(i64::MAX);
    let read = tokio::task::spawn_blocking(move || match store.reader()? {
        Some(journal) => journal.after(after, limit),
        None => Ok(Vec::new()),
    });
    let failed = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    let entries = read
        .await
        .map_err(|_| failed("reading the journal was given up"))?
        .map_err(|_| failed("the journal cannot be read; see /health"))?;
    let next_cursor = (entries.len() == limit)
        .then(|| entries.last().map(|entry| entry.seq.to_string()))
        .flatten();
    let items = entries.into_iter().map(|entry| {
        let (origin, event, note) = match entry.input {
            Input::Event { origin, body, .. } => {
                (Some(origin), serde_json::from_slice(&body).ok(), None)
            }
            Input::Blind { node, why } => (None, None, Some(format!("blind to {node}: {why}"))),
            Input::Resumed => (None, None, Some("nobody listened until now".to_owned())),
            Input::Gone { node } => (None, None, Some(format!("{node} left"))),
            Input::Sighted { node } => (None, None, Some(format!("{node} can be observed again"))),
            _ => (None, None, None),
        };
        JournalEntry { seq: entry.seq, received: entry.received, origin, event, note }
    });
    Ok(Json(Listed { items: items.collect(), next_cursor }))
}

/// The latest bodies that were posted and are no events.
async fn rejected(State(api): State<Api>) -> Json<Value> {
    let items = api.gate.samples().into_iter();
    let items: Vec<_> = items.map(|s| json!({"body": s.body, "why": s.why})).collect();
    Json(json!({"items": items}))
}

async fn silences(State(api): State<Api>, Query(query): Params) -> Answer<Listed<Silence>> {
    only(&query, &["limit", "cursor"])?;
    Ok(page(&paging(&query)?, api.silences.all().into_iter()))
}

async fn silence(State(api): State<Api>, Path(id): Path<String>) -> Answer<Silence> {
    let found = api.silences.all().into_iter().find(|silence| silence.id == id);
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such silence"))
}

/// What a silence is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSilence {
    node: Option<String>,
    root_cause: Option<String>,
    until: Received,
    comment: String,
    created_by: String,
}

async fn make_silence(
    State(api): State<Api>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<Silence>), Problem> {
    let bad = |detail: String| Problem::new(StatusCode::BAD_REQUEST, detail);
    let NewSilence { node, root_cause, until, comment, created_by } =
        serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let from = api.store.clock().stamp();
    if until <= from || until.since(from) > MAX_SILENCE {
        return Err(bad("`until` must be in the future, and at most 31 days away".to_owned()));
    }
    if comment.trim().is_empty() || comment.len() > 1000 || created_by.len() > 200 {
        return Err(bad("`comment` must say why, in at most 1000 bytes".to_owned()));
    }
    if let Some(code) = &root_cause
        && !RootCause::ALL.iter().any(|cause| cause.code() == code)
    {
        return Err(bad(format!("there is no root cause `{code}`")));
    }
    let id = format!("{:x}", from.as_nanos());
    let silence = Silence { id, node, root_cause, from, until, comment, created_by };
    if !api.silences.put(silence.clone(), from) {
        return Err(Problem::new(StatusCode::CONFLICT, "there are too many silences; end some"));
    }
    keep(&api, &silence)?;
    Ok((StatusCode::CREATED, Json(silence)))
}

async fn end_silence(State(api): State<Api>, Path(id): Path<String>) -> Answer<Silence> {
    let found = api.silences.all().into_iter().find(|silence| silence.id == id);
    let Some(mut silence) = found else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no such silence"));
    };
    let now = api.store.clock().stamp();
    silence.until = silence.until.min(now);
    // Over by now, so it is forgotten with this.
    let _ = api.silences.put(silence.clone(), now);
    keep(&api, &silence)?;
    Ok(Json(silence))
}

fn keep(api: &Api, silence: &Silence) -> Result<(), Problem> {
    api.store.record(Record::Silence(silence.clone())).map_err(|error| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("not kept over a restart: {error}"))
    })
}

/// `GET /openapi.json`.
pub(super) async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], include_str!("openapi.json")).into_response()
}
