//! What detectors found.

use ptp_events::{Instance, NodeName, Received, Resource};
use serde::{Deserialize, Serialize};

use crate::Severity;
use crate::text::Text;

/// A detector's answer about one clock or node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Finding {
    /// Which detector.
    pub code: Text,
    /// The node.
    pub node: NodeName,
    /// The kind of clock; `None` when it concerns the node as a whole.
    pub resource: Option<Resource>,
    /// Which clock.
    pub instance: Instance,
    /// Since when it is so.
    pub since: Received,
    /// When we could say so.
    pub detected_at: Received,
    /// Until when it was so.
    pub until: Option<Received>,
    /// How bad it was at worst.
    pub severity: Severity,
    /// One line.
    pub says: String,
}
