//! A Prometheus Alertmanager, by its API v2.

use std::collections::BTreeMap;
use std::time::Duration;

use ptp_diagnostics::report::AlertStatus;
use serde_json::{Value, json};

use super::{Message, SinkError, call};

/// How often firing alerts are repeated: well within Alertmanager's `resolve_timeout` (5 min).
pub(super) const REPEAT: Duration = Duration::from_mins(1);
/// How many firing alerts are repeated.
const MAX_FIRING: usize = 10_000;

/// Posts to `URL/api/v2/alerts`.
pub struct Alertmanager {
    http: reqwest::Client,
    url: String,
    firing: BTreeMap<String, Value>,
}

impl Alertmanager {
    /// Posts to the Alertmanager at `url`.
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str) -> Self {
        let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
        Self { http, url, firing: BTreeMap::new() }
    }

    pub(super) async fn deliver(&mut self, message: &Message) -> Result<(), SinkError> {
        let alert = body(message);
        let id = &message.alert.incident;
        let mut alerts = vec![alert.clone()];
        // With another severity it is another alert to Alertmanager: end the one before.
        if let Some(before) = self.firing.get(id)
            && before["labels"] != alert["labels"]
        {
            let mut before = before.clone();
            before["endsAt"] = json!(message.alert.timestamp);
            alerts.push(before);
        }
        call(self.http.post(&self.url).json(&alerts)).await?;
        self.remember(message);
        Ok(())
    }

    /// Takes note of what is firing, without saying it now.
    pub fn remember(&mut self, message: &Message) {
        let id = &message.alert.incident;
        if message.alert.status == AlertStatus::Resolved {
            self.firing.remove(id);
        } else if self.firing.len() < MAX_FIRING || self.firing.contains_key(id) {
            self.firing.insert(id.clone(), body(message));
        }
    }

    /// Says again what is firing; what is not repeated counts as resolved.
    pub(super) async fn refresh(&self) -> Result<(), SinkError> {
        if self.firing.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = self.firing.values().collect();
        call(self.http.post(&self.url).json(&all)).await
    }
}

/// Labels identify the alert and are what people route by; the rest is annotation.
fn body(message: &Message) -> Value {
    let (alert, incident) = (&message.alert, &message.incident);
    let node = incident.origin_nodes.first().map_or("", |node| node.as_str());
    let mut body = json!({
        "labels": {
            "alertname": "PtpIncident",
            "incident": alert.incident,
            "node": node,
            "severity": alert.severity.as_str().to_lowercase(),
            "root_cause": alert.root_cause,
            "job": "ptp-agent",
        },
        "annotations": {
            "summary": alert.summary,
            "description": alert.details,
            "affected_nodes": alert
                .affected_nodes
                .iter()
                .map(|node| node.as_str())
                .collect::<Vec<_>>()
                .join(","),
            "recommendations": alert.recommendations.join("\n"),
        },
        "startsAt": incident.opened_at,
    });
    if alert.status == AlertStatus::Resolved {
        body["endsAt"] = json!(alert.timestamp);
    }
    body
}
