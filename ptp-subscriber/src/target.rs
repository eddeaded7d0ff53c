//! The publishers to subscribe to.

use std::fmt;
use std::sync::Arc;

use ptp_events::NodeName;

/// What we call a publisher: its node, or its URL when nobody said which node it is on.
///
/// Callback tokens are made of it, so it must stay the same over restarts.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PublisherName(Arc<str>);

impl PublisherName {
    /// Any text is a name.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublisherName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A publisher, and how to talk to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Unique among the targets.
    pub name: PublisherName,
    /// Without the API's path.
    pub url: String,
    /// The node it shall speak for; otherwise it says so itself.
    pub node: Option<NodeName>,
}
