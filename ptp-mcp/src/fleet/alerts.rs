//! What people were told.

use std::collections::HashMap;

use ptp_api::{
    Alerts as Page, AlertsQuery, DeliveriesQuery, Delivery, DeliveryOutcome, SinkReport,
};
use ptp_diagnostics::Severity;
use ptp_diagnostics::report::{Alert, AlertStatus};
use ptp_diagnostics::text::time_of_day;
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::count;
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Part, Refusal};

/// How many nodes of an alert are named.
const NODES_NAMED: usize = 6;
/// How many deliveries are looked at.
const DELIVERIES: usize = 1000;

/// What alerts are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Alerts {
    /// How many hours to look back; 24 unless given, 8784 at most
    #[schemars(range(min = 0, max = 8784))]
    hours: Option<f64>,
    /// INFO, WARNING or CRITICAL
    severity: Option<String>,
    /// Only about this node
    node: Option<String>,
    /// opened, escalated or resolved
    status: Option<String>,
    /// How many alerts at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// What people were told.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AlertList {
    /// How many alerts there are in all.
    count: usize,
    /// How many of them are CRITICAL.
    critical: usize,
    /// The alerts, newest first.
    alerts: Vec<AlertLine>,
    /// Incidents in this list of which people were told that they are over.
    resolved: Vec<String>,
    /// Incidents in this list of which people were not told that they are over.
    unresolved: Vec<String>,
    /// Each sink, and what it took since the agent started; none when the agent tells nobody.
    sinks: Vec<SinkReport>,
    /// Since when it is known over which sinks people were told.
    deliveries_known_since: Option<Received>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An alert in a line.
#[derive(Debug, Serialize, JsonSchema)]
struct AlertLine {
    /// When people were told.
    timestamp: Received,
    /// How bad it was.
    severity: Severity,
    /// What happened: opened, escalated or resolved.
    status: AlertStatus,
    /// The incident, by id.
    incident: String,
    /// Why.
    root_cause: String,
    /// Where it is felt; six nodes at most.
    affected_nodes: Vec<NodeName>,
    /// Over which sinks, when; or by which silence nobody was told.
    told: Vec<String>,
    /// One line.
    summary: String,
}

pub(super) async fn alerts(
    context: &Context,
    wanted: Alerts,
) -> Result<Answer<AlertList>, Refusal> {
    let when = format!("in the last {} h", wanted.hours.unwrap_or(24.0));
    let query = AlertsQuery {
        hours: wanted.hours,
        severity: wanted.severity,
        node: wanted.node,
        status: wanted.status,
        ..AlertsQuery::default()
    };
    page(context, query, Part { limit: wanted.limit, cursor: wanted.cursor }, &when).await
}

/// The alerts between the marks.
pub(super) async fn noted(context: &Context, part: Part) -> Result<Answer<AlertList>, Refusal> {
    let marks = context.marks();
    let Some(from) = marks.from else {
        let says = "Nothing is being noted: start_ptp_monitoring marks the beginning.";
        return Ok(Answer::new(
            says,
            AlertList {
                count: 0,
                critical: 0,
                alerts: Vec::new(),
                resolved: Vec::new(),
                unresolved: Vec::new(),
                sinks: Vec::new(),
                deliveries_known_since: None,
                next_cursor: None,
            },
        ));
    };
    let query = AlertsQuery {
        since: Some(from.to_string()),
        until: marks.until.map(|until| until.to_string()),
        ..AlertsQuery::default()
    };
    let when = format!("since {}", ptp_diagnostics::text::moment(from));
    page(context, query, part, &when).await
}

/// A page of alerts, newest first.
async fn page(
    context: &Context,
    mut query: AlertsQuery,
    part: Part,
    when: &str,
) -> Result<Answer<AlertList>, Refusal> {
    let agent = context.agent()?;
    (query.limit, query.cursor) = (Some(part.limit()), part.cursor.clone());
    let Page { items, next_cursor, total, critical } = agent.alerts(&query).await?;
    let query = DeliveriesQuery { limit: Some(DELIVERIES), ..DeliveriesQuery::default() };
    let deliveries = agent.deliveries(&query).await?;
    let mut told = HashMap::<(&str, AlertStatus), Vec<&Delivery>>::new();
    for delivery in &deliveries.items {
        told.entry((&delivery.incident, delivery.status)).or_default().push(delivery);
    }
    let lines = items.iter().map(|alert| line(alert, &told)).collect();
    let (alerts, next_cursor) = part.of_page::<AlertLine>(lines, next_cursor)?;
    let mut unresolved: Vec<String> = alerts.iter().map(|alert| alert.incident.clone()).collect();
    unresolved.sort_unstable();
    unresolved.dedup();
    // The newest word about each is the first.
    let is_over = |id: &String| {
        let newest = alerts.iter().find(|alert| alert.incident == *id);
        newest.is_some_and(|alert| alert.status == AlertStatus::Resolved)
    };
    let resolved: Vec<_> = unresolved.extract_if(.., |id| is_over(id)).collect();
    let over = match deliveries.sinks.len() {
        0 => "no sink is configured, so nobody was told".to_owned(),
        sinks => format!("{} configured", count(sinks, "sink")),
    };
    let says = format!(
        "{} {when}, {critical} of them CRITICAL; {over}. In this list {} are resolved and {} are not.",
        count(total, "alert"),
        count(resolved.len(), "incident"),
        unresolved.len(),
    );
    let list = AlertList {
        count: total,
        critical,
        alerts,
        resolved,
        unresolved,
        sinks: deliveries.sinks,
        deliveries_known_since: Some(deliveries.known_since),
        next_cursor,
    };
    let link = (resources::CURRENT_ALERTS.to_owned(), "alerts".to_owned());
    Ok(Answer::new(says, list).linked([link]))
}

fn line(alert: &Alert, told: &HashMap<(&str, AlertStatus), Vec<&Delivery>>) -> AlertLine {
    let told = told.get(&(&alert.incident, alert.status)).map_or(&[][..], Vec::as_slice);
    let said = |delivery: &&Delivery| {
        let at = time_of_day(delivery.at);
        let sink = delivery.sink.as_deref().unwrap_or("nobody");
        match (delivery.outcome, &delivery.silence) {
            (DeliveryOutcome::Delivered, _) => format!("{sink} {at}"),
            (DeliveryOutcome::Refused, _) => format!("{sink} refused it {at}"),
            (DeliveryOutcome::Silenced, Some(silence)) => format!("silenced by {silence}"),
            (DeliveryOutcome::Silenced, None) => "silenced".to_owned(),
        }
    };
    AlertLine {
        timestamp: alert.timestamp,
        severity: alert.severity,
        status: alert.status,
        incident: alert.incident.clone(),
        root_cause: alert.root_cause.code().to_owned(),
        affected_nodes: alert.affected_nodes.iter().take(NODES_NAMED).cloned().collect(),
        told: told.iter().map(said).collect(),
        summary: alert.summary.clone(),
    }
}
