//! Lists of incidents and forecasts, and the manual.

use ptp_api::{Client, IncidentsQuery, Listed, Nothing};
use ptp_diagnostics::report::Forecast;
use ptp_diagnostics::{BUILT_IN, manual};
use ptp_events::{NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::{IncidentLine, count};
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Part, Refusal};

/// How many nodes of a forecast are named.
const NODES_NAMED: usize = 10;

/// Which incidents are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Incidents {
    /// firing or resolved
    status: Option<String>,
    /// INFO, WARNING or CRITICAL
    severity: Option<String>,
    /// Only those that affect this node
    node: Option<String>,
    /// Only of this root cause, such as gnss-signal-loss
    root_cause: Option<String>,
    /// Only those with this finding, such as process-restart, whatever their root cause
    finding: Option<String>,
    /// Only those that began no earlier: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
    since: Option<String>,
    /// Only those that went on at this time, within two minutes: 14:35, or RFC 3339
    at: Option<String>,
    /// How many incidents at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// Incidents in a line each.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct IncidentList {
    /// The incidents, newest first.
    incidents: Vec<IncidentLine>,
    /// How many there are in all, where that is known: the journal's are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn list(
    context: &Context,
    wanted: Incidents,
) -> Result<Answer<IncidentList>, Refusal> {
    let agent = context.agent()?;
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    let query = IncidentsQuery {
        status: wanted.status,
        severity: wanted.severity,
        node: wanted.node,
        root_cause: wanted.root_cause,
        finding: wanted.finding,
        since: wanted.since,
        at: wanted.at,
        limit: Some(part.limit()),
        cursor: part.cursor.clone(),
    };
    let now = agent.fleet(&Nothing {}).await?.at;
    let Listed { items, next_cursor, total } = agent.incidents(&query).await?;
    let lines = items.iter().map(|incident| IncidentLine::new(incident, now)).collect();
    let (incidents, next_cursor) = part.of_page::<IncidentLine>(lines, next_cursor)?;
    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
    let more = if next_cursor.is_some() { "; more follow, by next_cursor" } else { "" };
    let says = format!("{}{of}, newest first{more}.", count(incidents.len(), "incident"));
    let links: Vec<_> = incidents.iter().map(IncidentLine::link).collect();
    Ok(Answer::new(says, IncidentList { incidents, total, next_cursor }).linked(links))
}

/// Which forecasts are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Forecasts {
    /// Only those that may reach their limit before this time: 06:00, 8h (from now), or RFC 3339
    before: Option<String>,
    /// Only about this node
    node: Option<String>,
    /// How many at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// A forecast in a line.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct ForecastLine {
    /// The incident, by id.
    pub(crate) incident: String,
    /// Where it is felt; ten nodes at most.
    pub(crate) nodes: Vec<NodeName>,
    /// How many nodes those are in all.
    pub(crate) affected: usize,
    /// The time error in question, in nanoseconds.
    pub(crate) limit_ns: u64,
    /// When it is reached, at the median.
    pub(crate) at: Received,
    /// The 10 % bound.
    pub(crate) earliest: Option<Received>,
    /// The 90 % bound.
    pub(crate) latest: Option<Received>,
    /// How many samples it rests on.
    pub(crate) samples: u64,
    /// How it was made.
    pub(crate) model: String,
    /// The same in words.
    pub(crate) rests_on: String,
}

impl ForecastLine {
    pub(crate) fn new(incident: String, nodes: &[NodeName], forecast: &Forecast) -> Self {
        Self {
            incident,
            nodes: nodes.iter().take(NODES_NAMED).cloned().collect(),
            affected: nodes.len(),
            limit_ns: forecast.limit_ns,
            at: forecast.at,
            earliest: forecast.earliest,
            latest: forecast.latest,
            samples: forecast.samples,
            model: forecast.model.clone().into_owned(),
            rests_on: rests_on(forecast),
        }
    }
}

/// What a forecast rests on, in words.
fn rests_on(forecast: &Forecast) -> String {
    let samples = count(usize::try_from(forecast.samples).unwrap_or(usize::MAX), "offset");
    match &*forecast.model {
        "linear" => format!("a constant frequency error, fitted to {samples} measured in holdover"),
        "quadratic" => format!(
            "a frequency error that drifts (ageing, temperature), fitted to {samples} measured in holdover"
        ),
        "measured" => "the limit is reached already: that was measured".to_owned(),
        "declared" => {
            "the holdover time that the topology file declares for the node; no samples".to_owned()
        }
        "default" => {
            "the holdover time assumed for a clock of its kind; no samples, so the bounds are wide"
                .to_owned()
        }
        other => format!("the model `{other}` and {samples}"),
    }
}

/// Forecasts, soonest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ForecastList {
    /// How many there are in all.
    count: usize,
    /// The forecasts.
    forecasts: Vec<ForecastLine>,
    /// Nodes that will be off with it, though they stay LOCKED: who follows the node that the first forecast
    /// is about.
    followers: Vec<NodeName>,
    /// What followers will report.
    #[serde(skip_serializing_if = "Option::is_none")]
    followers_note: Option<String>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// All forecasts, or those of a node, soonest first.
pub(super) async fn lines(
    agent: &Client,
    node: Option<&str>,
) -> Result<Vec<ForecastLine>, Refusal> {
    let mut found = agent.forecasts(&Nothing {}).await?.items;
    found.retain(|entry| node.is_none_or(|node| entry.nodes.iter().any(|n| n.as_str() == node)));
    found.sort_by_key(|entry| entry.forecast.at);
    let line = |e: ptp_api::IncidentForecast| ForecastLine::new(e.incident, &e.nodes, &e.forecast);
    Ok(found.into_iter().map(line).collect())
}

pub(super) async fn forecasts(
    context: &Context,
    wanted: Forecasts,
) -> Result<Answer<ForecastList>, Refusal> {
    let agent = context.agent()?;
    let mut found = lines(agent, wanted.node.as_deref()).await?;
    if let Some(before) = &wanted.before {
        let now = agent.fleet(&Nothing {}).await?.at;
        let before = ptp_events::moment(before, now, ptp_events::Side::Future);
        let before = before.map_err(|error| Refusal::Arguments(format!("`before`: {error}")))?;
        found.retain(|line| line.earliest.unwrap_or(line.at) <= before);
    }
    let total = found.len();
    let mut followers = Vec::new();
    let mut followers_note = None;
    if let Some(first) = found.first() {
        let topology = agent.topology(&Nothing {}).await?;
        let origin = agent.incident(&first.incident, &Nothing {}).await?.origin_nodes;
        let members = topology.domains.iter().flat_map(|domain| &domain.nodes);
        for member in members.filter(|member| origin.contains(&member.node)) {
            followers.extend(member.followers.iter().cloned());
        }
        followers_note = (!followers.is_empty()).then_some(topology.note);
    }
    let (forecasts, next_cursor) = Part { limit: wanted.limit, cursor: wanted.cursor }.of(found)?;
    let says = match forecasts.first() {
        None => {
            "There is no forecast: nothing is in holdover, or it cannot be observed.".to_owned()
        }
        Some(first) => format!(
            "{}, soonest first. {} ns at {} at the median, 80 % between {} and {}; it rests on {}.",
            count(total, "forecast"),
            first.limit_ns,
            said(Some(first.at)),
            said(first.earliest),
            said(first.latest),
            first.rests_on,
        ),
    };
    let list = ForecastList { count: total, forecasts, followers, followers_note, next_cursor };
    Ok(Answer::new(says, list))
}

fn said(at: Option<Received>) -> String {
    at.map_or_else(|| "an unknown time".to_owned(), ptp_diagnostics::text::moment)
}

/// What is to be explained.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Code {
    /// A finding's or root cause's code; all of them are listed without one
    code: Option<String>,
}

/// Pages of the manual.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Pages {
    /// The pages.
    pages: Vec<Page>,
}

/// A page of the manual.
#[derive(Debug, Serialize, JsonSchema)]
struct Page {
    /// The code.
    code: &'static str,
    /// `finding` or `root cause`.
    kind: &'static str,
    /// One line.
    title: &'static str,
    /// The page, in Markdown; only of the code that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

pub(super) async fn explain(_: &Context, wanted: Code) -> Result<Answer<Pages>, Refusal> {
    let found = match &wanted.code {
        Some(code) => manual::pages(BUILT_IN, code),
        None => manual::all(BUILT_IN),
    };
    if found.is_empty() {
        let why = "there is no such code; explain_code without a code lists all of them";
        return Err(Refusal::NotFound(why.to_owned()));
    }
    let is_whole = wanted.code.is_some();
    let says = match found.first() {
        Some(page) if is_whole => format!("{}: {}.", page.code, page.title),
        _ => format!("{} codes; with `code` each has its page.", found.len()),
    };
    let links: Vec<_> = found
        .iter()
        .filter(|_| is_whole)
        .map(|page| (resources::page(page.code), page.code.to_owned()))
        .collect();
    let pages = found.into_iter().map(|page| Page {
        code: page.code,
        kind: page.kind,
        title: page.title,
        text: is_whole.then_some(page.text),
    });
    Ok(Answer::new(says, Pages { pages: pages.collect() }).linked(links))
}
