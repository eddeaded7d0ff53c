//! The versioned API.

mod deliveries;
mod events;
mod history;
pub(super) mod incidents;
mod nodes;
mod related;
mod silences;
mod topology;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ptp_api::{BlindQuery, Listed, PageQuery};
use ptp_diagnostics::report::BlindWindow;
use ptp_events::journal::JournalError;
use ptp_store::Store;
use tokio::sync::Semaphore;

use super::parameters::{Asked, cursor, not_about_nobody, time};
use super::{Api, Problem, alerts, stream};

/// How many entries of a list are given unless asked otherwise.
pub(super) const LIMIT: usize = 100;

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/fleet", get(nodes::fleet))
        .route("/topology", get(topology::topology))
        .route("/nodes", get(nodes::nodes))
        .route("/nodes/{node}", get(nodes::node))
        .route("/nodes/{node}/samples", get(nodes::samples))
        .route("/nodes/{node}/history", get(history::history))
        .route("/nodes/{node}/quiet", get(nodes::quiet))
        .route("/alerts", get(alerts::alerts))
        .route("/deliveries", get(deliveries::deliveries))
        .route("/incidents", get(incidents::incidents))
        .route("/incidents/{id}", get(incidents::incident))
        .route("/incidents/{id}/related", get(related::related))
        .route("/forecasts", get(incidents::forecasts))
        .route("/blind-windows", get(blind_windows))
        .route("/events", get(events::events))
        .route("/rejected", get(events::rejected))
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

/// A part of a list that is there as a whole, and its total.
fn page<T>(query: &PageQuery, items: Vec<T>) -> Result<Json<Listed<T>>, Problem> {
    let (limit, from) = (query.limit.unwrap_or(LIMIT), cursor(query.cursor.as_ref())?);
    let total = items.len();
    let items: Vec<T> = items.into_iter().skip(from).take(limit).collect();
    let reached = from + items.len();
    let next_cursor = (reached < total && !items.is_empty()).then(|| reached.to_string());
    Ok(Json(Listed { items, next_cursor, total: Some(total) }))
}

type Answer<T> = Result<Json<T>, Problem>;

async fn blind_windows(
    State(api): State<Api>,
    Asked(query): Asked<BlindQuery>,
) -> Answer<Listed<BlindWindow>> {
    let snapshot = api.engine.snapshot.borrow().clone();
    let since = time("since", query.since.as_ref(), api.store.clock().stamp())?;
    let node = query.node.as_deref();
    not_about_nobody(&snapshot.report, node)?;
    let windows = snapshot.report.blind_windows.iter().rev();
    let wanted = windows.filter(|window| {
        node.is_none_or(|node| window.node.as_str() == node)
            && since.is_none_or(|since| window.to.is_none_or(|to| to >= since))
    });
    page(&PageQuery { limit: query.limit, cursor: query.cursor }, wanted.cloned().collect())
}

/// `GET /openapi.json`.
pub(super) async fn openapi() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], super::OPENAPI.as_str()).into_response()
}
