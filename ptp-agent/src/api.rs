//! The HTTP API: what the original service offered, and a versioned one.

mod alerts;
mod hosts;
mod legacy;
mod metrics;
mod pages;
mod parameters;
mod problem;
mod stream;
mod v1;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use ptp_api::{ConfigReport, Secret};
use ptp_sinks::{Identity, Silences, ToldLog};
use ptp_store::Store;
use ptp_subscriber::gate::Gate;

use crate::engine_task::EngineTask;
use crate::health::Health;
use crate::intake::ToStore;

pub use hosts::host_of;
pub use metrics::Metrics;
pub use problem::Problem;

/// What the API looks at.
#[derive(Clone)]
pub struct Api {
    /// Snapshots and notifications.
    pub engine: EngineTask,
    /// What is kept.
    pub store: Store,
    /// Silences in force.
    pub silences: Silences,
    /// How the agent itself is.
    pub health: Health,
    /// What is let in, and what was not.
    pub gate: Arc<Gate<ToStore>>,
    /// The configuration, without secrets.
    pub config: Arc<ConfigReport>,
    /// What is measured.
    pub metrics: Arc<Metrics>,
    /// Who may do what.
    pub access: Access,
    /// Which cluster this is about.
    pub identity: Arc<Identity>,
    /// What became of alerts.
    pub told: ToldLog,
}

/// Who may read, and who may change things.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// With it one may read; without one configured, everybody may.
    pub read: Option<Secret>,
    /// With it one may change things; without one configured, nobody may.
    pub write: Option<Secret>,
}

/// What `GET /openapi.json` answers.
static OPENAPI: LazyLock<String> = LazyLock::new(|| ptp_api::openapi().to_string());

impl Access {
    /// Whether whoever sent these headers may read.
    pub(crate) fn may_read(&self, headers: &HeaderMap) -> bool {
        self.read.is_none()
            || is(self.read.as_ref(), headers)
            || self.may_change(headers)
            || pages::has_session(self, headers)
    }

    /// Whether whoever sent these headers may change things.
    pub(crate) fn may_change(&self, headers: &HeaderMap) -> bool {
        is(self.write.as_ref(), headers)
    }
}

/// Whether the headers present this token.
fn is(token: Option<&Secret>, headers: &HeaderMap) -> bool {
    token.zip(bearer(headers)).is_some_and(|(token, presented)| same(token.expose(), presented))
}

/// Without a token for reading, answers only who asks for one of our names, whatever the route.
pub fn named(routes: Router, access: &Access, names: &[String]) -> Router {
    match access.read {
        Some(_) => routes,
        None => routes.layer(middleware::from_fn_with_state(names.into(), hosts::only_ours)),
    }
}

/// The routes.
pub fn router(api: Api) -> Router {
    let open = Router::new()
        .route("/health", get(legacy::health))
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(legacy::ready))
        .merge(pages::open());
    let guarded = inner().route_layer(middleware::from_fn_with_state(api.clone(), guard));
    open.merge(guarded).fallback(missing).with_state(api)
}

/// The routes for who is in already: nobody is asked for a token.
pub fn unguarded(api: Api) -> Router {
    inner().fallback(missing).with_state(api)
}

fn inner() -> Router<Api> {
    Router::new()
        .route("/alerts", get(alerts::documented))
        .route("/summary", get(legacy::summary))
        .route("/metrics", get(metrics::show))
        .route("/config", get(legacy::config))
        .route("/openapi.json", get(v1::openapi))
        .nest("/api/v1", v1::router())
        .merge(pages::router())
}

async fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this address; see /openapi.json")
}

/// Lets in whoever has the token that the method needs.
async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let headers = request.headers();
    let may = if changes { api.access.may_change(headers) } else { api.access.may_read(headers) };
    if may {
        return next.run(request).await;
    }
    let detail = match (changes, &api.access.write) {
        (true, None) => "changing things is off: the agent has no write token",
        (true, Some(_)) => "this needs the write token, as `Authorization: Bearer TOKEN`",
        (false, _) => "this needs a token, as `Authorization: Bearer TOKEN`",
    };
    if !changes && pages::is_browser(headers) {
        return pages::ask_for_token(request.uri());
    }
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
    let challenge = header::HeaderValue::from_static("Bearer");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Compares in the same time wherever the texts differ.
fn same(a: &str, b: &str) -> bool {
    use hmac::Mac as _;
    let digest = |text: &str| {
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"token comparison")
            .expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        mac
    };
    digest(a).verify(&digest(b).finalize().into_bytes()).is_ok()
}
