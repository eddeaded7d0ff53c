//! From a fault to an alert and back, through restarts of everybody.

use std::time::{Duration, Instant};

use ptp_agent::brain::give;
use ptp_agent::store::Opened;
use ptp_diagnostics::{Engine, NodeState, RootCause, Settings};
use ptp_events::SyncState::{Freerun, Locked};
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, lock, os, publisher, quick, subscribed};

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
    let live: Vec<_> = live.incidents.iter().map(|i| serde_json::to_value(i).unwrap()).collect();
    assert!(agent.running.stop().await);
    one.stop().await;

    // What the journal holds, diagnosed later, is what was said live.
    let mut engine = Engine::new(quick());
    let opened = Opened::open(Some(&journal));
    opened.replay(|received, input| give(&mut engine, received, &input)).unwrap();
    let end = live[0]["resolved_at"].as_str().unwrap();
    engine.finish(ptp_events::Received::parse(end).unwrap());
    let replayed = engine.report().incidents;
    let replayed: Vec<_> = replayed.iter().map(|i| serde_json::to_value(i).unwrap()).collect();
    assert_eq!(replayed, live);
}

#[tokio::test]
async fn a_dead_publisher_is_a_blind_window_and_its_node_unknown() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.poll = Duration::from_secs(1);
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    eventually("a state", || {
        agent.report().nodes.iter().any(|n| n.state == NodeState::Locked).then_some(())
    })
    .await;
    one.stop().await;
    eventually("blindness", || {
        let report = agent.report();
        let blind = report.blind_windows.iter().any(|w| w.node.as_str() == "w1" && w.to.is_none());
        let unknown = report.nodes.iter().all(|node| node.state == NodeState::Unknown);
        let said = report.incidents.iter().any(|i| i.root_cause == RootCause::TelemetryGap);
        (blind && unknown && said).then_some(())
    })
    .await;
    assert_eq!(agent.get("/health").await.0, 503);
    one.start().await.unwrap();
    eventually("sight", || {
        let report = agent.report();
        let seen = report.blind_windows.iter().all(|w| w.to.is_some());
        (seen && report.nodes.iter().all(|node| node.state == NodeState::Locked)).then_some(())
    })
    .await;
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
    std::fs::write(&journal, "this is not a database, and was never meant to be one").unwrap();
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

#[test]
fn quick_thresholds_can_work() {
    assert!(quick().mistakes().is_empty());
    assert_ne!(quick(), Settings::default());
}
