//! The REST API as cloud-event-proxy answers it (docs/protocol.md §2).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;

use super::store::fresh_id;
use super::{Quirk, Shared, bodies};
use crate::{ApiVersion, Event, EventId, Resource, Subscription};

/// Go answers longer bodies in chunks (observed, see recordings/api-exchanges.jsonl).
const CHUNKED_FROM: usize = 2048;

type App = State<Arc<Shared>>;

pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let base = shared.options.version.base_path();
    let mut api = Router::new()
        .route("/subscriptions", get(list).post(create).delete(delete_all))
        .route("/subscriptions/{id}", get(find).delete(delete))
        .route("/create/event", post(inject))
        .route("/{*address}", get(current_state));
    if !shared.options.has(Quirk::NoHealth) {
        api = api.route("/health", get(health));
    }
    if !shared.options.has(Quirk::NoPublishers) {
        api = api.route("/publishers", get(publishers));
    }
    let shared = Arc::clone(shared);
    Router::new()
        .nest(base, api)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(shared.clone(), before))
        .with_state(shared)
}

/// Counts, and sends doubled slashes away as Go's router does.
async fn before(State(shared): App, request: Request, next: Next) -> Response {
    shared.requests.fetch_add(1, Ordering::Relaxed);
    let path = request.uri().path();
    if path.contains("//") {
        let mut clean = path.to_owned();
        while clean.contains("//") {
            clean = clean.replace("//", "/");
        }
        return (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, clean)]).into_response();
    }
    next.run(request).await
}

async fn not_found() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (StatusCode::NOT_FOUND, headers, "404 page not found\n").into_response()
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let body = body.into();
    let chunked = body.len() > CHUNKED_FROM;
    let body = Full::new(body);
    let body = if chunked {
        // Mapped frames have no known length, so they go out in chunks.
        Body::new(body.map_frame(|frame| frame))
    } else {
        Body::new(body)
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn health() -> &'static str {
    "OK"
}

async fn publishers(State(shared): App) -> Response {
    let list = bodies::list(&shared.offered, shared.options.version);
    json(StatusCode::OK, list)
}

async fn list(State(shared): App) -> Response {
    let list = bodies::list(shared.store().subscriptions(), shared.options.version);
    json(StatusCode::OK, list)
}

async fn find(State(shared): App, Path(id): Path<String>) -> Response {
    match shared.store().find(&id) {
        Some(entry) => {
            let body = bodies::subscription(entry, shared.options.version);
            json(StatusCode::OK, body)
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn delete(State(shared): App, Path(id): Path<String>) -> StatusCode {
    if shared.store().remove(&id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// What a client must never call.
async fn delete_all(State(shared): App) -> StatusCode {
    shared.store().clear();
    StatusCode::NO_CONTENT
}

/// Endpoint and address of a request; the keys are case-sensitive.
fn asked(body: &[u8], version: ApiVersion) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let (endpoint, address) = match version {
        ApiVersion::V1 => ("endpointUri", "resource"),
        ApiVersion::V2 => ("EndpointUri", "ResourceAddress"),
    };
    let text = |key| body.get(key)?.as_str().map(str::to_owned);
    Some((text(endpoint)?, text(address)?))
}

/// The content type does not matter, nor does the node in the address.
async fn create(State(shared): App, body: Bytes) -> Response {
    let refusing = shared.refusing.load(Ordering::Relaxed);
    if let Ok(status) = StatusCode::from_u16(refusing) {
        return status.into_response();
    }
    let version = shared.options.version;
    let Some((endpoint, address)) = asked(&body, version) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(resource) = Resource::from_path(&address) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let duplicates = shared.options.has(Quirk::AcceptsDuplicates);
    if !duplicates && shared.store().holds(&endpoint, &address) {
        return StatusCode::CONFLICT.into_response();
    }
    if !shared.options.has(Quirk::NoInitialNotification) {
        let initial = bodies::initial(&shared, &shared.store(), &resource);
        if shared.pusher.post(&endpoint, initial).await != Some(204) {
            return StatusCode::BAD_REQUEST.into_response();
        }
    }
    let id = fresh_id();
    let base = version.base_path();
    let location = format!("http://{}{base}/subscriptions/{id}", shared.addr);
    let entry = Subscription {
        address,
        endpoint,
        location: (!shared.options.has(Quirk::NoLocation)).then_some(location),
        id,
    };
    let body = bodies::subscription(&entry, version);
    shared.store().add(entry);
    json(StatusCode::CREATED, body)
}

async fn current_state(State(shared): App, Path(rest): Path<String>) -> Response {
    let Some(address) = rest.strip_suffix("/CurrentState") else {
        return not_found().await;
    };
    let address = format!("/{address}");
    let store = shared.store();
    let answered = store.is_subscribed(&address) || shared.options.has(Quirk::CurrentStateForAll);
    let body = Resource::from_path(&address)
        .filter(|resource| resource.address(&shared.node, shared.options.version) == address)
        .filter(|_| answered)
        .and_then(|resource| bodies::current_state(&shared, &store, &resource));
    drop(store);
    shared.asked.fetch_add(1, Ordering::Relaxed);
    match body {
        Some(body) => json(StatusCode::OK, body),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Sends an event on behalf of the publisher whose id it carries.
async fn inject(State(shared): App, body: Bytes) -> Response {
    let Ok(mut event) = Event::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let id = event.id.to_string();
    if !shared.offered.iter().any(|entry| entry.id.as_str() == id) {
        let problem = format!("no publisher data for id {id} found to publish event for");
        let body = serde_json::json!({ "error": problem }).to_string();
        return json(StatusCode::BAD_REQUEST, body);
    }
    if let Ok(id) = EventId::new(fresh_id().as_str()) {
        event.id = id;
    }
    shared.publish(&event).await;
    json(StatusCode::ACCEPTED, r#"{"status":"Event sent"}"#)
}
