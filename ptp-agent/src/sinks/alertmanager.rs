//! A Prometheus Alertmanager, by its API v2.

use std::collections::BTreeMap;
use std::time::Duration;

use ptp_diagnostics::report::AlertStatus;
use serde_json::{Value, json};

use super::{Message, SinkError, call};

/// How often firing alerts are repeated: well within Alertmanager's `resolve_timeout` (5 min).
pub(super) const REPEAT: Duration = Duration::from_mins(1);
/// How many firing alerts, and how many that ended unheard, are kept.
const MAX_FIRING: usize = 10_000;

/// Posts to `URL/api/v2/alerts`.
///
/// What is firing, and what has ended and was not heard yet, is noted before it is said: so what
/// could not be said while nobody answered is said by the next repetition.
pub struct Alertmanager {
    http: reqwest::Client,
    url: String,
    firing: BTreeMap<String, Value>,
    /// By their labels, which are what makes an alert the same to Alertmanager.
    ended: BTreeMap<String, Value>,
}

impl Alertmanager {
    /// Posts to the Alertmanager at `url`.
    #[must_use]
    pub fn new(http: reqwest::Client, url: &str) -> Self {
        let url = format!("{}/api/v2/alerts", url.trim_end_matches('/'));
        Self { http, url, firing: BTreeMap::new(), ended: BTreeMap::new() }
    }

    pub(super) async fn deliver(&mut self, message: &Message) -> Result<(), SinkError> {
        self.remember(message);
        let current = self.firing.get(&message.alert.incident);
        let alerts: Vec<_> = current.into_iter().chain(self.ended.values()).collect();
        call(self.http.post(&self.url).json(&alerts)).await?;
        self.ended.clear();
        Ok(())
    }

    /// Takes note of what is firing or has ended, without saying it now.
    pub fn remember(&mut self, message: &Message) {
        let alert = &message.alert;
        let new = body(message);
        let resolved = alert.status == AlertStatus::Resolved;
        // With another severity it is another alert to Alertmanager: the one before has ended.
        if let Some(mut before) = self.firing.remove(&alert.incident)
            && before["labels"] != new["labels"]
        {
            before["endsAt"] = json!(alert.timestamp);
            self.end(before);
        }
        if resolved {
            self.end(new);
        } else if self.firing.len() < MAX_FIRING {
            self.ended.remove(&new["labels"].to_string());
            self.firing.insert(alert.incident.clone(), new);
        }
    }

    fn end(&mut self, alert: Value) {
        let key = alert["labels"].to_string();
        if self.ended.len() < MAX_FIRING || self.ended.contains_key(&key) {
            self.ended.insert(key, alert);
        }
    }

    /// Says again what is firing, as what is not repeated counts as resolved, and what has ended
    /// unheard.
    pub(super) async fn refresh(&mut self) -> Result<(), SinkError> {
        let all: Vec<_> = self.firing.values().chain(self.ended.values()).collect();
        if all.is_empty() {
            return Ok(());
        }
        call(self.http.post(&self.url).json(&all)).await?;
        self.ended.clear();
        Ok(())
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
