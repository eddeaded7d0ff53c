//! The report: everything the engine knows, in the form the outside world depends on.
//!
//! Field names are public API, schema `ptp-report/v1` (docs/diagnosis.md §9). Fields may be added,
//! never renamed.

use std::time::Duration;

use ptp_events::{
    ClockClass, EventId, GpsFix, Instance, NodeName, QualityLevel, Received, Resource, SyncState,
};
use serde::Serialize;

use crate::cause::RootCause;
use crate::engine::Engine;
use crate::finding::Finding;
use crate::incident::{Incident, IncidentId, Status, Verdict};
use crate::node::{Node, NodeState, Role};
use crate::stability::StabilityReport;
use crate::timeline::{Said, Timeline};
use crate::{Severity, advice, forecast, narrate};

/// The schema this module writes.
pub const SCHEMA: &str = "ptp-report/v1";

/// A whole diagnosis.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Who made it.
    pub generator: Generator,
    /// What it was made from.
    pub input: Input,
    /// Every node seen, by name.
    pub nodes: Vec<NodeReport>,
    /// Every incident, by when it began.
    pub incidents: Vec<IncidentReport>,
    /// What people were told, in that order.
    pub alerts: Vec<Alert>,
    /// When we could not see.
    pub blind_windows: Vec<BlindWindow>,
    /// How steady the clocks say they are, by name; only when that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stability: Option<Vec<StabilityReport>>,
}

/// Who made a report.
#[derive(Clone, Debug, Serialize)]
pub struct Generator {
    /// The program.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What a report was made from.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Input {
    /// The files, as they were named.
    pub files: Vec<String>,
    /// Events diagnosed, each once.
    pub events: u64,
    /// Lines that were no events.
    pub malformed: u64,
    /// Events that had come before.
    pub duplicates: u64,
    /// Events that only said that there is no data yet; they are among `events`.
    pub placeholders: u64,
    /// When the first event was received.
    pub first: Option<Received>,
    /// When the last event was received.
    pub last: Option<Received>,
}

/// One node.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct NodeReport {
    /// Its name.
    pub node: NodeName,
    /// Its part in the timing domain.
    pub role: Role,
    /// Its state at the end.
    pub state: NodeState,
    /// How many events it sent.
    pub events: u64,
    /// The share of the known time that it was LOCKED; `null` when nothing is known.
    pub availability: Option<f64>,
    /// Seconds spent in each state.
    pub time_in_state_s: TimeInState,
    /// Its clocks.
    pub clocks: Vec<ClockReport>,
}

/// Seconds spent in each state.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct TimeInState {
    /// Seconds.
    pub locked: f64,
    /// Seconds.
    pub holdover: f64,
    /// Seconds.
    pub freerun: f64,
    /// Seconds in which nothing was known: before its first state, while it could not be observed,
    /// and after it left.
    pub unknown: f64,
}

/// One clock.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ClockReport {
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// Its state at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// Since when it is known to be in that state; not while its node cannot be observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Received>,
    /// The class it announces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_class: Option<ClockClass>,
    /// The receiver's fix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gps_fix: Option<GpsFix>,
    /// Its `SyncE` quality level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality_level: Option<QualityLevel>,
    /// How many events spoke of it.
    pub events: u64,
    /// How often its state changed.
    pub changes: u64,
    /// Its offsets in nanoseconds; stale ones and sentinels do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset_ns: Option<OffsetReport>,
    /// The latest changes of what it said, oldest first; only for nodes in an incident.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Moment>,
}

/// The offsets of a clock, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OffsetReport {
    /// How many there were.
    pub samples: u64,
    /// The latest.
    pub last: i64,
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
    /// The mean.
    pub mean: i64,
}

/// Something a clock said at some time.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// When.
    pub at: Received,
    /// Its state from then on, if that is what it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<SyncState>,
    /// What it said, in words.
    pub says: String,
}

/// One incident.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct IncidentReport {
    /// Stable for the same input.
    pub id: String,
    /// Why.
    pub root_cause: RootCause,
    /// How sure that is.
    pub verdict: Verdict,
    /// The same, from 0 to 1.
    pub confidence: f64,
    /// How bad it was at worst.
    pub severity: Severity,
    /// Whether it goes on.
    pub status: Status,
    /// When the fault began.
    pub opened_at: Received,
    /// When we could say so.
    pub detected_at: Received,
    /// When it was over.
    pub resolved_at: Option<Received>,
    /// Where it began.
    pub origin_nodes: Vec<NodeName>,
    /// Everywhere it was felt, the origin included.
    pub affected_nodes: Vec<NodeName>,
    /// One line.
    pub summary: String,
    /// A short paragraph.
    pub details: String,
    /// What was said, for and against.
    pub evidence: Vec<Evidence>,
    /// What else it could be, most likely first.
    pub alternatives: Vec<Alternative>,
    /// What to do, in order.
    pub recommendations: Vec<Recommendation>,
    /// When a limit will be reached.
    pub forecast: Option<Forecast>,
    /// Why there is no forecast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast_note: Option<&'static str>,
    /// What the detectors found.
    pub findings: Vec<Finding>,
    /// The incident that this one turned out to be a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

/// Something that was said, for or against a root cause.
#[derive(Clone, Debug, Serialize)]
pub struct Evidence {
    /// When we received it.
    pub at: Received,
    /// Who said it.
    pub node: NodeName,
    /// Of what.
    pub resource: Resource,
    /// Of which one.
    pub instance: Instance,
    /// The event it stands in.
    pub event_id: EventId,
    /// In words.
    pub says: String,
    /// Whether it fits the root cause.
    pub supports: bool,
}

/// Another root cause that is possible.
#[derive(Clone, Debug, Serialize)]
pub struct Alternative {
    /// Which.
    pub root_cause: RootCause,
    /// From 0 to 1.
    pub confidence: f64,
    /// What would decide.
    pub decide_by: &'static str,
}

/// Something to do.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Recommendation {
    /// In words.
    pub action: String,
    /// As a command to paste.
    pub command: Option<String>,
}

/// When a limit will be reached.
#[derive(Clone, Debug, Serialize)]
pub struct Forecast {
    /// The time error in question, in nanoseconds.
    pub limit_ns: u64,
    /// When it is reached, at the median.
    pub at: Received,
    /// The 10 % bound; without samples that of the oscillators there are.
    pub earliest: Option<Received>,
    /// The 90 % bound; without samples that of the oscillators there are.
    pub latest: Option<Received>,
    /// How many samples it rests on.
    pub samples: u64,
    /// `linear` or `quadratic` when it was fitted to samples. Else
    /// [`crate::Settings::holdover_limit_ns`] is reached in a time that is known before: `declared`
    /// for the node in the topology, or by `default` [`crate::Settings::holdover_model`], or that of
    /// followers.
    pub model: &'static str,
}

/// What people are told.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub summary: String,
    /// A short paragraph.
    pub details: String,
    /// What to do, in order.
    pub recommendations: Vec<String>,
    /// Every node it is felt on.
    pub affected_nodes: Vec<NodeName>,
    /// When people are told.
    pub timestamp: Received,
    /// The incident it is about.
    pub incident: String,
    /// What happened to it.
    pub status: AlertStatus,
    /// Why.
    pub root_cause: RootCause,
}

/// What happened to an incident, as far as people are told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertStatus {
    /// It began, or came back.
    Opened,
    /// It got worse.
    Escalated,
    /// It is over.
    Resolved,
}

impl AlertStatus {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::Resolved => "resolved",
        }
    }
}

/// A stretch in which a fault could not have been seen.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct BlindWindow {
    /// Where.
    pub node: NodeName,
    /// Since when.
    pub from: Received,
    /// Until when; `null` while it lasts.
    pub to: Option<Received>,
    /// Why.
    pub why: String,
}

impl Recommendation {
    /// The action, and its command after a colon.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        match &self.command {
            Some(command) => format!("{}: {command}", self.action),
            None => self.action.clone(),
        }
    }
}

impl IncidentReport {
    /// One of severity INFO that no engine found, to see whether messages arrive.
    #[must_use]
    pub fn test(summary: &str, details: &str, at: Received) -> Self {
        Self {
            id: "test".to_owned(),
            root_cause: RootCause::Unknown,
            verdict: Verdict::Inconclusive,
            confidence: 0.0,
            severity: Severity::Info,
            status: Status::Firing,
            opened_at: at,
            detected_at: at,
            resolved_at: None,
            origin_nodes: Vec::new(),
            affected_nodes: Vec::new(),
            summary: summary.to_owned(),
            details: details.to_owned(),
            evidence: Vec::new(),
            alternatives: Vec::new(),
            recommendations: Vec::new(),
            forecast: None,
            forecast_note: None,
            findings: Vec::new(),
            merged_into: None,
        }
    }
}

impl BlindWindow {
    pub(crate) const fn new(node: NodeName, from: Received, why: String) -> Self {
        Self { node, from, to: None, why }
    }
}

/// Seconds, to the millisecond.
fn secs(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// A share, to four digits.
fn share(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl Engine {
    /// Everything that is known now.
    #[must_use]
    pub fn report(&self) -> Report {
        let counts = self.counts();
        let span = self.span();
        let mut nodes: Vec<_> = self.nodes().iter().collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut involved = vec![false; nodes.len()];
        for (_, incident) in self.ledger().iter() {
            for node in &incident.affected {
                involved[node.0 as usize] = true;
            }
        }
        let involved: std::collections::BTreeSet<&NodeName> = self
            .nodes()
            .iter()
            .zip(&involved)
            .filter(|(_, involved)| **involved)
            .map(|(node, _)| &node.name)
            .collect();
        let mut incidents: Vec<_> =
            self.ledger().iter().map(|(_, i)| self.incident_of(i)).collect();
        incidents.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        Report {
            schema: SCHEMA,
            generator: Generator { name: "ptp-diagnostics", version: env!("CARGO_PKG_VERSION") },
            input: Input {
                files: Vec::new(),
                events: counts.events,
                malformed: 0,
                duplicates: counts.duplicates,
                placeholders: counts.placeholders,
                first: span.map(|(first, _)| first),
                last: span.map(|(_, last)| last),
            },
            nodes: nodes.iter().map(|n| self.node(n, involved.contains(&n.name))).collect(),
            incidents,
            alerts: self.alerts().cloned().collect(),
            blind_windows: self.blind_windows().to_vec(),
            stability: None,
        }
    }

    fn node(&self, node: &Node, involved: bool) -> NodeReport {
        let now = self.observed_until().unwrap_or(node.last_seen);
        let [(_, locked), (_, holdover), (_, freerun), (_, unknown)] = node.time_in_state(now);
        let known = locked + holdover + freerun;
        let mut clocks: Vec<_> =
            node.clocks.iter().map(|member| &self.clocks()[member.id.0 as usize]).collect();
        clocks.sort_by(|a, b| (a.resource(), a.instance()).cmp(&(b.resource(), b.instance())));
        let windows = self.blind_windows().iter().rev();
        let last_window = windows.filter(|window| window.node == node.name).find_map(|w| w.to);
        let seen_since = last_window.unwrap_or(Received::from_nanos(i64::MIN));
        NodeReport {
            node: node.name.clone(),
            role: node.role(),
            state: node.state().0,
            events: node.events(),
            availability: (!known.is_zero())
                .then(|| share(locked.as_secs_f64() / known.as_secs_f64())),
            time_in_state_s: TimeInState {
                locked: secs(locked),
                holdover: secs(holdover),
                freerun: secs(freerun),
                unknown: secs(unknown),
            },
            clocks: clocks
                .into_iter()
                .map(|clock| clock_report(clock, involved, node.blind.is_some(), seen_since))
                .collect(),
        }
    }

    /// One incident, as it is now; `None` when it is no longer kept.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> Option<IncidentReport> {
        self.ledger().get(id).map(|incident| self.incident_of(incident))
    }

    /// The alerts after the first `seen`, each with its number.
    ///
    /// Those that are no longer kept are passed over.
    pub fn alerts_after(&self, seen: u64) -> impl Iterator<Item = (u64, &Alert)> {
        let first = self.counts().alerts_forgotten + 1;
        (first..).zip(self.alerts()).filter(move |(number, _)| *number > seen)
    }

    fn incident_of(&self, incident: &Incident) -> IncidentReport {
        let world = self.world();
        let now = self.observed_until().unwrap_or(incident.detected_at);
        let diagnosis = &incident.diagnosis;
        let evidence = incident.witnesses.iter().map(|witness| {
            let clock = world.clock(witness.clock);
            Evidence {
                at: witness.at,
                node: world.node(witness.node).name.clone(),
                resource: clock.resource().clone(),
                instance: clock.instance().clone(),
                event_id: witness.event.clone(),
                says: narrate::says(clock.resource(), &witness.said),
                supports: witness.supports,
            }
        });
        let mut evidence: Vec<_> = evidence.collect();
        evidence.sort_by(|a, b| {
            (a.at, &a.node, &a.resource, &a.instance).cmp(&(
                b.at,
                &b.node,
                &b.resource,
                &b.instance,
            ))
        });
        let (forecast, forecast_note) = self.forecast(incident);
        IncidentReport {
            id: incident.key.clone(),
            root_cause: diagnosis.cause,
            verdict: diagnosis.verdict,
            confidence: share(f64::from(diagnosis.confidence)),
            severity: incident.severity,
            status: incident.status,
            opened_at: incident.opened_at,
            detected_at: incident.detected_at,
            resolved_at: incident.resolved_at,
            origin_nodes: narrate::sorted_names(&world, diagnosis.origin.iter().copied()),
            affected_nodes: narrate::affected_names(&world, incident),
            summary: narrate::summary(&world, incident),
            details: narrate::details(&world, incident, now),
            evidence,
            alternatives: diagnosis
                .alternatives
                .iter()
                .map(|(cause, confidence)| Alternative {
                    root_cause: *cause,
                    confidence: share(f64::from(*confidence)),
                    decide_by: cause.cause().decide_by,
                })
                .collect(),
            recommendations: advice::recommendations(&world, incident),
            forecast,
            forecast_note,
            findings: incident.findings.clone(),
            merged_into: incident.merged_into.clone(),
        }
    }

    /// When the first of the incident's clocks in holdover will reach its limit.
    fn forecast(&self, incident: &Incident) -> (Option<Forecast>, Option<&'static str>) {
        if incident.status == Status::Resolved {
            return (None, Some("the incident is over"));
        }
        let world = self.world();
        let held_over = incident.affected.iter().flat_map(|node| {
            let known = world.node(*node);
            world
                .of(*node, &Resource::LockState)
                .filter(|clock| clock.is(&SyncState::Holdover))
                .filter_map(move |clock| forecast::holdover_limit(clock, known, world.settings))
        });
        match held_over.min_by_key(|crossing| crossing.at) {
            Some(crossing) => {
                let forecast = Forecast {
                    limit_ns: self.settings().holdover_limit_ns,
                    at: crossing.at,
                    earliest: Some(crossing.earliest),
                    latest: Some(crossing.latest),
                    samples: crossing.samples as u64,
                    model: crossing.model,
                };
                (Some(forecast), None)
            }
            None => (None, Some("no PTP clock of the incident is in holdover")),
        }
    }
}

/// A clock that has been in its state since before its node was out of sight is known to be in it
/// only since then; of one that is out of sight no such thing is known.
fn clock_report(
    clock: &Timeline,
    with_history: bool,
    is_blind: bool,
    seen_since: Received,
) -> ClockReport {
    let samples = clock.samples();
    let offset = samples.last.zip(samples.mean_ns()).map(|((_, last), mean)| OffsetReport {
        samples: samples.count,
        last: last.as_nanos(),
        min: samples.min,
        max: samples.max,
        mean,
    });
    let history = clock.facts().iter().filter(|_| with_history).map(|fact| Moment {
        at: fact.at,
        state: match &fact.said {
            Said::State { state, .. } => Some(state.clone()),
            _ => None,
        },
        says: narrate::says(clock.resource(), &fact.said),
    });
    ClockReport {
        resource: clock.resource().clone(),
        instance: clock.instance().clone(),
        state: clock.state().map(|(state, _)| state.clone()),
        since: clock.state().filter(|_| !is_blind).map(|(_, since)| since.max(seen_since)),
        clock_class: clock.class().map(|(class, _)| class),
        gps_fix: clock.fix(),
        quality_level: clock.quality().map(|(quality, _)| quality),
        events: clock.events(),
        changes: clock.changes(),
        offset_ns: offset,
        history: history.collect(),
    }
}
