//! What an event changes: nodes and clocks come to be known, timelines grow.

use std::hash::{BuildHasher, Hash, Hasher};
use std::time::Duration;

use foldhash::fast::FixedState;
use ptp_events::observation::{Evidence, Observation, Observed, PortState};
use ptp_events::{
    Event, Instance, NodeName, Port, Reading, Received, Resource, Stamped, SyncState,
};

use super::{Engine, Timer};
use crate::Settings;
use crate::model::domain::Loss;
use crate::model::node::{ClockId, Member, Node, NodeId, Role};
use crate::model::skew::skew;
use crate::model::timeline::Timeline;
use crate::report::BlindWindow;

/// How late an event may be delivered and still be recognised as old news.
const LATE: Duration = Duration::from_secs(2);

/// A log that goes on says something every ten seconds; what was not heard for so long had ended.
const PAUSE: Duration = Duration::from_secs(30);

/// How long the clocks of a node that came back have to say what they are in now: a subscriber asks
/// for it at once, and the publisher answers within seconds.
const RETURNED: Duration = Duration::from_secs(10);

impl Engine {
    pub(super) fn apply(&mut self, evidence: &Evidence, at: Received) {
        if matches!(evidence.resource(), Resource::Other(_)) {
            self.counts.unknown_resources += 1;
            return;
        }
        let Some(node) = self.node_id(evidence.node(), at) else {
            self.counts.nodes_refused += 1;
            return;
        };
        // Whatever it says: a new publisher may say what the old one said last, with the same stamp.
        self.return_node(node, at);
        match evidence {
            Evidence::Event(event) => self.apply_event(node, event, at),
            Evidence::Observation(seen) => self.apply_observation(node, seen, at),
        }
    }

    fn apply_event(&mut self, node: NodeId, event: &Event, at: Received) {
        let window = self.model.settings.reorder_window.max(LATE);
        if event.is_placeholder() {
            let content = contents(event);
            let placeholders = &mut self.model.nodes[node.0 as usize].placeholders;
            if placeholders.is_repeated(at, stamp(event.stamped, at), content, window) {
                self.counts.duplicates += 1;
                return;
            }
            self.counts.events += 1;
            self.counts.placeholders += 1;
            self.count_for(node, at);
            self.model.nodes[node.0 as usize].placeholder_at.get_or_insert(at);
            return;
        }
        let mut fresh = false;
        let mut any_change = false;
        let Event { id, resource, stamped: said, readings, .. } = event;
        let said = *said;
        let stamped = stamp(said, at);
        for reading in readings {
            if reading.instance.is_placeholder() {
                continue;
            }
            let Some(clock) = self.clock_id(node, resource, &reading.instance, at) else {
                self.counts.clocks_refused += 1;
                fresh = true;
                continue;
            };
            let content = content(reading);
            let timeline = &mut self.model.clocks[clock.0 as usize];
            if timeline.is_repeated(at, stamped, content, window) {
                continue;
            }
            if !fresh {
                fresh = true;
                if let Some(said) = said {
                    self.note_skew(node, at, said);
                }
            }
            any_change |= self.grow(node, clock, resource, (at, stamped), |timeline, settings| {
                let changed = timeline.apply(at, stamped, id, reading, settings);
                (changed, changed)
            });
        }
        if fresh {
            self.counts.events += 1;
            self.count_for(node, at);
            self.after_event(node, any_change, at);
        } else {
            self.counts.duplicates += 1;
        }
    }

    /// What was seen at first hand. A log has its own order, and holds nothing twice but what was
    /// printed twice.
    fn apply_observation(&mut self, node: NodeId, seen: &Observation, at: Received) {
        let Observation { id, resource, instance, stamped, observed, .. } = seen;
        let Some(clock) = self.clock_id(node, resource, instance, at) else {
            self.counts.clocks_refused += 1;
            return;
        };
        let stamped = stamp(*stamped, at);
        if is_start(observed) {
            self.model.nodes[node.0 as usize].started_at.get_or_insert(at);
        }
        let mut news = false;
        let changed = self.grow(node, clock, resource, (at, stamped), |timeline, settings| {
            let before = timeline.changes();
            let changed = timeline.observe(at, stamped, id, observed, settings);
            // A state is told as what an event says.
            let said = timeline.changes() != before;
            news = changed && !said;
            (changed, said)
        });
        if news
            && let Some(seen) = self.model.clock(clock).first_hand()
            && let Some(fact) = seen.facts().back()
        {
            self.ledger.handle_fact(&self.model, node, clock, fact, false);
            self.collect_changes();
        }
        self.counts.events += 1;
        self.count_for(node, at);
        self.after_event(node, changed, at);
    }

    /// Lets `change` change a clock, and what is known of its node and domain by it; it says whether
    /// anything changed, and whether that is something said. Returns the first.
    fn grow(
        &mut self,
        node: NodeId,
        clock: ClockId,
        resource: &Resource,
        (at, stamped): (Received, Stamped),
        change: impl FnOnce(&mut Timeline, &Settings) -> (bool, bool),
    ) -> bool {
        let window = self.model.settings.reorder_window.max(LATE);
        let timeline = &mut self.model.clocks[clock.0 as usize];
        if timeline.is_overtaken(at, stamped, window) {
            self.counts.overtaken += 1;
            return false;
        }
        let was_locked = timeline.is_locked();
        let was_unlocked = timeline.unlocked_since().is_some();
        let (cadence, was_down) = (timeline.cadence(), timeline.process_down());
        let (changed, said) = change(timeline, &self.model.settings);
        let is_locked = timeline.is_locked();
        let by_offset = timeline.lost_by_offset().is_some();
        let down = timeline.process_down();
        // A number without a state is no loss.
        let lost = timeline.unlocked_since().is_some() && !was_unlocked;
        if timeline.cadence() != cadence || down != was_down {
            self.model.nodes[node.0 as usize].learn_cadence(&self.model.clocks);
        }
        if *resource == Resource::LockState && lost {
            let domain = self.model.nodes[node.0 as usize].domain;
            self.model.domains[domain]
                .push_loss(Loss { at, node, by_offset, down }, &self.model.settings);
        }
        self.learn_role(node, resource, clock, at);
        let tells = *resource == Resource::LockState && (is_locked != was_locked || lost);
        if tells || self.model.node(node).role == Role::Grandmaster {
            self.model.note_in_domain(node);
        }
        if said {
            self.tell_ledger(node, clock, is_locked && !was_locked);
        }
        self.examine_after(node, clock, changed, at);
        changed
    }

    /// Compares a node's stamp with the time of receipt, and that with what other nodes have.
    fn note_skew(&mut self, id: NodeId, at: Received, stamped: Stamped) {
        let raw = skew(at, stamped);
        if self.model.nodes[id.0 as usize].skew.latest.replace(raw).is_none() {
            self.usual_skew.hear_another();
        }
        let limit = i64::try_from(self.model.settings.skew.as_nanos()).unwrap_or(i64::MAX);
        let usual =
            self.usual_skew.get(at, &self.model.nodes.iter().filter_map(|node| node.skew.latest));
        let node = &mut self.model.nodes[id.0 as usize];
        node.skew.push(at, usual, limit);
    }

    pub(super) fn count_for(&mut self, node_id: NodeId, at: Received) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        let node = &mut self.model.nodes[node_id.0 as usize];
        node.events += 1;
        if at.since(node.last_seen) > PAUSE {
            node.resumed_at = at;
        }
        node.last_seen = at;
    }

    /// Takes a node up again that had left, if it had.
    ///
    /// What its clocks said before holds until they speak: each is asked about a little later, as the
    /// first answers of a new publisher come one by one.
    pub(super) fn return_node(&mut self, id: NodeId, at: Received) {
        if !std::mem::take(&mut self.model.nodes[id.0 as usize].gone) {
            return;
        }
        self.update_state(id, at);
        self.model.note_in_domain(id);
        for member in 0..self.model.nodes[id.0 as usize].clocks.len() {
            let clock = self.model.nodes[id.0 as usize].clocks[member].id;
            for slot in 0..self.slots.subjects(clock) {
                self.arm(Timer::Clock(clock, slot), at.after(RETURNED));
            }
        }
    }

    /// A node's state follows from its clocks and from whether it can be observed, and from nothing
    /// else.
    pub(super) fn update_state(&mut self, id: NodeId, at: Received) {
        let state = self.model.nodes[id.0 as usize].visible_state(&self.model.clocks);
        self.model.nodes[id.0 as usize].enter(state, at);
    }

    /// The node as a whole, once all readings of an event are in.
    pub(super) fn after_event(&mut self, id: NodeId, changed: bool, at: Received) {
        self.end_blindness(id, at);
        if changed {
            self.update_state(id, at);
        }
        self.examine_node(id, at, false);
    }

    pub(super) fn end_blindness(&mut self, id: NodeId, at: Received) {
        let node = &mut self.model.nodes[id.0 as usize];
        if node.blind.is_none() {
            return;
        }
        node.blind = None;
        self.update_state(id, at);
        let name = &self.model.nodes[id.0 as usize].name;
        let open = |window: &&mut BlindWindow| window.node == *name && window.to.is_none();
        if let Some(window) = self.blind.iter_mut().rev().find(open) {
            window.to = Some(at);
        }
    }

    pub(super) fn tell_ledger(&mut self, node: NodeId, clock: ClockId, recovered: bool) {
        if let Some(fact) = self.model.clocks[clock.0 as usize].facts().back() {
            self.ledger.handle_fact(&self.model, node, clock, fact, recovered);
            self.collect_changes();
        }
    }

    pub(super) fn learn_role(
        &mut self,
        id: NodeId,
        resource: &Resource,
        clock: ClockId,
        at: Received,
    ) {
        let node = &mut self.model.nodes[id.0 as usize];
        match resource {
            Resource::Gnss if node.role != Role::Grandmaster => {
                node.role = Role::Grandmaster;
                self.model.domains[node.domain].grandmasters += 1;
            }
            Resource::ClockClass => {
                let timeline = &self.model.clocks[clock.0 as usize];
                let class = timeline.class().map(|(class, _)| class.0);
                if timeline.events() == 1 && matches!(class, Some(248 | 255)) {
                    node.born_with_default_class.get_or_insert(timeline.first_seen());
                }
                match (class, node.role) {
                    (Some(255), Role::Unknown) => node.role = Role::Slave,
                    (Some(135 | 165), Role::Unknown) => node.role = Role::BoundaryClock,
                    (Some(7 | 140 | 150 | 160), Role::Unknown) => {
                        // The system clock says so up to a second later (docs/protocol.md §5).
                        let lost =
                            self.model.ptp_unlocked(id).is_some_and(|lost| at.since(lost) > LATE);
                        if lost && self.model.is_grandmaster(id) {
                            let node = &mut self.model.nodes[id.0 as usize];
                            node.role = Role::Grandmaster;
                            self.model.domains[node.domain].grandmasters += 1;
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    pub(super) fn node_id(&mut self, name: &NodeName, at: Received) -> Option<NodeId> {
        if let Some(id) = self.model.find_node(name) {
            return Some(id);
        }
        let id = self.model.add_node(name, at)?;
        self.slots.add_node();
        Some(id)
    }

    pub(super) fn clock_id(
        &mut self,
        node: NodeId,
        resource: &Resource,
        instance: &Instance,
        at: Received,
    ) -> Option<ClockId> {
        let Node { domain, clocks: known, other_names, .. } =
            &mut self.model.nodes[node.0 as usize];
        let domain = *domain;
        let found = known
            .iter()
            .chain(&*other_names)
            .find(|member| member.resource == *resource && member.instance == *instance);
        if let Some(member) = found {
            return Some(member.id);
        }
        if known.len() + other_names.len() >= self.model.settings.max_clocks_per_node {
            return None;
        }
        let same = |member: &&Member| {
            member.resource == *resource && is_same_card(&member.instance, instance)
        };
        // Of two ports of one card nobody can say which of them the card's name means.
        let mut cards = known.iter().filter(same);
        if let (Some(card), None) = (cards.next(), cards.next()) {
            let member = Member { instance: instance.clone(), ..card.clone() };
            let id = member.id;
            other_names.push(member);
            return Some(id);
        }
        let first_ptp = *resource == Resource::LockState
            && !known.iter().any(|member| member.resource == *resource);
        self.model.domains[domain].ptp_nodes += usize::from(first_ptp);
        let id = self.slots.add_clock(node, resource);
        known.push(Member { id, resource: resource.clone(), instance: instance.clone() });
        self.model.add_clock(node, Timeline::new(resource.clone(), instance.clone(), at));
        Some(id)
    }
}

/// Whether one of these names a port and the other the card it is on.
fn is_same_card(a: &Instance, b: &Instance) -> bool {
    let card_of = |port: &Instance, card: &Instance| {
        let alias = port.interface().and_then(|port| Port::new(port).ok()).map(|port| port.alias());
        alias.is_some_and(|alias| card.interface() == Some(alias.as_str()))
    };
    a.interface().is_some() && (card_of(a, b) || card_of(b, a))
}

/// Whether it shows that a node, or its linuxptp, is starting.
fn is_start(observed: &Observed) -> bool {
    match observed {
        Observed::Port(change) => change.from == PortState::Initializing,
        Observed::Process { up, .. } => *up,
        _ => false,
    }
}

/// When something happened: what the node said, or else when we heard of it.
fn stamp(said: Option<Stamped>, at: Received) -> Stamped {
    said.unwrap_or(Stamped::from_nanos(at.as_nanos()))
}

/// The values of a reading, condensed to recognise them when its clock is spoken of again.
fn content(reading: &Reading) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hash(reading, &mut hasher);
    hasher.finish()
}

/// The same for a whole event.
fn contents(event: &Event) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    event.resource.hash(&mut hasher);
    for reading in &event.readings {
        reading.instance.as_str().hash(&mut hasher);
        hash(reading, &mut hasher);
    }
    hasher.finish()
}

fn hash(reading: &Reading, hasher: &mut impl Hasher) {
    let Reading {
        instance: _,
        state,
        offset,
        clock_class,
        gps_fix,
        quality,
        extended_quality,
        port: _,
        master,
    } = reading;
    state.as_ref().map(SyncState::as_str).hash(hasher);
    offset.hash(hasher);
    let rare = (clock_class, gps_fix, quality, extended_quality, master);
    // Most readings are a state and an offset.
    if rare != (&None, &None, &None, &None, &None) {
        rare.hash(hasher);
    }
}
