//! One short scenario, event by event.

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
            &event.stamped.to_string()[14..23],
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
    assert_snapshot!(pushed(&scenario), @"");
}

#[test]
fn a_new_subscriber_is_told_everything_once() {
    let plan = Plan::from_toml(OUTAGE).unwrap();
    let scenario = Scenario::play(&plan, 1).unwrap();
    let initial = scenario
        .events
        .iter()
        .filter(|e| e.origin == Origin::Initial);
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
    assert_snapshot!(told.join("\n"), @"");
}
