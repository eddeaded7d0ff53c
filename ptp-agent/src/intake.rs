//! From publishers to the store: what was posted, and what was seen by asking.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ptp_events::recording::Origin;
use ptp_events::server::Refusal;
use ptp_events::{Input, NodeName, Received, Resource};
use ptp_store::{NotStored, Store};
use ptp_subscriber::driver::{Observation, What};
use ptp_subscriber::gate::{Accepted, Intake};
use ptp_subscriber::target::PublisherName;
use tokio::sync::mpsc;

use crate::health::Health;

/// Puts what the gate lets in into the store.
#[derive(Clone, Debug)]
pub struct ToStore {
    /// Where it goes.
    pub store: Store,
}

impl Intake for ToStore {
    async fn take(&self, accepted: Vec<Accepted>) -> Result<(), Refusal> {
        if let Some(first) = accepted.first() {
            self.store.compare_clocks(first.received, first.event.stamped);
        }
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

/// What of each publisher is not subscribed to although it is wanted, with what the publisher says to it, and
/// what is.
#[derive(Debug, Default)]
struct Subscriptions {
    missing: BTreeMap<(PublisherName, Resource), String>,
    held: BTreeSet<(PublisherName, Resource)>,
}

impl Subscriptions {
    fn of<'a>(
        &'a self,
        publisher: &'a PublisherName,
    ) -> impl Iterator<Item = (&'a Resource, &'a str)> {
        let of = self.missing.iter().filter(move |((name, _), _)| name == publisher);
        of.map(|((_, resource), why)| (resource, why.as_str()))
    }

    /// Whether nothing at all comes from a publisher.
    fn none_is_held(&self, publisher: &PublisherName) -> bool {
        !self.held.iter().any(|(name, _)| name == publisher)
    }

    /// What is missing of a publisher, in one sentence; `None` where nothing is.
    fn why(&self, publisher: &PublisherName, callback: &str) -> Option<String> {
        let resources: Vec<&str> =
            self.of(publisher).map(|(resource, _)| resource.name()).collect();
        let (_, why) = self.of(publisher).next()?;
        let resources = resources.join(", ");
        Some(format!("not subscribed to {resources}: {why}; can it reach {callback}?"))
    }

    fn forget(&mut self, publisher: &PublisherName) {
        self.missing.retain(|(name, _), _| name != publisher);
        self.held.retain(|(name, _)| name != publisher);
    }
}

/// Puts what the driver sees into the store, until there is nothing more to see. `callback` is where publishers
/// shall post to, without what is secret of it.
pub async fn watch(
    mut seen: mpsc::Receiver<Observation>,
    store: Store,
    health: Health,
    callback: String,
) {
    let mut subscriptions = Subscriptions::default();
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
                note_speaker(&mut nodes, &publisher, &event.node, &health);
                let (origin, node) = (Origin::Pull, Some(event.node));
                Some(Input::Event { origin, node, body: raw.to_vec() })
            }
            What::Node(node) => {
                note_speaker(&mut nodes, &publisher, &node, &health);
                None
            }
            What::Reachable { .. } => {
                tracing::info!(publisher = name, "reachable");
                match subscriptions.why(&publisher, &callback) {
                    Some(why) => health.set(name, &why),
                    None => health.clear(name),
                }
                // It answers, and still sends nothing.
                let silent = subscriptions.of(&publisher).next().is_some()
                    && subscriptions.none_is_held(&publisher);
                (!silent)
                    .then(|| blinded.remove(&publisher))
                    .flatten()
                    .map(|node| Input::Sighted { node })
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
                subscriptions.forget(&publisher);
                forgotten.retain(|(of, _), _| *of != publisher);
                let blinded = blinded.remove(&publisher);
                gone(&mut nodes, &publisher, blinded, &health)
            }
            What::Subscribed { resource, adopted } => {
                tracing::info!(publisher = name, %resource, adopted, "subscribed");
                let slot = (publisher.clone(), resource.clone());
                if subscriptions.missing.remove(&slot).is_some() {
                    match subscriptions.why(&publisher, &callback) {
                        Some(why) => health.set(name, &why),
                        None => health.clear(name),
                    }
                }
                let since = forgotten.remove(&slot);
                subscriptions.held.insert(slot);
                let sighted = blinded.remove(&publisher).map(|node| Input::Sighted { node });
                sighted.or_else(|| {
                    let node = node_of(&publisher, &nodes);
                    since.zip(node).map(|(at, node)| missed(node, &resource, at))
                })
            }
            What::Missing { resource, since: _, why } => {
                let why = why.unwrap_or_else(|| "it does not say why".to_owned());
                tracing::warn!(publisher = name, %resource, why, "not subscribed for a minute");
                subscriptions.missing.insert((publisher.clone(), resource), why);
                let why = subscriptions.why(&publisher, &callback).unwrap_or_default();
                health.set(name, &why);
                let node = node_of(&publisher, &nodes);
                node.filter(|_| subscriptions.none_is_held(&publisher)).map(|node| {
                    blinded.insert(publisher.clone(), node.clone());
                    Input::Blind { node, why: format!("its publisher: {why}") }
                })
            }
            What::Lost { resource, blind_since } => {
                tracing::warn!(publisher = name, %resource, "the publisher forgot us; subscribing again");
                let slot = (publisher.clone(), resource.clone());
                subscriptions.held.remove(&slot);
                let since = *forgotten.entry(slot).or_insert(blind_since);
                node_of(&publisher, &nodes).map(|node| missed(node, &resource, since))
            }
            What::NotSubscribed { resource, why } => {
                tracing::debug!(publisher = name, %resource, why, "not subscribed yet");
                None
            }
            _ => None,
        };
        health.set_missing(subscriptions.missing.len());
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

/// Notes whom a publisher speaks for, and says so when another speaks for the same node: one of them is not
/// what it seems, and their words get mixed.
fn note_speaker(
    nodes: &mut HashMap<PublisherName, NodeName>,
    publisher: &PublisherName,
    node: &NodeName,
    health: &Health,
) {
    if nodes.get(publisher) == Some(node) {
        return;
    }
    let before = nodes.insert(publisher.clone(), node.clone());
    if let Some(before) = before {
        clear_conflict(nodes, &before, health);
    }
    let condition = format!("node {node}");
    let other = nodes.iter().find(|(name, of)| *of == node && *name != publisher);
    match other {
        Some((other, _)) => {
            let (one, other) = (publisher.as_str(), other.as_str());
            tracing::warn!(one, other, %node, "two publishers speak for one node");
            let why = format!(
                "the publishers {other} and {one} both speak for it; which of them is its own?"
            );
            health.set(&condition, &why);
        }
        None => health.clear(&condition),
    }
}

/// A publisher left, and so did its node, unless another one speaks for that.
fn gone(
    nodes: &mut HashMap<PublisherName, NodeName>,
    publisher: &PublisherName,
    blinded: Option<NodeName>,
    health: &Health,
) -> Option<Input> {
    let node = nodes.remove(publisher).or(blinded)?;
    clear_conflict(nodes, &node, health);
    (!nodes.values().any(|of| *of == node)).then_some(Input::Gone { node })
}

/// Nobody contradicts anybody any more about a node for which one publisher speaks at most.
fn clear_conflict(nodes: &HashMap<PublisherName, NodeName>, node: &NodeName, health: &Health) {
    if nodes.values().filter(|of| *of == node).count() <= 1 {
        health.clear(&format!("node {node}"));
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

#[cfg(test)]
mod tests {
    use ptp_events::ReceiveClock;

    use super::*;
    use ptp_store::{Given, Opened, Retention};

    /// What stands in /health after each of these, and what is put into the store.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_publisher_that_takes_no_subscription_is_blindness_and_says_why() {
        let clock = ReceiveClock::new(|| Received::from_nanos(0));
        let (store, mut given, writer) =
            Opened::open(None).start(None, Retention::default(), clock, None);
        let health = Health::default();
        let (seen, observations) = mpsc::channel(16);
        let callback = "http://agent:8080".to_owned();
        let watching = tokio::spawn(watch(observations, store.clone(), health.clone(), callback));
        let publisher = PublisherName::new("w1");
        let missing = |resource| What::Missing {
            resource,
            since: Received::from_nanos(0),
            why: Some("answered 400".to_owned()),
        };
        let subscribed = |resource| What::Subscribed { resource, adopted: false };
        let steps = [
            (missing(Resource::LockState), 1),
            (missing(Resource::SyncState), 2),
            (subscribed(Resource::LockState), 1),
            (subscribed(Resource::SyncState), 0),
        ];
        let mut told = Vec::new();
        for (what, expected) in steps {
            let received = Received::from_nanos(0);
            seen.send(Observation { publisher: publisher.clone(), received, what }).await.unwrap();
            while health.missing() != expected {
                tokio::task::yield_now().await;
            }
            told.push(health.why("w1").unwrap_or_default());
        }
        let of = |resources| {
            format!("not subscribed to {resources}: answered 400; can it reach http://agent:8080?")
        };
        assert_eq!(
            told,
            [of("lock-state"), of("lock-state, sync-state"), of("sync-state"), String::new()]
        );
        drop(seen);
        watching.await.unwrap();
        store.finish();
        let mut inputs = Vec::new();
        while let Some(batch) = given.recv().await {
            inputs.extend(batch.iter().filter_map(|given| match given {
                Given::Input(_, input) => Some(input.clone()),
                Given::Time(_) => None,
            }));
        }
        writer.join().unwrap();
        let kinds: Vec<&str> = inputs
            .iter()
            .map(|input| match input {
                Input::Blind { .. } => "blind",
                Input::Sighted { .. } => "sighted",
                _ => "other",
            })
            .collect();
        assert_eq!(kinds, ["blind", "blind", "sighted"]);
    }
}
