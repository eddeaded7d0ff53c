//! A recording that was given, diagnosed with the engine that watches the fleet.

use std::time::Duration;

use ptp_diagnostics::{Engine, Settings};
use ptp_events::NodeName;
use ptp_events::recording::{Reader, Recorded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::{IncidentLine, count};
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// The longest recording that is taken, in bytes.
const LONGEST: usize = 1 << 20;
/// How much time passes after the last event, unless asked otherwise, and at most.
const SETTLE_S: u64 = 60;
const MOST_SETTLE_S: u64 = 604_800;
/// How many lines that are no events are told, and how many nodes.
const MALFORMED: usize = 20;
const NODES: usize = 200;

/// A recording.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    /// The events: JSON Lines, JSON arrays, or a log with events inside; up to 1 MiB
    recording: String,
    /// How many seconds passed after the last event with nothing new; 60 unless given
    #[serde(default)]
    #[schemars(range(max = 604_800))]
    settle_seconds: Option<u64>,
}

/// What a recording shows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Diagnosed {
    /// How many events there are.
    events: usize,
    /// Lines that are no events, and why; at most 20.
    malformed: Vec<String>,
    /// The nodes, as they were at the end.
    nodes: Vec<Node>,
    /// The incidents.
    incidents: Vec<IncidentLine>,
    /// How many alerts people would have been told.
    alerts: usize,
    /// Whether there are more incidents than are listed.
    more: bool,
}

/// A node.
#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    /// Its name.
    node: NodeName,
    /// Its state.
    state: &'static str,
    /// Its part.
    role: &'static str,
}

pub(super) async fn diagnose(
    context: &Context,
    given: Recording,
) -> Result<Answer<Diagnosed>, Refusal> {
    if given.recording.len() > LONGEST {
        return Err(Refusal::Arguments(
            "`recording` must not be longer than 1 MiB; ptp-cli diagnose takes any length".into(),
        ));
    }
    let thresholds = context.thresholds.clone();
    let working = tokio::task::spawn_blocking(move || work(&given, thresholds));
    working.await.map_err(|_| Refusal::NotFound("the recording could not be read".to_owned()))?
}

fn work(given: &Recording, thresholds: Settings) -> Result<Answer<Diagnosed>, Refusal> {
    let mut events: Vec<Recorded> = Vec::new();
    let mut malformed = Vec::new();
    for item in Reader::new(given.recording.as_bytes()) {
        match item {
            Ok(recorded) => events.push(recorded),
            Err(error) if malformed.len() < MALFORMED => malformed.push(ptp_events::chain(&error)),
            Err(_) => {}
        }
    }
    if events.is_empty() {
        let why = malformed.first().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(Refusal::Arguments(format!("there is no event in the recording{why}")));
    }
    events.sort_by_key(Recorded::time);
    let mut engine = Engine::new(thresholds);
    let total = events.len();
    for recorded in events {
        let at = recorded.time();
        engine.handle_evidence(recorded.evidence, at);
    }
    let settle = given.settle_seconds.unwrap_or(SETTLE_S).min(MOST_SETTLE_S);
    engine.end(Duration::from_secs(settle));
    let report = engine.report();
    let end = report.input.last.unwrap_or(ptp_events::Received::from_nanos(0));
    let (incidents, more) = fit(report.incidents.iter().map(|i| IncidentLine::new(i, end)));
    let nodes = report.nodes.iter().take(NODES).map(|node| Node {
        node: node.node.clone(),
        state: node.state.as_str(),
        role: node.role.as_str(),
    });
    let says = format!(
        "{} of {}: {}, {}, {} that are no events.",
        count(total, "event"),
        count(report.nodes.len(), "node"),
        count(report.incidents.len(), "incident"),
        count(report.alerts.len(), "alert"),
        count(malformed.len(), "line"),
    );
    let diagnosed = Diagnosed {
        events: total,
        malformed,
        nodes: nodes.collect(),
        incidents,
        alerts: report.alerts.len(),
        more,
    };
    Ok(Answer::new(says, diagnosed))
}
