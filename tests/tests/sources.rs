//! The same fault is the same incident, whoever tells of it: events, a log in any reduction, metrics, or
//! several of them.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use ptp_diagnostics::{Engine, Settings, Severity};
use ptp_events::daemon::{DaemonLog, DaemonSettings, LogLine};
use ptp_events::metrics::{Metrics, Scrapes};
use ptp_events::observation::Evidence;
use ptp_events::{NodeName, Received, Stamped};
use ptp_sim::{LogForm, Plan, Scenario};

/// How long nothing more happens after the last evidence.
const SETTLE: Duration = Duration::from_mins(15);

/// A grandmaster and three that follow it; one fault after ten minutes.
fn plan(fault: &str) -> Plan {
    let follower =
        |n| format!("[[node]]\nname = \"worker-{n}\"\nrole = \"follower\"\nparent = \"gm-0\"\n");
    let followers: String = (0..3).map(follower).collect();
    Plan::from_toml(&format!(
        "length = \"25m\"\npoll-every = \"1m\"\n[[node]]\nname = \"gm-0\"\nrole = \"grandmaster\"\n{followers}\
         [[fault]]\n{fault}\nstart = \"10m\"\nlength = \"5m\"\n"
    ))
    .unwrap()
}

type Told = Vec<(Received, Evidence)>;

fn by_events(plan: &Plan, seed: u64) -> Told {
    let scenario = Scenario::play(plan, seed).unwrap();
    let told = scenario.events.into_iter();
    told.map(|delivery| (delivery.received, Evidence::Event(delivery.event))).collect()
}

fn by_log(plan: &Plan, seed: u64, form: LogForm) -> Told {
    let settings = DaemonSettings { settle: Duration::from_secs(1), ..DaemonSettings::default() };
    let mut logs: BTreeMap<NodeName, (DaemonLog, u64)> = BTreeMap::new();
    Scenario::play_log(plan, seed, form, &mut |line| {
        let fresh = || (DaemonLog::new(line.node.clone(), settings.clone()), 0);
        let (log, number) = logs.entry(line.node.clone()).or_insert_with(fresh);
        *number += 1;
        log.handle_line(LogLine { written: Some(line.at), ..LogLine::new(*number, line.text) });
    })
    .unwrap();
    let mut told = Vec::new();
    for (mut log, _) in logs.into_values() {
        log.finish();
        let all = std::iter::from_fn(|| log.poll_evidence()).map(|told| told.evidence);
        told.extend(
            all.map(|evidence| {
                (evidence.stamped().map(Stamped::assume_received).unwrap(), evidence)
            }),
        );
    }
    told
}

fn by_metrics(plan: &Plan, seed: u64) -> Told {
    let mut scrapes = Scrapes::default();
    let mut told = Vec::new();
    Scenario::play_metrics(plan, seed, &mut |scrape| {
        let metrics = Metrics::parse(scrape.text).unwrap();
        scrapes.handle_metrics(&metrics, Stamped::from_nanos(scrape.at.as_nanos()));
        told.extend(std::iter::from_fn(|| scrapes.poll_evidence()).map(|told| (scrape.at, told)));
    })
    .unwrap();
    told
}

/// The incidents that somebody is told of: where they began, and why.
fn incidents(told: Told) -> BTreeSet<(String, Vec<NodeName>)> {
    incidents_with(told, Settings::default())
}

/// The same of metrics, which are looked at now and then.
fn looked_at(told: Told) -> BTreeSet<(String, Vec<NodeName>)> {
    incidents_with(told, Settings::default().looked_at_every(ptp_sim::SCRAPED_EVERY))
}

fn incidents_with(mut told: Told, settings: Settings) -> BTreeSet<(String, Vec<NodeName>)> {
    told.sort_by_key(|(at, _)| *at);
    let mut engine = Engine::new(settings);
    for (at, evidence) in told {
        engine.handle_evidence(evidence, at);
    }
    engine.end(SETTLE);
    let incidents = engine.report().incidents.into_iter();
    incidents
        .filter(|incident| incident.severity >= Severity::Warning && incident.merged_into.is_none())
        .map(|incident| {
            // A line of the daemon tells the fix, and not why there is none.
            let code = incident.root_cause.code();
            let code = if code.starts_with("gnss-") { "gnss" } else { code };
            let mut origin = incident.origin_nodes.clone();
            origin.sort();
            (code.to_owned(), origin)
        })
        .collect()
}

const FAULTS: [&str; 5] = [
    "kind = \"gnss-signal-loss\"\nnodes = [\"gm-0\"]",
    "kind = \"path-loss\"\nnodes = [\"worker-1\"]",
    "kind = \"flapping-link\"\nnodes = [\"worker-2\"]",
    "kind = \"os-clock-crash\"\nnodes = [\"worker-0\"]",
    "kind = \"upstream-loss\"\nnodes = [\"worker-0\", \"worker-1\", \"worker-2\"]",
];

/// A grandmaster and two that follow it, for eight hours in each form of a log: 32 hours of each node.
#[test]
fn thirty_two_healthy_hours_are_quiet_in_every_form() {
    let follower =
        |n| format!("[[node]]\nname = \"worker-{n}\"\nrole = \"follower\"\nparent = \"gm-0\"\n");
    let followers: String = (0..2).map(follower).collect();
    let plan = Plan::from_toml(&format!(
        "length = \"8h\"\npoll-every = \"1m\"\n[[node]]\nname = \"gm-0\"\nrole = \"grandmaster\"\n{followers}"
    ))
    .unwrap();
    for (seed, form) in
        (0..).zip([LogForm::Full, LogForm::Reduced, LogForm::Enhanced, LogForm::Rms])
    {
        let log = by_log(&plan, seed, form);
        assert!(log.len() > 10, "{form:?} tells something");
        assert_eq!(incidents(log), BTreeSet::new(), "{form:?}");
    }
}

fn forms() -> impl Strategy<Value = LogForm> {
    prop::sample::select(vec![LogForm::Full, LogForm::Reduced, LogForm::Enhanced, LogForm::Rms])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_fault_is_the_same_incident_whoever_tells_of_it(
        fault in prop::sample::select(FAULTS.to_vec()),
        seed in 0u64..1000,
        form in forms(),
    ) {
        let plan = plan(fault);
        let (events, log) = (by_events(&plan, seed), by_log(&plan, seed, form));
        let expect = incidents(events.clone());
        prop_assert!(!expect.is_empty());
        prop_assert_eq!(&incidents(log.clone()), &expect, "by {:?} alone", form);
        let both = events.into_iter().chain(log).collect();
        prop_assert_eq!(&incidents(both), &expect, "by events and {:?}", form);
    }
    /// A flap that is over between two looks was never there.
    #[test]
    fn a_fault_that_lasts_is_the_same_incident_by_metrics(
        fault in prop::sample::select(FAULTS.into_iter().filter(|fault| !fault.contains("flapping")).collect::<Vec<_>>()),
        seed in 0u64..1000,
    ) {
        let plan = plan(fault);
        let (events, metrics) = (by_events(&plan, seed), by_metrics(&plan, seed));
        let expect = incidents(events.clone());
        prop_assert_eq!(&looked_at(metrics.clone()), &expect, "by metrics alone");
        let both = events.into_iter().chain(metrics).collect();
        prop_assert_eq!(&looked_at(both), &expect, "by events and metrics");
    }
}
