//! What is wrong now, and what changed.

use std::cmp::Reverse;

use ptp_api::{
    AlertsQuery, BlindQuery, Condition, Fleet, IncidentsQuery, Listed, Nothing, PageQuery, Silence,
};
use ptp_diagnostics::Status;
use ptp_diagnostics::report::{BlindWindow, IncidentReport};
use ptp_events::Received;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::incidents::ForecastLine;
use super::nodes::Window;
use crate::answers::{IncidentLine, acts, count};
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Refusal, fit};

/// How many incidents, and windows, are asked for at most.
const MOST: usize = 200;
/// For how many incidents it is said what to do.
const TO_DO: usize = 10;
/// How many incidents, and windows, of a stretch of time are listed.
const LISTED: usize = 40;

pub(super) async fn overview(context: &Context, _: Nothing) -> Result<Answer<Fleet>, Refusal> {
    let fleet = context.agent()?.fleet(&Nothing {}).await?;
    let firing: usize = fleet.firing.values().sum();
    let says = format!(
        "{}, {} of them not LOCKED, {} that cannot be observed; {}. {}",
        count(fleet.nodes, "node"),
        fleet.not_locked.len(),
        fleet.blind,
        acts(firing, "incident", "fire"),
        hindered(&fleet.conditions),
    );
    Ok(Answer::new(says, fleet).linked([(resources::FLEET.to_owned(), "fleet".to_owned())]))
}

fn hindered(conditions: &[Condition]) -> String {
    match conditions.len() {
        0 => "Nothing keeps the agent from its work.".to_owned(),
        many => format!(
            "What follows may be incomplete: {} the agent from its work.",
            acts(many, "condition", "keep")
        ),
    }
}

/// Where issues are looked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnose {
    /// Only this node
    #[serde(default)]
    node: Option<String>,
}

/// What is wrong now.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Issues {
    /// As of when.
    at: Received,
    /// What fires, worst first.
    incidents: Vec<IncidentLine>,
    /// What to do first for each of them: id, action and command.
    to_do: Vec<String>,
    /// Nodes that cannot be observed now: nothing is known of them.
    blind: Vec<Window>,
    /// What keeps the agent from its work.
    conditions: Vec<Condition>,
    /// How many incidents fire.
    total: usize,
    /// Whether some are left out; `list_incidents` has them.
    more: bool,
}

pub(super) async fn diagnose(
    context: &Context,
    wanted: Diagnose,
) -> Result<Answer<Issues>, Refusal> {
    let agent = context.agent()?;
    let query = IncidentsQuery {
        status: Some("firing".to_owned()),
        node: wanted.node.clone(),
        limit: Some(MOST),
        ..IncidentsQuery::default()
    };
    let Listed { items: mut firing, next_cursor, .. } = agent.incidents(&query).await?;
    let fleet = agent.fleet(&Nothing {}).await?;
    firing.sort_by_key(|incident| urgency(incident, fleet.at));
    let (incidents, cut) = fit(firing.iter().map(|i| IncidentLine::new(i, fleet.at)));
    let to_do = firing.iter().take(TO_DO).filter_map(first_action).collect();
    let query = BlindQuery { node: wanted.node, limit: Some(MOST), ..BlindQuery::default() };
    let blind = agent.blind_windows(&query).await?.items;
    let open = blind.iter().filter(|window| window.to.is_none()).take(LISTED);
    let blind: Vec<_> = open.map(|window| Window::new(window, fleet.at)).collect();
    let says = format!(
        "{}, worst first; {} cannot be observed. {}",
        acts(firing.len(), "incident", "fire"),
        count(blind.len(), "node"),
        hindered(&fleet.conditions),
    );
    let links: Vec<_> = incidents.iter().map(IncidentLine::link).collect();
    let issues = Issues {
        at: fleet.at,
        total: firing.len(),
        more: cut || next_cursor.is_some(),
        incidents,
        to_do,
        blind,
        conditions: fleet.conditions,
    };
    Ok(Answer::new(says, issues).linked(links))
}

/// What is worse comes first: by severity; then what is out of its limit already, before what has time left;
/// then what is felt on more nodes; then what is newer.
fn urgency(incident: &IncidentReport, now: Received) -> impl Ord + use<> {
    let has_time = incident.forecast.as_ref().is_some_and(|forecast| forecast.at > now);
    let (affected, opened) = (incident.affected_nodes.len(), incident.opened_at);
    (Reverse(incident.severity), has_time, Reverse(affected), Reverse(opened))
}

fn first_action(incident: &IncidentReport) -> Option<String> {
    let first = incident.recommendations.first()?;
    Some(format!("{}: {}", incident.id, first.in_one_line()))
}

/// Since when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    /// Since when: 8h (ago), 22:00, yesterday (in UTC), or RFC 3339
    since: String,
    /// Only about this node
    #[serde(default)]
    node: Option<String>,
}

/// What changed in a stretch of time, and what goes on.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Changed {
    /// Since when.
    since: Received,
    /// As of when.
    at: Received,
    /// Incidents that began in that time, newest first.
    began: Vec<IncidentLine>,
    /// Incidents that ended in that time and began before.
    ended: Vec<IncidentLine>,
    /// Incidents that go on, and began before.
    still_firing: Vec<IncidentLine>,
    /// How many alerts people were told.
    alerts: usize,
    /// How many of them were CRITICAL.
    critical_alerts: usize,
    /// What is expected to reach a limit.
    forecasts: Vec<ForecastLine>,
    /// When nodes could not be observed.
    blind_windows: Vec<Window>,
    /// Silences in force, or planned.
    silences: Vec<Silence>,
    /// What keeps the agent from its work.
    conditions: Vec<Condition>,
    /// Whether there is more of something than is listed.
    more: bool,
}

pub(super) async fn changed(context: &Context, wanted: Since) -> Result<Answer<Changed>, Refusal> {
    let agent = context.agent()?;
    let fleet = agent.fleet(&Nothing {}).await?;
    let at = fleet.at;
    let since = ptp_events::moment(&wanted.since, at, ptp_events::Side::Past);
    let since = since.map_err(|error| Refusal::Arguments(format!("`since`: {error}")))?;
    let query =
        IncidentsQuery { node: wanted.node.clone(), limit: Some(MOST), ..Default::default() };
    let Listed { items, next_cursor, .. } = agent.incidents(&query).await?;
    let line = |incident: &IncidentReport| IncidentLine::new(incident, at);
    let began: Vec<_> = items.iter().filter(|i| i.opened_at >= since).map(line).collect();
    let older = || items.iter().filter(|i| i.opened_at < since);
    let ended = older().filter(|i| i.resolved_at.is_some_and(|over| over >= since));
    let (ended, going_on): (Vec<_>, Vec<_>) = (
        ended.map(line).collect(),
        older().filter(|i| i.status == Status::Firing).map(line).collect(),
    );
    let query = AlertsQuery {
        since: Some(since.to_string()),
        node: wanted.node.clone(),
        limit: Some(1),
        ..AlertsQuery::default()
    };
    let alerts = agent.alerts(&query).await?;
    let query = BlindQuery {
        since: Some(since.to_string()),
        node: wanted.node.clone(),
        limit: Some(MOST),
        ..BlindQuery::default()
    };
    let windows = agent.blind_windows(&query).await?.items;
    let forecasts = super::incidents::lines(agent, wanted.node.as_deref()).await?;
    let query = PageQuery { limit: Some(MOST), cursor: None };
    let silences = agent.silences(&query).await?.items;
    let mut more = next_cursor.is_some();
    let says = format!(
        "Since {}: {} began, {} ended, {} go on from before; {} told ({} CRITICAL); {}. {}",
        ptp_diagnostics::text::moment(since),
        count(began.len(), "incident"),
        ended.len(),
        going_on.len(),
        count(alerts.total, "alert"),
        alerts.critical,
        count(windows.len(), "blind window"),
        hindered(&fleet.conditions),
    );
    let mut first = |mut lines: Vec<IncidentLine>| {
        more |= lines.len() > LISTED;
        lines.truncate(LISTED);
        lines
    };
    let (began, ended, still_firing) = (first(began), first(ended), first(going_on));
    more |= windows.len() > LISTED;
    let window = |window: &BlindWindow| Window::new(window, at);
    let changed = Changed {
        since,
        at,
        began,
        ended,
        still_firing,
        alerts: alerts.total,
        critical_alerts: alerts.critical,
        forecasts,
        blind_windows: windows.iter().take(LISTED).map(window).collect(),
        silences,
        conditions: fleet.conditions,
        more,
    };
    Ok(Answer::new(says, changed))
}
