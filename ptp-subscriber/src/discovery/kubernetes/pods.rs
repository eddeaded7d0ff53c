//! The daemon's pods, and the publishers they stand for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use ptp_events::NodeName;

use super::super::UrlTemplate;
use crate::target::{PublisherName, Target};

/// What matters of a pod.
struct Facts {
    node: NodeName,
    ip: Option<IpAddr>,
    terminating: bool,
    created: Option<Timestamp>,
}

/// All pods by name.
#[derive(Default)]
pub(super) struct Pods {
    known: BTreeMap<String, Facts>,
    /// The list that is coming in; it replaces what is known once it is complete.
    incoming: BTreeMap<String, Facts>,
    listed: bool,
}

impl Pods {
    pub(super) fn begin(&mut self) {
        self.incoming.clear();
    }

    pub(super) fn list(&mut self, pod: &Pod) {
        insert(&mut self.incoming, pod);
    }

    pub(super) fn finish(&mut self) {
        self.known = std::mem::take(&mut self.incoming);
        self.listed = true;
    }

    pub(super) fn apply(&mut self, pod: &Pod) {
        insert(&mut self.known, pod);
    }

    pub(super) fn delete(&mut self, pod: &Pod) {
        if let Some(name) = &pod.metadata.name {
            self.known.remove(name);
        }
    }

    /// Whether there has been a complete list.
    pub(super) const fn is_listed(&self) -> bool {
        self.listed
    }

    /// How many pods there are, whether or not they can be reached.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// One target per node, in the order of their names.
    pub(super) fn targets(&self, namespace: &str, template: &UrlTemplate) -> Vec<Target> {
        let mut newest: BTreeMap<&NodeName, (&Facts, String)> = BTreeMap::new();
        for facts in self.known.values() {
            let node = &facts.node;
            let Some(url) = template.url(node.as_str(), namespace, facts.ip) else {
                continue;
            };
            // While a pod is replaced there are two of them on its node.
            let rank = |facts: &Facts| (!facts.terminating, facts.created);
            let better = newest.get(node).is_none_or(|(known, _)| rank(known) < rank(facts));
            if better {
                newest.insert(node, (facts, url));
            }
        }
        newest
            .into_iter()
            .map(|(node, (_, url))| Target {
                name: PublisherName::new(node.as_str()),
                url,
                node: Some(node.clone()),
            })
            .collect()
    }
}

/// A pod that is on no node yet is none of ours, and neither is one that has ended.
fn insert(pods: &mut BTreeMap<String, Facts>, pod: &Pod) {
    let Some(name) = pod.metadata.name.clone() else {
        return;
    };
    let status = pod.status.as_ref();
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let node = node.and_then(|node| NodeName::new(node).ok());
    let phase = status.and_then(|status| status.phase.as_deref());
    let ended = matches!(phase, Some("Succeeded" | "Failed"));
    let Some(node) = node.filter(|_| !ended) else {
        pods.remove(&name);
        return;
    };
    let facts = Facts {
        node,
        ip: status.and_then(|status| status.pod_ip.as_deref()?.parse().ok()),
        terminating: pod.metadata.deletion_timestamp.is_some(),
        created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
    };
    pods.insert(name, facts);
}
