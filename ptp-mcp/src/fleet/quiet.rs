//! Why nothing fires on a node.

use ptp_api::{NodeQuiet, Nothing, Silence};
use ptp_diagnostics::report::quiet::WatchedClock;
use ptp_diagnostics::text::{lasting, moment};
use ptp_diagnostics::{NodeState, Severity};
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::Window;
use crate::answers::{IncidentLine, acts, count};
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Refusal};

/// Which node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfNode {
    /// The node's name
    node: String,
}

/// What is seen of a node, and what is near to firing.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct WhyQuiet {
    /// The node.
    node: NodeName,
    /// As of when.
    at: Received,
    /// Its state.
    state: NodeState,
    /// Since when.
    since: Received,
    /// The last word of it.
    last_heard: Received,
    /// Its clocks: state, changes lately and how many are a finding, offset and its limit, and which findings fire.
    clocks: Vec<Clock>,
    /// Findings that fire unless something changes: which, of which clock, when, and what it is.
    near_firing: Vec<Near>,
    /// What is not held against a clock, and why.
    excused: Vec<String>,
    /// Incidents that fire on it.
    incidents: Vec<IncidentLine>,
    /// The latest incident that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_resolved: Option<IncidentLine>,
    /// Silences that cover it: incidents are there, and nobody is told.
    silences: Vec<Silence>,
    /// When it could not be observed, newest first.
    blind_windows: Vec<Window>,
}

/// A clock.
#[derive(Debug, Serialize, JsonSchema)]
struct Clock {
    /// Its kind and which one.
    clock: String,
    /// Its state.
    state: Option<String>,
    /// Since when.
    since: Option<Received>,
    /// How often its state changed within `changes_window`.
    changes: u32,
    /// More than so many are a finding.
    changes_limit: u32,
    /// Within which time.
    changes_window: String,
    /// Its latest offset, in nanoseconds.
    offset_ns: Option<i64>,
    /// Over this an offset is a finding when it stays.
    offset_limit_ns: u64,
    /// Findings that fire.
    firing: Vec<String>,
}

/// A finding that is near.
#[derive(Debug, Serialize, JsonSchema)]
struct Near {
    /// Which.
    code: String,
    /// Of which clock; the node as a whole otherwise.
    clock: String,
    /// When it fires, or is judged again, if all stays as it is.
    at: Received,
    /// In how long that is.
    within: String,
    /// What it is.
    what: String,
}

pub(super) async fn why(context: &Context, wanted: OfNode) -> Result<Answer<WhyQuiet>, Refusal> {
    let found = context.agent()?.quiet(&wanted.node, &Nothing {}).await?;
    let link = (resources::node(&wanted.node), wanted.node);
    let says = says(&found);
    Ok(Answer::new(says, shown(found)).linked([link]))
}

fn name(clock: &WatchedClock) -> String {
    format!("{} {}", clock.resource, clock.instance).trim().to_owned()
}

fn says(found: &NodeQuiet) -> String {
    let NodeQuiet { quiet, incidents, silences, .. } = found;
    let state = format!("{} since {}", quiet.state.as_str(), moment(quiet.since));
    if quiet.left {
        return format!("{} left the cluster; nothing is found on a node that left.", quiet.node);
    }
    if let Some(blind) = &quiet.blind {
        return format!(
            "{} cannot be observed since {} ({}): that nothing else fires says nothing.",
            quiet.node,
            moment(blind.from),
            blind.why
        );
    }
    let loud = incidents.iter().filter(|incident| incident.severity > Severity::Info).count();
    let silenced = match (silences.len(), loud) {
        (0, _) | (_, 0) => String::new(),
        (many, _) => format!(" {} people from being told.", acts(many, "silence", "keep")),
    };
    if !incidents.is_empty() {
        let noted = if loud == 0 { ", all of severity INFO, of which nobody is told" } else { "" };
        return format!("{state}; {}{noted}.{silenced}", acts(incidents.len(), "incident", "fire"));
    }
    let clocks = || quiet.clocks.iter();
    let near = clocks().map(|clock| clock.waiting.len()).sum::<usize>() + quiet.waiting.len();
    let excused = clocks().filter(|clock| !clock.excused.is_empty()).count();
    let flaps = clocks().filter(|clock| clock.changes > 0).max_by_key(|clock| clock.changes);
    let mut says = vec![format!("{state}; nothing fires.")];
    if let Some(clock) = flaps {
        let window = std::time::Duration::from_secs(clock.changes_window_s);
        says.push(format!(
            "{} changed {} within {}; more than {} are a finding.",
            name(clock),
            count(clock.changes as usize, "time"),
            lasting(window),
            clock.changes_limit
        ));
    }
    says.push(match near {
        0 => "No finding is waiting to fire.".to_owned(),
        near => format!("{} would fire if all stays as it is.", count(near, "finding")),
    });
    if excused > 0 {
        says.push(format!("What {} does is not held against it.", count(excused, "clock")));
    }
    says.join(" ")
}

fn shown(found: NodeQuiet) -> WhyQuiet {
    let NodeQuiet { quiet, incidents, last_resolved, silences, blind_windows, .. } = found;
    let now = quiet.at;
    let mut near = Vec::new();
    let mut excused = Vec::new();
    let mut all = |of: &str, waiting: Vec<ptp_diagnostics::report::quiet::Waiting>| {
        near.extend(waiting.into_iter().map(|waiting| Near {
            code: waiting.code.into_owned(),
            clock: of.to_owned(),
            at: waiting.at,
            within: lasting(waiting.at.since(now)),
            what: waiting.summary.into_owned(),
        }));
    };
    all("node", quiet.waiting);
    let clocks = quiet.clocks.into_iter().map(|clock| {
        let name = name(&clock);
        all(&name, clock.waiting);
        excused.extend(clock.excused.into_iter().map(|why| format!("{name}: {why}")));
        Clock {
            state: clock.state.map(|state| state.as_str().to_owned()),
            since: clock.since,
            changes: clock.changes,
            changes_limit: clock.changes_limit,
            changes_window: lasting(std::time::Duration::from_secs(clock.changes_window_s)),
            offset_ns: clock.offset_ns,
            offset_limit_ns: clock.offset_limit_ns,
            firing: clock.firing.into_iter().map(Into::into).collect(),
            clock: name,
        }
    });
    let clocks = clocks.collect();
    near.sort_by_key(|near| near.at);
    WhyQuiet {
        node: quiet.node,
        at: now,
        state: quiet.state,
        since: quiet.since,
        last_heard: quiet.last_heard,
        clocks,
        near_firing: near,
        excused,
        incidents: incidents.iter().map(|i| IncidentLine::new(i, now)).collect(),
        last_resolved: last_resolved.map(|i| IncidentLine::new(&i, now)),
        silences,
        blind_windows: blind_windows.iter().map(|window| Window::new(window, now)).collect(),
    }
}
