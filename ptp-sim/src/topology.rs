//! Which clocks there are, and which follows which.

use jiff::SignedDuration;
use ptp_events::NodeName;
use serde::{Deserialize, Serialize};

use crate::oscillator::OscillatorKind;
use crate::servo::ServoKind;

/// What a node is in the network (ITU-T G.8275).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// A telecom grandmaster with its own GNSS receiver.
    Grandmaster,
    /// A telecom boundary clock: announces 135, 165 and 248 when its reference is gone.
    BoundaryClock,
    /// A telecom slave clock or an ordinary clock.
    Follower,
}

/// What a node that is no grandmaster reports as its clock class.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClassStyle {
    /// Its grandmaster's; without one 135 in holdover, 165 beyond its specification, then 248
    /// (ITU-T G.8275.1, table 2).
    Telecom,
    /// Its grandmaster's; without one 7 in holdover, then 248 (observed, `bc_holdover_timeout`).
    Plain,
    /// Its grandmaster's; without one its own, 255 (observed, `real-ptp4l-linkdown`).
    SlaveOnly,
    /// Always 255.
    Always255,
}

/// What stands for the offset while a clock is in HOLDOVER, and in the FREERUN that follows it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HoldoverOffsets {
    /// The last one before the loss, again and again (observed, docs/protocol.md §4).
    #[default]
    Repeated,
    /// What something that still has the time measures meanwhile: a DPLL's phase offset from a
    /// local 1PPS, a second receiver, an assisting PTP path.
    Measured,
}

/// One node, as it is installed and configured.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Node {
    /// Its Kubernetes name.
    pub name: NodeName,
    /// What it is.
    pub role: Role,
    /// Whom it follows; grandmasters follow nobody.
    pub parent: Option<NodeName>,
    /// The publisher's alias of its network card.
    pub interface: String,
    /// What keeps time when the reference is gone.
    pub oscillator: OscillatorKind,
    /// How it follows its reference.
    pub servo: ServoKind,
    /// What it reports as its class; grandmasters have rules of their own.
    pub class: ClassStyle,
    /// Up to which offset its publisher says LOCKED, in ns.
    pub threshold_ns: u32,
    /// By how much the offset must be below the threshold to be LOCKED again, in ns.
    pub hysteresis_ns: u32,
    /// After how long HOLDOVER becomes FREERUN.
    pub holdover_timeout: SignedDuration,
    /// After how long in holdover the time counts as out of specification.
    pub in_spec: SignedDuration,
    /// What it gives as its offset in holdover.
    pub offsets_in_holdover: HoldoverOffsets,
    /// The noise of one offset measurement (packet delay variation or GNSS), in ns, 1 sigma.
    pub noise_ns: f64,
    /// Whether it also takes frequency from `SyncE`.
    pub synce: bool,
    /// Whether its events reach us; an upstream grandmaster may belong to somebody else.
    pub publishes: bool,
    /// Whether it is switched on at the start, rather than long running.
    pub cold: bool,
}

impl Node {
    /// A node with what is usual for its role.
    #[must_use]
    pub fn new(name: NodeName, role: Role, parent: Option<NodeName>) -> Self {
        let raw = RawNode {
            name,
            role,
            parent,
            interface: None,
            oscillator: None,
            servo: None,
            class: None,
            threshold_ns: None,
            hysteresis_ns: None,
            holdover_timeout: None,
            in_spec: None,
            offsets_in_holdover: HoldoverOffsets::Repeated,
            noise_ns: None,
            synce: false,
            publishes: true,
            cold: false,
        };
        Self::from(raw)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawNode {
    name: NodeName,
    role: Role,
    parent: Option<NodeName>,
    interface: Option<String>,
    oscillator: Option<OscillatorKind>,
    servo: Option<ServoKind>,
    class: Option<ClassStyle>,
    threshold_ns: Option<u32>,
    hysteresis_ns: Option<u32>,
    holdover_timeout: Option<SignedDuration>,
    in_spec: Option<SignedDuration>,
    #[serde(default)]
    offsets_in_holdover: HoldoverOffsets,
    noise_ns: Option<f64>,
    #[serde(default)]
    synce: bool,
    #[serde(default = "yes")]
    publishes: bool,
    #[serde(default)]
    cold: bool,
}

const fn yes() -> bool {
    true
}

impl From<RawNode> for Node {
    fn from(raw: RawNode) -> Self {
        // Timeouts: the daemon's LocalHoldoverTimeout of a T-GM is 14400 s, in which its model
        // allows 1500 ns and so 100 ns in 960 s; of other clocks holdoverTimeout is 5 s.
        let (oscillator, servo, class, timeout_s, in_spec_s, noise_ns) = match raw.role {
            Role::Grandmaster => {
                (OscillatorKind::Ocxo, ServoKind::Dpll, ClassStyle::Telecom, 14_400, 960, 3.0)
            }
            Role::BoundaryClock => {
                (OscillatorKind::Ocxo, ServoKind::Fast, ClassStyle::Telecom, 3_600, 600, 4.0)
            }
            Role::Follower => {
                (OscillatorKind::Tcxo, ServoKind::Fast, ClassStyle::SlaveOnly, 5, 5, 6.0)
            }
        };
        Self {
            name: raw.name,
            role: raw.role,
            parent: raw.parent,
            interface: raw.interface.unwrap_or_else(|| "ens1fx".to_owned()),
            oscillator: raw.oscillator.unwrap_or(oscillator),
            servo: raw.servo.unwrap_or(servo),
            class: raw.class.unwrap_or(class),
            threshold_ns: raw.threshold_ns.unwrap_or(100),
            hysteresis_ns: raw.hysteresis_ns.unwrap_or(0),
            holdover_timeout: raw.holdover_timeout.unwrap_or(SignedDuration::from_secs(timeout_s)),
            in_spec: raw.in_spec.unwrap_or(SignedDuration::from_secs(in_spec_s)),
            offsets_in_holdover: raw.offsets_in_holdover,
            noise_ns: raw.noise_ns.unwrap_or(noise_ns),
            synce: raw.synce,
            publishes: raw.publishes,
            cold: raw.cold,
        }
    }
}

/// Why nodes are not a network.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// Nothing to simulate.
    #[error("there are no nodes")]
    Empty,
    /// Two nodes have one name.
    #[error("two nodes are called `{0}`")]
    Twice(NodeName),
    /// A follower without anybody to follow.
    #[error("node `{0}` needs a `parent`")]
    NoParent(NodeName),
    /// A grandmaster that follows somebody.
    #[error("node `{0}` is a grandmaster and so has no `parent`")]
    Follows(NodeName),
    /// A parent that is not there, or comes later.
    #[error("the parent `{parent}` of node `{node}` is not among the nodes before it")]
    UnknownParent {
        /// Who follows.
        node: NodeName,
        /// Whom.
        parent: NodeName,
    },
    /// A number that no real node has.
    #[error("`{key}` of node `{node}` is out of range")]
    Range {
        /// Whose.
        node: NodeName,
        /// Which number.
        key: &'static str,
    },
}

/// Nodes, every parent before those who follow it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Topology(Vec<Node>);

impl Topology {
    /// Checks that the nodes are a network.
    ///
    /// # Errors
    /// Names the first thing that is not right.
    pub fn new(nodes: Vec<Node>) -> Result<Self, TopologyError> {
        if nodes.is_empty() {
            return Err(TopologyError::Empty);
        }
        for (at, node) in nodes.iter().enumerate() {
            check(node, &nodes[..at])?;
        }
        Ok(Self(nodes))
    }

    /// The nodes, every parent before those who follow it.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Where `name` stands among the nodes.
    pub(crate) fn index(&self, name: &NodeName) -> Option<usize> {
        self.0.iter().position(|node| node.name == *name)
    }

    pub(crate) fn parent_index(&self, node: usize) -> Option<usize> {
        self.index(self.0[node].parent.as_ref()?)
    }

    /// Whether `node` gets its time through `ancestor`, or is it.
    pub(crate) fn depends_on(&self, node: usize, ancestor: usize) -> bool {
        let mut at = Some(node);
        while let Some(current) = at {
            if current == ancestor {
                return true;
            }
            at = self.parent_index(current);
        }
        false
    }
}

fn check(node: &Node, before: &[Node]) -> Result<(), TopologyError> {
    let name = || node.name.clone();
    let range = |key| TopologyError::Range { node: name(), key };
    if before.iter().any(|other| other.name == node.name) {
        return Err(TopologyError::Twice(name()));
    }
    match (&node.parent, node.role) {
        (Some(_), Role::Grandmaster) => return Err(TopologyError::Follows(name())),
        (None, Role::BoundaryClock | Role::Follower) => {
            return Err(TopologyError::NoParent(name()));
        }
        (Some(parent), _) if !before.iter().any(|other| other.name == *parent) => {
            let parent = parent.clone();
            return Err(TopologyError::UnknownParent { node: name(), parent });
        }
        _ => {}
    }
    if !(0.0..=1e6).contains(&node.noise_ns) {
        return Err(range("noise-ns"));
    }
    if node.threshold_ns <= node.hysteresis_ns {
        return Err(range("hysteresis-ns"));
    }
    if node.holdover_timeout.is_negative() {
        return Err(range("holdover-timeout"));
    }
    if node.in_spec.is_negative() {
        return Err(range("in-spec"));
    }
    Ok(())
}
