//! What the agent must be allowed to do in a cluster, and whether it is.
//!
//! The API server is asked with a `SelfSubjectAccessReview`, which every account may make
//! (`system:basic-user`).

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use crate::config::{Config, Publishers};

/// How long the API server may take to answer all of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A right, as RBAC names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Needed {
    /// Such as `list`.
    pub verb: &'static str,
    /// The API group; empty for the core one.
    pub group: &'static str,
    /// Such as `pods`.
    pub resource: &'static str,
    /// Where.
    pub namespace: String,
    /// What for.
    pub why: &'static str,
}

impl std::fmt::Display for Needed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { verb, group, resource, namespace, why } = self;
        write!(
            f,
            "we may not {verb} {resource} (API group `{group}`) in namespace {namespace}, {why}; "
        )?;
        f.write_str("deploy/base/rbac.yaml grants it")
    }
}

/// What finding publishers needs.
#[must_use]
pub fn to_find(namespace: &str) -> Vec<Needed> {
    let needed = |verb| Needed {
        verb,
        group: "",
        resource: "pods",
        namespace: namespace.to_owned(),
        why: "to find publishers",
    };
    ["list", "watch"].map(needed).into()
}

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

/// Which of these rights are not granted.
///
/// # Errors
/// When the API server does not say, or not in time.
pub async fn missing(client: &Client, needed: Vec<Needed>) -> anyhow::Result<Vec<Needed>> {
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let asking = async {
        let mut missing = Vec::new();
        for right in needed {
            let attributes = ResourceAttributes {
                verb: Some(right.verb.to_owned()),
                group: Some(right.group.to_owned()),
                resource: Some(right.resource.to_owned()),
                namespace: Some(right.namespace.clone()),
                ..ResourceAttributes::default()
            };
            let review = SelfSubjectAccessReview {
                spec: SelfSubjectAccessReviewSpec {
                    resource_attributes: Some(attributes),
                    ..SelfSubjectAccessReviewSpec::default()
                },
                ..SelfSubjectAccessReview::default()
            };
            let answer = reviews.create(&PostParams::default(), &review).await?;
            if !answer.status.is_some_and(|status| status.allowed) {
                missing.push(right);
            }
        }
        Ok(missing)
    };
    tokio::time::timeout(PATIENCE, asking).await?
}
