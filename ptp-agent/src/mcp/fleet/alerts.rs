//! What people were told, and what changed.

use jiff::Timestamp;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::tool::{Answer, Part, Refusal, fit, with_cursor};
use super::super::{Reach, resources};
use super::{component, items, joined, list, object, text};

/// What alerts are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Alerts {
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

pub(super) fn schema() -> Value {
    let count = json!({"type": "integer"});
    object(&[
        ("count", count.clone()),
        ("critical", count),
        ("alerts", list(&component("Alert"))),
        ("next_cursor?", json!({"type": "string"})),
    ])
}

pub(super) async fn alerts(reach: &Reach, wanted: Alerts) -> Result<Answer, Refusal> {
    let hours = wanted.hours.unwrap_or(24.0).to_string();
    let mut query = vec![("hours", hours.as_str())];
    let named =
        [("severity", &wanted.severity), ("node", &wanted.node), ("status", &wanted.status)];
    query.extend(named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    page(reach, query, &part, &format!("in the last {hours} hours")).await
}

/// A page of alerts, newest first.
async fn page(
    reach: &Reach,
    mut query: Vec<(&str, &str)>,
    part: &Part,
    when: &str,
) -> Result<Answer, Refusal> {
    let cursor = part.cursor()?;
    let (limit, from) = (part.limit().to_string(), cursor.to_string());
    query.extend([("limit", limit.as_str()), ("cursor", from.as_str())]);
    let found = reach.source.get(&["api", "v1", "alerts"], &query).await?;
    let (count, critical) = (found["total"].clone(), found["critical"].clone());
    let next = found["next_cursor"].as_str().map(str::to_owned);
    let (alerts, cut) = fit(items(found).into_iter());
    let next = if cut { Some((cursor + alerts.len()).to_string()) } else { next };
    Ok(Answer {
        says: format!("{count} alerts {when}, {critical} of them CRITICAL; newest first."),
        quotes: alerts.iter().map(line).collect(),
        data: with_cursor(json!({"count": count, "critical": critical, "alerts": alerts}), next),
        links: vec![(resources::CURRENT_ALERTS.to_owned(), "alerts".to_owned())],
    })
}

fn line(alert: &Value) -> String {
    format!(
        "{} {:<8} {:<9} {} [{}] {}",
        text(alert, "timestamp"),
        text(alert, "severity"),
        text(alert, "status"),
        text(alert, "summary"),
        text(alert, "incident"),
        joined(alert, "affected_nodes"),
    )
}

/// The alerts between the marks.
pub(super) async fn noted(reach: &Reach, part: Part) -> Result<Answer, Refusal> {
    let (from, until) = reach.marks();
    let Some(from) = from else {
        let says = "Nothing is being noted: start_ptp_monitoring marks the beginning.".to_owned();
        let data = json!({"count": 0, "critical": 0, "alerts": []});
        return Ok(Answer { says, data, ..Answer::default() });
    };
    let (since, until) = (from.to_string(), until.map(|until| until.to_string()));
    let mut query = vec![("since", since.as_str())];
    query.extend(until.as_deref().map(|until| ("until", until)));
    page(reach, query, &part, &format!("since {from}")).await
}

/// Since when.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Since {
    /// A time with a zone, such as 2026-11-23T06:40:30Z
    #[schemars(extend("format" = "date-time"))]
    since: String,
    /// Only about this node
    node: Option<String>,
}

pub(super) fn changed_schema() -> Value {
    object(&[
        ("since", json!({"type": "string"})),
        ("began", list(&super::incidents::row_schema())),
        ("ended", list(&super::incidents::row_schema())),
        ("alerts", json!({"type": "integer"})),
        ("blind_windows", list(&component("BlindWindow"))),
        ("more", json!({"type": "boolean"})),
    ])
}

/// How many incidents and blind windows are looked at.
const LOOKED_AT: &str = "200";

pub(super) async fn changed(reach: &Reach, wanted: Since) -> Result<Answer, Refusal> {
    let since: Timestamp = wanted.since.parse().map_err(|_| {
        Refusal::Arguments("`since` must be a time such as 2026-11-23T06:40:30Z".to_owned())
    })?;
    let mut query = vec![("limit", LOOKED_AT)];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let incidents = reach.source.get(&["api", "v1", "incidents"], &query).await?;
    let more = incidents["next_cursor"].is_string();
    let windows = reach.source.get(&["api", "v1", "blind-windows"], &query).await?;
    let from = since.to_string();
    let mut query = vec![("since", from.as_str()), ("limit", "1")];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let alerts = reach.source.get(&["api", "v1", "alerts"], &query).await?["total"].clone();

    let after = |value: &Value, field: &str| {
        text(value, field).parse::<Timestamp>().is_ok_and(|time| time >= since)
    };
    let incidents = items(incidents);
    let rows = |field: &str| -> Vec<Value> {
        let wanted = incidents.iter().filter(|incident| after(incident, field));
        wanted.map(super::incidents::row).take(60).collect()
    };
    let (began, ended) = (rows("opened_at"), rows("resolved_at"));
    let blind: Vec<_> = items(windows)
        .into_iter()
        .filter(|window| window["to"].is_null() || after(window, "from") || after(window, "to"))
        .take(60)
        .collect();
    let mut quotes: Vec<_> =
        began.iter().map(|row| format!("began {}", super::incidents::line(row))).collect();
    quotes.extend(ended.iter().map(|row| format!("ended {}", super::incidents::line(row))));
    Ok(Answer {
        says: format!(
            "Since {since}: {} incidents began, {} ended, {alerts} alerts, {} blind windows.",
            began.len(),
            ended.len(),
            blind.len()
        ),
        quotes,
        data: json!({
            "since": since.to_string(), "began": began, "ended": ended, "alerts": alerts,
            "blind_windows": blind, "more": more,
        }),
        links: Vec::new(),
    })
}
