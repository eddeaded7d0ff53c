//! What we must be allowed to do in a cluster, and whether we are.
//!
//! The API server is asked with a `SelfSubjectAccessReview`, which every account may make
//! (`system:basic-user`).

use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

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

/// Why it is not known what we may do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownRights {
    /// The API server did not say.
    #[error("cannot ask what we may do")]
    Refused(#[from] kube::Error),
    /// It took longer than ten seconds.
    #[error("it took longer than {} s to say what we may do", PATIENCE.as_secs())]
    Late,
}

/// Which of these rights are not granted.
///
/// # Errors
/// When the API server does not say, or not in time.
pub async fn missing(client: &Client, needed: Vec<Needed>) -> Result<Vec<Needed>, UnknownRights> {
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
    tokio::time::timeout(PATIENCE, asking).await.map_err(|_| UnknownRights::Late)?
}
