//! A timing domain: the nodes that share a grandmaster, and who of them lost lock of late.

use std::collections::VecDeque;

use ptp_events::Received;

use crate::Settings;
use crate::node::{Node, NodeId, Role};

/// The nodes of one timing domain. All nodes that no topology names share one.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    /// How many nodes report a PTP clock.
    pub ptp_nodes: usize,
    /// Those that report a GNSS receiver.
    pub grandmasters: Vec<NodeId>,
    /// Nodes that lost lock, each once per window, oldest first.
    losses: VecDeque<(Received, NodeId)>,
}

impl Domain {
    /// A PTP clock of `node` left LOCKED at `at`.
    pub(crate) fn push_loss(&mut self, at: Received, node: NodeId, settings: &Settings) {
        self.forget(at, settings);
        self.losses.push_back((at, node));
    }

    /// Drops what is older than the window.
    pub(crate) fn forget(&mut self, now: Received, settings: &Settings) {
        // A loss matters until the detectors that wait for it have had their say.
        let keep = settings.upstream + settings.loss_of_lock + settings.process_restart;
        while self.losses.front().is_some_and(|(at, _)| now.since(*at) > keep) {
            self.losses.pop_front();
        }
    }

    /// The nodes that lost lock around `since`, if they are too many to each have a cause of
    /// their own: at least three, and at least half of those that follow.
    pub(crate) fn mass_loss(
        &self,
        since: Received,
        nodes: &[Node],
        settings: &Settings,
    ) -> Option<Vec<NodeId>> {
        let (from, to) = (since.before(settings.upstream), since.after(settings.upstream));
        let mut lost: Vec<NodeId> = self
            .losses
            .iter()
            .filter(|(at, _)| (from..=to).contains(at))
            .map(|(_, node)| *node)
            .filter(|node| nodes[node.0 as usize].role() != Role::Grandmaster)
            .collect();
        let followers = self.ptp_nodes.saturating_sub(self.grandmasters.len());
        if lost.len() < 3 || lost.len() * 2 < followers {
            return None;
        }
        lost.sort_unstable();
        lost.dedup();
        (lost.len() >= 3 && lost.len() * 2 >= followers).then_some(lost)
    }
}
