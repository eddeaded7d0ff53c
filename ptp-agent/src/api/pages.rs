//! Pages for people: what `/api/v1` says, drawn.

use std::collections::{HashMap, HashSet};

use axum::Router;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use hmac::{Hmac, Mac as _};
use ptp_api::{Gravity, Secret, Silence};
use ptp_diagnostics::curve::Curve;
use ptp_diagnostics::report::Report;
use ptp_events::NodeName;
use ptp_view::live::{self, Fleet, Range, Shell};
use serde::Deserialize;
use sha2::Sha256;
use tower_http::compression::CompressionLayer;

use super::v1::incidents::{find, listed};
use super::{Access, Api, Problem, same};
use crate::engine_task::Snapshot;

/// How many incidents a page lists.
const LISTED: usize = 100;
/// Of how many nodes of an incident the curves are asked for.
const DRAWN: usize = 4;

/// The cookie that shows that somebody knew the token.
const SESSION: &str = "ptp-agent-session";

/// What needs no token: what all pages look like, and where the token is asked for.
pub(super) fn open() -> Router<Api> {
    Router::new()
        .route(live::STYLE_PATH, get(|| async { asset("text/css; charset=utf-8", live::STYLE) }))
        .route(
            live::SCRIPT_PATH,
            get(|| async { asset("text/javascript; charset=utf-8", live::SCRIPT) }),
        )
        .route("/login", post(login))
}

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/", get(fleet))
        .route("/incidents", get(incidents))
        .route("/incidents/{id}", get(incident))
        .route("/nodes/{node}", get(node))
        .route("/told", get(told))
        .route("/silences", get(silences))
        // A thousand lines of time are much the same.
        .layer(CompressionLayer::new())
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    // It changes with the agent, so it is asked for each time; it is small.
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, text).into_response()
}

fn page(text: String) -> Response {
    const KIND: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
    const HEADERS: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(live::POLICY)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = ([(header::CONTENT_TYPE, KIND)], text).into_response();
    response.headers_mut().extend(HEADERS);
    response
}

/// What is wrong, as a page.
fn failed(problem: &Problem) -> Response {
    let status = problem.status();
    let title = status.canonical_reason().unwrap_or("Error");
    (status, page(live::problem(title, problem.detail()))).into_response()
}

/// Whether it is a person's browser that asks, rather than a program.
pub(super) fn is_browser(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// Asks for it, and goes on to where somebody wanted to go.
pub(super) fn ask_for_token(uri: &Uri) -> Response {
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    (StatusCode::UNAUTHORIZED, page(live::login(false, wanted))).into_response()
}

/// Only to a page of ours: `//other.example` and `/\\other.example` are none.
fn ours(next: &str) -> &str {
    let is_ours = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if is_ours && next.bytes().all(|byte| byte.is_ascii_graphic()) { next } else { "/" }
}

#[derive(Deserialize)]
struct Login {
    token: String,
    #[serde(default)]
    next: String,
}

/// Keeps in a cookie that the token was known; the token itself stays out of the browser's store.
async fn login(State(api): State<Api>, Form(Login { token, next }): Form<Login>) -> Response {
    let tokens = [&api.access.read, &api.access.write].into_iter().flatten();
    let Some(known) = tokens.into_iter().find(|known| same(known.expose(), &token)) else {
        return (StatusCode::UNAUTHORIZED, page(live::login(true, ours(&next)))).into_response();
    };
    // Lax: a link in an alert leads in, and no other site's form does. It lets one read, and no more.
    let is_tls = api.identity.external_url.as_deref().is_some_and(|url| url.starts_with("https:"));
    let secure = if is_tls { "; Secure" } else { "" };
    let session = session(known);
    let cookie = format!("{SESSION}={session}; Path=/; HttpOnly; SameSite=Lax{secure}");
    ([(header::SET_COOKIE, cookie)], Redirect::to(ours(&next))).into_response()
}

/// What follows from a token, and from which it does not follow. It is good as long as the token is.
fn session(token: &Secret) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(b"ptp-agent session");
    let digest = mac.finalize().into_bytes();
    digest.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Whether a browser shows that somebody logged in with it.
pub(super) fn has_session(access: &Access, headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs =
        cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut shown = pairs.filter(|(name, _)| *name == SESSION).map(|(_, value)| value);
    let tokens = [&access.read, &access.write];
    shown.any(|shown| tokens.into_iter().flatten().any(|token| same(&session(token), shown)))
}

fn shell(api: &Api, snapshot: &Snapshot) -> Shell {
    let conditions = api.health.conditions(&api.store).into_iter();
    Shell {
        cluster: api.identity.cluster.clone(),
        at: snapshot.at,
        conditions: conditions
            .map(|condition| (condition.name, condition.why, condition.gravity == Gravity::Failing))
            .collect(),
    }
}

async fn fleet(State(api): State<Api>, Query(query): Query<HashMap<String, String>>) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    let range = query.get("range").and_then(|text| Range::from_text(text)).unwrap_or_default();
    let search = query.get("q").map_or("", |text| text.trim());
    page(live::fleet(&shell(&api, &snapshot), &snapshot.report, Fleet { range, search }))
}

async fn incidents(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    let from = query.get("from").and_then(|text| text.parse().ok()).unwrap_or(0);
    match listed(&api, from, LISTED).await {
        Ok((incidents, next)) => {
            let older = next.map(|next| format!("/incidents?from={next}"));
            page(live::incidents(&shell(&api, &snapshot), &incidents, older.as_deref()))
        }
        Err(problem) => failed(&problem),
    }
}

async fn incident(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    let incident = match find(&api, &id).await {
        Ok(incident) => incident,
        Err(problem) => return failed(&problem),
    };
    let mut report = about(&snapshot.report, &incident.affected_nodes);
    report.alerts = snapshot.report.alerts.clone();
    for node in incident.origin_nodes.iter().take(DRAWN) {
        draw(&api, &mut report, node).await;
    }
    page(live::incident(&shell(&api, &snapshot), &report, &incident, &silenced(&api)))
}

async fn node(State(api): State<Api>, Path(name): Path<String>) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    let Ok(name) = NodeName::new(&name) else { return failed(&no_such_node()) };
    let mut report = about(&snapshot.report, std::slice::from_ref(&name));
    report.incidents.clone_from(&snapshot.report.incidents);
    draw(&api, &mut report, &name).await;
    let Some(node) = report.nodes.first() else { return failed(&no_such_node()) };
    page(live::node(&shell(&api, &snapshot), &report, node))
}

fn no_such_node() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such node")
}

async fn told(State(api): State<Api>) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    page(live::alerts(&shell(&api, &snapshot), &snapshot.report))
}

async fn silences(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let snapshot = api.engine.snapshot.borrow().clone();
    let given = |name: &str| query.get(name).map_or("", String::as_str);
    let asked = query.contains_key("node") || query.contains_key("root_cause");
    let preview = asked.then(|| (given("node"), given("root_cause")));
    page(live::silences(&shell(&api, &snapshot), &snapshot.report, &silenced(&api), preview))
}

/// Those in force, and those to come.
fn silenced(api: &Api) -> Vec<Silence> {
    let now = api.store.clock().stamp();
    api.silences.all().into_iter().filter(|silence| silence.until > now).collect()
}

/// The part of a report that is about these nodes.
fn about(report: &Report, nodes: &[NodeName]) -> Report {
    let mut part = report.about_nobody();
    let nodes: HashSet<&NodeName> = nodes.iter().collect();
    part.nodes.extend(report.nodes.iter().filter(|node| nodes.contains(&node.node)).cloned());
    let windows = report.blind_windows.iter().filter(|window| nodes.contains(&window.node));
    part.blind_windows.extend(windows.cloned());
    part
}

/// Adds the curves of a node's PTP clocks: what the engine keeps of the last hour.
async fn draw(api: &Api, report: &mut Report, name: &NodeName) {
    let Some(node) = report.nodes.iter_mut().find(|node| node.node == *name) else { return };
    let Ok(sampled) = api.engine.samples(name.clone()).await else { return };
    for clock in sampled {
        let is_it = |known: &&mut ptp_diagnostics::report::ClockReport| {
            known.resource == clock.resource && known.instance == clock.instance
        };
        if let Some(known) = node.clocks.iter_mut().find(is_it) {
            let offsets = clock.samples.iter().copied();
            known.curve = Some(Curve::of(clock.threshold_ns, offsets, ptp_view::CURVE_POINTS));
        }
    }
}
