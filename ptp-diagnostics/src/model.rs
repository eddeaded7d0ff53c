//! All that is known: nodes, their clocks, timing domains and the settings, by number.
//!
//! Everything else looks at it through [`Model`]'s queries; only the engine changes it.

pub mod curve;
pub mod timeline;
pub mod topology;
pub mod trace;

pub(crate) mod artefacts;
pub(crate) mod clock_class;
pub(crate) mod crossings;
pub(crate) mod domain;
pub(crate) mod forecast;
pub(crate) mod holdover;
pub(crate) mod node;
pub(crate) mod quality;
pub(crate) mod recent;
pub(crate) mod seen;
pub(crate) mod skew;
pub(crate) mod stage;
pub(crate) mod symptom;

use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;
use ptp_events::{ClockClass, NodeName, Offset, Received, Resource, SyncState};

use self::artefacts::follows_from_stuck;
use self::domain::{Branch, Domain};
use self::node::{ClockId, Node, NodeId, Role};
use self::timeline::{Said, Timeline};
use crate::Settings;

/// How long before a loss the class that comes with it may arrive; afterwards, three times as long.
const LAG: Duration = Duration::from_secs(1);

/// Everything that is known.
#[derive(Debug)]
pub(crate) struct Model {
    pub settings: Settings,
    pub nodes: Vec<Node>,
    pub clocks: Vec<Timeline>,
    owners: Vec<NodeId>,
    /// By [`Node::domain`]; the first is that of nodes which the topology does not name.
    pub domains: Vec<Domain>,
    names: HashMap<NodeName, NodeId, RandomState>,
}

impl Model {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            domains: (0..=settings.topology.domains()).map(|_| Domain::default()).collect(),
            settings,
            nodes: Vec::new(),
            clocks: Vec::new(),
            owners: Vec::new(),
            names: HashMap::default(),
        }
    }

    pub(crate) fn find_node(&self, name: &NodeName) -> Option<NodeId> {
        self.names.get(name).copied()
    }

    /// Adds a node, unless there are too many; they are numbered in the order they are added.
    pub(crate) fn add_node(&mut self, name: &NodeName, at: Received) -> Option<NodeId> {
        if self.nodes.len() >= self.settings.max_nodes {
            return None;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).expect("max_nodes is far below 2^32"));
        let topology = &self.settings.topology;
        // The first domain is that of nodes without one.
        let domain = topology.domain_of(name).map_or(0, |domain| domain as usize + 1);
        self.nodes.push(Node::new(name.clone(), domain, topology.holdover_of(name), at));
        self.names.insert(name.clone(), id);
        Some(id)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    pub(crate) fn clock(&self, id: ClockId) -> &Timeline {
        &self.clocks[id.0 as usize]
    }

    /// The timing domain of a node.
    pub(crate) fn domain(&self, id: NodeId) -> &Domain {
        &self.domains[self.node(id).domain]
    }

    /// The clocks of a node that are of `resource`.
    pub(crate) fn of(
        &self,
        node: NodeId,
        resource: &'static Resource,
    ) -> impl Iterator<Item = &Timeline> {
        self.node(node)
            .clocks
            .iter()
            .filter(move |member| member.resource == *resource)
            .map(move |member| &self.clocks[member.id.0 as usize])
    }

    /// The PTP clocks of a node.
    pub(crate) fn ptp(&self, node: NodeId) -> impl Iterator<Item = &Timeline> {
        self.of(node, &Resource::LockState)
    }

    /// Whether a node can get its time from where one of these gets it.
    pub(crate) fn shares_domain(&self, node: NodeId, others: &[NodeId]) -> bool {
        let domain = self.node(node).domain;
        others.iter().any(|other| self.node(*other).domain == domain)
    }

    /// The nodes of its domain that lost lock with `node` around `since`; see
    /// [`Domain::domain_outage`].
    pub(crate) fn domain_outage(&self, node: NodeId, since: Received) -> Option<Vec<NodeId>> {
        self.domain(node).domain_outage(since, &self.nodes, &self.settings)
    }

    /// The same for fewer of them, closer together; see [`Domain::segment_outage`].
    pub(crate) fn segment_outage(&self, node: NodeId, since: Received) -> Option<Branch> {
        self.domain(node).segment_outage(since, &self.nodes, &self.settings)
    }

    /// Whether a node lost its lock together with others of its domain, too many or too close together
    /// for chance.
    pub(crate) fn lost_with_others(&self, node: NodeId) -> bool {
        self.ptp_unlocked(node).is_some_and(|lost| {
            let most = self.domain_outage(node, lost).is_some_and(|nodes| nodes.contains(&node));
            most || self
                .segment_outage(node, lost)
                .is_some_and(|branch| branch.nodes.contains(&node))
        })
    }

    /// Since when a PTP clock of the node is not locked.
    pub(crate) fn ptp_unlocked(&self, node: NodeId) -> Option<Received> {
        self.ptp(node).filter_map(Timeline::unlocked_since).min()
    }

    /// When a PTP clock of the node lost its lock last, whether or not it has it again.
    pub(crate) fn ptp_last_lost(&self, node: NodeId) -> Option<Received> {
        let lost = |clock: &Timeline| {
            clock.unlocked_since().or_else(|| clock.last_break().map(|(lost, _)| lost))
        };
        self.ptp(node).filter_map(lost).max()
    }

    /// Whether a PTP clock of the node has said a state.
    pub(crate) fn knows_ptp(&self, node: NodeId) -> bool {
        self.ptp(node).any(|clock| clock.state().is_some())
    }

    /// Whether PTP on the node is not locked, or was not until a moment ago.
    pub(crate) fn ptp_troubled(&self, node: NodeId, now: Received) -> bool {
        self.ptp(node).any(|clock| {
            clock.unlocked_since().is_some()
                || (clock.changes() > 0
                    && clock
                        .state()
                        .is_some_and(|(_, since)| now.since(since) < self.settings.correlate))
        })
    }

    /// Whether a PTP clock of the node left its lock, or found it again, no earlier than `time`.
    pub(crate) fn ptp_changed_since(&self, node: NodeId, time: Received) -> bool {
        self.ptp(node).any(|clock| {
            clock.changes() > 0 && clock.state().is_some_and(|(_, since)| since >= time)
        })
    }

    /// Whether every system clock of the node is LOCKED, and there is one.
    pub(crate) fn os_is_locked(&self, node: NodeId) -> bool {
        let mut os = self.of(node, &Resource::OsClock).peekable();
        os.peek().is_some() && os.all(Timeline::is_locked)
    }

    /// With which offset a clock of the node left LOCKED for FREERUN with its reference still heard.
    /// A power-on class that comes with the loss says that it is not.
    pub(crate) fn moved_by(&self, node: NodeId, clock: &Timeline) -> Option<Offset> {
        let offset = clock.lost_by_offset()?;
        // Followers of a grandmaster in trouble announce what it announces.
        let mut others = self.domain(node).troubled(node);
        if others.any(|gm| self.degraded_class(gm).is_some()) {
            return Some(offset);
        }
        let lost = clock.unlocked_since()?;
        let with_it = lost.before(LAG)..=lost.after(LAG * 3);
        let alone = self
            .of(node, &Resource::ClockClass)
            .filter(|class| class.facts().len() > 1)
            .filter_map(Timeline::class)
            .any(|(class, since)| matches!(class.0, 248 | 255) && with_it.contains(&since));
        (!alone).then_some(offset)
    }

    /// Whether the node's PTP clocks receive a reference: each is locked, or left its lock because
    /// the reference was too far away.
    pub(crate) fn receives_reference(&self, node: NodeId) -> bool {
        let far = |clock: &Timeline| {
            let least = self.settings.offset_ns * 4 / 5;
            self.moved_by(node, clock).is_some_and(|offset| offset.magnitude() >= least)
        };
        let mut ptp = self.ptp(node).peekable();
        ptp.peek().is_some() && ptp.all(|clock| clock.is_locked() || far(clock))
    }

    /// The node's GNSS receiver, if it gives no time and is not just starting.
    pub(crate) fn bad_receiver(&self, node: NodeId) -> Option<&Timeline> {
        self.of(node, &Resource::Gnss).find(|clock| {
            let starting = self.node(node).has_yet_to_lock(clock, &self.clocks);
            clock.no_time_since().is_some() && !starting
        })
    }

    /// The worst class that the node announces, if it is worse than it should be.
    pub(crate) fn degraded_class(&self, node: NodeId) -> Option<ClockClass> {
        self.of(node, &Resource::ClockClass)
            .filter(|clock| clock.degraded_since().is_some())
            .filter_map(Timeline::class)
            .map(|(class, _)| class)
            .max_by_key(|class| clock_class::rank(*class))
    }

    /// Whether a master has lost its own reference, or says so.
    pub(crate) fn is_troubled(&self, master: NodeId) -> bool {
        !self.node(master).gone
            && (self.bad_receiver(master).is_some()
                || self.degraded_class(master).is_some()
                || self.ptp_unlocked(master).is_some())
    }

    /// Notes in its domain whether a node is LOCKED, and whether it is a master in trouble; nothing is
    /// expected of one that left.
    pub(crate) fn note_in_domain(&mut self, node: NodeId) {
        let Node { domain, gone, role, .. } = *self.node(node);
        let is_locked = gone || self.ptp_unlocked(node).is_none();
        let is_troubled = role == Role::Grandmaster && self.is_troubled(node);
        self.domains[domain].note_lock(node, is_locked);
        self.domains[domain].note_trouble(node, is_troubled);
    }

    /// Whether a log shows that a pulse steers the clocks of the node, and no path any of them.
    pub(crate) fn is_steered_by_pulse(&self, node: NodeId) -> bool {
        let mut seen = self.ptp(node).filter_map(Timeline::first_hand).peekable();
        seen.peek().is_some() && {
            let (mut pulse, mut path) = (false, false);
            for seen in seen {
                pulse |= seen.is_by_pulse();
                path |= seen.has_path();
            }
            pulse && !path
        }
    }

    /// Whether the node is a grandmaster, by its receiver or by the class it announces of itself.
    ///
    /// The daemon's own event API sends no GNSS events, so that a T-GM shows itself by classes 7, 140,
    /// 150 and 160 alone. A follower passes such a class on: then it is LOCKED, or a grandmaster is
    /// known that announces it. And only a T-GM's system clock does not go into HOLDOVER with PTP
    /// (docs/protocol.md §5, §11).
    pub(crate) fn is_grandmaster(&self, node: NodeId) -> bool {
        if self.node(node).role() == Role::Grandmaster || self.is_steered_by_pulse(node) {
            return true;
        }
        let Some(lost) = self.ptp_unlocked(node) else { return false };
        let own = |clock: &Timeline| {
            let facts = clock.facts().iter().rev();
            facts.take_while(|fact| fact.at >= lost.before(LAG)).any(|fact| match fact.said {
                Said::Class(class) => clock_class::is_grandmasters_holdover(class),
                _ => false,
            })
        };
        let another = |gm: NodeId| self.degraded_class(gm).is_some();
        self.ptp(node).any(Timeline::held_over)
            && self.of(node, &Resource::ClockClass).any(own)
            && !self.of(node, &Resource::OsClock).any(Timeline::held_over)
            && !self.domain(node).troubled(node).any(another)
    }

    /// Whether the node as a whole has said LOCKED since this clock said otherwise, or all its clocks
    /// since the node as a whole did.
    ///
    /// sync-state is the worst of both clocks (docs/diagnosis.md §5), so this one must be LOCKED too,
    /// and the event that said so was lost, or never sent: a publisher may stick at FREERUN.
    pub(crate) fn is_locked_after_all(&self, node: NodeId, clock: &Timeline) -> bool {
        let Some(unlocked) = clock.unlocked_since() else {
            return false;
        };
        let locked = |other: &Timeline| {
            other.state().is_some_and(|(state, since)| state.is_locked() && since > unlocked)
        };
        if *clock.resource() == Resource::SyncState {
            let kinds = [&Resource::LockState, &Resource::OsClock];
            return kinds.into_iter().all(|kind| {
                let mut clocks = self.of(node, kind).peekable();
                clocks.peek().is_some() && clocks.all(locked)
            });
        }
        self.of(node, &Resource::SyncState)
            .any(|overall| locked(overall) && overall.last_seen() > clock.last_seen())
    }

    /// The node that a clock is of.
    pub(crate) fn owner(&self, clock: ClockId) -> NodeId {
        self.owners[clock.0 as usize]
    }

    /// Adds a clock of a node; they are numbered in the order they are added.
    pub(crate) fn add_clock(&mut self, node: NodeId, clock: Timeline) {
        self.owners.push(node);
        self.clocks.push(clock);
    }

    /// Whether what is said of this clock is explained by a stuck publisher.
    pub(crate) fn is_artefact(&self, id: ClockId) -> bool {
        let (clock, node) = (self.clock(id), self.node(self.owner(id)));
        !clock.is_locked() && follows_from_stuck(clock, node, &self.clocks, &self.settings)
    }

    /// Whether the class that is announced is from when the node had no lock itself.
    ///
    /// Where the event of the clock was lost its overall state says so, but only in HOLDOVER: any
    /// other may be that of the system clock.
    pub(crate) fn announces_its_own_loss(&self, node: NodeId, class: ClockId) -> bool {
        let had_none = |clock: &Timeline, at: Received| {
            clock.unlocked_since().is_some_and(|lost| lost <= at)
                || clock.last_break().is_some_and(|(lost, back)| lost <= at && at <= back)
        };
        self.clock(class).class().is_some_and(|(_, since)| {
            let mut overall = self.of(node, &Resource::SyncState);
            self.ptp(node).any(|clock| had_none(clock, since))
                || overall.any(|state| state.is(&SyncState::Holdover) && had_none(state, since))
        })
    }
}
