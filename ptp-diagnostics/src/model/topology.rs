//! Which node follows which, where somebody has written it down: the timing domains.
//!
//! A timing domain is everybody who can get the same time: a grandmaster, or several that serve the
//! same followers, and all who follow them, directly or through others.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;
use ptp_events::NodeName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settings::duration;

/// The most nodes a file may name; twice what [`crate::Settings::max_nodes`] follows by default.
pub const MAX_NODES: usize = 100_000;
/// The most nodes that one may follow.
pub const MAX_FOLLOWED: usize = 16;
/// The longest that a clock may be said to hold.
const MAX_HOLDOVER: Duration = Duration::from_hours(365 * 24);
/// How many mistakes are told of one file.
const TOLD: usize = 20;

/// One node of a topology file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyNode {
    /// Its Kubernetes name.
    pub name: NodeName,
    /// Whom it may get its time from; nobody when it is a grandmaster.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<NodeName>,
    /// How long its oscillator keeps true time within
    /// [`holdover_limit_ns`](crate::Settings::holdover_limit_ns) without a reference, by its data
    /// sheet.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_duration",
        serialize_with = "as_text"
    )]
    pub holdover: Option<Duration>,
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

#[expect(clippy::ref_option, reason = "what serde hands over")]
fn as_text<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    let signed = duration.and_then(|duration| jiff::SignedDuration::try_from(duration).ok());
    signed.map(|signed| format!("{signed:#}")).serialize(serializer)
}

/// A topology file as it is written, not yet checked.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TopologyFile {
    /// Its nodes, in any order.
    #[serde(default)]
    pub node: Vec<TopologyNode>,
}

/// Something in a topology file that cannot be. Nodes are counted from 1.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyMistake {
    /// It names nobody.
    #[error("there are no nodes: each is a `[[node]]` with a `name`")]
    Empty,
    /// It names too many.
    #[error("{0} nodes are more than the {MAX_NODES} that there may be")]
    TooMany(usize),
    /// Two nodes have one name.
    #[error("node {number}: `{name}` is node {first} already")]
    Twice {
        /// Which.
        number: usize,
        /// Its name.
        name: NodeName,
        /// Who had it before.
        first: usize,
    },
    /// One follows too many.
    #[error("node {number} (`{name}`): it follows {count} nodes; {MAX_FOLLOWED} are the most")]
    FollowsMany {
        /// Which.
        number: usize,
        /// Its name.
        name: NodeName,
        /// How many.
        count: usize,
    },
    /// One follows somebody the file does not name.
    #[error("node {number} (`{name}`): it follows `{followed}`, which is not among the nodes")]
    Unknown {
        /// Which.
        number: usize,
        /// Its name.
        name: NodeName,
        /// Whom.
        followed: NodeName,
    },
    /// One that holds for no time, or for longer than any oscillator.
    #[error("node {number} (`{name}`): `holdover` must be longer than 0 s and at most a year")]
    Holdover {
        /// Which.
        number: usize,
        /// Its name.
        name: NodeName,
    },
    /// Nodes follow each other in a circle, so that none gets the time from anywhere.
    #[error("node {number} (`{name}`): it follows itself{}", by_way_of(.through))]
    Circle {
        /// Which of them.
        number: usize,
        /// Its name.
        name: NodeName,
        /// The others, in the order they follow each other.
        through: Vec<NodeName>,
    },
}

fn by_way_of(names: &[NodeName]) -> String {
    let names: Vec<_> = names.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
    if names.is_empty() { String::new() } else { format!(" through {}", names.join(", ")) }
}

/// Why a text is no topology.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// Not TOML, or TOML of another shape.
    #[error("cannot understand the topology")]
    Toml {
        /// What the parser said, with the place.
        source: Box<toml::de::Error>,
    },
    /// Nodes that cannot be.
    #[error("the topology cannot be: {}", told(.0))]
    Mistakes(Vec<TopologyMistake>),
}

fn told(mistakes: &[TopologyMistake]) -> String {
    let mut text: Vec<_> = mistakes.iter().take(TOLD).map(ToString::to_string).collect();
    if mistakes.len() > TOLD {
        text.push(format!("and {} more", mistakes.len() - TOLD));
    }
    text.join("; ")
}

/// What a file says of every node that it names. The default names nobody.
///
/// ```
/// let topology = ptp_diagnostics::Topology::from_toml(r#"
///     [[node]]
///     name = "gm-0"
///     [[node]]
///     name = "worker-0"
///     follows = ["gm-0"]
/// "#)?;
/// assert_eq!(topology.domains(), 1);
/// # Ok::<(), ptp_diagnostics::topology::TopologyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    nodes: Arc<HashMap<NodeName, Known, FixedState>>,
    domains: u32,
}

/// What is known of one node.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    /// Numbered from 0, in the order of the file.
    domain: u32,
    holdover: Option<Duration>,
    follows: Vec<NodeName>,
}

impl TopologyFile {
    /// The file as it is written.
    ///
    /// # Panics
    /// Never: lists of names and texts are TOML.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("lists of names and texts are TOML")
    }
}

impl Topology {
    /// Reads a file.
    ///
    /// # Errors
    /// When the text is something else, or with every mistake in it.
    pub fn from_toml(text: &str) -> Result<Self, TopologyError> {
        let file = toml::from_str(text)
            .map_err(|source| TopologyError::Toml { source: Box::new(source) })?;
        Self::new(&file)
    }

    /// Checks what a file says.
    ///
    /// # Errors
    /// With every mistake.
    pub fn new(file: &TopologyFile) -> Result<Self, TopologyError> {
        let refused = |mistake| Err(TopologyError::Mistakes(vec![mistake]));
        if file.node.is_empty() {
            return refused(TopologyMistake::Empty);
        }
        if file.node.len() > MAX_NODES {
            return refused(TopologyMistake::TooMany(file.node.len()));
        }
        let mut mistakes = Vec::new();
        let followed = links(&file.node, &mut mistakes);
        circles(&file.node, &followed, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(TopologyError::Mistakes(mistakes));
        }
        let (numbers, domains) = components(&followed);
        let nodes = file.node.iter().zip(numbers).map(|(node, domain)| {
            let (holdover, follows) = (node.holdover, node.follows.clone());
            (node.name.clone(), Known { domain, holdover, follows })
        });
        Ok(Self { nodes: Arc::new(nodes.collect()), domains })
    }

    /// How many timing domains there are.
    #[must_use]
    pub const fn domains(&self) -> u32 {
        self.domains
    }

    /// Which one a node is in, from 0 on; `None` when the file does not name it.
    #[must_use]
    pub fn domain_of(&self, node: &NodeName) -> Option<u32> {
        self.nodes.get(node).map(|known| known.domain)
    }

    /// Whom a node follows, the preferred one first; nobody when the file does not say.
    #[must_use]
    pub fn follows(&self, node: &NodeName) -> &[NodeName] {
        self.nodes.get(node).map_or(&[], |known| &known.follows)
    }

    /// How long a node holds without a reference; `None` when the file does not say so.
    #[must_use]
    pub fn holdover_of(&self, node: &NodeName) -> Option<Duration> {
        self.nodes.get(node)?.holdover
    }
}

/// Whom each follows, by place.
fn links(nodes: &[TopologyNode], mistakes: &mut Vec<TopologyMistake>) -> Vec<Vec<usize>> {
    let mut places = HashMap::with_capacity_and_hasher(nodes.len(), FixedState::default());
    for (at, node) in nodes.iter().enumerate() {
        if let Some(first) = places.insert(&node.name, at) {
            let (number, name, first) = (at + 1, node.name.clone(), first + 1);
            mistakes.push(TopologyMistake::Twice { number, name, first });
        }
    }
    let mut followed = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let (number, name) = (at + 1, || node.name.clone());
        if node.follows.len() > MAX_FOLLOWED {
            let count = node.follows.len();
            mistakes.push(TopologyMistake::FollowsMany { number, name: name(), count });
        }
        if node.holdover.is_some_and(|holds| holds.is_zero() || holds > MAX_HOLDOVER) {
            mistakes.push(TopologyMistake::Holdover { number, name: name() });
        }
        let known = node.follows.iter().take(MAX_FOLLOWED).filter_map(|other| {
            let place = places.get(other).copied();
            if place.is_none() {
                let followed = other.clone();
                mistakes.push(TopologyMistake::Unknown { number, name: name(), followed });
            }
            place
        });
        followed.push(known.collect());
    }
    followed
}

/// Finds circles, walking from each node to whom it follows, without recursion: a file may chain as
/// many nodes as it likes.
fn circles(nodes: &[TopologyNode], followed: &[Vec<usize>], mistakes: &mut Vec<TopologyMistake>) {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Never,
        OnTheWay,
        Done,
    }
    let mut seen = vec![Seen::Never; nodes.len()];
    for start in 0..nodes.len() {
        if seen[start] != Seen::Never {
            continue;
        }
        // The way so far, and which link of each comes next.
        let mut way = vec![(start, 0)];
        seen[start] = Seen::OnTheWay;
        while let Some((at, next)) = way.last_mut() {
            let Some(&other) = followed[*at].get(*next) else {
                seen[*at] = Seen::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match seen[other] {
                Seen::Done => {}
                Seen::Never => {
                    seen[other] = Seen::OnTheWay;
                    way.push((other, 0));
                }
                Seen::OnTheWay => {
                    let circle = way.iter().skip_while(|(at, _)| *at != other).skip(1);
                    mistakes.push(TopologyMistake::Circle {
                        number: other + 1,
                        name: nodes[other].name.clone(),
                        through: circle.take(TOLD).map(|(at, _)| nodes[*at].name.clone()).collect(),
                    });
                }
            }
        }
    }
}

/// The first of a group, to which everybody in it points, directly or through others.
fn root(first: &mut [usize], mut at: usize) -> usize {
    while first[at] != at {
        first[at] = first[first[at]];
        at = first[at];
    }
    at
}

/// Numbers the groups that are linked, in the order of their first nodes; and how many there are.
fn components(followed: &[Vec<usize>]) -> (Vec<u32>, u32) {
    // Each points nearer to the first of its group.
    let mut first: Vec<usize> = (0..followed.len()).collect();
    for (at, others) in followed.iter().enumerate() {
        for &other in others {
            let (a, b) = (root(&mut first, at), root(&mut first, other));
            first[a.max(b)] = a.min(b);
        }
    }
    let mut numbers: Vec<u32> = Vec::with_capacity(followed.len());
    let mut count = 0;
    for at in 0..followed.len() {
        let root = root(&mut first, at);
        // The first of a group comes before all others of it.
        let number = if root == at { count } else { numbers[root] };
        count += u32::from(root == at);
        numbers.push(number);
    }
    (numbers, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use std::fmt::Write as _;

    /// A node per line: its name, perhaps with the seconds that it holds, and whom it follows.
    fn file(text: &str) -> TopologyFile {
        let mut node = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let first = words.next().unwrap();
            let (first, holds) = first.split_once(':').map_or((first, None), |(n, s)| (n, Some(s)));
            let name = |name: &str| NodeName::new(name).unwrap();
            node.push(TopologyNode {
                name: name(first),
                follows: words.map(name).collect(),
                holdover: holds.map(|seconds| Duration::from_secs(seconds.parse().unwrap())),
            });
        }
        TopologyFile { node }
    }

    /// The domain of each node, or what is wrong.
    fn tell(text: &str) -> String {
        let file = file(text);
        match Topology::new(&file) {
            Err(error) => error.to_string(),
            Ok(topology) => file.node.iter().fold(String::new(), |mut out, node| {
                let domain = topology.domain_of(&node.name).unwrap();
                write!(out, "{} {domain}, ", node.name).unwrap();
                out
            }),
        }
    }

    #[test]
    fn a_domain_is_everybody_who_can_get_the_same_time() {
        assert_snapshot!(tell("w0 bc\n w1 gm-b\n bc gm-a\n gm-a\n gm-b\n alone\n"),
            @"w0 0, w1 1, bc 0, gm-a 0, gm-b 1, alone 2, ");
        assert_snapshot!(tell("gm-a\n gm-b\n w0 gm-a gm-b\n w1 gm-b\n"),
            @"gm-a 0, gm-b 0, w0 0, w1 0, ");
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        assert_snapshot!(tell(""), @"the topology cannot be: there are no nodes: each is a `[[node]]` with a `name`");
        assert_snapshot!(tell("gm:0\n w0:31536001 gmm\n gm\n w1 w1\n a b\n b c\n c a\n"), @"the topology cannot be: node 3: `gm` is node 1 already; node 1 (`gm`): `holdover` must be longer than 0 s and at most a year; node 2 (`w0`): `holdover` must be longer than 0 s and at most a year; node 2 (`w0`): it follows `gmm`, which is not among the nodes; node 4 (`w1`): it follows itself; node 5 (`a`): it follows itself through `b`, `c`");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file = file("gm:14400\n w0:1200 gm\n w1 gm\n");
        assert_snapshot!(file.to_toml(), @r#"
        [[node]]
        name = "gm"
        holdover = "4h"

        [[node]]
        name = "w0"
        follows = ["gm"]
        holdover = "20m"

        [[node]]
        name = "w1"
        follows = ["gm"]
        "#);
        assert_eq!(toml::from_str::<TopologyFile>(&file.to_toml()).unwrap(), file);
        let topology = Topology::new(&file).unwrap();
        let holds = file.node.iter().map(|node| topology.holdover_of(&node.name));
        assert!(holds.eq(file.node.iter().map(|node| node.holdover)));
    }

    #[test]
    fn another_shape_is_refused_with_its_place() {
        let refused = |text| match Topology::from_toml(text).unwrap_err() {
            TopologyError::Toml { source } => source.to_string(),
            other => other.to_string(),
        };
        assert_snapshot!(refused("[[node]]\nname = \"gm\"\nparent = \"x\"\n"), @r#"
        TOML parse error at line 3, column 1
          |
        3 | parent = "x"
          | ^^^^^^
        unknown field `parent`, expected one of `name`, `follows`, `holdover`
        "#);
        assert_snapshot!(refused("[[node]]\nname = \"a b\\u0007\"\n"), @r#"
        TOML parse error at line 2, column 8
          |
        2 | name = "a b\u0007"
          |        ^^^^^^^^^^^
        the name contains the control character U+0007
        "#);
    }

    #[test]
    fn long_chains_and_many_links_are_bounded() {
        let name = |n: usize| NodeName::new(&format!("n{n}")).unwrap();
        let chain = |count: usize| TopologyFile {
            node: (0..count)
                .map(|n| TopologyNode {
                    name: name(n),
                    follows: if n + 1 < count { vec![name(n + 1)] } else { Vec::new() },
                    holdover: None,
                })
                .collect(),
        };
        assert_eq!(Topology::new(&chain(MAX_NODES)).unwrap().domains(), 1);
        assert!(Topology::new(&chain(MAX_NODES + 1)).is_err());
        let mut many = chain(2);
        many.node[0].follows = vec![name(1); MAX_FOLLOWED + 1];
        assert!(Topology::new(&many).is_err());
    }
}
