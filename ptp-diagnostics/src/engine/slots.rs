//! Which detectors are asked about which clock, and what each last said.

use ptp_events::{Received, Resource};

use crate::Severity;
use crate::detectors::{Detector, Scope, When};
use crate::incidents::ledger::FindingRef;
use crate::model::node::{ClockId, NodeId};
use crate::model::timeline::Timeline;

/// What one detector last said about one clock or node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    /// When to ask it again.
    pub due: Option<Received>,
    pub firing: Option<Firing>,
}

/// Since when a detector fires, how bad it was, and where that is kept.
pub(crate) type Firing = (Received, Severity, FindingRef);

impl Slot {
    /// Notes that it wants to be asked at `at`; true when a timer must be set for that.
    ///
    /// An earlier timer serves as well: asked too early, a detector names its time again. So
    /// there is at most one timer per slot that counts, however many events arrive.
    pub(crate) fn arm(&mut self, at: Received) -> bool {
        let needed = self.due.is_none_or(|due| at < due);
        if needed {
            self.due = Some(at);
        }
        needed
    }

    /// Whether the timer set for `due` still counts; it is used up by this.
    pub(crate) fn take_due(&mut self, due: Received) -> bool {
        let counts = self.due == Some(due);
        if counts {
            self.due = None;
        }
        counts
    }
}

/// One clock's place: whose it is, of what kind, and where its slots begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) node: NodeId,
    ordinal: usize,
    first_slot: usize,
    /// How many of its slots fire: mostly none, and then no slot need be looked at.
    firing: u16,
}

const KINDS: usize = Resource::ALL.len();

/// Detector slots by number of clock and node.
#[derive(Debug)]
pub(crate) struct Slots {
    clocks: Vec<Entry>,
    /// For each kind of clock, the detectors that are asked about it.
    by_kind: [Vec<usize>; KINDS],
    /// For each kind of clock, and each set of [`When`]s that are so of it, the slots of those detectors that
    /// may find anything.
    asked: [Vec<Vec<u16>>; KINDS],
    /// For each detector, for each kind of clock, whether its events concern it too.
    also: Vec<[bool; KINDS]>,
    any_also: [bool; KINDS],
    node_detectors: Vec<usize>,
    of_clocks: Vec<Slot>,
    of_nodes: Vec<Slot>,
}

fn ordinal(resource: &Resource) -> usize {
    Resource::ALL.iter().position(|known| known == resource).unwrap_or(0)
}

impl Slots {
    pub(crate) fn new(detectors: &[Detector]) -> Self {
        let mut by_kind: [Vec<usize>; KINDS] = Default::default();
        let mut asked: [Vec<Vec<u16>>; KINDS] = Default::default();
        asked.fill(vec![Vec::new(); 1 << When::COUNT]);
        let mut also = vec![[false; KINDS]; detectors.len()];
        let mut any_also = [false; KINDS];
        let mut node_detectors = Vec::new();
        for (at, detector) in detectors.iter().enumerate() {
            match detector.scope {
                Scope::Node => node_detectors.push(at),
                Scope::Clock { subjects, also: more, when } => {
                    for resource in subjects {
                        let detectors = &mut by_kind[ordinal(resource)];
                        let slot = u16::try_from(detectors.len()).unwrap_or(u16::MAX);
                        detectors.push(at);
                        let sets = asked[ordinal(resource)].iter_mut().enumerate();
                        for (_, slots) in sets.filter(|(set, _)| set & (1 << when as usize) != 0) {
                            slots.push(slot);
                        }
                    }
                    for resource in more {
                        also[at][ordinal(resource)] = true;
                        any_also[ordinal(resource)] = true;
                    }
                }
            }
        }
        Self {
            clocks: Vec::new(),
            by_kind,
            asked,
            also,
            any_also,
            node_detectors,
            of_clocks: Vec::new(),
            of_nodes: Vec::new(),
        }
    }

    /// Makes room for a new node; nodes are numbered in the order they are added.
    pub(crate) fn add_node(&mut self) {
        let slots = self.of_nodes.len() + self.node_detectors.len();
        self.of_nodes.resize(slots, Slot::default());
    }

    /// Numbers a new clock; clocks are numbered in the order they are added.
    pub(crate) fn add_clock(&mut self, node: NodeId, resource: &Resource) -> ClockId {
        let id = ClockId(u32::try_from(self.clocks.len()).expect("clocks are bounded per node"));
        let ordinal = ordinal(resource);
        let first_slot = self.of_clocks.len();
        self.clocks.push(Entry { node, ordinal, first_slot, firing: 0 });
        self.of_clocks.resize(first_slot + self.by_kind[ordinal].len(), Slot::default());
        id
    }

    pub(crate) fn entry(&self, clock: ClockId) -> Entry {
        self.clocks[clock.0 as usize]
    }

    pub(crate) fn ordinal(&self, clock: ClockId) -> usize {
        self.entry(clock).ordinal
    }

    /// How many detectors are asked about this clock.
    pub(crate) fn subjects(&self, clock: ClockId) -> u16 {
        let count = self.by_kind[self.entry(clock).ordinal].len();
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    /// The detector of a slot of the clock at this place, and since when it fires.
    pub(crate) fn asked(&self, entry: Entry, slot: u16) -> (usize, Option<Received>) {
        let at = slot as usize;
        let since = || self.of_clocks[entry.first_slot + at].firing.map(|(since, ..)| since);
        (self.by_kind[entry.ordinal][at], if entry.firing > 0 { since() } else { None })
    }

    /// The slots of those detectors that may find anything of a clock, in their order; all of them while
    /// one fires.
    pub(crate) fn worth_asking(&self, entry: Entry, clock: &Timeline) -> &[u16] {
        let whens = [When::Always, When::FirstHand, When::Unlocked, When::NeverLocked];
        let so = |set, when: When| set | usize::from(when.is_so(clock)) << when as usize;
        let set = if entry.firing > 0 { usize::MAX } else { whens.into_iter().fold(0, so) };
        &self.asked[entry.ordinal][set & ((1 << When::COUNT) - 1)]
    }

    /// Notes what the detector of a clock's slot says now.
    pub(crate) fn set_firing(&mut self, clock: ClockId, slot: u16, firing: Option<Firing>) {
        let was = std::mem::replace(&mut self.clock_slot(clock, slot).firing, firing);
        let entry = &mut self.clocks[clock.0 as usize];
        entry.firing = entry.firing - u16::from(was.is_some()) + u16::from(firing.is_some());
    }

    /// Whether events of this kind concern a detector of a sibling.
    pub(crate) fn has_also(&self, ordinal: usize) -> bool {
        self.any_also[ordinal]
    }

    /// Whether events of this kind concern the detector in this slot.
    pub(crate) fn concerns(&self, clock: ClockId, slot: u16, ordinal: usize) -> bool {
        self.also[self.asked(self.entry(clock), slot).0][ordinal]
    }

    pub(crate) fn clock_slot(&mut self, clock: ClockId, slot: u16) -> &mut Slot {
        let first = self.entry(clock).first_slot;
        &mut self.of_clocks[first + slot as usize]
    }

    /// What each detector last said about a clock.
    pub(crate) fn held(&self, clock: ClockId) -> &[Slot] {
        let Entry { ordinal, first_slot, .. } = self.entry(clock);
        &self.of_clocks[first_slot..first_slot + self.by_kind[ordinal].len()]
    }

    /// How many detectors are asked about each node.
    pub(crate) fn node_slots(&self) -> u16 {
        u16::try_from(self.node_detectors.len()).unwrap_or(u16::MAX)
    }

    pub(crate) fn node_detector(&self, slot: u16) -> usize {
        self.node_detectors[slot as usize]
    }

    pub(crate) fn node_slot(&mut self, node: NodeId, slot: u16) -> &mut Slot {
        &mut self.of_nodes[node.0 as usize * self.node_detectors.len() + slot as usize]
    }
}
