//! Every kind, over many seeds: it can be played, comes out the same, and reads back.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use ptp_events::recording::Reader;
use ptp_sim::{KINDS, Kind, RootCause, Scenario};

fn bytes(scenario: &Scenario) -> Vec<u8> {
    let mut bytes = scenario.write(Vec::new()).unwrap();
    bytes.extend(scenario.truth.to_json().into_bytes());
    bytes
}

/// Days take long without optimisation.
fn is_long(kind: &Kind) -> bool {
    kind.plan(0).length.as_hours() >= 12
}

#[test]
fn every_kind_plays_and_reads_back() {
    for kind in KINDS {
        for seed in 0..if cfg!(debug_assertions) && is_long(kind) { 2 } else { 20 } {
            let mut scenario = kind.generate(seed);
            let place = format!("{} {seed}", kind.name);
            assert!(!scenario.events.is_empty(), "{place}");
            let sorted = scenario.events.is_sorted_by_key(|e| e.received);
            assert!(sorted, "{place}: events are in the order they were received");

            // The rest is polls that look like these.
            scenario.events.truncate(400);
            let recording = scenario.write(Vec::new()).unwrap();
            let read: Result<Vec<_>, _> = Reader::new(&recording[..]).collect();
            let read = read.unwrap_or_else(|error| panic!("{place}: {error}"));
            assert_eq!(read.len(), scenario.events.len(), "{place}");
            for (read, sent) in read.iter().zip(&scenario.events) {
                assert_eq!(read.received, Some(sent.received), "{place}");
                assert_eq!(read.origin, sent.origin, "{place}");
                assert_eq!(*read.evidence.node(), sent.event.node, "{place}");
                if !sent.event.is_placeholder() {
                    assert_eq!(read.evidence.event(), Some(&sent.event), "{place}");
                }
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_scenario() {
    for kind in KINDS.iter().filter(|kind| !is_long(kind)) {
        let name = kind.name;
        let scenario = kind.generate(3);
        assert_eq!(scenario, kind.generate(3), "{name}");
        assert_ne!(scenario.events, kind.generate(4).events, "{name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let play = |seed| bytes(&Scenario::generate("path-loss", seed).unwrap());
    assert_eq!(play(3), play(3));
    assert_ne!(play(3), play(4));
}

#[test]
fn names_are_unique_and_kebab_case() {
    for (at, kind) in KINDS.iter().enumerate() {
        let kebab = kind.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        assert!(kebab, "{}", kind.name);
        assert!(KINDS[..at].iter().all(|other| other.name != kind.name), "{}", kind.name);
    }
}

#[test]
fn quiet_kinds_expect_no_alerts_and_the_others_do() {
    let quiet = ["clean-day", "normal-start", "grandmaster-start", "sample-spikes"];
    for kind in KINDS.iter().filter(|kind| !is_long(kind)) {
        let truth = kind.generate(1).truth;
        let is_quiet = quiet.contains(&kind.name);
        assert_eq!(truth.expect_alerts, !is_quiet, "{}", kind.name);
        assert_eq!(truth.faults.is_empty(), is_quiet, "{}", kind.name);
    }
}

#[test]
fn labels_name_the_root_cause_in_the_words_of_the_engine() {
    let truth = Scenario::generate("upstream-loss", 5).unwrap().truth;
    assert_eq!(truth.faults[0].root_cause, RootCause::UpstreamLoss);
    assert!(truth.faults[0].origin_nodes.len() >= 3);
    let label = truth.to_json();
    assert!(label.contains("\"root_cause\": \"upstream-loss\""), "{label}");
    assert!(label.contains("\"schema\": \"ptp-label/v1\""), "{label}");
}

#[test]
fn an_upstream_grandmaster_is_not_among_the_publishing_nodes() {
    let scenario = Scenario::generate("grandmaster-degraded", 2).unwrap();
    let fault = &scenario.truth.faults[0];
    assert_eq!(fault.root_cause, RootCause::GrandmasterDegraded);
    assert!(!fault.affected_nodes.contains(&fault.origin_nodes[0]));
    let spoke = scenario.events.iter().any(|e| e.event.node == fault.origin_nodes[0]);
    assert!(!spoke);
}

#[test]
fn an_unknown_kind_is_named() {
    let error = Scenario::generate("sunspots", 0).unwrap_err();
    assert_eq!(error.to_string(), "there is no kind of scenario `sunspots`");
}
