//! Who gets time from whom.

use ptp_diagnostics::{NodeState, Role};
use ptp_events::{ClockClass, NodeName, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The timing domains, and who follows whom.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Topology {
    /// As of when.
    pub at: Received,
    /// The domains.
    pub domains: Vec<DomainTopology>,
    /// What followers will say when their grandmaster's time goes wrong.
    pub note: String,
}

impl Topology {
    /// These domains.
    #[must_use]
    pub fn new(at: Received, domains: Vec<DomainTopology>) -> Self {
        Self { at, domains, note: NOTE.to_owned() }
    }
}

/// Source: IEEE 1588-2019, 7.6.2.5 and 9.2.2 (a follower knows of its master what that announces);
/// ITU-T G.8275.1, 6.4, table 3 (classes 7, 140, 150, 160, 248).
const NOTE: &str = "A follower measures its offset from its master, not from true time. While a grandmaster in \
holdover drifts, those that follow it stay LOCKED and move along without a word; only the clock class that \
they pass on tells (7 in holdover; 140, 150, 160, and 248 when it is out of specification). So they suffer \
silently: judge them by the grandmaster's forecast.";

/// A timing domain: nodes that may get their time from the same grandmasters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DomainTopology {
    /// Its number in the topology file; absent for nodes that the file does not name, which are taken to
    /// share one domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<u32>,
    /// Where it is known from: `declared` in the topology file, or `assumed`.
    pub basis: String,
    /// Its nodes: grandmasters first, then boundary clocks, then the others.
    pub nodes: Vec<Member>,
    /// How many of its nodes are not listed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: usize,
}

impl DomainTopology {
    /// A domain of these nodes.
    #[must_use]
    pub fn new(domain: Option<u32>, nodes: Vec<Member>) -> Self {
        let basis = if domain.is_some() { "declared" } else { "assumed" }.to_owned();
        Self { domain, basis, nodes, more: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde hands over")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A node in its domain.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Member {
    /// Its name.
    pub node: NodeName,
    /// Its part.
    pub role: Role,
    /// Its state.
    pub state: NodeState,
    /// The class it announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_class: Option<ClockClass>,
    /// Whom it follows: as declared, the preferred one first; else the grandmasters of its domain.
    pub follows: Vec<NodeName>,
    /// Who follows it, directly or by others.
    pub followers: Vec<NodeName>,
}

impl Member {
    /// A node that follows nobody, and whom nobody follows.
    #[must_use]
    pub fn new(node: NodeName, role: Role, state: NodeState) -> Self {
        let (follows, followers) = (Vec::new(), Vec::new());
        Self { node, role, state, clock_class: None, follows, followers }
    }
}
