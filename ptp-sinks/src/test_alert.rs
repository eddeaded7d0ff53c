//! `ptp-agent test-alert`: one message to each sink, and what it answered.

use std::sync::Arc;

use ptp_diagnostics::report::{Alert, AlertStatus, IncidentReport};
use ptp_diagnostics::{RootCause, Severity};
use ptp_events::Received;

use crate::{Answer, Message, Named, SinkError};

/// What came of it at one sink.
#[derive(Debug)]
pub struct Tried {
    /// Its name.
    pub sink: String,
    /// What it answered.
    pub outcome: Result<Answer, SinkError>,
}

/// Sends one message of severity INFO to each sink, once.
pub async fn try_all(sinks: Vec<Named>, now: Received) -> Vec<Tried> {
    let message = message(now);
    let mut tried = Vec::new();
    for mut named in sinks {
        let outcome = named.sink.deliver_test(&message).await;
        tried.push(Tried { sink: named.name, outcome });
    }
    tried
}

pub(super) fn message(now: Received) -> Message {
    let summary = "Test alert of ptp-agent: nothing is wrong".to_owned();
    let details =
        "Somebody ran `ptp-agent test-alert` to see whether alerts arrive here.".to_owned();
    let incident = IncidentReport::test(&summary, &details, now);
    let alert = Alert {
        severity: Severity::Info,
        summary,
        details,
        recommendations: Vec::new(),
        affected_nodes: Vec::new(),
        timestamp: now,
        incident: incident.id.clone(),
        status: AlertStatus::Opened,
        root_cause: RootCause::Unknown,
    };
    Message { alert: Arc::new(alert), incident: Arc::new(incident) }
}
