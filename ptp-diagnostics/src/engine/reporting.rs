//! What an engine knows, in the form of a report.

use std::time::Duration;

use ptp_events::{NodeName, Received, Resource, SyncState};

use super::Engine;
use crate::incidents::closing::{Closing, closing, well_since};
use crate::incidents::explain::resolve_hold;
use crate::incidents::incident::{Incident, IncidentId, Status};
use crate::model::forecast;
use crate::model::node::Node;
use crate::model::timeline::{Said, Timeline};
use crate::report::{
    Alert, Alternative, ClockReport, Evidence, Forecast, Generator, IncidentReport, Input, Moment,
    NodeReport, OffsetReport, Recovery, Report, SCHEMA, Text, TimeInState,
};
use crate::report::{advice, known_bugs, narrate};

/// How many clocks of an incident are told of.
const MOST_CLOCKS: usize = 64;

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
            schema: SCHEMA.into(),
            generator: Generator {
                name: "ptp-diagnostics".into(),
                version: env!("CARGO_PKG_VERSION").into(),
            },
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
                .map(|clock| {
                    clock_report(
                        clock,
                        involved || self.settings().curve_points > 0,
                        node.blind.is_some(),
                        seen_since,
                    )
                })
                .collect(),
            domain: self.settings().topology.domain_of(&node.name),
            follows: self.settings().topology.follows(&node.name).to_vec(),
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
        let now = self.observed_until().unwrap_or(incident.detected_at);
        let diagnosis = &incident.diagnosis;
        let evidence = incident.witnesses.iter().map(|witness| {
            let clock = self.model.clock(witness.clock);
            Evidence {
                at: witness.at,
                node: self.model.node(witness.node).name.clone(),
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
            verdict: diagnosis.verdict(),
            confidence: share(f64::from(diagnosis.confidence)),
            severity: incident.severity,
            status: incident.status,
            opened_at: incident.opened_at,
            detected_at: incident.detected_at,
            resolved_at: incident.resolved_at,
            origin_nodes: narrate::sorted_names(&self.model, diagnosis.origin.iter().copied()),
            affected_nodes: narrate::affected_names(&self.model, incident),
            summary: narrate::summary(&self.model, incident),
            details: narrate::details(&self.model, incident, now),
            evidence,
            alternatives: diagnosis
                .alternatives
                .iter()
                .map(|(cause, confidence)| Alternative {
                    root_cause: *cause,
                    confidence: share(f64::from(*confidence)),
                    decide_by: cause.cause().decide_by.into(),
                })
                .collect(),
            recommendations: advice::recommendations(&self.model, incident),
            known_bugs: known_bugs::known_bugs(incident),
            forecast,
            forecast_note,
            findings: incident.findings.clone(),
            merged_into: incident.merged_into.clone(),
            closes_at: match closing(&self.model, incident) {
                Some(Closing::At(at)) => Some(at),
                _ => None,
            },
            closes_not_before: self.closes_not_before(incident),
            kept_open_by: closing(&self.model, incident)
                .and_then(|closing| self.kept_open(incident, closing)),
            recovery: self.recovery(incident),
        }
    }

    /// Until when the findings hold that keep an incident open, if nothing more happens, and what comes on
    /// top of that; `None` when that is not known of any.
    fn closes_not_before(&self, incident: &Incident) -> Option<Received> {
        if closing(&self.model, incident) != Some(Closing::Findings) {
            return None;
        }
        let known = incident.clocks.iter().flat_map(|clock| self.slots.held(*clock));
        let latest = known.filter_map(|slot| slot.firing.and(slot.due)).max()?;
        Some(latest.after(resolve_hold(&self.model, incident)))
    }

    /// What keeps an incident open, in words.
    fn kept_open(&self, incident: &Incident, closing: Closing) -> Option<String> {
        let name = |node| &self.model.node(node).name;
        match closing {
            Closing::Findings => {
                let open = incident.findings.iter().filter(|finding| finding.until.is_none());
                let mut codes: Vec<&str> = open.map(|finding| &*finding.code).collect();
                codes.sort_unstable();
                let of = |same: &[&str]| match same {
                    [one] => (*one).to_owned(),
                    many => format!("{} of {} clocks", many[0], many.len()),
                };
                let codes: Vec<_> = codes.chunk_by(|a, b| a == b).map(of).collect();
                // Of very many some are not listed.
                let codes =
                    if codes.is_empty() { "a finding".to_owned() } else { codes.join(", ") };
                Some(format!("{codes} not over"))
            }
            Closing::Clock(id) => {
                let (clock, node) = (self.model.clock(id), name(self.model.owner(id)));
                let state = clock.state().map_or("unknown", |(state, _)| state.as_str());
                let (kind, instance) = (clock.resource(), clock.instance());
                Some(format!("{kind} {instance} on {node} is {state}"))
            }
            Closing::Blind(node) => Some(format!("{} cannot be observed", name(node))),
            Closing::At(_) => None,
        }
    }

    /// The clocks of an incident that fires, those that are not well first.
    fn recovery(&self, incident: &Incident) -> Vec<Recovery> {
        if incident.status == Status::Resolved {
            return Vec::new();
        }
        let mut clocks: Vec<_> = incident
            .clocks
            .iter()
            .map(|id| {
                let clock = self.model.clock(*id);
                Recovery {
                    node: self.model.node(self.model.owner(*id)).name.clone(),
                    resource: clock.resource().clone(),
                    instance: clock.instance().clone(),
                    state: clock.state().map(|(state, _)| state.clone()),
                    well_since: well_since(&self.model, *id).ok().flatten(),
                }
            })
            .collect();
        clocks.sort_by(|a, b| {
            let key = |of: &Recovery| (of.well_since.is_some(), of.node.clone());
            key(a)
                .cmp(&key(b))
                .then_with(|| (&a.resource, &a.instance).cmp(&(&b.resource, &b.instance)))
        });
        clocks.truncate(MOST_CLOCKS);
        clocks
    }

    /// When the first of the incident's clocks in holdover will reach its limit.
    fn forecast(&self, incident: &Incident) -> (Option<Forecast>, Option<Text>) {
        if incident.status == Status::Resolved {
            return (None, Some("the incident is over".into()));
        }
        let held_over = incident.affected.iter().flat_map(|node| {
            let known = self.model.node(*node);
            self.model
                .of(*node, &Resource::LockState)
                .filter(|clock| clock.is(&SyncState::Holdover))
                .filter_map(move |clock| {
                    forecast::holdover_limit(clock, known, &self.model.settings)
                })
        });
        match held_over.min_by_key(|crossing| crossing.at) {
            Some(crossing) => {
                let forecast = Forecast {
                    limit_ns: self.settings().holdover_limit_ns,
                    at: crossing.at,
                    earliest: Some(crossing.earliest),
                    latest: Some(crossing.latest),
                    samples: crossing.samples as u64,
                    model: crossing.model.into(),
                };
                (Some(forecast), None)
            }
            None => (None, Some("no PTP clock of the incident is in holdover".into())),
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
        curve: clock.curve().cloned(),
    }
}
