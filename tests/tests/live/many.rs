//! Many nodes at once.

use std::time::{Duration, Instant};

use ptp_diagnostics::NodeState;
use ptp_diagnostics::report::NodeReport;
use tempfile::TempDir;

use crate::fleet::{Agent, config, publisher, within};

/// A thousand is what users get. Without optimisation nearly all of the time goes into the HTTP
/// stack of both ends, so then there are fewer.
const NODES: usize = if cfg!(debug_assertions) { 250 } else { 1000 };

/// Subscribed to, asked for their state, journalled, diagnosed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_nodes_are_current_within_thirty_seconds() {
    let dir = TempDir::new().unwrap();
    let mut publishers = Vec::new();
    for number in 0..NODES {
        publishers.push(publisher(&format!("w{number}")).await);
    }
    let mut config = config(&publishers.iter().collect::<Vec<_>>(), &dir.path().join("journal.db"));
    config.grace = Duration::from_mins(1);
    let began = Instant::now();
    let agent = Agent::start(config).await;
    within(Duration::from_secs(30), "all nodes LOCKED", || {
        let report = agent.running.engine.snapshot.borrow().clone();
        let locked = |node: &NodeReport| node.state == NodeState::Locked;
        let nodes = &report.report.nodes;
        let all = nodes.len() == NODES && nodes.iter().all(locked);
        all.then_some(())
    })
    .await;
    println!("{NODES} nodes current in {:.1} s", began.elapsed().as_secs_f64());
    assert!(agent.running.stop().await);
    assert!(publishers.iter().all(|publisher| publisher.subscriptions().is_empty()));
}
