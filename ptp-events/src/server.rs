//! The receiver that publishers post their events to.
//!
//! [`receiver`] makes the routes and [`serve`] serves them:
//!
//! | request | answer |
//! |---|---|
//! | `POST /event`, `POST /event/{token}` with an event | 204 once the [`Sink`] has taken it |
//! | the same with an array of up to 256 events | 204 once all are taken; else none is |
//! | the same with an empty body, or an empty array | 204 |
//! | the same with anything else | 400 |
//! | the same with more than 1 MiB | 413 |
//! | the same, sent more slowly than in 10 s | 408, or the connection is closed |
//! | an event the sink does not take | the status of its [`Refusal`] |
//!
//! Refusals are `application/problem+json` (RFC 9457).

mod problem;
mod sink;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use http_body_util::LengthLimitError;
use smol_str::SmolStr;

use crate::{Event, MAX_BODY_BYTES, ReceiveClock};

/// The crate whose `Router`, `Bytes` and `StatusCode` are in signatures here.
pub use axum;

pub use crate::serve::{Limits, Trust, serve};
pub use problem::Rejection;
pub use sink::{Delivery, Posted, Refusal, Sink};

/// How long the sink may take. The publisher waits 2 s (observed, see docs/protocol.md §2); an
/// answer after that is of no use to it.
const SINK_TIMEOUT: Duration = Duration::from_millis(1800);

/// How long a body may take. [`Limits::request`] bounds this too, but not once a client was told
/// to go on with its body (`Expect: 100-continue`).
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest token we look at, in bytes; ours have 64.
const MAX_TOKEN_BYTES: usize = 128;

struct Receiver<S> {
    sink: Arc<S>,
    clock: ReceiveClock,
}

impl<S> Clone for Receiver<S> {
    fn clone(&self) -> Self {
        Self { sink: Arc::clone(&self.sink), clock: self.clock.clone() }
    }
}

/// The receiver's routes. Merge them with others, or [`serve`] them as they are.
pub fn receiver<S: Sink>(sink: Arc<S>, clock: ReceiveClock) -> Router {
    Router::new()
        .route("/event", post(without_token::<S>))
        .route("/event/{token}", post(with_token::<S>))
        .with_state(Receiver { sink, clock })
}

async fn without_token<S: Sink>(
    State(receiver): State<Receiver<S>>,
    body: Body,
) -> Result<StatusCode, Rejection> {
    receiver.receive(None, body).await
}

async fn with_token<S: Sink>(
    State(receiver): State<Receiver<S>>,
    Path(token): Path<String>,
    trust: Option<Extension<Trust>>,
    body: Body,
) -> Result<StatusCode, Rejection> {
    if let Some(Extension(trust)) = trust
        && !trust.is_granted()
        && token.len() <= MAX_TOKEN_BYTES
        && receiver.sink.admits(Some(&token))
    {
        trust.grant();
    }
    receiver.receive(Some(token), body).await
}

impl<S: Sink> Receiver<S> {
    async fn receive(&self, token: Option<String>, body: Body) -> Result<StatusCode, Rejection> {
        let outcome = self.take(token, body).await;
        if let Err(rejection) = &outcome {
            self.sink.rejected(rejection);
        }
        outcome
    }

    async fn take(&self, token: Option<String>, body: Body) -> Result<StatusCode, Rejection> {
        let token = match token {
            Some(token) if token.len() > MAX_TOKEN_BYTES => {
                return Err(Rejection::Refused(Refusal::UnknownToken));
            }
            token => token.map(SmolStr::from),
        };
        if !self.sink.admits(token.as_deref()) {
            return Err(Rejection::Refused(Refusal::UnknownToken));
        }
        let raw = read(body).await?;
        if raw.trim_ascii().is_empty() {
            return Ok(StatusCode::NO_CONTENT);
        }
        let events = Event::all_from_slice(&raw).map_err(|error| {
            self.sink.malformed(&raw, &error);
            Rejection::NotAnEvent(error)
        })?;
        let events = events.into_iter().map(|(event, bytes)| Posted {
            raw: raw.slice_ref(bytes),
            received: self.clock.stamp(),
            event,
        });
        let delivery = Delivery { token, events: events.collect() };
        if delivery.events.is_empty() {
            return Ok(StatusCode::NO_CONTENT);
        }
        tokio::time::timeout(SINK_TIMEOUT, self.sink.take(delivery))
            .await
            .unwrap_or(Err(Refusal::Busy))
            .map_err(Rejection::Refused)?;
        Ok(StatusCode::NO_CONTENT)
    }
}

async fn read(body: Body) -> Result<Bytes, Rejection> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > MAX_BODY_BYTES {
        return Err(Rejection::TooLarge);
    }
    let whole = to_bytes(body, MAX_BODY_BYTES);
    let Ok(whole) = tokio::time::timeout(BODY_TIMEOUT, whole).await else {
        return Err(Rejection::TooSlow);
    };
    whole.map_err(|error| {
        let source = std::error::Error::source(&error);
        if source.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
            Rejection::TooLarge
        } else {
            Rejection::Incomplete(error)
        }
    })
}
