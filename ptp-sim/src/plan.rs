//! A scenario before it is played: which nodes, which faults, for how long, how it is observed.

use jiff::SignedDuration;
use ptp_events::{NodeName, Received};
use serde::{Deserialize, Serialize};

use crate::fault::{Effect, Fault, RawFault};
use crate::mess::Mess;
use crate::topology::{Node, RawNode, Topology, TopologyError};

/// The longest scenario, in s: four weeks.
const MAX_LENGTH_S: i64 = 28 * 86_400;

/// Everything a scenario is made of, except chance.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What it is called.
    pub name: String,
    /// When it begins.
    pub start: Received,
    /// How long it is played.
    pub length: SignedDuration,
    /// How often each resource is asked for its CurrentState; never when absent.
    pub poll_every: Option<SignedDuration>,
    /// Whether the recording begins with a subscription and so with initial notifications.
    pub subscribes: bool,
    /// The network.
    pub topology: Topology,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How the recording is spoilt.
    pub mess: Mess,
}

/// Why a plan cannot be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Not TOML, or TOML of another shape.
    #[error("cannot understand the scenario")]
    Toml {
        /// What the parser said, with the place.
        source: Box<toml::de::Error>,
    },
    /// The nodes are not a network.
    #[error("the nodes are not a network")]
    Topology {
        /// Why not.
        source: TopologyError,
    },
    /// A fault sits nowhere.
    #[error("fault {number} names no nodes")]
    Nowhere {
        /// Counted from 1.
        number: usize,
    },
    /// A fault sits at a node that is not there.
    #[error("fault {number} is at node `{node}`, which is not among the nodes")]
    UnknownNode {
        /// Counted from 1.
        number: usize,
        /// The node.
        node: NodeName,
    },
    /// A GNSS fault at a node without a receiver, or a path fault at a node without a path.
    #[error("fault {number} cannot happen at node `{node}`: {why}")]
    Misplaced {
        /// Counted from 1.
        number: usize,
        /// The node.
        node: NodeName,
        /// What it lacks.
        why: &'static str,
    },
    /// A duration or a share that makes no sense.
    #[error("`{key}` is out of range: {limits}")]
    Range {
        /// Which.
        key: String,
        /// What it can be.
        limits: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPlan {
    #[serde(default = "default_name")]
    name: String,
    #[serde(default = "default_start")]
    start: Received,
    length: SignedDuration,
    poll_every: Option<SignedDuration>,
    #[serde(default = "yes")]
    subscribes: bool,
    #[serde(default)]
    mess: Mess,
    node: Vec<RawNode>,
    #[serde(default)]
    fault: Vec<RawFault>,
}

fn default_name() -> String {
    "custom".to_owned()
}

/// 2026-01-05T00:00:00Z, a Monday.
pub(crate) const fn default_start() -> Received {
    Received::from_nanos(1_767_571_200_000_000_000)
}

const fn yes() -> bool {
    true
}

impl Plan {
    /// A plan without faults.
    #[must_use]
    pub fn new(name: &str, topology: Topology, length: SignedDuration) -> Self {
        Self {
            name: name.to_owned(),
            start: default_start(),
            length,
            poll_every: None,
            subscribes: true,
            topology,
            faults: Vec::new(),
            mess: Mess::default(),
        }
    }

    /// Reads a plan in TOML.
    ///
    /// ```
    /// let plan = ptp_sim::Plan::from_toml(r#"
    ///     length = "2h"
    ///     poll-every = "1m"
    ///     [[node]]
    ///     name = "gm-0"
    ///     role = "grandmaster"
    ///     [[node]]
    ///     name = "worker-0"
    ///     role = "follower"
    ///     parent = "gm-0"
    ///     [[fault]]
    ///     kind = "gnss-signal-loss"
    ///     nodes = ["gm-0"]
    ///     start = "30m"
    ///     length = "20m"
    /// "#)?;
    /// assert_eq!(plan.topology.nodes().len(), 2);
    /// # Ok::<(), ptp_sim::PlanError>(())
    /// ```
    ///
    /// # Errors
    /// When the text is something else, or describes what cannot be.
    pub fn from_toml(text: &str) -> Result<Self, PlanError> {
        let raw: RawPlan =
            toml::from_str(text).map_err(|source| PlanError::Toml { source: Box::new(source) })?;
        let nodes = raw.node.into_iter().map(Node::from).collect();
        let topology = Topology::new(nodes).map_err(|source| PlanError::Topology { source })?;
        let plan = Self {
            name: raw.name,
            start: raw.start,
            length: raw.length,
            poll_every: raw.poll_every,
            subscribes: raw.subscribes,
            topology,
            faults: raw.fault.into_iter().map(Fault::from).collect(),
            mess: raw.mess,
        };
        plan.check()?;
        Ok(plan)
    }

    /// Checks that it can be played.
    pub(crate) fn check(&self) -> Result<(), PlanError> {
        let range = |key: &str, limits| PlanError::Range { key: key.to_owned(), limits };
        if !(1..=MAX_LENGTH_S).contains(&self.length.as_secs()) {
            return Err(range("length", "from 1s to 28 days"));
        }
        if self.poll_every.is_some_and(|every| every.as_secs() < 1) {
            return Err(range("poll-every", "1s or more"));
        }
        if !self.mess.is_sound() {
            return Err(range("mess", "shares are from 0 to 1"));
        }
        for (at, fault) in self.faults.iter().enumerate() {
            self.check_fault(at + 1, fault)?;
        }
        Ok(())
    }

    fn check_fault(&self, number: usize, fault: &Fault) -> Result<(), PlanError> {
        let negative = |length: &SignedDuration| length.is_negative();
        if negative(&fault.start) || fault.length.as_ref().is_some_and(negative) {
            return Err(PlanError::Range {
                key: format!("fault {number}"),
                limits: "start and length are not negative",
            });
        }
        if fault.nodes.is_empty() {
            return Err(PlanError::Nowhere { number });
        }
        for name in &fault.nodes {
            let Some(index) = self.topology.index(name) else {
                let node = name.clone();
                return Err(PlanError::UnknownNode { number, node });
            };
            if let Some(why) = misplaced(&fault.effect, &self.topology.nodes()[index]) {
                let node = name.clone();
                return Err(PlanError::Misplaced { number, node, why });
            }
        }
        Ok(())
    }
}

/// What `node` lacks for `effect` to happen there.
fn misplaced(effect: &Effect, node: &Node) -> Option<&'static str> {
    let follows = node.parent.is_some();
    match effect {
        Effect::GnssSignalLoss { .. }
        | Effect::GnssAntennaFault { .. }
        | Effect::GnssReceiverFault { .. }
        | Effect::GrandmasterSwitch { .. }
            if follows =>
        {
            Some("it is no grandmaster")
        }
        Effect::PathLoss {} | Effect::UpstreamLoss {} | Effect::FlappingLink {} if !follows => {
            Some("it follows nobody")
        }
        Effect::SynceLoss {} if !node.synce => Some("it has no `synce`"),
        _ => None,
    }
}
