//! From publishers to the store: what was posted, and what was seen by asking.

use std::collections::HashMap;

use ptp_events::recording::Origin;
use ptp_events::server::Refusal;
use ptp_events::{Input, NodeName, Received, Resource};
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
    // Subscriptions that were forgotten and are not there again, and when they last were.
    let mut forgotten: HashMap<(PublisherName, Resource), Received> = HashMap::new();
    while let Some(Observation { publisher, what, .. }) = seen.recv().await {
        let name = publisher.as_str();
        let pulled = matches!(what, What::Pulled { .. });
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
                node_of(&publisher, &nodes).map(|node| {
                    blinded.insert(publisher.clone(), node.clone());
                    Input::Blind { node, why: format!("its publisher: {why}") }
                })
            }
            What::Gone => {
                tracing::info!(publisher = name, "gone from the cluster");
                health.clear(name);
                forgotten.retain(|(of, _), _| *of != publisher);
                let blinded = blinded.remove(&publisher);
                nodes.remove(&publisher).or(blinded).map(|node| Input::Gone { node })
            }
            What::Subscribed { resource, adopted } => {
                tracing::info!(publisher = name, %resource, adopted, "subscribed");
                let since = forgotten.remove(&(publisher.clone(), resource.clone()));
                since.zip(node_of(&publisher, &nodes)).map(|(at, node)| missed(node, &resource, at))
            }
            What::Lost { resource, blind_since } => {
                tracing::warn!(publisher = name, %resource, "the publisher forgot us; subscribing again");
                let slot = (publisher.clone(), resource.clone());
                let since = *forgotten.entry(slot).or_insert(blind_since);
                node_of(&publisher, &nodes).map(|node| missed(node, &resource, since))
            }
            What::NotSubscribed { resource, why } => {
                tracing::debug!(publisher = name, %resource, why, "not subscribed yet");
                None
            }
            _ => None,
        };
        // A publisher that still does not take back what it forgot can hide more at any time.
        let still = forgotten.iter().find(|((of, _), _)| pulled && *of == publisher);
        let still = still.zip(node_of(&publisher, &nodes));
        let still = still.map(|(((_, resource), since), node)| missed(node, resource, *since));
        for input in input.into_iter().chain(still) {
            if let Err(error) = store.give_soon(input).await {
                tracing::warn!(publisher = name, %error, "cannot store what was seen");
            }
        }
    }
}

fn node_of(
    publisher: &PublisherName,
    nodes: &HashMap<PublisherName, NodeName>,
) -> Option<NodeName> {
    nodes.get(publisher).cloned().or_else(|| named(publisher.as_str()))
}

/// What was said of a resource since then may have been missed.
fn missed(node: NodeName, resource: &Resource, since: Received) -> Input {
    let why = format!("its publisher forgot our subscription to {}", resource.name());
    Input::Missed { node, since, why }
}

/// The node a publisher is named after, unless nobody knows its node and it goes by its URL.
fn named(publisher: &str) -> Option<NodeName> {
    if publisher.contains("://") { None } else { NodeName::new(publisher).ok() }
}
