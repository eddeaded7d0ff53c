//! From a fault to an alert and back, through restarts of everybody.

use std::path::Path;
use std::time::{Duration, Instant};

use ptp_diagnostics::{Engine, NodeState, RootCause, Settings};
use ptp_events::SyncState::{Freerun, Locked};
use ptp_events::journal::{Entry, Journal};
use ptp_events::recording::Origin;
use ptp_events::{Event, Input, Received, Resource};
use ptp_store::Opened;
use serde_json::json;
use tempfile::TempDir;

use crate::fleet::{
    Agent, config, eventually, full_length, http, lock, os, publisher, quick, subscribed, within,
};

#[tokio::test]
async fn a_fault_is_one_alert_and_a_recovery_another_and_replay_agrees() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    let (mut one, two) = (publisher("w1").await, publisher("w2").await);
    let agent = Agent::start(config(&[&one, &two], &journal)).await;
    subscribed(&[&one, &two]).await;

    one.publish(&lock("w1", Freerun, 350)).await;
    one.publish(&os("w1", Freerun, 6)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    one.publish(&lock("w1", Locked, 20)).await;
    one.publish(&os("w1", Locked, 6)).await;
    eventually("a recovery", || (agent.report().alerts.len() == 2).then_some(())).await;

    let live = agent.report();
    let statuses: Vec<_> = live.alerts.iter().map(|alert| alert.status.as_str()).collect();
    assert_eq!((live.incidents.len(), statuses), (1, vec!["opened", "resolved"]));
    assert!(agent.running.stop().await);
    one.stop().await;

    // What the journal holds, diagnosed later, is what was said live.
    let end = live.incidents[0].resolved_at.unwrap();
    assert_eq!(replayed(&journal, end), json!(live.incidents));
}

/// As StarlingX posts them (docs/protocol.md §6).
#[tokio::test]
async fn an_array_of_events_is_all_taken_or_not_at_all_and_replay_agrees() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &journal);
    config.poll = Duration::from_hours(1);
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    let endpoint = one.subscriptions()[0].endpoint.clone();
    let pushed = |journal: &Path| -> Vec<Vec<u8>> {
        let entries = Journal::open_read_only(journal).unwrap().after(0, 1000).unwrap();
        let body = |entry: Entry| match entry.input {
            Input::Event { origin: Origin::Push, body, .. } => Some(body),
            _ => None,
        };
        entries.into_iter().filter_map(body).collect()
    };
    let post = async |events: &[Event]| {
        let texts = events.iter().map(|event| String::from_utf8(event.to_vec()).unwrap());
        let body = format!("[{}]", texts.collect::<Vec<_>>().join(",\n"));
        let answer = http().post(&endpoint).body(body).send().await.unwrap();
        answer.status().as_u16()
    };
    let lost = [lock("w1", Freerun, 350), os("w1", Freerun, 6)];
    assert_eq!(post(&[lost[0].clone(), lock("w2", Freerun, 350)]).await, 403);
    assert!(pushed(&journal).is_empty(), "not even the one that is its own");
    assert_eq!(post(&lost).await, 204);
    assert_eq!(pushed(&journal), lost.each_ref().map(Event::to_vec), "each is kept by itself");
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    assert_eq!(post(&[lock("w1", Locked, 20), os("w1", Locked, 6)]).await, 204);
    eventually("a recovery", || (agent.report().alerts.len() == 2).then_some(())).await;

    let live = agent.report().incidents;
    assert!(agent.running.stop().await);
    one.stop().await;
    assert_eq!(replayed(&journal, live[0].resolved_at.unwrap()), json!(live));
}

/// The incidents that a journal tells of, diagnosed afterwards up to this time.
fn replayed(journal: &Path, end: Received) -> serde_json::Value {
    let mut engine = Engine::new(quick());
    let opened = Opened::open(Some(journal));
    opened
        .replay(Received::from_nanos(i64::MAX), |received, input| {
            engine.handle_input(&input, received).unwrap();
        })
        .unwrap();
    engine.finish(end);
    json!(engine.report().incidents)
}

/// For seconds, or with `PTP_TESTS_FULL_LENGTH=1` for five minutes under the thresholds that users
/// have.
#[tokio::test]
async fn a_dead_publisher_is_a_blind_window_and_its_node_unknown() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    let (away, patience) = if full_length() {
        config.thresholds = Settings::default();
        (Duration::from_mins(5), Duration::from_mins(2))
    } else {
        config.poll = Duration::from_secs(1);
        (Duration::from_secs(3), Duration::from_secs(20))
    };
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    eventually("a state", || {
        agent.report().nodes.iter().any(|n| n.state == NodeState::Locked).then_some(())
    })
    .await;
    one.stop().await;
    let died = Instant::now();
    within(patience, "blindness", || {
        let report = agent.report();
        let blind = report.blind_windows.iter().any(|w| w.node.as_str() == "w1" && w.to.is_none());
        let unknown = report.nodes.iter().all(|node| node.state == NodeState::Unknown);
        let said = report.incidents.iter().any(|i| i.root_cause == RootCause::TelemetryGap);
        (blind && unknown && said).then_some(())
    })
    .await;
    println!("blind after {:.1} s", died.elapsed().as_secs_f64());
    // For as long as it is away nothing that anybody can ask calls it well.
    let mut asked = 0;
    while died.elapsed() < away {
        assert_eq!(agent.get("/health").await.0, 503);
        assert_eq!(agent.get("/summary").await.1["w1"]["latest_state"], "UNKNOWN");
        assert_eq!(agent.get("/api/v1/nodes/w1").await.1["state"], "UNKNOWN");
        let fleet = agent.get("/api/v1/fleet").await.1;
        assert_eq!((&fleet["blind"], &fleet["states"]), (&json!(1), &json!({"UNKNOWN": 1})));
        let firing = agent.get("/api/v1/incidents?status=firing").await.1;
        assert_eq!(firing["items"][0]["root_cause"], "telemetry-gap");
        asked += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("UNKNOWN each of {asked} times in {:.1} s", died.elapsed().as_secs_f64());
    assert!(asked > 1);
    one.start().await.unwrap();
    within(patience, "sight", || {
        let report = agent.report();
        let seen = report.blind_windows.iter().all(|w| w.to.is_some());
        let over = report.incidents.iter().all(|incident| incident.resolved_at.is_some());
        let locked = report.nodes.iter().all(|node| node.state == NodeState::Locked);
        (seen && over && locked).then_some(())
    })
    .await;
    let window = agent.report().blind_windows.remove(0);
    let long = window.to.unwrap().since(window.from);
    println!("a blind window of {:.1} s", long.as_secs_f64());
    assert!(long > away / 2);
    assert!(agent.running.stop().await);
}

#[tokio::test]
async fn a_restarted_publisher_is_subscribed_to_again() {
    let dir = TempDir::new().unwrap();
    for keep in [true, false] {
        let mut one = publisher("w1").await;
        let journal = dir.path().join(format!("journal-{keep}.db"));
        let mut config = config(&[&one], &journal);
        config.poll = Duration::from_secs(1);
        let agent = Agent::start(config).await;
        subscribed(&[&one]).await;
        one.restart(keep).await.unwrap();
        subscribed(&[&one]).await;
        one.publish(&lock("w1", Freerun, 350)).await;
        eventually("an incident", || (!agent.report().incidents.is_empty()).then_some(())).await;
        assert!(agent.running.stop().await);
        assert_eq!(one.subscriptions().len(), 0, "ours are removed when we stop");
        one.stop().await;
    }
}

#[tokio::test]
async fn what_a_forgotten_subscription_hides_is_a_blind_window_until_it_is_there_again() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let journal = dir.path().join("journal.db");
    let mut config = config(&[&one], &journal);
    config.poll = Duration::from_secs(1);
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    // Somebody deletes it, and the publisher will not take it back for a while.
    one.refuse_subscriptions(Some(503));
    let lock_state = one.address(&Resource::LockState);
    let mut subscriptions = one.subscriptions().into_iter();
    let id = subscriptions.find(|one| one.address == lock_state).unwrap().id;
    let url = format!("{}/api/ocloudNotifications/v2/subscriptions/{id}", one.url());
    let answer = http().delete(url).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let gone = Instant::now();
    let window = || {
        let windows = agent.report().blind_windows;
        windows.into_iter().find(|window| window.why.ends_with("subscription to lock-state"))
    };
    let first = eventually("a blind window", window).await.to.unwrap();
    eventually("a longer one", || window().filter(|window| window.to.unwrap() > first)).await;
    one.refuse_subscriptions(None);
    subscribed(&[&one]).await;
    let away = gone.elapsed();
    eventually("a window as long as the subscription was away", || {
        let window = window().unwrap();
        (window.to.unwrap().since(window.from) >= away).then_some(())
    })
    .await;
    let live = agent.report().blind_windows;
    assert!(agent.running.stop().await);
    one.stop().await;
    // And in a replay.
    let mut engine = Engine::new(quick());
    let opened = Opened::open(Some(&journal));
    opened
        .replay(Received::from_nanos(i64::MAX), |received, input| {
            engine.handle_input(&input, received).unwrap();
        })
        .unwrap();
    assert_eq!(json!(engine.report().blind_windows), json!(live));
}

#[tokio::test]
async fn an_agent_that_was_away_is_current_within_ten_seconds_and_remembers() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &journal)).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    let before = agent.report().alerts;
    assert!(agent.running.stop().await);

    // The proxy forgets us, and the clock comes back while nobody listens.
    one.forget_subscriptions();
    one.publish(&lock("w1", Locked, 10)).await;
    let begun = Instant::now();
    let agent = Agent::start(config(&[&one], &journal)).await;
    eventually("the present state", || {
        let nodes = agent.report().nodes;
        nodes.iter().any(|node| node.state == NodeState::Locked).then_some(())
    })
    .await;
    subscribed(&[&one]).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    let after = agent.report().alerts;
    assert_eq!(after[0].incident, before[0].incident);
    assert_eq!(after[0].timestamp, before[0].timestamp);
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn the_disk_may_fail_and_diagnosis_goes_on() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    std::fs::write(&journal, [0x9c; 4096]).unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &journal)).await;
    subscribed(&[&one]).await;
    let (status, health) = agent.get("/health").await;
    assert_eq!(status, 503);
    assert!(health.as_str().unwrap().contains("begun anew"), "{health}");
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    assert!(dir.path().join("journal.db.unreadable-0").exists());
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn a_file_of_somebody_else_is_not_taken_for_a_journal() {
    let dir = TempDir::new().unwrap();
    let recording = dir.path().join("recording.jsonl");
    std::fs::write(&recording, "{\"event\": 1}\n").unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &recording)).await;
    subscribed(&[&one]).await;
    let (_, health) = agent.get("/health").await;
    assert!(health.as_str().unwrap().contains("nothing is being kept"), "{health}");
    assert!(agent.running.stop().await);
    assert_eq!(std::fs::read_to_string(&recording).unwrap(), "{\"event\": 1}\n");
    one.stop().await;
}

#[test]
fn quick_thresholds_can_work() {
    assert!(quick().mistakes().is_empty());
    assert_ne!(quick(), Settings::default());
}
