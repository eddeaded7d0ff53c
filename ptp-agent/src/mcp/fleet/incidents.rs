//! Incidents, what they mean, and what they will lead to.

use jiff::Timestamp;
use ptp_diagnostics::{BUILT_IN, manual};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::tool::{Answer, Part, Refusal, fit, with_cursor};
use super::super::{Reach, resources};
use super::{a, component, items, joined, list as list_of, maybe, object, text};

/// Which incidents are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Incidents {
    /// firing or resolved
    status: Option<String>,
    /// INFO, WARNING or CRITICAL
    severity: Option<String>,
    /// Only those that affect this node
    node: Option<String>,
    /// Only of this root cause, such as gnss-signal-loss
    root_cause: Option<String>,
    /// Only those that began no earlier, such as 2026-11-23T06:40:30Z
    since: Option<String>,
    /// How many incidents at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

const ROW: [&str; 11] = [
    "id",
    "root_cause",
    "verdict",
    "confidence",
    "severity",
    "status",
    "opened_at",
    "resolved_at",
    "origin_nodes",
    "affected_nodes",
    "summary",
];
/// How many of its nodes a row names.
const NODES_NAMED: usize = 10;

pub(in super::super) fn row_schema() -> Value {
    let whole = component("Incident");
    let properties: Vec<_> = ROW.map(|name| (name, whole["properties"][name].clone())).into();
    let mut schema = object(&properties);
    schema["properties"]["affected"] = a("integer");
    schema
}

pub(super) fn list_schema() -> Value {
    object(&[("incidents", list_of(&row_schema())), ("next_cursor?", a("string"))])
}

/// An incident in a line.
pub(in super::super) fn row(incident: &Value) -> Value {
    let mut row = serde_json::Map::new();
    for name in ROW {
        row.insert(name.to_owned(), incident[name].clone());
    }
    let affected = incident["affected_nodes"].as_array().map_or(0, Vec::len);
    for name in ["origin_nodes", "affected_nodes"] {
        if let Some(nodes) = row.get_mut(name).and_then(Value::as_array_mut) {
            nodes.truncate(NODES_NAMED);
        }
    }
    row.insert("affected".to_owned(), affected.into());
    Value::Object(row)
}

/// The same as text.
pub(in super::super) fn line(row: &Value) -> String {
    format!(
        "{} {:<8} {} ({}, {}) since {}{} on {}",
        text(row, "id"),
        text(row, "severity"),
        text(row, "summary"),
        text(row, "root_cause"),
        text(row, "verdict"),
        text(row, "opened_at"),
        row["resolved_at"].as_str().map(|at| format!(" until {at}")).unwrap_or_default(),
        joined(row, "affected_nodes"),
    )
}

pub(super) async fn list(reach: &Reach, wanted: Incidents) -> Result<Answer, Refusal> {
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    let (limit, cursor) = (part.limit().to_string(), part.cursor()?.to_string());
    let mut query = vec![("limit", limit.as_str()), ("cursor", cursor.as_str())];
    let named = [
        ("status", &wanted.status),
        ("severity", &wanted.severity),
        ("node", &wanted.node),
        ("root_cause", &wanted.root_cause),
        ("since", &wanted.since),
    ];
    query.extend(named.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    let found = reach.source.get(&["api", "v1", "incidents"], &query).await?;
    let next = found["next_cursor"].as_str().map(str::to_owned);
    let found = items(found);
    let (rows, cut) = fit(found.iter().map(row));
    let next = if cut { Some((part.cursor()? + rows.len()).to_string()) } else { next };
    let links = rows.iter().map(|row| {
        let id = text(row, "id");
        (resources::incident(id), id.to_owned())
    });
    let more = if next.is_some() { "; more follow" } else { "" };
    Ok(Answer {
        says: format!("{} incidents, newest first{more}.", rows.len()),
        quotes: rows.iter().map(line).collect(),
        links: links.collect(),
        data: with_cursor(json!({ "incidents": rows }), next),
    })
}

/// Which incident is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct One {
    /// The incident's id, as `list_incidents` gives it
    id: String,
    /// From which entry of the evidence on; `next_evidence` of the answer before
    evidence_from: Option<usize>,
}

pub(super) fn one_schema() -> Value {
    object(&[
        ("incident", component("Incident")),
        ("evidence_total", a("integer")),
        ("next_evidence?", a("integer")),
    ])
}

/// How much of an incident's evidence is given at once, in bytes; the rest of it has its own bounds.
const LONGEST_EVIDENCE: usize = 20_000;
/// How many nodes and findings.
const MOST_NODES: usize = 200;

pub(super) async fn one(reach: &Reach, wanted: One) -> Result<Answer, Refusal> {
    let mut incident = reach.source.get(&["api", "v1", "incidents", &wanted.id], &[]).await?;
    let from = wanted.evidence_from.unwrap_or(0);
    let (mut total, mut next) = (0, None);
    if let Some(evidence) = incident["evidence"].as_array_mut() {
        total = evidence.len();
        let mut bytes = 0;
        let mut kept = Vec::new();
        for entry in evidence.drain(..).skip(from) {
            bytes += entry.to_string().len();
            if bytes > LONGEST_EVIDENCE {
                break;
            }
            kept.push(entry);
        }
        next = Some(from + kept.len()).filter(|reached| *reached < total);
        *evidence = kept;
    }
    for name in ["affected_nodes", "origin_nodes", "findings"] {
        if let Some(entries) = incident[name].as_array_mut() {
            entries.truncate(MOST_NODES);
        }
    }
    let mut quotes =
        vec![text(&incident, "summary").to_owned(), text(&incident, "details").to_owned()];
    quotes.extend(incident["recommendations"].as_array().into_iter().flatten().map(|r| {
        let command = r["command"].as_str().map(|c| format!(": {c}")).unwrap_or_default();
        format!("to do: {}{command}", text(r, "action"))
    }));
    let forecast = match incident["forecast"]["at"].as_str() {
        Some(at) => {
            let is_measured = incident["forecast"]["model"] == "measured";
            let how = if is_measured { "were" } else { "are expected to be" };
            format!(" {} ns {how} reached at {at}.", incident["forecast"]["limit_ns"])
        }
        None => String::new(),
    };
    let cause = text(&incident, "root_cause").to_owned();
    let says = format!(
        "{cause}, {} with confidence {}, {}, since {}.{forecast} Evidence: {} of {total} entries.",
        text(&incident, "verdict"),
        incident["confidence"],
        text(&incident, "status"),
        text(&incident, "opened_at"),
        incident["evidence"].as_array().map_or(0, Vec::len),
    );
    let links = vec![
        (resources::incident(&wanted.id), wanted.id.clone()),
        (resources::page(&cause), cause),
    ];
    let mut data = json!({"incident": incident, "evidence_total": total});
    if let Some(next) = next {
        data["next_evidence"] = next.into();
    }
    Ok(Answer { says, quotes, data, links })
}

/// What is to be explained.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Code {
    /// A finding's or root cause's code; all of them are listed without one
    code: Option<String>,
}

pub(super) fn pages_schema() -> Value {
    let page = object(&[
        ("code", a("string")),
        ("kind", a("string")),
        ("title", a("string")),
        ("text?", a("string")),
    ]);
    object(&[("pages", list_of(&page))])
}

pub(super) async fn explain(_: &Reach, wanted: Code) -> Result<Answer, Refusal> {
    let pages = match &wanted.code {
        Some(code) => manual::pages(BUILT_IN, code),
        None => manual::all(BUILT_IN),
    };
    if pages.is_empty() {
        let why = "there is no such code; explain_code without a code lists all of them";
        return Err(Refusal::NotFound(why.to_owned()));
    }
    let whole = wanted.code.is_some();
    let quotes = pages.iter().map(|page| format!("{} ({}): {}", page.code, page.kind, page.title));
    let data = pages.iter().map(|page| {
        let mut entry = json!({"code": page.code, "kind": page.kind, "title": page.title});
        if whole {
            entry["text"] = page.text.clone().into();
        }
        entry
    });
    let links = pages.iter().map(|page| (resources::page(page.code), page.code.to_owned()));
    Ok(Answer {
        says: if whole {
            pages.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n\n")
        } else {
            format!("{} codes.", pages.len())
        },
        quotes: if whole { Vec::new() } else { quotes.collect() },
        links: if whole { links.collect() } else { Vec::new() },
        data: json!({ "pages": data.collect::<Vec<_>>() }),
    })
}

/// Which forecasts are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Forecasts {
    /// Only those that may reach their limit before this time, such as 2026-11-24T06:00:00Z
    before: Option<String>,
    /// Only about this node
    node: Option<String>,
    /// How many at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

pub(super) fn forecasts_schema() -> Value {
    let forecast = object(&[
        ("limit_ns", a("integer")),
        ("at", a("string")),
        ("earliest", maybe("string")),
        ("latest", maybe("string")),
        ("samples", a("integer")),
        ("model", a("string")),
    ]);
    let entry = object(&[
        ("incident", a("string")),
        ("nodes", list_of(&a("string"))),
        ("forecast", forecast),
    ]);
    object(&[
        ("count", a("integer")),
        ("forecasts", list_of(&entry)),
        ("next_cursor?", a("string")),
    ])
}

pub(super) async fn forecasts(reach: &Reach, wanted: Forecasts) -> Result<Answer, Refusal> {
    let before = wanted.before.as_deref().map(str::parse::<Timestamp>).transpose();
    let before = before.map_err(|_| {
        Refusal::Arguments("`before` must be a time such as 2026-11-24T06:00:00Z".to_owned())
    })?;
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let mut found = items(reach.source.get(&["api", "v1", "forecasts"], &[]).await?);
    found.retain(|entry| {
        let forecast = &entry["forecast"];
        let earliest = time(&forecast["earliest"]).or_else(|| time(&forecast["at"]));
        let soon = before.is_none_or(|before| earliest.is_some_and(|at| at <= before));
        let here = wanted.node.as_deref().is_none_or(|wanted| {
            entry["nodes"].as_array().is_some_and(|nodes| nodes.iter().any(|node| node == wanted))
        });
        soon && here
    });
    found.sort_by_key(|entry| time(&entry["forecast"]["at"]));
    let count = found.len();
    let (forecasts, next) = Part { limit: wanted.limit, cursor: wanted.cursor }.of(found)?;
    let quotes = forecasts.iter().map(|entry| {
        let forecast = &entry["forecast"];
        format!(
            "{} reaches {} ns at {} (80 %: {} to {}) [{}]",
            joined(entry, "nodes"),
            forecast["limit_ns"],
            text(forecast, "at"),
            forecast["earliest"].as_str().unwrap_or("unknown"),
            forecast["latest"].as_str().unwrap_or("unknown"),
            text(entry, "incident"),
        )
    });
    Ok(Answer {
        says: format!("{count} forecasts, soonest first."),
        quotes: quotes.collect(),
        data: with_cursor(json!({"count": count, "forecasts": forecasts}), next),
        links: Vec::new(),
    })
}
