//! The REST API's bodies: subscriptions, and the resources a publisher offers (docs/protocol.md §2).

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::address::split;
use crate::{NodeName, Resource};

/// The version of the API a publisher speaks.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ApiVersion {
    /// Older clusters.
    V1,
    /// Since OpenShift 4.16.
    #[default]
    V2,
}

impl ApiVersion {
    /// The path all calls of this version start with.
    #[must_use]
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::V1 => "/api/ocloudNotifications/v1",
            Self::V2 => "/api/ocloudNotifications/v2",
        }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        })
    }
}

/// A text that cannot be a subscription's id.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not a subscription id")]
pub struct SubscriptionIdError(String);

/// The id a publisher gave a subscription.
///
/// It becomes the last segment of a path that is deleted. An empty id or a `.` there would make
/// that path `/subscriptions/`, and delete every client's subscriptions; such ids do not exist
/// as values of this type.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct SubscriptionId(SmolStr);

impl SubscriptionId {
    /// The longest id we accept, in bytes; publishers use UUIDs, which have 36.
    const MAX_BYTES: usize = 128;

    /// Accepts an id.
    ///
    /// # Errors
    /// Unless it is 1 to 128 ASCII letters, digits, `-` and `_`.
    pub fn new(text: &str) -> Result<Self, SubscriptionIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.is_empty() || text.len() > Self::MAX_BYTES || !text.bytes().all(allowed) {
            return Err(SubscriptionIdError(text.chars().take(40).collect()));
        }
        Ok(Self(SmolStr::new(text)))
    }

    /// The id as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<SmolStr> for SubscriptionId {
    type Error = SubscriptionIdError;

    fn try_from(text: SmolStr) -> Result<Self, SubscriptionIdError> {
        Self::new(&text)
    }
}

impl From<SubscriptionId> for SmolStr {
    fn from(id: SubscriptionId) -> Self {
        id.0
    }
}

/// One entry of `/subscriptions` or of `/publishers`; reads both versions, writes v2.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// What is subscribed to, exactly as the subscriber wrote it.
    #[serde(rename = "ResourceAddress", alias = "resource")]
    pub address: String,
    /// Where events go.
    #[serde(rename = "EndpointUri", alias = "endpointUri", default)]
    pub endpoint: String,
    /// The publisher's id for it.
    #[serde(rename = "SubscriptionId", alias = "id")]
    pub id: SubscriptionId,
    /// Where the entry itself can be read; the daemon's rewrite leaves it out.
    #[serde(rename = "UriLocation", alias = "uriLocation", default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

impl Subscription {
    /// The node its address names.
    #[must_use]
    pub fn node(&self) -> Option<NodeName> {
        split(&self.address).node.and_then(|node| NodeName::new(node).ok())
    }

    /// The resource its address ends in, when it is one we know.
    #[must_use]
    pub fn resource(&self) -> Option<Resource> {
        Resource::from_path(&self.address)
    }
}

impl Resource {
    /// The address cloud-event-proxy gives this resource of `node`.
    ///
    /// `version` matters for the clock class alone, which v1 spells its own way.
    #[must_use]
    pub fn address(&self, node: &NodeName, version: ApiVersion) -> String {
        let path = match (self, version) {
            (Self::ClockClass, ApiVersion::V1) => "/sync/ptp-status/ptp-clock-class-change",
            _ => self.path(),
        };
        format!("/cluster/node/{node}{path}")
    }
}

/// Asks for a subscription.
#[derive(Clone, Copy, Debug)]
pub struct NewSubscription<'a> {
    /// Where events shall go.
    pub endpoint: &'a str,
    /// What is subscribed to.
    pub address: &'a str,
}

impl NewSubscription<'_> {
    /// The body of the request; keys are case-sensitive (observed, see docs/protocol.md §2).
    #[must_use]
    pub fn to_vec(&self, version: ApiVersion) -> Vec<u8> {
        let (endpoint, address) = match version {
            ApiVersion::V1 => ("endpointUri", "resource"),
            ApiVersion::V2 => ("EndpointUri", "ResourceAddress"),
        };
        serde_json::json!({ endpoint: self.endpoint, address: self.address })
            .to_string()
            .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_can_delete_more_than_one_subscription() {
        for text in ["", ".", "..", "a/b", "a?b", "a#b", "%2e", "a b", "ä"] {
            assert!(SubscriptionId::new(text).is_err(), "{text}");
        }
        assert!(SubscriptionId::new(&"x".repeat(129)).is_err());
        assert!(SubscriptionId::new("5d727c80-006c-471f-8d0f-e0b8d3ba7b80").is_ok());
    }

    #[test]
    fn reads_both_versions() {
        let v2: Subscription = serde_json::from_str(
            r#"{"ResourceAddress":"/cluster/node/n/sync/ptp-status/lock-state","EndpointUri":"http://a/event","SubscriptionId":"1"}"#,
        )
        .unwrap();
        assert_eq!(v2.node().unwrap().as_str(), "n");
        assert_eq!(v2.resource(), Some(Resource::LockState));
        let v1: Subscription = serde_json::from_str(
            r#"{"id":"1","endpointUri":"http://a/event","uriLocation":"x","resource":"/cluster/node/n/sync/ptp-status/ptp-clock-class-change"}"#,
        )
        .unwrap();
        assert_eq!(v1.resource(), Some(Resource::ClockClass));
        assert_eq!(Resource::ClockClass.address(&v1.node().unwrap(), ApiVersion::V1), v1.address);
    }
}
