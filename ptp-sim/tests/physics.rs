//! What the model must get right, whatever the seed.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use ptp_events::recording::Origin;
use ptp_events::{NodeName, Resource, SyncState};
use ptp_sim::{Kept, Plan, Scenario};

fn play(text: &str, seed: u64) -> Scenario {
    Scenario::play(&Plan::from_toml(text).unwrap(), seed).unwrap()
}

/// A grandmaster without GNSS from the tenth minute on, with this oscillator.
fn holdover(oscillator: &str, length: &str) -> String {
    format!(
        r#"
        length = "{length}"
        [[node]]
        name = "gm-0"
        role = "grandmaster"
        oscillator = "{oscillator}"
        [[fault]]
        kind = "gnss-signal-loss"
        nodes = ["gm-0"]
        start = "10m"
        "#
    )
}

/// After how many minutes of holdover true time left 1500 ns, of eight oscillators.
fn crossings(oscillator: &str, length: &str) -> Vec<u64> {
    let text = holdover(oscillator, length);
    let mut minutes: Vec<u64> = (0..8)
        .filter_map(|seed| {
            let fault = &play(&text, seed).truth.faults[0];
            Some(fault.limit_crossing?.since(fault.start).as_secs() / 60)
        })
        .collect();
    minutes.sort_unstable();
    minutes
}

#[test]
fn an_ocxo_holds_1500_ns_for_hours() {
    let minutes = crossings("ocxo", "24h");
    assert!(minutes.len() >= 6, "{minutes:?}");
    // The daemon's model gives a good one 240 minutes.
    assert!(minutes[0] >= 45, "{minutes:?}");
    assert!((90..=720).contains(&minutes[minutes.len() / 2]), "{minutes:?}");
}

#[test]
fn a_tcxo_holds_1500_ns_for_minutes() {
    let minutes = crossings("tcxo", "4h");
    assert_eq!(minutes.len(), 8, "{minutes:?}");
    assert!((3..=60).contains(&minutes[4]), "{minutes:?}");
}

#[test]
fn a_rubidium_holds_1500_ns_for_half_a_day() {
    assert_eq!(crossings("rubidium", "13h"), Vec::<u64>::new());
}

#[test]
fn a_clean_site_stays_locked_within_its_threshold() {
    for seed in 0..3 {
        let kind = ptp_sim::Kind::find("clean-day").unwrap();
        let mut plan = kind.plan(seed);
        // A few hours show the same as a day, without optimisation.
        plan.length = jiff::SignedDuration::from_hours(if cfg!(debug_assertions) { 3 } else { 24 });
        plan.mess = ptp_sim::Mess::default();
        plan.poll_every = Some(jiff::SignedDuration::from_mins(1));
        let scenario = Scenario::play(&plan, seed).unwrap();
        let mut polls = 0;
        for delivery in &scenario.events {
            let event = &delivery.event;
            if event.is_placeholder() {
                continue;
            }
            let reading = &event.readings[0];
            let locked = reading.state.as_ref().is_none_or(SyncState::is_locked);
            let placeholder = reading.instance.is_placeholder();
            assert!(locked || placeholder, "{event:?}");
            if let Some(offset) = reading.offset.and_then(ptp_events::Measurement::offset) {
                assert!(offset.magnitude() < 100, "{event:?}");
                polls += u64::from(delivery.origin == Origin::Pull);
            }
        }
        assert!(polls > 1_000, "{polls}");
    }
}

#[test]
fn events_arrive_a_few_milliseconds_after_they_are_stamped() {
    let scenario = play(&holdover("ocxo", "3h"), 3);
    let mut delays: Vec<i64> = scenario
        .events
        .iter()
        .map(|e| e.received.as_nanos() - e.event.stamped.unwrap().as_nanos())
        .collect();
    delays.sort_unstable();
    let median = delays[delays.len() / 2];
    assert!((500_000..4_000_000).contains(&median), "{median}");
}

#[test]
fn only_a_lasting_change_of_the_path_changes_true_time() {
    let scenario = Scenario::generate("asymmetry-step", 4).unwrap();
    let fault = &scenario.truth.faults[0];
    let offsets: Vec<i64> = scenario
        .events
        .iter()
        .filter(|e| e.event.node == fault.origin_nodes[0])
        .filter(|e| e.event.resource == Resource::LockState && e.origin == Origin::Pull)
        .filter_map(|e| {
            let after = e.received.since(fault.start).as_secs();
            let offset = e.event.readings[0].offset?.offset()?;
            (60..300).contains(&after).then(|| offset.as_nanos())
        })
        .collect();
    let mean = offsets.iter().sum::<i64>() / i64::try_from(offsets.len()).unwrap();
    assert!(mean.abs() > 20, "the step shows in the first polls: {offsets:?}");
}

#[test]
fn a_skewed_node_stamps_seconds_off() {
    let scenario = Scenario::generate("clock-skew", 1).unwrap();
    let fault = &scenario.truth.faults[0];
    let skewed = scenario.events.iter().filter(|e| {
        let skew = e.received.as_nanos().abs_diff(e.event.stamped.unwrap().as_nanos());
        skew > 4_000_000_000
    });
    let nodes: Vec<&NodeName> = skewed.map(|e| &e.event.node).collect();
    assert!(!nodes.is_empty());
    assert!(nodes.iter().all(|node| **node == fault.origin_nodes[0]));
}

#[test]
fn mess_changes_deliveries_and_nothing_else() {
    let clean = play(&holdover("ocxo", "2h"), 5);
    let mut plan = Plan::from_toml(&holdover("ocxo", "2h")).unwrap();
    plan.poll_every = Some(jiff::SignedDuration::from_mins(1));
    plan.mess.duplicates = 1.0;
    plan.mess.late = 0.5;
    plan.mess.kept = Kept::Pushes;
    let messy = Scenario::play(&plan, 5).unwrap();
    assert_eq!(messy.events.len(), 2 * clean.events.len());
    assert_eq!(messy.truth.faults, clean.truth.faults);
}

#[test]
fn no_follower_knows_of_an_outage_before_its_grandmaster() {
    for seed in 0..10 {
        let mut plan = Plan::from_toml(&holdover("ocxo", "20m")).unwrap();
        let follower = r#"
            length = "1s"
            [[node]]
            name = "gm-0"
            role = "grandmaster"
            [[node]]
            name = "worker-0"
            role = "follower"
            parent = "gm-0"
        "#;
        plan.topology = Plan::from_toml(follower).unwrap().topology;
        let scenario = Scenario::play(&plan, seed).unwrap();
        let start = scenario.truth.faults[0].start;
        let classes: Vec<(&str, u8)> = scenario
            .events
            .iter()
            .filter(|e| e.origin == Origin::Push && e.received > start)
            .filter_map(|e| Some((e.event.node.as_str(), e.event.readings[0].clock_class?.0)))
            .collect();
        let expected = [("gm-0", 7), ("worker-0", 7), ("gm-0", 140), ("worker-0", 140)];
        assert_eq!(classes, expected[..classes.len()], "seed {seed}");
        assert!(classes.len() >= 2, "seed {seed}");
    }
}
