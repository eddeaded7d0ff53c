//! One incident, whole; and whether two have one reason.

use ptp_api::{DeliveriesQuery, Delivery, Nothing, PageQuery, Related, RelatedQuery, Silence};
use ptp_diagnostics::report::known_bugs::KnownBug;
use ptp_diagnostics::report::{Alternative, IncidentReport, Recommendation, Recovery};
use ptp_diagnostics::text::moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::incidents::ForecastLine;
use crate::answers::{EvidenceLine, IncidentLine};
use crate::context::Context;
use crate::resources;
use crate::tool::{Answer, Refusal};

/// How many entries of evidence are given at once, and of what speaks against.
const EVIDENCE: usize = 8;
const AGAINST: usize = 5;
/// How many findings, clocks, deliveries and related incidents are told.
const FINDINGS: usize = 8;
const CLOCKS: usize = 16;
const DELIVERIES: usize = 12;
const RELATED: usize = 5;

/// Which incident is wanted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    /// The incident's id, as `list_incidents` gives it
    id: String,
    /// From which entry of the evidence on; `next_evidence` of the answer before
    #[serde(default)]
    evidence_from: usize,
}

/// All of an incident.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    /// The incident.
    incident: IncidentLine,
    /// A short paragraph.
    details: String,
    /// What was said, in order of time, from `evidence_from` on.
    evidence: Vec<EvidenceLine>,
    /// How many entries of it there are, and how many of them speak against.
    evidence_total: usize,
    /// How many speak against the root cause.
    evidence_against: usize,
    /// For the next question, as `evidence_from`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_evidence: Option<usize>,
    /// What speaks against the root cause, wherever in the list it stands.
    speaks_against: Vec<EvidenceLine>,
    /// What else it could be, most likely first, and the check that would decide.
    alternatives: Vec<Alternative>,
    /// The check that decides whether it is this root cause.
    decide_by: &'static str,
    /// What to do, in order.
    recommendations: Vec<Recommendation>,
    /// Known bugs that look like it.
    known_bugs: Vec<KnownBug>,
    /// When a limit will be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast: Option<ForecastLine>,
    /// Why there is no forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    forecast_note: Option<String>,
    /// What the detectors found: code, where, from when to when; the first.
    findings: Vec<FindingLine>,
    /// How many findings there are.
    findings_total: usize,
    /// While it fires: its clocks, those that are not well first, and since when each is well again.
    recovery: Vec<Recovery>,
    /// When it closes, if all stays well.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_at: Option<ptp_events::Received>,
    /// While findings hold: it closes no sooner, even if nothing more happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_not_before: Option<ptp_events::Received>,
    /// What keeps it open, if it is not only time.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept_open_by: Option<String>,
    /// Over which sinks people were told, and by which silences they were not; the latest.
    told: Vec<Delivery>,
    /// Silences that cover it now.
    silences: Vec<Silence>,
    /// Other incidents of the same time that may have the same reason.
    related: Vec<Related>,
    /// The incident that this one turned out to be a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
}

/// What a detector found.
#[derive(Debug, Serialize, JsonSchema)]
struct FindingLine {
    /// Which detector.
    code: String,
    /// The node.
    node: ptp_events::NodeName,
    /// The clock; empty when it concerns the node as a whole.
    clock: String,
    /// Since when it is so.
    since: ptp_events::Received,
    /// Until when it was so.
    until: Option<ptp_events::Received>,
    /// One line.
    says: String,
}

pub(super) async fn one(context: &Context, wanted: One) -> Result<Answer<Whole>, Refusal> {
    let agent = context.agent()?;
    let incident = agent.incident(&wanted.id, &Nothing {}).await?;
    let now = agent.fleet(&Nothing {}).await?.at;
    let query = DeliveriesQuery {
        incident: Some(incident.id.clone()),
        limit: Some(DELIVERIES),
        ..DeliveriesQuery::default()
    };
    let told = agent.deliveries(&query).await?.items;
    let mut related = agent.related(&incident.id, &RelatedQuery::default()).await?.items;
    related.truncate(RELATED);
    let silences = agent.silences(&PageQuery::default()).await?.items;
    let silences = silences.into_iter().filter(|silence| {
        silence.is_about(&incident) && silence.from <= now && now < silence.until
    });
    let silences = silences.collect();
    let says = says(&incident);
    let from = wanted.evidence_from;
    let evidence: Vec<_> =
        incident.evidence.iter().skip(from).take(EVIDENCE).map(EvidenceLine::from).collect();
    let reached = from + evidence.len();
    let against = || incident.evidence.iter().filter(|evidence| !evidence.supports);
    let forecast = incident.forecast.as_ref();
    let links = [
        (resources::incident(&incident.id), incident.id.clone()),
        (resources::page(incident.root_cause.code()), incident.root_cause.code().to_owned()),
    ];
    let whole = Whole {
        incident: IncidentLine::new(&incident, now),
        details: incident.details.clone(),
        evidence,
        evidence_total: incident.evidence.len(),
        evidence_against: against().count(),
        next_evidence: (reached < incident.evidence.len()).then_some(reached),
        speaks_against: against().take(AGAINST).map(EvidenceLine::from).collect(),
        alternatives: incident.alternatives.clone(),
        decide_by: incident.root_cause.cause().decide_by,
        recommendations: incident.recommendations.clone(),
        known_bugs: incident.known_bugs.clone(),
        forecast: forecast.map(|forecast| {
            ForecastLine::new(incident.id.clone(), &incident.affected_nodes, forecast)
        }),
        forecast_note: incident.forecast_note.clone().map(Into::into),
        findings_total: incident.findings.len(),
        findings: findings(&incident),
        recovery: incident.recovery.iter().take(CLOCKS).cloned().collect(),
        closes_at: incident.closes_at,
        closes_not_before: incident.closes_not_before,
        kept_open_by: incident.kept_open_by.clone(),
        told,
        silences,
        related,
        merged_into: incident.merged_into.clone(),
    };
    Ok(Answer::new(says, whole).linked(links))
}

fn findings(incident: &IncidentReport) -> Vec<FindingLine> {
    let line = |finding: &ptp_diagnostics::Finding| {
        let kind = finding.resource.as_ref().map_or("", |resource| resource.name());
        FindingLine {
            code: finding.code.clone().into_owned(),
            node: finding.node.clone(),
            clock: format!("{kind} {}", finding.instance).trim().to_owned(),
            since: finding.since,
            until: finding.until,
            says: finding.says.clone(),
        }
    };
    incident.findings.iter().take(FINDINGS).map(line).collect()
}

fn says(incident: &IncidentReport) -> String {
    let status = match (incident.resolved_at, incident.closes_at, &incident.kept_open_by) {
        (Some(over), ..) => format!("over since {}", moment(over)),
        (None, Some(closes), _) => {
            format!("firing; all is well again, and it closes at {} if it stays so", moment(closes))
        }
        (None, None, Some(kept)) => {
            let sooner = incident.closes_not_before.map(moment);
            let sooner = sooner.map(|at| format!(", and it closes at {at} at the earliest"));
            format!("firing: {kept}{}", sooner.unwrap_or_default())
        }
        (None, None, None) => "firing".to_owned(),
    };
    let against = match incident.evidence.iter().filter(|evidence| !evidence.supports).count() {
        0 => "Nothing that was said speaks against it".to_owned(),
        1 => "One entry of the evidence speaks against it".to_owned(),
        many => format!("{many} entries of the evidence speak against it"),
    };
    let other = match incident.alternatives.first() {
        Some(other) => format!(
            "it could also be {} ({}): {}",
            other.root_cause,
            other.confidence,
            other.decide_by.trim_end_matches('.')
        ),
        None => "no other cause is likely enough to name".to_owned(),
    };
    format!(
        "{}, {} with confidence {}, since {}, {status}. {against}; {other}. What decides: {}.",
        incident.root_cause,
        incident.verdict.as_str(),
        incident.confidence,
        moment(incident.opened_at),
        incident.root_cause.cause().decide_by.trim_end_matches('.'),
    )
}

/// Which two incidents.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pair {
    /// The id of one
    one: String,
    /// The id of the other
    other: String,
}

/// Whether two incidents have one reason.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Compared {
    /// Both.
    incidents: Vec<IncidentLine>,
    /// same, possible or unrelated.
    relation: ptp_api::Relation,
    /// What speaks for one reason, and against it.
    why: Vec<String>,
}

pub(super) async fn compare(context: &Context, wanted: Pair) -> Result<Answer<Compared>, Refusal> {
    let agent = context.agent()?;
    let one = agent.incident(&wanted.one, &Nothing {}).await?;
    let other = agent.incident(&wanted.other, &Nothing {}).await?;
    let query = RelatedQuery { to: Some(wanted.other) };
    let related = agent.related(&wanted.one, &query).await?.items.into_iter().next();
    let Some(Related { relation, why, .. }) = related else {
        return Err(Refusal::NotFound("the agent does not say how they are related".to_owned()));
    };
    let now = agent.fleet(&Nothing {}).await?.at;
    let says = match relation {
        ptp_api::Relation::Same => "One reason: one is a part of the other.",
        ptp_api::Relation::Possible => {
            "One reason is possible, though the engine could not explain both by one cause."
        }
        ptp_api::Relation::Unrelated => "Nothing that is known connects them.",
    };
    let incidents: Vec<_> = [&one, &other].map(|i| IncidentLine::new(i, now)).into();
    let links: Vec<_> = incidents.iter().map(IncidentLine::link).collect();
    Ok(Answer::new(says, Compared { incidents, relation, why }).linked(links))
}
