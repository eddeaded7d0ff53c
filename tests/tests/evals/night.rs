//! An agent that has read the journal of a night.

use std::net::SocketAddr;
use std::time::Duration;

use ptp_agent::app::{App, Running};
use ptp_agent::config::Config;
use ptp_diagnostics::topology::{TopologyFile, TopologyNode};
use ptp_diagnostics::{Settings, Topology};
use ptp_events::journal::Journal;
use ptp_events::{Input, Received};
use ptp_sim::{Delivery, Effect, Plan, Scenario};
use tempfile::TempDir;

use crate::cluster::{self, Shared};
use crate::questions::About;

/// How long a publisher may be silent before the agent says that it cannot be observed.
const NOTICED: Duration = Duration::from_mins(1);
/// What all nights are drawn with.
const SEED: u64 = 7;

/// A night that can be asked about.
pub(crate) struct Night {
    running: Running,
    pub api: SocketAddr,
    /// The API server of a cluster, by URL.
    pub cluster: Option<String>,
    /// Its journal is here.
    pub dir: TempDir,
}

impl Night {
    pub(crate) async fn start(name: &str, about: &About) -> Self {
        let path = format!("{}/../evals/nights/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let plan = Plan::from_toml(&std::fs::read_to_string(path).unwrap()).unwrap();
        let now = plan.start.after(Duration::from_mins(about.asked_after_min));
        let dir = TempDir::new().unwrap();
        let journal = dir.path().join("journal.db");
        let inputs = inputs(&plan, now);
        let mut written = Journal::open(&journal).unwrap();
        written.append(inputs.iter().map(|(received, input)| (*received, input))).unwrap();
        drop(written);
        let mut config = Config::local(Vec::new(), Some(journal));
        config.now = Some(now);
        if about.topology {
            config.thresholds = Settings { topology: topology(&plan), ..Settings::default() };
        }
        let app = App::bind(config).await.unwrap();
        let api = app.api_addr().unwrap();
        let mut cluster = None;
        if about.cluster {
            let shared = Shared::default();
            shared.lock().unwrap().log = cluster::log();
            cluster = Some(cluster::listen(&shared).await);
        }
        Self { running: app.start().await.unwrap(), api, cluster, dir }
    }

    pub(crate) async fn stop(self) {
        assert!(self.running.stop().await);
    }
}

fn topology(plan: &Plan) -> Topology {
    let nodes = plan.topology.nodes().iter().map(|node| TopologyNode {
        name: node.name.clone(),
        follows: node.parent.iter().cloned().collect(),
        holdover: None,
    });
    Topology::new(&TopologyFile { node: nodes.collect() }).unwrap()
}

/// What had been received by then, and when a publisher could not be reached.
fn inputs(plan: &Plan, now: Received) -> Vec<(Received, Input)> {
    let Scenario { events, .. } = Scenario::play(plan, SEED).unwrap();
    let mut inputs: Vec<_> = events
        .into_iter()
        .map(|Delivery { event, received, origin }| {
            let node = Some(event.node.clone());
            (received, Input::Event { origin, node, body: event.to_vec() })
        })
        .collect();
    let silences = plan.faults.iter().filter(|f| matches!(f.effect, Effect::PublisherSilence {}));
    for fault in silences {
        let at = |since: jiff::SignedDuration| plan.start.after(since.unsigned_abs());
        for node in &fault.nodes {
            let why = "the publisher does not answer".to_owned();
            inputs.push((at(fault.start).after(NOTICED), Input::Blind { node: node.clone(), why }));
            if let Some(length) = fault.length {
                inputs.push((at(fault.start + length), Input::Sighted { node: node.clone() }));
            }
        }
    }
    inputs.retain(|(received, _)| *received < now);
    inputs.sort_by_key(|(received, _)| *received);
    inputs
}
