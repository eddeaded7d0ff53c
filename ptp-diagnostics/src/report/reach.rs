//! Who gets time from whom, and whether one reason may be behind two incidents.

use std::collections::HashMap;
use std::time::Duration;

use ptp_events::{NodeName, Received};
use serde::{Deserialize, Serialize};

use super::{IncidentReport, NodeReport, Report};
use crate::Role;
use crate::text::lasting;

/// How far apart two incidents may be and still have to do with each other.
const NEAR: Duration = Duration::from_mins(2);
/// How close together two beginnings are that may be one.
const TOGETHER: Duration = Duration::from_secs(30);

/// Who gets time from whom, among the nodes of a report.
///
/// A node that the topology names follows whom that says; any other one is taken to follow the grandmasters
/// among the nodes that it does not name (docs/diagnosis.md §5).
#[derive(Clone, Debug)]
pub struct Following<'a> {
    nodes: &'a [NodeReport],
    places: HashMap<&'a NodeName, usize>,
    masters: Vec<Vec<usize>>,
    followers: Vec<Vec<usize>>,
}

impl<'a> Following<'a> {
    /// Among these nodes.
    #[must_use]
    pub fn new(nodes: &'a [NodeReport]) -> Self {
        let places: HashMap<_, _> = nodes.iter().map(|node| &node.node).zip(0..).collect();
        let is_assumed = |node: &NodeReport| node.domain.is_none();
        let grandmasters: Vec<usize> = (0..nodes.len())
            .filter(|at| is_assumed(&nodes[*at]) && nodes[*at].role == Role::Grandmaster)
            .collect();
        let masters: Vec<Vec<usize>> = nodes
            .iter()
            .map(|node| match node.role {
                Role::Grandmaster => Vec::new(),
                _ if is_assumed(node) => grandmasters.clone(),
                _ => node.follows.iter().filter_map(|name| places.get(name).copied()).collect(),
            })
            .collect();
        let mut followers = vec![Vec::new(); nodes.len()];
        for (follower, masters) in masters.iter().enumerate() {
            for master in masters {
                followers[*master].push(follower);
            }
        }
        Self { nodes, places, masters, followers }
    }

    /// Whom a node follows, the preferred one first.
    pub fn masters(&self, node: &NodeName) -> impl Iterator<Item = &'a NodeReport> {
        let at = self.places.get(node);
        let masters = at.map_or(&[][..], |at| &self.masters[*at]);
        masters.iter().map(|master| &self.nodes[*master])
    }

    /// Who follows a node, directly or by others, by name.
    #[must_use]
    pub fn followers(&self, node: &NodeName) -> Vec<&'a NodeReport> {
        self.reached(node, &self.followers)
    }

    /// Whom a node gets its time from, directly or by others, by name.
    #[must_use]
    pub fn upstream(&self, node: &NodeName) -> Vec<&'a NodeReport> {
        self.reached(node, &self.masters)
    }

    fn reached(&self, node: &NodeName, edges: &[Vec<usize>]) -> Vec<&'a NodeReport> {
        let Some(start) = self.places.get(node).copied() else { return Vec::new() };
        let mut seen = vec![false; self.nodes.len()];
        seen[start] = true;
        let mut waiting = vec![start];
        let mut found = Vec::new();
        while let Some(at) = waiting.pop() {
            for next in &edges[at] {
                if !std::mem::replace(&mut seen[*next], true) {
                    found.push(*next);
                    waiting.push(*next);
                }
            }
        }
        // They are in the order of their names.
        found.sort_unstable();
        found.into_iter().map(|at| &self.nodes[at]).collect()
    }
}

/// Whether one reason is behind two incidents.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// One is a part of the other.
    Same,
    /// What is known allows for it: a look is worth it.
    Possible,
    /// Nothing that is known connects them.
    Unrelated,
}

impl Relation {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Possible => "possible",
            Self::Unrelated => "unrelated",
        }
    }
}

/// Whether one reason may be behind two incidents, and what speaks for it or against it.
///
/// The engine has kept them apart: of findings that it can explain by one cause it makes one incident. What
/// remains is what it cannot know.
#[must_use]
pub fn relation(
    report: &Report,
    following: &Following<'_>,
    one: &IncidentReport,
    other: &IncidentReport,
) -> (Relation, Vec<String>) {
    let parts = [(one, other), (other, one)];
    if one.id == other.id {
        return (Relation::Same, vec!["it is the same incident".to_owned()]);
    }
    for (part, whole) in parts {
        if part.merged_into.as_ref() == Some(&whole.id) {
            let why = format!("{} turned out to be a part of {}", part.id, whole.id);
            return (Relation::Same, vec![why]);
        }
    }
    let end = |of: &IncidentReport| of.resolved_at.or(report.input.last).unwrap_or(of.detected_at);
    if let Some(gap) = gap((one.opened_at, end(one)), (other.opened_at, end(other))) {
        let why = format!("they do not overlap: {} lie between them", lasting(gap));
        return (Relation::Unrelated, vec![why]);
    }
    let mut why = Vec::new();
    let shared = one.origin_nodes.iter().find(|node| other.origin_nodes.contains(node));
    if let Some(node) = shared {
        why.push(format!("both began on {node}"));
    }
    for (part, whole) in parts {
        let reached = part
            .origin_nodes
            .iter()
            .find(|node| whole.affected_nodes.contains(node) && !whole.origin_nodes.contains(node));
        if let Some(node) = reached {
            why.push(format!("{} is felt on {node}, where {} began", whole.id, part.id));
        }
        let from = part.origin_nodes.iter().find_map(|node| {
            let upstream = following.upstream(node);
            let origin = whole.origin_nodes.iter();
            let mut masters = origin.filter(|origin| upstream.iter().any(|m| m.node == **origin));
            masters.next().map(|master| (node, master))
        });
        if let Some((node, master)) = from {
            why.push(format!(
                "{node}, where {} began, gets its time from {master}, where {} began",
                part.id, whole.id
            ));
        }
    }
    let apart = one.opened_at.since(other.opened_at).max(other.opened_at.since(one.opened_at));
    if apart <= TOGETHER && one.root_cause == other.root_cause {
        why.push(format!(
            "both are {} and began within {}: something they share, such as a switch, may be behind both",
            one.root_cause,
            lasting(apart)
        ));
    }
    if why.is_empty() {
        let why = format!(
            "they overlap, but began on different nodes ({} and {}), {} apart, and neither gets its time from \
             the other",
            names(&one.origin_nodes),
            names(&other.origin_nodes),
            lasting(apart)
        );
        return (Relation::Unrelated, vec![why]);
    }
    for of in [one, other] {
        if let Some(finding) = of.findings.first() {
            why.push(format!(
                "against it: {} has a finding of its own, {} on {}",
                of.id, finding.code, finding.node
            ));
        }
    }
    (Relation::Possible, why)
}

/// What lies between two stretches of time that are not even near.
fn gap(one: (Received, Received), other: (Received, Received)) -> Option<Duration> {
    let gap = one.0.since(other.1).max(other.0.since(one.1));
    (gap > NEAR).then_some(gap)
}

fn names(nodes: &[NodeName]) -> String {
    let named: Vec<_> = nodes.iter().take(3).map(NodeName::as_str).collect();
    let more = nodes.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}
