//! The versioned API.

pub(super) mod incidents;
mod nodes;
mod silences;

use std::collections::HashMap;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ptp_diagnostics::report::BlindWindow;
use ptp_events::journal::{self, JournalError, Query as Entries};
use ptp_events::recording::Origin;
use ptp_events::{Input, NodeName, Received};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::parameters::{not_about_nobody, only, time, word};
use super::{Api, Problem, alerts, stream};
use crate::store::Store;

/// How many entries of a list are given unless asked otherwise, and at most.
const LIMIT: usize = 100;
const MAX_LIMIT: usize = 1000;

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/fleet", get(nodes::fleet))
        .route("/nodes", get(nodes::nodes))
        .route("/nodes/{node}", get(nodes::node))
        .route("/nodes/{node}/samples", get(nodes::samples))
        .route("/alerts", get(alerts::alerts))
        .route("/incidents", get(incidents::incidents))
        .route("/incidents/{id}", get(incidents::incident))
        .route("/forecasts", get(incidents::forecasts))
        .route("/blind-windows", get(blind_windows))
        .route("/events", get(events))
        .route("/rejected", get(rejected))
        .route("/silences", get(silences::silences).post(silences::make))
        .route("/silences/{id}", get(silences::silence).delete(silences::end))
        .route("/stream", get(stream::changes))
}

/// How many requests read the journal at once: each may take a page of 8 MiB, and the disk and the processor
/// from those who receive and diagnose.
static READERS: Semaphore = Semaphore::const_new(2);

/// Reads the journal, when it is our turn.
async fn read<T: Send + 'static>(
    api: &Api,
    read: impl FnOnce(&Store) -> Result<T, JournalError> + Send + 'static,
) -> Result<T, Problem> {
    let failed = |detail: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    let turn = READERS.acquire().await;
    let store = api.store.clone();
    let outcome = tokio::task::spawn_blocking(move || read(&store)).await;
    drop(turn);
    outcome
        .map_err(|_| failed("reading the journal was given up"))?
        .map_err(|_| failed("the journal cannot be read; see /health"))
}

/// A part of a list, and how to get the next.
#[derive(Serialize)]
struct Listed<T> {
    items: Vec<T>,
    /// For the next request; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) struct Paging {
    pub(super) limit: usize,
    pub(super) cursor: usize,
}

pub(super) fn paging(query: &HashMap<String, String>) -> Result<Paging, Problem> {
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

async fn blind_windows(
    State(api): State<Api>,
    Query(query): Params,
) -> Answer<Listed<BlindWindow>> {
    only(&query, &["limit", "cursor", "node"])?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let node = query.get("node");
    let windows = snapshot.report.blind_windows.iter().rev();
    let wanted = windows.filter(|w| node.is_none_or(|node| w.node.as_str() == node));
    not_about_nobody(&snapshot.report, node.map(String::as_str))?;
    Ok(page(&paging(&query)?, wanted.cloned()))
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

/// The journal itself, oldest first, or newest first with `newest`; of a node, or of a time, if asked.
async fn events(State(api): State<Api>, Query(query): Params) -> Answer<Listed<JournalEntry>> {
    only(&query, &["limit", "cursor", "newest", "node", "since", "until"])?;
    let Paging { limit, cursor } = paging(&query)?;
    let newest = word(&query, "newest", &[("true", true), ("false", false)])?.unwrap_or(false);
    let node = match query.get("node") {
        None => None,
        Some(text) => Some(
            NodeName::new(text).map_err(|_| Problem::parameter("node", text, "a node's name"))?,
        ),
    };
    let now = api.store.clock().stamp();
    let (since, until) = (time(&query, "since", now)?, time(&query, "until", now)?);
    let cursor = (cursor > 0).then(|| i64::try_from(cursor).unwrap_or(i64::MAX));
    let of = node.clone();
    let page = move |store: &Store| match store.reader()? {
        Some(journal) => {
            journal.select(&Entries { node: of.as_ref(), since, until, newest, cursor, limit })
        }
        None => Ok(journal::Page::default()),
    };
    let journal::Page { entries, more } = read(&api, page).await?;
    if entries.is_empty() && cursor.is_none() {
        let snapshot = api.engine.snapshot.borrow().clone();
        not_about_nobody(&snapshot.report, node.as_ref().map(NodeName::as_str))?;
    }
    let last = entries.last().filter(|_| more);
    let next_cursor = last.map(|entry| entry.seq.to_string());
    let items = entries.into_iter().map(|entry| {
        let (origin, event, note) = match entry.input {
            Input::Event { origin, body, .. } => {
                (Some(origin), serde_json::from_slice(&body).ok(), None)
            }
            Input::Blind { node, why } => (None, None, Some(format!("blind to {node}: {why}"))),
            Input::Missed { node, since, why } => {
                let since = ptp_diagnostics::text::moment(since);
                (None, None, Some(format!("{node} may have said more since {since}: {why}")))
            }
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

/// `GET /openapi.json`.
pub(super) async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], super::OPENAPI).into_response()
}
