//! Which publishers there are.
//!
//! Discovery writes the targets into a `watch` channel that [`crate::driver::run`] follows.

#[cfg(feature = "kubernetes")]
pub mod kubernetes;
mod template;

use ptp_events::NodeName;
use tokio::sync::watch;

use crate::target::{PublisherName, Target};

pub use template::{TemplateError, UrlTemplate};

/// Targets from a list of URLs, each with its node if that is known.
///
/// Named by node, or else by URL. Of two entries with the same name the last one counts.
#[must_use]
pub fn fixed(
    publishers: impl IntoIterator<Item = (String, Option<NodeName>)>,
) -> watch::Receiver<Vec<Target>> {
    let targets = publishers.into_iter().map(|(url, node)| Target {
        name: PublisherName::new(node.as_ref().map_or(url.as_str(), NodeName::as_str)),
        url,
        node,
        version: None,
    });
    watch::channel(targets.collect()).1
}
