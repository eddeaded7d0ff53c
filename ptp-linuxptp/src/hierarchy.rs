//! Who follows whom, from what each clock says of itself and of its parent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::pmc::{DataSet, Printed};

/// The data sets that tell of a clock's place.
pub const SETS: [DataSet; 4] = [
    DataSet::DefaultDataSet,
    DataSet::CurrentDataSet,
    DataSet::ParentDataSet,
    DataSet::PortDataSet,
];

/// One ptp4l of one node.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Clock {
    /// The node it runs on.
    pub node: String,
    /// The number of its configuration: the `0` of `ptp4l.0.config`.
    pub config: u8,
    /// Such as `86a1d7.fffe.538f12`.
    pub identity: String,
    /// The identity of the clock it follows; its own, if it follows none.
    pub parent: String,
    /// The identity of its grandmaster.
    pub grandmaster: String,
    /// The class of its grandmaster.
    pub class: Option<i64>,
    /// How many steps away its grandmaster is.
    pub steps: Option<i64>,
    /// Its domain.
    pub domain: Option<i64>,
    /// Port and state, as ptp4l calls it.
    pub ports: Vec<(String, String)>,
}

/// What a clock does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// It serves, and follows nobody.
    Grandmaster,
    /// It follows and serves.
    Boundary,
    /// It follows.
    Follower,
    /// It neither follows nor serves: it waits, or failed.
    Neither,
}

impl Part {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grandmaster => "grandmaster",
            Self::Boundary => "boundary",
            Self::Follower => "follower",
            Self::Neither => "neither",
        }
    }
}

impl Clock {
    /// From its answers; `None` unless they say who it is and whom it follows.
    #[must_use]
    pub fn of(node: &str, config: u8, printed: &Printed) -> Option<Self> {
        let own = printed.one(DataSet::DefaultDataSet)?;
        let parent = printed.one(DataSet::ParentDataSet)?;
        let current = printed.one(DataSet::CurrentDataSet);
        let integer = |answer: Option<&crate::pmc::Answer>, field| -> Option<i64> {
            answer?.get(field)?.parse().ok()
        };
        let ports = printed.of(DataSet::PortDataSet).map(|port| {
            let state = port.get("portState").unwrap_or("unknown");
            (port.from.clone(), state.to_owned())
        });
        let of_port = parent.get("parentPortIdentity")?;
        Some(Self {
            node: node.to_owned(),
            config,
            identity: own.get("clockIdentity")?.to_owned(),
            parent: of_port.rsplit_once('-').map_or(of_port, |(clock, _)| clock).to_owned(),
            grandmaster: parent.get("grandmasterIdentity")?.to_owned(),
            class: integer(Some(parent), "gm.ClockClass"),
            steps: integer(current, "stepsRemoved"),
            domain: integer(Some(own), "domainNumber"),
            ports: ports.collect(),
        })
    }

    fn any(&self, states: &[&str]) -> bool {
        self.ports.iter().any(|(_, state)| states.contains(&state.as_str()))
    }

    /// What it does.
    #[must_use]
    pub fn part(&self) -> Part {
        let follows = self.any(&["SLAVE", "UNCALIBRATED"]);
        let serves = self.any(&["MASTER", "GRAND_MASTER", "PRE_MASTER"]);
        match (follows, serves) {
            (true, true) => Part::Boundary,
            (true, false) => Part::Follower,
            (false, true) if self.grandmaster == self.identity => Part::Grandmaster,
            _ => Part::Neither,
        }
    }
}

/// The clocks in the order of the tree: a parent before who follows it, each with its depth.
#[must_use]
pub fn tree(clocks: &[Clock]) -> Vec<(usize, &Clock)> {
    let known: BTreeMap<&str, &Clock> =
        clocks.iter().map(|clock| (clock.identity.as_str(), clock)).collect();
    let is_root = |clock: &&Clock| {
        clock.parent == clock.identity || !known.contains_key(clock.parent.as_str())
    };
    let mut ordered = Vec::new();
    let mut waiting: Vec<(usize, &Clock)> =
        clocks.iter().filter(is_root).map(|clock| (0, clock)).rev().collect();
    while let Some((depth, clock)) = waiting.pop() {
        if ordered.iter().any(|(_, other): &(usize, &Clock)| std::ptr::eq(*other, clock)) {
            continue;
        }
        ordered.push((depth, clock));
        let followers = clocks
            .iter()
            .filter(|other| other.parent == clock.identity && other.identity != clock.identity);
        let followers: Vec<_> = followers.map(|follower| (depth + 1, follower)).collect();
        waiting.extend(followers.into_iter().rev());
    }
    // Clocks that name each other as parents have no root; they were asked at different times.
    for clock in clocks {
        if !ordered.iter().any(|(_, other)| std::ptr::eq(*other, clock)) {
            ordered.push((0, clock));
        }
    }
    ordered
}

/// A clock in the tree, and where its parent is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Placed {
    /// The node it runs on.
    pub node: String,
    /// The number of its configuration.
    pub config: u8,
    /// Its identity.
    pub clock: String,
    /// How far down the tree it is.
    pub depth: usize,
    /// What it does.
    pub part: Part,
    /// Its domain.
    pub domain: Option<i64>,
    /// The identity of its parent; none when it follows nobody.
    pub parent: Option<String>,
    /// The node its parent runs on, if that is known.
    pub parent_node: Option<String>,
    /// Whether its parent is none of the clocks that were asked.
    pub parent_outside: bool,
    /// The identity of its grandmaster.
    pub grandmaster: String,
    /// The class of its grandmaster.
    pub class: Option<i64>,
    /// How many steps away its grandmaster is.
    pub steps: Option<i64>,
    /// Its ports.
    pub ports: Vec<PortState>,
}

/// A port and its state.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct PortState {
    /// The port's identity.
    pub port: String,
    /// As ptp4l calls it: SLAVE, MASTER, …
    pub state: String,
}

/// How many ports of a clock are shown.
const MOST_PORTS: usize = 32;

impl Placed {
    /// A clock among all of them.
    #[must_use]
    pub fn new(depth: usize, clock: &Clock, all: &[Clock]) -> Self {
        let parent = all.iter().find(|other| other.identity == clock.parent);
        let is_own = clock.parent == clock.identity;
        let ports = clock.ports.iter().take(MOST_PORTS);
        Self {
            node: clock.node.clone(),
            config: clock.config,
            clock: clock.identity.clone(),
            depth,
            part: clock.part(),
            domain: clock.domain,
            parent: (!is_own).then(|| clock.parent.clone()),
            parent_node: parent.filter(|_| !is_own).map(|parent| parent.node.clone()),
            parent_outside: !is_own && parent.is_none(),
            grandmaster: clock.grandmaster.clone(),
            class: clock.class,
            steps: clock.steps,
            ports: ports
                .map(|(port, state)| PortState { port: port.clone(), state: state.clone() })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pmc::parse;
    use std::fmt::Write as _;

    fn clock(node: &str, identity: &str, parent: &str, states: &[&str]) -> Clock {
        let ports = (1..).zip(states).map(|(n, s)| (format!("{identity}-{n}"), (*s).to_owned()));
        Clock {
            node: node.to_owned(),
            config: 0,
            identity: identity.to_owned(),
            parent: parent.to_owned(),
            grandmaster: if identity == parent { identity.to_owned() } else { "gm".to_owned() },
            class: Some(6),
            steps: Some(1),
            domain: Some(24),
            ports: ports.collect(),
        }
    }

    fn drawn(clocks: &[Clock]) -> String {
        let mut out = String::new();
        for (depth, clock) in tree(clocks) {
            let row = Placed::new(depth, clock, clocks);
            let elsewhere = if row.parent_outside { "outside" } else { "none" };
            let parent = row.parent_node.as_deref().unwrap_or(elsewhere);
            writeln!(
                out,
                "{}{} {} < {parent}",
                "  ".repeat(depth),
                clock.node,
                clock.part().as_str()
            )
            .unwrap();
        }
        out
    }

    #[test]
    fn parents_come_before_who_follows_them() {
        let clocks = [
            clock("w3", "c", "b", &["SLAVE"]),
            clock("w2", "b", "a", &["SLAVE", "MASTER"]),
            clock("w1", "a", "a", &["MASTER"]),
            clock("w4", "d", "elsewhere", &["UNCALIBRATED"]),
            clock("w5", "e", "e", &["LISTENING", "FAULTY"]),
        ];
        insta::assert_snapshot!(drawn(&clocks), @r"
        w1 grandmaster < none
          w2 boundary < w1
            w3 follower < w2
        w4 follower < outside
        w5 neither < none
        ");
    }

    #[test]
    fn clocks_that_follow_each_other_are_still_listed_once() {
        let clocks = [clock("w1", "a", "b", &["SLAVE"]), clock("w2", "b", "a", &["SLAVE"])];
        insta::assert_snapshot!(drawn(&clocks), @r"
        w1 follower < w2
        w2 follower < w1
        ");
    }

    #[test]
    fn a_clock_is_read_from_what_pmc_prints() {
        let client = Clock::of("w1", 0, &parse(include_str!("testdata/pmc-client.txt"))).unwrap();
        let grandmaster = parse(include_str!("testdata/pmc-grandmaster.txt"));
        let grandmaster = Clock::of("w2", 0, &grandmaster).unwrap();
        assert_eq!(client.part(), Part::Follower);
        assert_eq!(grandmaster.part(), Part::Grandmaster);
        insta::assert_snapshot!(drawn(&[client, grandmaster]), @r"
        w2 grandmaster < none
          w1 follower < w2
        ");
        assert_eq!(Clock::of("w1", 0, &parse("")), None);
    }
}
