//! A recording that was given, diagnosed with the engine that watches the fleet.

use std::time::Duration;

use ptp_diagnostics::Engine;
use ptp_events::recording::{Reader, Recorded};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Reach;
use super::super::tool::{Answer, Refusal, fit};
use super::{a, list, object};

/// The longest recording that is taken, in bytes.
const LONGEST: usize = 1 << 20;
/// How much time passes after the last event, unless asked otherwise.
const SETTLE_S: u64 = 60;

/// A recording.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Recording {
    /// The events: JSON Lines, JSON arrays, or a log with events inside; up to 1 MiB
    recording: String,
    /// How many seconds passed after the last event with nothing new; 60 unless given
    #[schemars(range(max = 604_800))]
    settle_seconds: Option<u64>,
}

pub(super) fn schema() -> Value {
    object(&[
        ("events", a("integer")),
        ("malformed", list(&a("string"))),
        ("nodes", list(&a("object"))),
        ("incidents", list(&super::incidents::row_schema())),
        ("alerts", a("integer")),
        ("more", a("boolean")),
    ])
}

pub(super) async fn diagnose(reach: &Reach, given: Recording) -> Result<Answer, Refusal> {
    if given.recording.len() > LONGEST {
        return Err(Refusal::Arguments(
            "`recording` must not be longer than 1 MiB; ptp-cli diagnose takes any length".into(),
        ));
    }
    let thresholds = reach.thresholds.clone();
    let working = tokio::task::spawn_blocking(move || work(&given, thresholds));
    working.await.map_err(|_| Refusal::NotFound("the recording could not be read".to_owned()))?
}

fn work(given: &Recording, thresholds: ptp_diagnostics::Settings) -> Result<Answer, Refusal> {
    let mut events: Vec<Recorded> = Vec::new();
    let mut malformed = Vec::new();
    for item in Reader::new(given.recording.as_bytes()) {
        match item {
            Ok(recorded) => events.push(recorded),
            Err(error) if malformed.len() < 20 => malformed.push(crate::store::chain(&error)),
            Err(_) => {}
        }
    }
    if events.is_empty() {
        let why = malformed.first().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(Refusal::Arguments(format!("there is no event in the recording{why}")));
    }
    events.sort_by_key(Recorded::time);
    let mut engine = Engine::new(thresholds);
    let count = events.len();
    for recorded in events {
        let at = recorded.time();
        engine.handle_evidence(recorded.evidence, at);
    }
    let settle = given.settle_seconds.unwrap_or(SETTLE_S).min(604_800);
    engine.end(Duration::from_secs(settle));
    let report = engine.report();
    let incidents = report
        .incidents
        .iter()
        .map(|incident| super::incidents::row(&serde_json::to_value(incident).unwrap_or_default()));
    let (incidents, cut) = fit(incidents);
    let nodes = report.nodes.iter().map(
        |node| json!({"node": node.node, "state": node.state.as_str(), "role": node.role.as_str()}),
    );
    let (nodes, _) = fit(nodes.take(200));
    Ok(Answer {
        says: format!(
            "{count} events of {} nodes: {} incidents, {} alerts, {} lines that are no events.",
            report.nodes.len(),
            report.incidents.len(),
            report.alerts.len(),
            malformed.len()
        ),
        quotes: incidents.iter().map(super::incidents::line).collect(),
        data: json!({
            "events": count, "malformed": malformed, "nodes": nodes, "incidents": incidents,
            "alerts": report.alerts.len(), "more": cut,
        }),
        links: Vec::new(),
    })
}
