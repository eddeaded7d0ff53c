//! A Prometheus Alertmanager, by its API v2.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ptp_diagnostics::report::{Alert, AlertStatus, IncidentReport, Recommendation};
use ptp_events::Received;
use serde::Serialize;

use crate::identity::Identity;
use crate::{Answer, Destination, Message, SinkError};

/// How often firing alerts are repeated: well within Alertmanager's `resolve_timeout` (5 min).
pub(super) const REPEAT: Duration = Duration::from_mins(1);
/// How many firing alerts, and how many that ended unheard, are kept.
const MAX_FIRING: usize = 10_000;

type Labels = BTreeMap<String, String>;

/// An alert as Alertmanager's API v2 takes it. Labels say which alert it is and what people route
/// by; the rest may change while it fires.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: Labels,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Received,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<Received>,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

/// Where Alertmanager takes alerts, by its API v2.
pub(super) const PATH: &str = "/api/v2/alerts";

/// Posts to `URL/api/v2/alerts`.
///
/// What is firing, and what has ended and was not heard yet, is noted before it is said: so what
/// could not be said while nobody answered is said by the next repetition.
#[derive(Debug)]
pub struct Alertmanager {
    destination: Destination,
    identity: Arc<Identity>,
    firing: BTreeMap<String, Posted>,
    /// By their labels, which are what makes an alert the same to Alertmanager.
    ended: BTreeMap<Labels, Posted>,
}

/// Where an Alertmanager at `url` takes alerts.
#[must_use]
pub fn alerts_url(url: &str) -> String {
    format!("{}{PATH}", url.trim_end_matches('/'))
}

impl Alertmanager {
    /// Posts to a destination whose URL ends in `/api/v2/alerts`.
    #[must_use]
    pub const fn new(destination: Destination, identity: Arc<Identity>) -> Self {
        Self { destination, identity, firing: BTreeMap::new(), ended: BTreeMap::new() }
    }

    pub(super) async fn deliver(&mut self, message: &Message) -> Result<Answer, SinkError> {
        self.remember(message);
        let current = self.firing.get(&message.alert.incident);
        let alerts: Vec<_> = current.into_iter().chain(self.ended.values()).collect();
        let answer = self.destination.post(|request| request.json(&alerts)).await?;
        self.ended.clear();
        Ok(answer)
    }

    /// Sends one alert that ends by itself, and is not repeated.
    pub(super) async fn deliver_test(&mut self, message: &Message) -> Result<Answer, SinkError> {
        let mut alert = posted(&self.identity, &message.alert, &message.incident);
        alert.ends_at = Some(message.alert.timestamp.after(REPEAT));
        self.destination.post(|request| request.json(&[alert])).await
    }

    /// Takes note of what is firing or has ended, without saying it now.
    pub fn remember(&mut self, message: &Message) {
        let alert = &message.alert;
        let new = posted(&self.identity, alert, &message.incident);
        // With another severity it is another alert to Alertmanager: the one before has ended.
        if let Some(mut before) = self.firing.remove(&alert.incident)
            && before.labels != new.labels
        {
            before.ends_at = Some(alert.timestamp);
            self.end(before);
        }
        if alert.status == AlertStatus::Resolved {
            self.end(new);
        } else if self.firing.len() < MAX_FIRING {
            self.ended.remove(&new.labels);
            self.firing.insert(alert.incident.clone(), new);
        }
    }

    fn end(&mut self, alert: Posted) {
        if self.ended.len() < MAX_FIRING || self.ended.contains_key(&alert.labels) {
            self.ended.insert(alert.labels.clone(), alert);
        }
    }

    /// Says again what is firing, as what is not repeated counts as resolved, in the words of now;
    /// and what has ended unheard. `None` when there is nothing to say.
    pub(super) async fn refresh(
        &mut self,
        incidents: &[IncidentReport],
    ) -> Option<Result<Answer, SinkError>> {
        if self.firing.is_empty() && self.ended.is_empty() {
            return None;
        }
        let current: HashMap<_, _> = incidents.iter().map(|i| (i.id.as_str(), i)).collect();
        for (id, alert) in &mut self.firing {
            if let Some(incident) = current.get(id.as_str()) {
                alert.annotations = annotations(&self.identity, incident);
            }
        }
        let all: Vec<_> = self.firing.values().chain(self.ended.values()).collect();
        let outcome = self.destination.post(|request| request.json(&all)).await;
        if outcome.is_ok() {
            self.ended.clear();
        }
        Some(outcome)
    }
}

fn posted(identity: &Identity, alert: &Alert, incident: &IncidentReport) -> Posted {
    let node = incident.origin_nodes.first().map_or("", |node| node.as_str());
    let own = [
        ("alertname", "PtpIncident"),
        ("incident", &alert.incident),
        ("node", node),
        ("severity", &alert.severity.as_str().to_lowercase()),
        ("root_cause", alert.root_cause.code()),
        ("job", "ptp-agent"),
    ];
    let labels = identity.labels().chain(own);
    let mut annotations = annotations(identity, incident);
    annotations.insert("summary", alert.summary.clone());
    annotations.insert("description", alert.details.clone());
    Posted {
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        annotations,
        starts_at: incident.opened_at,
        ends_at: (alert.status == AlertStatus::Resolved).then_some(alert.timestamp),
        generator_url: identity.incident_url(&alert.incident),
    }
}

fn annotations(identity: &Identity, incident: &IncidentReport) -> BTreeMap<&'static str, String> {
    let nodes: Vec<_> = incident.affected_nodes.iter().map(|node| node.as_str()).collect();
    let advice = incident.recommendations.iter().map(Recommendation::in_one_line);
    let mut annotations = BTreeMap::from([
        ("summary", incident.summary.clone()),
        ("description", incident.details.clone()),
        ("affected_nodes", nodes.join(",")),
        ("recommendations", advice.collect::<Vec<_>>().join("\n")),
        ("runbook_url", identity.runbook_url(incident.root_cause)),
    ]);
    if let Some(url) = identity.incident_url(&incident.id) {
        annotations.insert("incident_url", url);
    }
    annotations
}
