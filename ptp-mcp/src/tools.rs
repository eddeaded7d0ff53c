//! All tools.

use crate::tool::Tool;
use crate::{cluster, fleet};

/// Every tool there is, whether or not it is offered, in the order a client lists them.
pub fn tools() -> impl Iterator<Item = &'static Tool> {
    fleet::TOOLS.iter().chain(cluster::TOOLS)
}

/// The tool of this name, or of one that it had before.
#[must_use]
pub fn tool(name: &str) -> Option<&'static Tool> {
    tools().find(|tool| tool.name == name || tool.synonyms.contains(&name))
}
