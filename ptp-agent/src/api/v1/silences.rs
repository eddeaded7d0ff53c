//! `/api/v1/silences`: who is not to be told of what, until when.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ptp_diagnostics::RootCause;
use ptp_events::Received;
use serde::Deserialize;

use super::super::parameters::only;
use super::{Answer, Api, Listed, Params, Problem, page, paging};
use crate::store::{Record, Silence};

/// How long a silence may last.
const MAX_SILENCE: Duration = Duration::from_hours(31 * 24);

pub(super) async fn silences(
    State(api): State<Api>,
    Query(query): Params,
) -> Answer<Listed<Silence>> {
    only(&query, &["limit", "cursor"])?;
    Ok(page(&paging(&query)?, api.silences.all().into_iter()))
}

pub(super) async fn silence(State(api): State<Api>, Path(id): Path<String>) -> Answer<Silence> {
    let found = api.silences.all().into_iter().find(|silence| silence.id == id);
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such silence"))
}

/// What a silence is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSilence {
    node: Option<String>,
    root_cause: Option<String>,
    until: Received,
    comment: String,
    created_by: String,
}

pub(super) async fn make(
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
