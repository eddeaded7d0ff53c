//! What people were told: `/alerts`, as the service before this one documented it, and
//! `/api/v1/alerts`, a part at a time.

use std::collections::HashMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use ptp_diagnostics::Severity;
use ptp_diagnostics::report::{Alert, AlertStatus};
use ptp_events::Received;
use serde::Serialize;

use super::parameters::{SEVERITIES, not_about_nobody, only, parameter, time, word};
use super::v1::paging;
use super::{Api, Problem};

/// The most hours that are looked back: a year.
const MAX_HOURS: f64 = 8784.0;

/// Which alerts are wanted.
struct AlertQuery<'a> {
    since: Received,
    until: Option<Received>,
    severity: Option<Severity>,
    status: Option<AlertStatus>,
    node: Option<&'a str>,
}

impl<'a> AlertQuery<'a> {
    /// Of the last 24 hours unless the query says otherwise.
    fn read(query: &'a HashMap<String, String>, now: Received) -> Result<Self, Problem> {
        let hours = parameter(query, "hours", "a number of hours from 0 to 8784", |text| {
            text.parse::<f64>().ok().filter(|hours| (0.0..=MAX_HOURS).contains(hours))
        })?;
        let severity = word(query, "severity", &SEVERITIES)?;
        let statuses = [AlertStatus::Opened, AlertStatus::Escalated, AlertStatus::Resolved];
        let status = word(query, "status", &statuses.map(|status| (status.as_str(), status)))?;
        let back = Duration::from_secs_f64(hours.unwrap_or(24.0) * 3600.0);
        let since = time(query, "since", now)?.unwrap_or_else(|| now.before(back));
        let node = query.get("node").map(String::as_str);
        Ok(Self { since, until: time(query, "until", now)?, severity, status, node })
    }

    fn takes(&self, alert: &Alert) -> bool {
        alert.timestamp >= self.since
            && self.until.is_none_or(|until| alert.timestamp <= until)
            && self.severity.is_none_or(|wanted| alert.severity == wanted)
            && self.status.is_none_or(|wanted| alert.status == wanted)
            && self
                .node
                .is_none_or(|wanted| alert.affected_nodes.iter().any(|n| n.as_str() == wanted))
    }
}

/// `GET /alerts?hours=24&severity=&node=&status=`: the newest last.
pub(super) async fn documented(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Vec<Alert>>, Problem> {
    only(&query, &["hours", "severity", "node", "status"])?;
    let wanted = AlertQuery::read(&query, api.store.clock().stamp())?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let alerts = snapshot.report.alerts.iter().filter(|alert| wanted.takes(alert));
    Ok(Json(alerts.cloned().collect()))
}

/// A part of the alerts, and how many there are in all.
#[derive(Serialize)]
pub(super) struct Listed {
    items: Vec<Alert>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    total: usize,
    critical: usize,
}

/// `GET /api/v1/alerts`: the newest first.
pub(super) async fn alerts(
    State(api): State<Api>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Listed>, Problem> {
    let known = ["limit", "cursor", "hours", "since", "until", "severity", "node", "status"];
    only(&query, &known)?;
    let paging = paging(&query)?;
    let wanted = AlertQuery::read(&query, api.store.clock().stamp())?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let (mut items, mut total, mut critical) = (Vec::new(), 0, 0);
    for alert in snapshot.report.alerts.iter().rev().filter(|alert| wanted.takes(alert)) {
        if total >= paging.cursor && items.len() < paging.limit {
            items.push(alert.clone());
        }
        total += 1;
        critical += usize::from(alert.severity == Severity::Critical);
    }
    if total == 0 {
        not_about_nobody(&snapshot.report, wanted.node)?;
    }
    let reached = paging.cursor + items.len();
    let next_cursor = (reached < total && !items.is_empty()).then(|| reached.to_string());
    Ok(Json(Listed { items, next_cursor, total, critical }))
}
