//! What comes in another order, or from somebody who makes it up.

use std::time::Duration;

use ptp_events::SyncState::{Freerun, Locked};
use ptp_events::{Event, NodeName, Stamped};
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, http, lock, publisher, subscribed};

/// An event over and over, each time from another node.
fn invented(event: &Event, names: std::ops::Range<u32>) -> String {
    let texts = names.map(|n| {
        let node = NodeName::new(&format!("invented-{n}")).unwrap();
        String::from_utf8(Event { node, ..event.clone() }.to_vec()).unwrap()
    });
    format!("[{}]", texts.collect::<Vec<_>>().join(","))
}

#[tokio::test]
async fn twenty_thousand_invented_nodes_are_refused_and_counted() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    let endpoint = one.subscriptions()[0].endpoint.clone();
    let http = http();
    let made_up = lock("w1", Freerun, 350);
    for hundred in 0..200 {
        let body = invented(&made_up, hundred * 100..(hundred + 1) * 100);
        assert_eq!(http.post(&endpoint).body(body).send().await.unwrap().status(), 403);
    }
    let metrics = http.get(format!("http://{}/metrics", agent.api)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let counted = metrics.lines().find(|line| line.contains(r#"outcome="wrong_node""#));
    assert!(counted.is_some_and(|line| line.ends_with(" 200")), "{metrics}");
    // The one that exists is heard as before.
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    let nodes: Vec<_> = agent.report().nodes.into_iter().map(|node| node.node).collect();
    assert_eq!(nodes, [NodeName::new("w1").unwrap()]);
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn what_comes_late_does_not_overwrite_what_is_newer() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.poll = Duration::from_hours(1);
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    let endpoint = one.subscriptions()[0].endpoint.clone();
    let http = http();
    let newer = lock("w1", Freerun, 350);
    let before = Stamped::from_nanos(newer.stamped.unwrap().as_nanos() - 200_000_000);
    let older = Event { stamped: Some(before), ..lock("w1", Locked, 4) };
    // What is asked for says the same.
    one.remember(&newer);
    for event in [&newer, &older] {
        let answer = http.post(&endpoint).body(event.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
    // Both are heard, and the clock is as the newer one says.
    let incident = eventually("an alert", || {
        let report = agent.report();
        (!report.alerts.is_empty()).then(|| report.incidents[0].clone())
    });
    assert!(incident.await.resolved_at.is_none());
    assert_eq!(agent.running.engine.snapshot.borrow().counts.overtaken, 1);
    let (_, node) = agent.get("/api/v1/nodes/w1").await;
    let clocks = node["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["resource"] == "lock-state").unwrap();
    assert_eq!(clock["state"], "FREERUN");
    assert!(agent.running.stop().await);
    one.stop().await;
}
