//! From publishers to the store: what was posted, and what was seen by asking.

use std::collections::HashMap;

use ptp_events::NodeName;
use ptp_events::journal::Input;
use ptp_events::recording::Origin;
use ptp_events::server::Refusal;
use ptp_subscriber::driver::{Observation, What};
use ptp_subscriber::gate::{Accepted, Intake};
use ptp_subscriber::target::PublisherName;
use tokio::sync::mpsc;

use crate::health::Health;
use crate::store::{NotStored, Store};

/// Puts what the gate lets in into the store.
#[derive(Clone, Debug)]
pub struct ToStore {
    /// Where it goes.
    pub store: Store,
}

impl Intake for ToStore {
    async fn take(&self, accepted: Vec<Accepted>) -> Result<(), Refusal> {
        let input = |Accepted { origin, event, raw, .. }| Input::Event {
            origin,
            node: Some(event.node),
            body: raw.to_vec(),
        };
        self.store.give_all(accepted.into_iter().map(input).collect()).await.map_err(|error| {
            match error {
                NotStored::Busy => Refusal::Busy,
                _ => Refusal::CannotStore,
            }
        })
    }
}

/// Puts what the driver sees into the store, until there is nothing more to see.
pub async fn watch(mut seen: mpsc::Receiver<Observation>, store: Store, health: Health) {
    let mut nodes: HashMap<PublisherName, NodeName> = HashMap::new();
    // Whom each publisher's silence was put down to, to take it back by the same name.
    let mut blinded: HashMap<PublisherName, NodeName> = HashMap::new();
    while let Some(Observation { publisher, what, .. }) = seen.recv().await {
        let name = publisher.as_str();
        let input = match what {
            What::Pulled { event, raw } => {
                nodes.insert(publisher.clone(), event.node.clone());
                let (origin, node) = (Origin::Pull, Some(event.node));
                Some(Input::Event { origin, node, body: raw.to_vec() })
            }
            What::Node(node) => {
                nodes.insert(publisher.clone(), node);
                None
            }
            What::Reachable { .. } => {
                tracing::info!(publisher = name, "reachable");
                health.clear(name);
                blinded.remove(&publisher).map(|node| Input::Sighted { node })
            }
            What::Unreachable { why } => {
                tracing::warn!(publisher = name, why, "unreachable");
                health.set(name, &why);
                let node = nodes.get(&publisher).cloned().or_else(|| named(name));
                node.map(|node| {
                    blinded.insert(publisher.clone(), node.clone());
                    Input::Blind { node, why: format!("its publisher: {why}") }
                })
            }
            What::Gone => {
                tracing::info!(publisher = name, "gone from the cluster");
                health.clear(name);
                let blinded = blinded.remove(&publisher);
                nodes.remove(&publisher).or(blinded).map(|node| Input::Gone { node })
            }
            What::Subscribed { resource, adopted } => {
                tracing::info!(publisher = name, %resource, adopted, "subscribed");
                None
            }
            What::Lost { resource, blind_since: since } => {
                tracing::warn!(publisher = name, %resource, "the publisher forgot us; subscribing again");
                let node = nodes.get(&publisher).cloned().or_else(|| named(name));
                let why = "its publisher forgot a subscription of ours".to_owned();
                node.map(|node| Input::Missed { node, since, why })
            }
            What::NotSubscribed { resource, why } => {
                tracing::debug!(publisher = name, %resource, why, "not subscribed yet");
                None
            }
            _ => None,
        };
        if let Some(input) = input
            && let Err(error) = store.give_soon(input).await
        {
            tracing::warn!(publisher = name, %error, "cannot store what was seen");
        }
    }
}

/// The node a publisher is named after, unless nobody knows its node and it goes by its URL.
fn named(publisher: &str) -> Option<NodeName> {
    if publisher.contains("://") { None } else { NodeName::new(publisher).ok() }
}
