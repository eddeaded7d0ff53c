//! What tools on the cluster are asked about.

use schemars::JsonSchema;
use serde::Deserialize;

use super::access::Cluster;
use crate::context::Context;
use crate::tool::{Part, Refusal};

/// The cluster; tools that need it are only offered where there is one.
pub(super) fn cluster(context: &Context) -> Result<&Cluster, Refusal> {
    let none =
        || Refusal::NotOffered("there is no cluster to ask: KUBECONFIG names one".to_owned());
    context.cluster.as_ref().ok_or_else(none)
}

/// Which node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfNode {
    /// The node's name
    pub node: String,
}

/// Which clock of which node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OfClock {
    /// The node's name
    pub node: String,
    /// Which ptp4l of the node, by the number in its configuration's name; 0 unless given
    #[serde(default)]
    #[schemars(range(max = 15))]
    pub config: Option<u8>,
}

/// Which nodes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OfNodes {
    /// Only this node
    pub node: Option<String>,
    /// How many entries at most; 20 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<usize>,
    /// `next_cursor` of the answer before
    pub cursor: Option<String>,
}

impl OfNodes {
    pub(super) fn part(&self) -> Part {
        Part { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Which nodes' clocks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OfClocks {
    /// Only this node; otherwise all, up to `limit`
    pub node: Option<String>,
    /// How many nodes are asked at most; 20 unless given, 100 at most
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<usize>,
}
