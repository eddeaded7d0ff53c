//! Nodes and their clocks, and what they said.

use std::time::Duration;

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::tool::{Answer, Nothing, Part, Refusal, fit, with_cursor};
use super::super::{Reach, resources};
use super::{a, component, items, joined, list, maybe, object, text};

pub(super) async fn overview(reach: &Reach, _: Nothing) -> Result<Answer, Refusal> {
    let data = reach.source.get(&["api", "v1", "fleet"], &[]).await?;
    let entries = |field: &str, first: &str, second: &str| -> Vec<String> {
        let entries = data[field].as_array().into_iter().flatten();
        entries.map(|e| format!("{} {}", text(e, first), text(e, second))).collect()
    };
    let mut quotes = entries("not_locked", "node", "state");
    quotes.extend(entries("conditions", "name", "why"));
    Ok(Answer {
        says: format!(
            "{} nodes: {}. Firing: {}. Blind to {}. Conditions: {}.",
            data["nodes"],
            data["states"],
            data["firing"],
            data["blind"],
            data["conditions"].as_array().map_or(0, Vec::len)
        ),
        quotes,
        links: vec![(resources::FLEET.to_owned(), "fleet".to_owned())],
        data,
    })
}

/// Whose summary is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Summary {
    /// Only this node
    #[serde(rename = "nodeName")]
    node_name: Option<String>,
    /// How many nodes at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

pub(super) fn summary_schema() -> Value {
    let mut entry = component("NodeSummary");
    entry["properties"]["node"] = a("string");
    object(&[("count", a("integer")), ("nodes", list(&entry)), ("next_cursor?", a("string"))])
}

pub(super) async fn summary(reach: &Reach, wanted: Summary) -> Result<Answer, Refusal> {
    let query = wanted.node_name.as_deref().map(|node| ("node", node));
    let found = reach.source.get(&["summary"], query.as_slice()).await?;
    let Value::Object(found) = found else { return Err(none(wanted.node_name.as_deref())) };
    if found.is_empty() && wanted.node_name.is_some() {
        return Err(none(wanted.node_name.as_deref()));
    }
    let all = found.into_iter().map(|(name, mut entry)| {
        entry["node"] = name.into();
        entry
    });
    let all: Vec<_> = all.collect();
    let count = all.len();
    let (nodes, next) = Part { limit: wanted.limit, cursor: wanted.cursor }.of(all)?;
    let quotes = nodes.iter().map(|node| {
        format!(
            "{} {} {} {}",
            text(node, "node"),
            text(node, "latest_state"),
            text(node, "role"),
            joined(node, "incidents"),
        )
    });
    let links = nodes.iter().map(|node| {
        let name = text(node, "node");
        (resources::node(name), name.to_owned())
    });
    Ok(Answer {
        says: format!("{count} nodes."),
        quotes: quotes.collect(),
        links: links.collect(),
        data: with_cursor(json!({"count": count, "nodes": nodes}), next),
    })
}

fn none(name: Option<&str>) -> Refusal {
    let name = name.unwrap_or_default();
    Refusal::NotFound(format!("there is no node `{name}`; get_agent_summary lists all of them"))
}

/// Whose history is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct History {
    /// The node's name
    node: String,
}

pub(super) fn history_schema() -> Value {
    let statistics = object(&[
        ("resource", a("string")),
        ("instance", a("string")),
        ("count", a("integer")),
        ("mean_ns", maybe("number")),
        ("spread_ns", maybe("number")),
        ("drift_ns_per_hour", maybe("number")),
        ("samples", list(&a("array"))),
    ]);
    object(&[("node", component("Node")), ("recent", list(&statistics))])
}

/// How many of a node's clocks are shown.
const MOST_CLOCKS: usize = 40;

pub(super) async fn history(reach: &Reach, wanted: History) -> Result<Answer, Refusal> {
    let path = ["api", "v1", "nodes", &wanted.node];
    let mut node = reach.source.get(&path, &[]).await?;
    if let Some(clocks) = node["clocks"].as_array_mut() {
        *clocks = fit(std::mem::take(clocks).into_iter().take(MOST_CLOCKS)).0;
    }
    let path = ["api", "v1", "nodes", &wanted.node, "samples"];
    let recent = items(reach.source.get(&path, &[("limit", "8")]).await?);
    let recent: Vec<_> = recent.into_iter().map(statistics).collect();
    let quotes = node["clocks"].as_array().into_iter().flatten().map(|clock| {
        format!(
            "{} {} {} since {}",
            text(clock, "resource"),
            text(clock, "instance"),
            text(clock, "state"),
            text(clock, "since"),
        )
    });
    Ok(Answer {
        says: format!("State {}, role {}.", text(&node, "state"), text(&node, "role")),
        quotes: quotes.collect(),
        links: vec![(resources::node(&wanted.node), wanted.node.clone())],
        data: json!({"node": node, "recent": recent}),
    })
}

/// Mean, spread and drift of a clock's latest offsets, by least squares over time.
fn statistics(mut clock: Value) -> Value {
    let samples = clock["samples"].as_array().cloned().unwrap_or_default();
    let points: Vec<(f64, f64)> = samples
        .iter()
        .filter_map(|sample| {
            let at: jiff::Timestamp = sample[0].as_str()?.parse().ok()?;
            Some((at.as_nanosecond() as f64 / 3.6e12, sample[1].as_f64()?))
        })
        .collect();
    let count = points.len() as f64;
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / count;
    let (at, level) = (mean(&|p| p.0), mean(&|p| p.1));
    let over_time = mean(&|p| (p.0 - at).powi(2));
    let spread = mean(&|p| (p.1 - level).powi(2)).sqrt();
    let drift = mean(&|p| (p.0 - at) * (p.1 - level)) / over_time;
    // What is no number, without enough samples, becomes null.
    clock["count"] = points.len().into();
    clock["mean_ns"] = json!(level);
    clock["spread_ns"] = json!(spread);
    clock["drift_ns_per_hour"] = json!(drift);
    clock
}

/// Whose blind windows are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Blind {
    /// Only of this node
    node: Option<String>,
    /// How many at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

pub(super) async fn blind(reach: &Reach, wanted: Blind) -> Result<Answer, Refusal> {
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    let (limit, cursor) = (part.limit().to_string(), part.cursor()?.to_string());
    let mut query = vec![("limit", limit.as_str()), ("cursor", cursor.as_str())];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let found = reach.source.get(&["api", "v1", "blind-windows"], &query).await?;
    let next = found["next_cursor"].as_str().map(str::to_owned);
    let (windows, cut) = fit(items(found).into_iter());
    let next = if cut { Some((part.cursor()? + windows.len()).to_string()) } else { next };
    let quotes = windows.iter().map(|window| {
        format!(
            "{} from {} to {}: {}",
            text(window, "node"),
            text(window, "from"),
            window["to"].as_str().unwrap_or("now"),
            text(window, "why"),
        )
    });
    Ok(Answer {
        says: format!("{} blind windows, newest first.", windows.len()),
        quotes: quotes.collect(),
        data: with_cursor(json!({ "windows": windows }), next),
        links: Vec::new(),
    })
}

/// Which nodes are compared.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Compare {
    /// Two to eight nodes
    #[schemars(length(min = 2, max = 8))]
    nodes: Vec<String>,
}

pub(super) fn compare_schema() -> Value {
    object(&[
        ("nodes", list(&component("Node"))),
        ("incidents", list(&super::incidents::row_schema())),
        ("shared", list(&a("string"))),
    ])
}

pub(super) async fn compare(reach: &Reach, wanted: Compare) -> Result<Answer, Refusal> {
    if !(2..=8).contains(&wanted.nodes.len()) {
        return Err(Refusal::Arguments("`nodes` must name two to eight nodes".to_owned()));
    }
    let mut nodes = Vec::new();
    let mut incidents: Vec<Value> = Vec::new();
    let mut times = std::collections::BTreeMap::<String, usize>::new();
    for name in &wanted.nodes {
        let mut node = reach.source.get(&["api", "v1", "nodes", name], &[]).await?;
        for clock in node["clocks"].as_array_mut().into_iter().flatten() {
            if let Some(clock) = clock.as_object_mut() {
                // get_clock_history has it.
                clock.remove("history");
            }
        }
        nodes.push(node);
        let query = [("node", name.as_str()), ("status", "firing"), ("limit", "20")];
        for incident in items(reach.source.get(&["api", "v1", "incidents"], &query).await?) {
            let id = text(&incident, "id").to_owned();
            let seen = times.entry(id).or_default();
            if *seen == 0 {
                incidents.push(super::incidents::row(&incident));
            }
            *seen += 1;
        }
    }
    let shared = times.iter().filter(|(_, n)| **n == wanted.nodes.len()).map(|(id, _)| id);
    let shared: Vec<_> = shared.collect();
    let quotes = nodes.iter().map(|node| {
        format!("{} {} {}", text(node, "node"), text(node, "state"), text(node, "role"))
    });
    Ok(Answer {
        says: format!(
            "{} nodes, {} firing incidents, {} of them on all.",
            nodes.len(),
            incidents.len(),
            shared.len()
        ),
        quotes: quotes.collect(),
        data: json!({"nodes": nodes, "incidents": incidents, "shared": shared}),
        links: Vec::new(),
    })
}

/// Which events are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Events {
    /// Only of this node
    node: Option<String>,
    /// How many events at most; 20 unless given, 200 at most
    limit: Option<usize>,
}

pub(super) fn events_schema() -> Value {
    object(&[("events", list(&component("JournalEntry"))), ("more", a("boolean"))])
}

fn told(events: Vec<Value>, how: &str) -> Answer {
    let (events, cut) = fit(events.into_iter());
    let quotes = events.iter().map(|entry| {
        let event = &entry["event"];
        let note = text(entry, "note");
        format!(
            "{} {} {note}{}",
            text(entry, "received"),
            text(event, "type"),
            event["data"]["values"]
        )
    });
    Answer {
        says: format!("{} entries of the journal, {how}.", events.len()),
        quotes: quotes.collect(),
        data: json!({"events": events, "more": cut}),
        links: Vec::new(),
    }
}

pub(super) async fn events(reach: &Reach, wanted: Events) -> Result<Answer, Refusal> {
    let limit = Part { limit: wanted.limit, cursor: None }.limit().to_string();
    let mut query = vec![("newest", "true"), ("limit", limit.as_str())];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let found = reach.source.get(&["api", "v1", "events"], &query).await?;
    Ok(told(items(found), "newest first"))
}

/// For how long events are watched.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Watch {
    /// How many seconds; 5 unless given, 20 at most
    #[schemars(range(max = 20))]
    seconds: Option<u64>,
}

pub(super) async fn watch(reach: &Reach, wanted: Watch) -> Result<Answer, Refusal> {
    let latest = [("newest", "true"), ("limit", "1")];
    let latest = items(reach.source.get(&["api", "v1", "events"], &latest).await?);
    let after = latest.first().and_then(|entry| entry["seq"].as_i64()).unwrap_or(0).to_string();
    let seconds = wanted.seconds.unwrap_or(5).min(20);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let query = [("cursor", after.as_str()), ("limit", "200")];
    let found = reach.source.get(&["api", "v1", "events"], &query).await?;
    Ok(told(items(found), &format!("received within {seconds} s, oldest first")))
}

/// Where issues are looked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Diagnose {
    /// Only this node
    node: Option<String>,
}

pub(super) fn diagnose_schema() -> Value {
    object(&[
        ("incidents", list(&super::incidents::row_schema())),
        ("to_do", list(&a("string"))),
        ("blind", list(&component("BlindWindow"))),
        ("conditions", list(&a("object"))),
        ("more", a("boolean")),
    ])
}

pub(super) async fn check_now(reach: &Reach, _: Nothing) -> Result<Answer, Refusal> {
    diagnose(reach, Diagnose { node: None }).await
}

pub(super) async fn diagnose(reach: &Reach, wanted: Diagnose) -> Result<Answer, Refusal> {
    let mut query = vec![("status", "firing"), ("limit", "200")];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let mut firing = items(reach.source.get(&["api", "v1", "incidents"], &query).await?);
    let rank = |incident: &Value| match text(incident, "severity") {
        "CRITICAL" => 0,
        "WARNING" => 1,
        _ => 2,
    };
    firing.sort_by_key(rank);
    let (rows, more) = fit(firing.iter().map(super::incidents::row));
    let to_do = firing.iter().take(rows.len().min(20)).filter_map(|incident| {
        let first = incident["recommendations"].as_array()?.first()?;
        let command = first["command"].as_str().map(|c| format!(": {c}")).unwrap_or_default();
        Some(format!("{}: {}{command}", text(incident, "id"), text(first, "action")))
    });
    let to_do: Vec<_> = to_do.collect();
    let mut query = vec![("limit", "200")];
    query.extend(wanted.node.as_deref().map(|node| ("node", node)));
    let blind = items(reach.source.get(&["api", "v1", "blind-windows"], &query).await?);
    let blind: Vec<_> = blind.into_iter().filter(|w| w["to"].is_null()).take(50).collect();
    let fleet = reach.source.get(&["api", "v1", "fleet"], &[]).await?;
    let conditions: Vec<_> = fleet["conditions"].as_array().cloned().unwrap_or_default();
    let mut quotes: Vec<_> = conditions
        .iter()
        .map(|c| format!("the agent cannot do its work: {}: {}", text(c, "name"), text(c, "why")))
        .collect();
    quotes.extend(rows.iter().map(super::incidents::line));
    let hindered = match conditions.len() {
        0 => String::new(),
        count => format!(
            " What follows may be incomplete: {count} conditions keep the agent from its work."
        ),
    };
    quotes.extend(to_do.iter().map(|line| format!("to do: {line}")));
    Ok(Answer {
        says: format!(
            "{} incidents fire, worst first; {} nodes cannot be observed.{hindered}",
            rows.len(),
            blind.len()
        ),
        quotes,
        data: json!({
            "incidents": rows, "to_do": to_do, "blind": blind,
            "conditions": conditions, "more": more,
        }),
        links: Vec::new(),
    })
}
