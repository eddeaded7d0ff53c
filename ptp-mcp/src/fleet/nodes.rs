//! Nodes, summed up and side by side, and when they could not be observed.

use std::collections::BTreeMap;

use ptp_api::{BlindQuery, IncidentsQuery, Listed, NodeSummary, Nothing, SummaryQuery};
use ptp_diagnostics::report::{BlindWindow, ClockReport, NodeReport, OffsetReport};
use ptp_diagnostics::text::lasting;
use ptp_events::{NodeName, Received, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::{IncidentLine, acts, count};
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Part, Refusal};

/// Whose summary is wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SummaryOf {
    /// Only this node
    #[serde(rename = "nodeName", alias = "node")]
    node_name: Option<String>,
    /// Only nodes of this part: t-gm, t-bc, t-tsc or unknown
    role: Option<String>,
    /// How many nodes at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// Nodes, each in a line.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Summaries {
    /// How many there are in all.
    count: usize,
    /// The nodes, by name. `availability` is the share of the known time that a node was LOCKED, from 0 to 1:
    /// blind time is in neither.
    nodes: Vec<Summary>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A node in a line.
#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    /// Its name.
    node: String,
    /// LOCKED, HOLDOVER, FREERUN, or UNKNOWN: it cannot be observed.
    latest_state: String,
    /// Its part in the timing domain.
    role: String,
    /// The share of the known time that it was LOCKED, from 0 to 1.
    availability: Option<f64>,
    /// How many events it sent.
    total_events: u64,
    /// The incidents on it that fire, by id.
    incidents: Vec<String>,
}

pub(super) async fn summary(
    context: &Context,
    wanted: SummaryOf,
) -> Result<Answer<Summaries>, Refusal> {
    let query = SummaryQuery { node: wanted.node_name.clone() };
    let mut found: BTreeMap<String, NodeSummary> = context.agent()?.summary(&query).await?;
    if let (true, Some(name)) = (found.is_empty(), &wanted.node_name) {
        let why = format!("there is no node `{name}`; get_agent_summary lists all of them");
        return Err(Refusal::NotFound(why));
    }
    found.retain(|_, node| wanted.role.as_ref().is_none_or(|role| node.role == *role));
    let all = found.into_iter().map(|(node, summary)| Summary {
        node,
        latest_state: summary.latest_state,
        role: summary.role,
        availability: summary.availability,
        total_events: summary.total_events,
        incidents: summary.incidents,
    });
    let all: Vec<_> = all.collect();
    let total = all.len();
    let not_locked = all.iter().filter(|node| node.latest_state != "LOCKED").count();
    let (nodes, next_cursor) = Part { limit: wanted.limit, cursor: wanted.cursor }.of(all)?;
    let links: Vec<_> =
        nodes.iter().map(|node| (resources::node(&node.node), node.node.clone())).collect();
    let says = format!("{}, {not_locked} of them not LOCKED.", count(total, "node"));
    Ok(Answer::new(says, Summaries { count: total, nodes, next_cursor }).linked(links))
}

/// A stretch in which a node could not be observed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Window {
    /// Where.
    pub(crate) node: NodeName,
    /// Since when.
    pub(crate) from: Received,
    /// Until when; absent while it lasts.
    pub(crate) to: Option<Received>,
    /// How long it lasted, or has lasted.
    pub(crate) lasted: String,
    /// Why.
    pub(crate) why: String,
}

impl Window {
    pub(crate) fn new(window: &BlindWindow, now: Received) -> Self {
        Self {
            node: window.node.clone(),
            from: window.from,
            to: window.to,
            lasted: lasting(window.to.unwrap_or(now).since(window.from)),
            why: window.why.clone(),
        }
    }
}

/// Whose blind windows are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Blind {
    /// Only of this node
    node: Option<String>,
    /// Only those that were not over by then: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
    since: Option<String>,
    /// How many at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// When nodes could not be observed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct BlindList {
    /// The windows, newest first.
    windows: Vec<Window>,
    /// How many there are in all.
    total: usize,
    /// What can have been missed in them.
    what_is_missed: &'static str,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Source: O-RAN.WG6.O-Cloud Notification API v04.00, §5.3 (a subscriber is told the current state; nothing
/// that was missed is sent again), docs/protocol.md §4.
const MISSED: &str = "A publisher sends what it could not deliver never again; when it can be reached it tells the \
    present state. So whatever began and ended within a window is lost, what lasts beyond it is found afterwards, with \
    the window's end as the time of the first word. ptp4l's own log on the node has all of it (get_daemon_logs).";

pub(super) async fn blind(context: &Context, wanted: Blind) -> Result<Answer<BlindList>, Refusal> {
    let agent = context.agent()?;
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    let query = BlindQuery {
        node: wanted.node,
        since: wanted.since,
        limit: Some(part.limit()),
        cursor: part.cursor.clone(),
    };
    let now = agent.fleet(&Nothing {}).await?.at;
    let Listed { items, next_cursor, total } = agent.blind_windows(&query).await?;
    let windows = items.iter().map(|window| Window::new(window, now)).collect();
    let (windows, next_cursor) = part.of_page::<Window>(windows, next_cursor)?;
    let total = total.unwrap_or(windows.len());
    let says = match total {
        0 => "There is no time in which a node could not be observed.".to_owned(),
        total => format!(
            "{}, newest first; what began and ended within one is lost.",
            count(total, "blind window")
        ),
    };
    Ok(Answer::new(says, BlindList { windows, total, what_is_missed: MISSED, next_cursor }))
}

/// Which nodes are compared.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Compare {
    /// Two to eight nodes
    #[schemars(length(min = 2, max = 8))]
    nodes: Vec<String>,
}

/// Nodes side by side.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Comparison {
    /// A node in a line.
    nodes: Vec<Compared>,
    /// Their clocks, in a line each.
    clocks: Vec<ComparedClock>,
    /// The incidents that fire on any of them.
    incidents: Vec<IncidentLine>,
    /// The ids of those that fire on all of them.
    shared: Vec<String>,
}

/// A node.
#[derive(Debug, Serialize, JsonSchema)]
struct Compared {
    /// Its name.
    node: NodeName,
    /// Its state.
    state: &'static str,
    /// Its part.
    role: &'static str,
    /// The share of the known time that it was LOCKED, from 0 to 1.
    availability: Option<f64>,
    /// Seconds in which nothing was known.
    unknown_s: f64,
    /// The class it announces.
    clock_class: Option<u8>,
    /// Whom it follows, as the topology says.
    follows: Vec<NodeName>,
    /// How many events it sent.
    events: u64,
    /// How often the states of its clocks changed, all of them together.
    clock_changes: u64,
    /// Incidents that fire on it, by id.
    incidents: Vec<String>,
}

/// A clock.
#[derive(Debug, Serialize, JsonSchema)]
struct ComparedClock {
    /// Its kind.
    resource: Resource,
    /// The node.
    node: NodeName,
    /// Which one.
    instance: String,
    /// Its state.
    state: Option<String>,
    /// Since when.
    since: Option<Received>,
    /// How often it changed.
    changes: u64,
    /// The latest offset, in nanoseconds.
    offset_last_ns: Option<i64>,
    /// The least.
    offset_min_ns: Option<i64>,
    /// The greatest.
    offset_max_ns: Option<i64>,
    /// The mean.
    offset_mean_ns: Option<i64>,
}

impl ComparedClock {
    fn new(node: &NodeReport, clock: &ClockReport) -> Self {
        let offset = |of: fn(OffsetReport) -> i64| clock.offset_ns.map(of);
        Self {
            resource: clock.resource.clone(),
            node: node.node.clone(),
            instance: clock.instance.to_string(),
            state: clock.state.as_ref().map(|state| state.as_str().to_owned()),
            since: clock.since,
            changes: clock.changes,
            offset_last_ns: offset(|offset| offset.last),
            offset_min_ns: offset(|offset| offset.min),
            offset_max_ns: offset(|offset| offset.max),
            offset_mean_ns: offset(|offset| offset.mean),
        }
    }
}

pub(super) async fn compare(
    context: &Context,
    wanted: Compare,
) -> Result<Answer<Comparison>, Refusal> {
    if !(2..=8).contains(&wanted.nodes.len()) {
        return Err(Refusal::Arguments("`nodes` must name two to eight nodes".to_owned()));
    }
    let agent = context.agent()?;
    let now = agent.fleet(&Nothing {}).await?.at;
    let (mut nodes, mut clocks, mut incidents) = (Vec::new(), Vec::new(), Vec::new());
    let mut times = BTreeMap::<String, usize>::new();
    for name in &wanted.nodes {
        let node = agent.node(name, &Nothing {}).await?;
        let query = IncidentsQuery {
            node: Some(name.clone()),
            status: Some("firing".to_owned()),
            limit: Some(20),
            ..IncidentsQuery::default()
        };
        let firing = agent.incidents(&query).await?.items;
        for incident in &firing {
            let seen = times.entry(incident.id.clone()).or_default();
            if *seen == 0 {
                incidents.push(IncidentLine::new(incident, now));
            }
            *seen += 1;
        }
        clocks.extend(node.clocks.iter().map(|clock| ComparedClock::new(&node, clock)));
        nodes.push(Compared {
            state: node.state.as_str(),
            role: node.role.as_str(),
            availability: node.availability,
            unknown_s: node.time_in_state_s.unknown,
            clock_class: node.clocks.iter().find_map(|clock| clock.clock_class).map(|c| c.0),
            follows: node.follows.clone(),
            events: node.events,
            clock_changes: node.clocks.iter().map(|clock| clock.changes).sum(),
            incidents: firing.into_iter().map(|incident| incident.id).collect(),
            node: node.node,
        });
    }
    // Those of one kind stand together.
    clocks.sort_by(|a, b| a.resource.cmp(&b.resource));
    let shared = times.iter().filter(|(_, n)| **n == wanted.nodes.len()).map(|(id, _)| id.clone());
    let shared: Vec<_> = shared.collect();
    let says = format!(
        "{}; {}, {} on all of them.",
        count(nodes.len(), "node"),
        acts(incidents.len(), "incident", "fire"),
        shared.len()
    );
    Ok(Answer::new(says, Comparison { nodes, clocks, incidents, shared }))
}
