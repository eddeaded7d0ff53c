//! One short scenario, event by event.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_events::recording::Origin;
use ptp_sim::{Plan, PlanError, Scenario};

const OUTAGE: &str = r#"
    name = "outage"
    length = "90s"

    [[node]]
    name = "gm-0"
    role = "grandmaster"
    in-spec = "10s"
    holdover-timeout = "20s"

    [[node]]
    name = "worker-0"
    role = "follower"
    parent = "gm-0"

    [[fault]]
    kind = "gnss-signal-loss"
    nodes = ["gm-0"]
    start = "5s"
    length = "40s"
"#;

/// What was pushed, without ids and receive times.
fn pushed(scenario: &Scenario) -> String {
    let mut lines = String::new();
    let pushed = scenario.events.iter().filter(|e| e.origin == Origin::Push);
    for event in pushed.map(|delivery| &delivery.event) {
        let reading = &event.readings[0];
        write!(
            lines,
            "{} {} {}",
            &event.stamped.unwrap().to_string()[14..23],
            event.node,
            event.resource
        )
        .unwrap();
        if let Some(state) = &reading.state {
            write!(lines, " {state}").unwrap();
        }
        if let Some(offset) = reading.offset {
            write!(lines, " {}", offset.as_nanos()).unwrap();
        }
        if let Some(class) = reading.clock_class {
            write!(lines, " {class}").unwrap();
        }
        lines.push('\n');
    }
    lines
}

#[test]
fn a_gnss_outage_from_first_to_last() {
    let plan = Plan::from_toml(OUTAGE).unwrap();
    let scenario = Scenario::play(&plan, 1).unwrap();
    assert_snapshot!(pushed(&scenario), @"
    00:05.214 gm-0 gnss-sync-status FAILURE-NOFIX 99999999
    00:05.370 gm-0 lock-state HOLDOVER -1
    00:05.370 gm-0 sync-state HOLDOVER
    00:05.426 gm-0 clock-class 7
    00:06.100 worker-0 clock-class 7
    00:15.426 gm-0 clock-class 140
    00:16.100 worker-0 clock-class 140
    00:25.370 gm-0 lock-state FREERUN 99999
    00:25.370 gm-0 sync-state FREERUN
    00:25.426 gm-0 clock-class 248
    00:25.506 gm-0 os-clock-sync-state FREERUN 1
    00:26.100 worker-0 clock-class 248
    01:23.214 gm-0 gnss-sync-status SYNCHRONIZED -7
    01:23.370 gm-0 lock-state LOCKED -2
    01:23.426 gm-0 clock-class 6
    01:23.506 gm-0 os-clock-sync-state LOCKED 8
    01:23.507 gm-0 sync-state LOCKED
    01:24.100 worker-0 clock-class 6
    ");
}

#[test]
fn a_new_subscriber_is_told_everything_once() {
    let plan = Plan::from_toml(OUTAGE).unwrap();
    let scenario = Scenario::play(&plan, 1).unwrap();
    let initial = scenario.events.iter().filter(|e| e.origin == Origin::Initial);
    let (known, placeholders): (Vec<_>, Vec<_>) = initial.partition(|e| !e.event.is_placeholder());
    // The grandmaster lacks SyncE's two resources, the follower GNSS as well.
    assert_eq!((known.len(), placeholders.len()), (5 + 4, 2 + 3));
}

#[track_caller]
fn refused(change: (&str, &str)) -> String {
    let error = Plan::from_toml(&OUTAGE.replace(change.0, change.1)).unwrap_err();
    let mut text = error.to_string();
    if let PlanError::Topology { source } = &error {
        write!(text, ": {source}").unwrap();
    }
    if let PlanError::Toml { source } = &error {
        write!(text, ": {}", source.message()).unwrap();
    }
    text
}

#[test]
fn mistakes_in_a_plan_are_named() {
    let mistakes = [
        ("length = \"90s\"", "length = \"0s\""),
        ("parent = \"gm-0\"", "parent = \"gm-1\""),
        ("parent = \"gm-0\"", ""),
        ("nodes = [\"gm-0\"]", "nodes = [\"worker-0\"]"),
        ("nodes = [\"gm-0\"]", "nodes = [\"worker-9\"]"),
        ("nodes = [\"gm-0\"]", "nodes = []"),
        ("kind = \"gnss-signal-loss\"", "kind = \"solar-storm\""),
        ("start = \"5s\"", "begin = \"5s\""),
        ("role = \"follower\"", "rôle = \"follower\""),
    ];
    let told: Vec<String> = mistakes.into_iter().map(refused).collect();
    assert_snapshot!(told.join("\n"), @"
    `length` is out of range: from 1s to 28 days
    the nodes are not a network: the parent `gm-1` of node `worker-0` is not among the nodes before it
    the nodes are not a network: node `worker-0` needs a `parent`
    fault 1 cannot happen at node `worker-0`: it is no grandmaster
    fault 1 is at node `worker-9`, which is not among the nodes
    fault 1 names no nodes
    cannot understand the scenario: unknown variant `solar-storm`, expected one of `gnss-signal-loss`, `gnss-antenna-fault`, `gnss-receiver-fault`, `path-loss`, `upstream-loss`, `flapping-link`, `grandmaster-switch`, `os-clock-crash`, `os-clock-adrift`, `os-clock-rival`, `clock-skew`, `asymmetry`, `oscillator-drift`, `noise`, `wander`, `threshold-too-tight`, `process-restart`, `publisher-silence`, `publisher-restart`, `synce-loss`, `misconfiguration`, `sample-spike`
    cannot understand the scenario: unknown field `begin`, expected `state`
    cannot understand the scenario: invalid unquoted key, expected letters, numbers, `-`, `_`
    ");
}
