//! What people were told: `/alerts`, as the service before this one documented it, and
//! `/api/v1/alerts`, a part at a time.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use ptp_api::{Alerts, AlertsQuery, DocumentedAlertsQuery};
use ptp_diagnostics::Severity;
use ptp_diagnostics::report::{Alert, AlertStatus};
use ptp_events::Received;

use super::parameters::{Asked, SEVERITIES, cursor, not_about_nobody, time, word};
use super::v1::LIMIT;
use super::{Api, Problem};

/// How many hours are looked back, unless asked otherwise.
const HOURS: f64 = 24.0;

/// Which alerts are wanted.
struct Wanted {
    since: Received,
    until: Option<Received>,
    severity: Option<Severity>,
    status: Option<AlertStatus>,
    node: Option<String>,
}

impl Wanted {
    fn new(query: AlertsQuery, now: Received) -> Result<Self, Problem> {
        let statuses = [AlertStatus::Opened, AlertStatus::Escalated, AlertStatus::Resolved];
        let statuses = statuses.map(|status| (status.as_str(), status));
        let back = Duration::from_secs_f64(query.hours.unwrap_or(HOURS) * 3600.0);
        Ok(Self {
            since: time("since", query.since.as_ref(), now)?.unwrap_or_else(|| now.before(back)),
            until: time("until", query.until.as_ref(), now)?,
            severity: word("severity", query.severity.as_ref(), &SEVERITIES)?,
            status: word("status", query.status.as_ref(), &statuses)?,
            node: query.node,
        })
    }

    fn takes(&self, alert: &Alert) -> bool {
        let node = self.node.as_deref();
        alert.timestamp >= self.since
            && self.until.is_none_or(|until| alert.timestamp <= until)
            && self.severity.is_none_or(|wanted| alert.severity == wanted)
            && self.status.is_none_or(|wanted| alert.status == wanted)
            && node.is_none_or(|node| alert.affected_nodes.iter().any(|n| n.as_str() == node))
    }
}

/// `GET /alerts?hours=24&severity=&node=&status=`: the newest last.
pub(super) async fn documented(
    State(api): State<Api>,
    Asked(query): Asked<DocumentedAlertsQuery>,
) -> Result<Json<Vec<Alert>>, Problem> {
    let DocumentedAlertsQuery { hours, severity, node, status } = query;
    let query = AlertsQuery { hours, severity, node, status, ..AlertsQuery::default() };
    let wanted = Wanted::new(query, api.store.clock().stamp())?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let alerts = snapshot.report.alerts.iter().filter(|alert| wanted.takes(alert));
    Ok(Json(alerts.cloned().collect()))
}

/// `GET /api/v1/alerts`: the newest first.
pub(super) async fn alerts(
    State(api): State<Api>,
    Asked(query): Asked<AlertsQuery>,
) -> Result<Json<Alerts>, Problem> {
    let (limit, from) = (query.limit.unwrap_or(LIMIT), cursor(query.cursor.as_ref())?);
    let wanted = Wanted::new(query, api.store.clock().stamp())?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let (mut items, mut total, mut critical) = (Vec::new(), 0, 0);
    for alert in snapshot.report.alerts.iter().rev().filter(|alert| wanted.takes(alert)) {
        if total >= from && items.len() < limit {
            items.push(alert.clone());
        }
        total += 1;
        critical += usize::from(alert.severity == Severity::Critical);
    }
    if total == 0 {
        not_about_nobody(&snapshot.report, wanted.node.as_deref())?;
    }
    let reached = from + items.len();
    let next_cursor = (reached < total && !items.is_empty()).then(|| reached.to_string());
    Ok(Json(Alerts { items, next_cursor, total, critical }))
}
