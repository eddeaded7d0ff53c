//! A timing domain: the nodes that share a grandmaster, and who of them lost lock of late.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use ptp_events::Received;

use crate::Settings;
use crate::model::node::{Node, NodeId, Role};

/// The nodes of one timing domain. All nodes that no topology names share one.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    /// How many nodes report a PTP clock.
    pub ptp_nodes: usize,
    /// How many of them are grandmasters.
    pub grandmasters: usize,
    /// The grandmasters that have lost their own reference, or say so.
    troubled: BTreeSet<NodeId>,
    /// Nodes whose PTP clock is not LOCKED now.
    unlocked: BTreeSet<NodeId>,
    /// Nodes that lost lock, oldest first.
    losses: VecDeque<Loss>,
}

/// A PTP clock left LOCKED.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub at: Received,
    pub node: NodeId,
    /// Its reference moved away, and did not fall silent.
    pub by_offset: bool,
    /// A process of the node died.
    pub down: bool,
}

/// Nodes that are behind one switch or boundary clock, and where that is: a node whose process
/// died, or in front of all of them.
#[derive(Debug)]
pub(crate) struct Branch {
    pub nodes: Vec<NodeId>,
    pub origin: Vec<NodeId>,
}

impl Domain {
    /// Notes whether a node's PTP clock is LOCKED.
    pub(crate) fn note_lock(&mut self, node: NodeId, is_locked: bool) {
        if is_locked {
            self.unlocked.remove(&node);
        } else {
            self.unlocked.insert(node);
        }
    }

    /// Notes whether a grandmaster is in trouble.
    pub(crate) fn note_trouble(&mut self, grandmaster: NodeId, is_troubled: bool) {
        if is_troubled {
            self.troubled.insert(grandmaster);
        } else {
            self.troubled.remove(&grandmaster);
        }
    }

    /// The grandmasters in trouble, other than this node.
    pub(crate) fn troubled(&self, other_than: NodeId) -> impl Iterator<Item = NodeId> {
        self.troubled.iter().copied().filter(move |gm| *gm != other_than)
    }

    /// Whether most of the others are LOCKED now; `None` when there are no others.
    pub(crate) fn others_are_locked(&self, node: NodeId) -> Option<bool> {
        let others = self.ptp_nodes.checked_sub(1).filter(|others| *others > 0)?;
        let unlocked = self.unlocked.len() - usize::from(self.unlocked.contains(&node));
        Some(unlocked * 2 < others)
    }

    pub(crate) fn push_loss(&mut self, loss: Loss, settings: &Settings) {
        self.forget(loss.at, settings);
        self.losses.push_back(loss);
    }

    /// Drops what is older than the window.
    pub(crate) fn forget(&mut self, now: Received, settings: &Settings) {
        // A loss matters until the detectors that wait for it have had their say.
        let keep = settings.upstream + settings.loss_of_lock + settings.process_restart;
        while self.losses.front().is_some_and(|loss| now.since(loss.at) > keep) {
            self.losses.pop_front();
        }
    }

    /// The nodes that lost lock around `since`, if they are too many to each have a cause of
    /// their own: at least three, and at least half of those that follow.
    pub(crate) fn domain_outage(
        &self,
        since: Received,
        nodes: &[Node],
        settings: &Settings,
    ) -> Option<Vec<NodeId>> {
        let lost = self.lost(since, settings.upstream, nodes, |_| true);
        let followers = self.ptp_nodes.saturating_sub(self.grandmasters);
        (lost.len() >= 3 && lost.len() * 2 >= followers).then_some(lost)
    }

    /// The nodes whose references fell silent so close to `since` that they are behind one switch or
    /// boundary clock, however many others are not: at least three.
    pub(crate) fn segment_outage(
        &self,
        since: Received,
        nodes: &[Node],
        settings: &Settings,
    ) -> Option<Branch> {
        let lost = self.lost(since, settings.branch, nodes, |loss| !loss.by_offset);
        if lost.len() < 3 {
            return None;
        }
        let down = self.lost(since, settings.branch, nodes, |loss| loss.down);
        let origin = if down.len() == 1 { down } else { lost.clone() };
        Some(Branch { nodes: lost, origin })
    }

    fn lost(
        &self,
        since: Received,
        apart: Duration,
        nodes: &[Node],
        counts: impl Fn(&Loss) -> bool,
    ) -> Vec<NodeId> {
        let (from, to) = (since.before(apart), since.after(apart));
        let mut lost: Vec<NodeId> = self
            .losses
            .iter()
            .filter(|loss| (from..=to).contains(&loss.at) && counts(loss))
            .map(|loss| loss.node)
            .filter(|node| nodes[node.0 as usize].role() != Role::Grandmaster)
            .collect();
        lost.sort_unstable();
        lost.dedup();
        lost
    }
}
