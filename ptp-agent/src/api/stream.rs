//! Server-sent events: every change of an incident, as it happens.

use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt as _};
use ptp_diagnostics::ChangeKind;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::Api;
use crate::engine_task::Notification;

/// `GET /api/v1/stream`.
pub(super) async fn changes(
    State(api): State<Api>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let notifications = BroadcastStream::new(api.engine.notifications.subscribe());
    let events = notifications.map(|item| {
        Ok(match item {
            Ok(Notification { change, incident, .. }) => {
                let data = serde_json::to_string(&*incident).unwrap_or_default();
                Event::default().event(name(change)).id(&incident.id).data(data)
            }
            // The listener was too slow: it must look at the list again.
            Err(BroadcastStreamRecvError::Lagged(missed)) => {
                Event::default().event("missed").data(missed.to_string())
            }
        })
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

const fn name(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Opened => "opened",
        ChangeKind::Escalated => "escalated",
        ChangeKind::Resolved => "resolved",
        ChangeKind::Reopened => "reopened",
        _ => "updated",
    }
}
