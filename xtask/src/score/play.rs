//! Plays one scenario to the engine and judges what it said.

use std::fmt::Write as _;
use std::time::Duration;

use ptp_diagnostics::report::{Forecast, IncidentReport};
use ptp_diagnostics::topology::{TopologyFile, TopologyNode};
use ptp_diagnostics::{Engine, Settings, Severity, Topology};
use ptp_events::{NodeName, Received, SyncState};
use ptp_sim::{Delivery, Kind, LabelledFault, Node, RootCause, Scenario};

use super::calibration::Calibration;
use super::matching::{matching, same_cause};
use super::source::{self, Source};

/// What came of one scenario.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Faults of which a publisher said something that reached the recording.
    pub(crate) visible: u32,
    pub(crate) visible_found: u32,
    /// Faults that changed nothing a publisher pushes: found in samples, or not at all.
    pub(crate) hidden: u32,
    pub(crate) hidden_found: u32,
    pub(crate) right_cause: u32,
    /// Incidents that are about no fault.
    pub(crate) false_incidents: u32,
    pub(crate) alerts: u32,
    /// Alerts in a scenario in which nothing is wrong.
    pub(crate) quiet_alerts: u32,
    /// Seconds from the first possible evidence to the detection.
    pub(crate) delays: Vec<f64>,
    /// What was forecast halfway to the crossing of the limit.
    pub(crate) forecasts: Vec<Judged>,
    /// What was said of a cause, and whether it was so.
    pub(crate) calibration: Calibration,
    pub(crate) remarks: Vec<String>,
}

/// What a forecast rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Basis {
    Measured,
    /// On what the topology says of the node's oscillator.
    Declared,
    /// On the default model only.
    Default,
}

/// A forecast, held against what happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub(crate) basis: Basis,
    /// How far off it was, as a share of the time from the loss to the crossing.
    pub(crate) error: f64,
    /// Whether the 80 % band held the crossing.
    pub(crate) held: bool,
}

pub(crate) fn play(kind: &Kind, seed: u64, source: Source) -> Outcome {
    let scenario = kind.generate(seed);
    if source != Source::Events {
        let mut engine = Engine::new(source.settings());
        match source {
            Source::Log(form) => source::listen(kind, seed, form, &mut engine),
            Source::Metrics => source::scrape(kind, seed, &mut engine),
            Source::Events => {}
        }
        engine.finish(scenario.end);
        let mut outcome = judge(&scenario, &engine, source);
        for remark in &mut outcome.remarks {
            *remark = format!("{} {} {seed}: {remark}", source.name(), kind.name);
        }
        return outcome;
    }
    let (mut engine, predicted) = listen(&scenario, Settings::default());
    engine.finish(scenario.end);
    let mut outcome = judge(&scenario, &engine, source);
    judge_forecasts(&scenario, &predicted, &mut outcome);
    // The same again for somebody who has said what the nodes hold; only forecasts differ.
    if predicted.iter().flatten().any(|forecast| forecast.samples == 0) {
        let topology = declared(kind.plan(seed).topology.nodes());
        let (_, mut predicted) = listen(&scenario, Settings { topology, ..Settings::default() });
        // What is measured has been judged.
        for forecast in &mut predicted {
            forecast.take_if(|forecast| forecast.samples > 0);
        }
        judge_forecasts(&scenario, &predicted, &mut outcome);
    }
    for remark in &mut outcome.remarks {
        *remark = format!("{} {seed}: {remark}", kind.name);
    }
    outcome
}

/// One domain, as the engine takes it without a topology, in which every node's oscillator is known.
fn declared(nodes: &[Node]) -> Topology {
    let first = &nodes[0].name;
    let node = nodes.iter().map(|node| TopologyNode {
        name: node.name.clone(),
        follows: Some(first.clone()).filter(|first| *first != node.name).into_iter().collect(),
        holdover: Some(node.oscillator.holdover()),
    });
    Topology::new(&TopologyFile { node: node.collect() }).expect("a star of nodes is a topology")
}

/// Feeds everything to an engine; what it forecast for each fault, halfway to its crossing.
fn listen(scenario: &Scenario, settings: Settings) -> (Engine, Vec<Option<Forecast>>) {
    let mut engine = Engine::new(settings);
    let mut checkpoints = checkpoints(scenario);
    let mut predicted: Vec<Option<Forecast>> = vec![None; scenario.truth.faults.len()];
    for Delivery { event, received, .. } in &scenario.events {
        while let Some((at, fault)) = checkpoints.pop_if(|(at, _)| *at < *received) {
            engine.handle_time(at);
            predicted[fault] = prediction(&engine, &scenario.truth.faults[fault]);
        }
        engine.handle_event(event.clone(), *received);
    }
    while let Some((at, fault)) = checkpoints.pop() {
        engine.handle_time(at);
        predicted[fault] = prediction(&engine, &scenario.truth.faults[fault]);
    }
    (engine, predicted)
}

/// When to ask for a forecast: halfway to each crossing, latest first.
fn checkpoints(scenario: &Scenario) -> Vec<(Received, usize)> {
    let mut points: Vec<_> = scenario
        .truth
        .faults
        .iter()
        .enumerate()
        .filter_map(|(at, fault)| {
            let crossing = fault.limit_crossing?;
            Some((fault.start.after(crossing.since(fault.start) / 2), at))
        })
        .collect();
    points.sort_by(|a, b| b.cmp(a));
    points
}

fn prediction(engine: &Engine, fault: &LabelledFault) -> Option<Forecast> {
    let here = |incident: &IncidentReport| {
        incident.origin_nodes.iter().any(|node| fault.origin_nodes.contains(node))
    };
    engine.report().incidents.into_iter().filter(here).find_map(|incident| incident.forecast)
}

fn judge(scenario: &Scenario, engine: &Engine, source: Source) -> Outcome {
    let report = engine.report();
    let truth = &scenario.truth;
    let mut outcome = Outcome::default();
    let counts = |incident: &IncidentReport| {
        incident.severity >= Severity::Warning
            || matches!(
                incident.root_cause.code(),
                "process-restart" | "grandmaster-switch" | "publisher-artefact"
            )
    };
    let incidents: Vec<_> = report.incidents.into_iter().filter(counts).collect();
    let matched = matching(&truth.faults, &incidents, scenario.end, source);
    outcome.alerts = u32::try_from(report.alerts.len()).unwrap_or(u32::MAX);
    if !truth.expect_alerts {
        outcome.quiet_alerts = outcome.alerts;
    }
    for (at, fault) in truth.faults.iter().enumerate() {
        let evidence = first_evidence(fault, &scenario.events, scenario.end);
        let seen =
            evidence.is_some() && !fault.visible_nodes.is_empty() && source.shows(fault.root_cause);
        let found = matched.incident_of[at].map(|incident| &incidents[incident]);
        outcome.visible += u32::from(seen);
        outcome.visible_found += u32::from(seen && found.is_some());
        outcome.hidden += u32::from(!seen);
        outcome.hidden_found += u32::from(!seen && found.is_some());
        let Some(incident) = found else {
            if seen {
                outcome.remarks.push(format!("MISSED {}", describe(fault, truth.start)));
            } else {
                outcome.remarks.push(format!("hidden {}", describe(fault, truth.start)));
            }
            continue;
        };
        outcome.calibration.push(incident.confidence, same_cause(fault, incident, source));
        if same_cause(fault, incident, source) {
            outcome.right_cause += 1;
        } else {
            outcome.remarks.push(format!(
                "CAUSE {} for {}",
                tell(incident, truth.start),
                describe(fault, truth.start)
            ));
        }
        let first = match fault.root_cause {
            RootCause::TelemetryGap => Some(fault.start),
            _ => evidence.or_else(|| first_word(fault, &scenario.events)),
        };
        if let Some(first) = first {
            let delay = seconds_between(first, incident.detected_at).max(0.0);
            outcome.delays.push(delay);
            if delay > 60.0 {
                let what = describe(fault, truth.start);
                outcome.remarks.push(format!("slow by {delay:.0} s: {what}"));
            }
        }
    }
    for spare in matched.spare {
        outcome.false_incidents += 1;
        outcome.calibration.push(incidents[spare].confidence, false);
        let mess = truth.mess.join(", ");
        let told = tell(&incidents[spare], truth.start);
        outcome.remarks.push(format!("FALSE {told} (mess: {mess})"));
    }
    if outcome.alerts > 0 && !truth.expect_alerts {
        for alert in &report.alerts {
            outcome.remarks.push(format!("ALERT {}", alert.summary));
        }
    }
    let faults = u32::try_from(truth.faults.len()).unwrap_or(u32::MAX);
    if faults > 0 && outcome.alerts > 3 * faults {
        outcome.remarks.push(format!("{} alerts", outcome.alerts));
    }
    outcome
}

fn judge_forecasts(scenario: &Scenario, predicted: &[Option<Forecast>], outcome: &mut Outcome) {
    for (fault, forecast) in scenario.truth.faults.iter().zip(predicted) {
        let (Some(crossing), Some(forecast)) = (fault.limit_crossing, forecast) else { continue };
        let truth = seconds_between(fault.start, crossing).max(1.0);
        let error = seconds_between(crossing, forecast.at).abs() / truth;
        let band = forecast.earliest.zip(forecast.latest);
        let held = band.is_some_and(|(low, high)| (low..=high).contains(&crossing));
        outcome.remarks.push(format!(
            "forecast: crossing after {truth:.0} s, {} said {:.0} s [{:.0}..{:.0}], {} samples",
            forecast.model,
            seconds_between(fault.start, forecast.at),
            forecast.earliest.map_or(f64::NAN, |at| seconds_between(fault.start, at)),
            forecast.latest.map_or(f64::NAN, |at| seconds_between(fault.start, at)),
            forecast.samples
        ));
        let basis = match (forecast.samples, &*forecast.model) {
            (0, "declared") => Basis::Declared,
            (0, _) => Basis::Default,
            _ => Basis::Measured,
        };
        outcome.forecasts.push(Judged { basis, error, held });
    }
}

/// When the recording first holds something of the fault; `None` when it never does.
///
/// That is the first thing an affected node said while the fault lasted that is not as it should
/// be: not locked, or a class other than the best and the slaves'; for a node that fell silent,
/// the end of its usual news cannot be told apart from quiet, so its start counts.
fn first_evidence(fault: &LabelledFault, events: &[Delivery], end: Received) -> Option<Received> {
    let over = fault.recovered.map_or(end, |at| at.after(Duration::from_secs(2)));
    let odd = |delivery: &&Delivery| {
        delivery.event.readings.iter().any(|reading| {
            let unlocked = reading.state.as_ref().is_some_and(|state| !SyncState::is_locked(state));
            let class = reading.clock_class.is_some_and(|class| !matches!(class.0, 6 | 255));
            let quality = reading.quality.is_some_and(|quality| quality.0 != 2);
            (unlocked || class || quality) && !reading.instance.is_placeholder()
        })
    };
    from(events, fault.start)
        .take_while(|delivery| delivery.received <= over)
        .filter(|delivery| is_affected(fault, &delivery.event.node))
        .find(odd)
        .map(|delivery| delivery.received)
}

/// The first thing an affected node said after the fault began.
fn first_word(fault: &LabelledFault, events: &[Delivery]) -> Option<Received> {
    from(events, fault.start)
        .find(|delivery| is_affected(fault, &delivery.event.node))
        .map(|delivery| delivery.received)
}

fn from(events: &[Delivery], start: Received) -> impl Iterator<Item = &Delivery> {
    let first = events.partition_point(|delivery| delivery.received < start);
    events[first..].iter()
}

fn is_affected(fault: &LabelledFault, node: &NodeName) -> bool {
    fault.affected_nodes.contains(node)
}

fn describe(fault: &LabelledFault, start: Received) -> String {
    let mut text = format!("{:?} at", fault.root_cause);
    for node in &fault.origin_nodes {
        write!(text, " {node}").unwrap_or_default();
    }
    write!(text, " from {:.0} s", seconds_between(start, fault.start)).unwrap_or_default();
    if let Some(recovered) = fault.recovered {
        write!(text, " to {:.0} s", seconds_between(start, recovered)).unwrap_or_default();
    }
    text
}

fn tell(incident: &IncidentReport, start: Received) -> String {
    let mut text = format!("{} {} on", incident.severity, incident.root_cause);
    for node in &incident.origin_nodes {
        write!(text, " {node}").unwrap_or_default();
    }
    write!(text, " from {:.0} s", seconds_between(start, incident.opened_at)).unwrap_or_default();
    if let Some(resolved) = incident.resolved_at {
        write!(text, " to {:.0} s", seconds_between(start, resolved)).unwrap_or_default();
    }
    text.push_str(" [");
    for (at, finding) in incident.findings.iter().enumerate().take(6) {
        let comma = if at > 0 { ", " } else { "" };
        let (node, code, says) = (&finding.node, &finding.code, &finding.says);
        write!(text, "{comma}{node} {code}: {says}").unwrap_or_default();
    }
    text.push(']');
    text
}

/// Negative when `later` is earlier.
fn seconds_between(earlier: Received, later: Received) -> f64 {
    later.since(earlier).as_secs_f64() - earlier.since(later).as_secs_f64()
}
