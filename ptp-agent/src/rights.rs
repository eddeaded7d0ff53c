//! What the agent must be allowed to do in a cluster.

use ptp_subscriber::discovery::rights::{Needed, to_find};

use crate::config::{Config, Publishers};

/// What Kubernetes Events need: those about nodes are in `default`.
#[must_use]
pub fn to_record() -> Vec<Needed> {
    let needed = |verb| Needed {
        verb,
        group: "events.k8s.io",
        resource: "events",
        namespace: "default".to_owned(),
        why: "to record incidents as Events",
    };
    ["create", "patch"].map(needed).into()
}

/// All that this configuration needs.
#[must_use]
pub fn of(config: &Config) -> Vec<Needed> {
    let mut needed = match &config.publishers {
        Publishers::Fixed(_) => Vec::new(),
        Publishers::Cluster { namespace, .. } => to_find(namespace),
    };
    if config.kubernetes_events {
        needed.extend(to_record());
    }
    needed
}
