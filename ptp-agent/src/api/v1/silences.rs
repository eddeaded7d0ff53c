//! `/api/v1/silences`: who is not to be told of what, until when.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ptp_api::{Listed, MadeSilence, NewSilence, PageQuery, Silence};
use ptp_diagnostics::RootCause;
use ptp_diagnostics::report::Report;
use ptp_events::{NodeName, Received, Side, moment, nearest};
use ptp_store::Record;

use super::super::parameters::Asked;
use super::{Answer, Api, Problem, page};

/// How long a silence may last.
const MAX_SILENCE: Duration = Duration::from_hours(31 * 24);
/// How far back a silence may be said to begin: clocks differ, and a form takes its time.
const MOST_PAST: Duration = Duration::from_mins(5);

pub(super) async fn silences(
    State(api): State<Api>,
    Asked(query): Asked<PageQuery>,
) -> Answer<Listed<Silence>> {
    page(&query, api.silences.all())
}

pub(super) async fn silence(State(api): State<Api>, Path(id): Path<String>) -> Answer<Silence> {
    let found = api.silences.all().into_iter().find(|silence| silence.id == id);
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such silence"))
}

pub(super) async fn make(
    State(api): State<Api>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<MadeSilence>), Problem> {
    let new: NewSilence = serde_json::from_slice(&body).map_err(|error| bad(&error.to_string()))?;
    let now = api.store.clock().stamp();
    let snapshot = api.engine.snapshot.borrow().clone();
    let (silence, warnings) = silence_of(new, now, &snapshot.report)?;
    if !api.silences.put(silence.clone(), now) {
        return Err(Problem::new(StatusCode::CONFLICT, "there are too many silences; end some"));
    }
    keep(&api, &silence)?;
    Ok((StatusCode::CREATED, Json(MadeSilence { silence, warnings })))
}

fn bad(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// The silence that is meant, and what its author may want to know.
fn silence_of(
    new: NewSilence,
    now: Received,
    report: &Report,
) -> Result<(Silence, Vec<String>), Problem> {
    let NewSilence { node, root_cause, everything, from, until, duration, comment, created_by } =
        new;
    match (everything, node.is_some() || root_cause.is_some()) {
        (false, false) => {
            return Err(bad(
                "a silence needs a `node`, a `root_cause` or both; to silence all, say `everything`: true",
            ));
        }
        (true, true) => return Err(bad("`everything` goes without `node` and `root_cause`")),
        _ => {}
    }
    if node.as_deref().is_some_and(|node| NodeName::new(node).is_err()) {
        return Err(bad("`node` is no name of a node"));
    }
    let read = |name: &str, text: &str, around| {
        moment(text, around, Side::Future).map_err(|error| bad(&format!("`{name}`: {error}")))
    };
    let from = from.map_or(Ok(now), |text| read("from", &text, now))?;
    if now.since(from) > MOST_PAST {
        return Err(bad("`from` is over: a silence begins now or later"));
    }
    let from = from.max(now);
    let until = match (until, duration) {
        (Some(text), None) => read("until", &text, from)?,
        (None, Some(text)) => from.after(
            ptp_events::length(&text).map_err(|error| bad(&format!("`duration`: {error}")))?,
        ),
        _ => return Err(bad("say either `until` or `duration`, such as \"2h\"")),
    };
    if until <= from || until.since(now) > MAX_SILENCE {
        return Err(bad("it must end after it begins, and at most 31 days from now"));
    }
    if comment.trim().is_empty() || comment.len() > 1000 || created_by.len() > 200 {
        return Err(bad("`comment` must say why, in at most 1000 bytes"));
    }
    if let Some(code) = &root_cause {
        let codes = || RootCause::ALL.iter().map(|cause| cause.code());
        if codes().all(|known| known != code) {
            let like = nearest(code, codes()).map(|name| format!("; did you mean `{name}`?"));
            let like = like.unwrap_or_default();
            return Err(bad(&format!("there is no root cause `{code}`{like}")));
        }
    }
    let mut warnings = Vec::new();
    if from > now {
        warnings.push(format!("it begins at {from}, and not before"));
    }
    // It may well be a node that is still to come.
    if let Some(name) = &node {
        let names = || report.nodes.iter().map(|entry| entry.node.as_str());
        if names().all(|known| known != name) {
            let like = nearest(name, names()).map(|name| format!("; did you mean `{name}`?"));
            warnings.push(format!("no node `{name}` is known{}", like.unwrap_or_default()));
        }
    }
    let id = format!("{:x}", now.as_nanos());
    Ok((Silence { id, node, root_cause, from, until, comment, created_by }, warnings))
}

pub(super) async fn end(State(api): State<Api>, Path(id): Path<String>) -> Answer<Silence> {
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
