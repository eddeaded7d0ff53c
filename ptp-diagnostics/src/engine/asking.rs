//! Asking detectors, and filing what is new in their answers.

use std::cmp::Reverse;
use std::ops::Range;

use ptp_events::Received;

use super::{Engine, Timer};
use crate::Severity;
use crate::classify::{Subject, World};
use crate::detector::{Assessment, View};
use crate::ledger::{Found, Kept};
use crate::node::{ClockId, NodeId};
use crate::registry::{Entry, Firing, Slot};
use crate::report::BlindWindow;

impl Engine {
    /// Asks every detector whose answer an event about `clock` may have changed; those of other
    /// clocks only when what it said was new.
    pub(super) fn examine_after(
        &mut self,
        node: NodeId,
        clock: ClockId,
        changed: bool,
        now: Received,
    ) {
        self.ask(clock, 0..self.registry.subjects(clock), now);
        let resource = self.registry.ordinal(clock);
        if !changed || !self.registry.has_also(resource) {
            return;
        }
        for at in 0..self.nodes[node.0 as usize].clocks.len() {
            let sibling = self.nodes[node.0 as usize].clocks[at].id;
            for slot in 0..self.registry.subjects(sibling) {
                if self.registry.concerns(sibling, slot, resource) {
                    self.examine_clock(sibling, slot, now);
                }
            }
        }
    }

    pub(super) fn examine_clock(&mut self, clock: ClockId, slot: u16, now: Received) {
        self.ask(clock, slot..slot + 1, now);
    }

    /// Asks the detectors in these slots of a clock, one after the other.
    fn ask(&mut self, clock: ClockId, mut slots: Range<u16>, now: Received) {
        let entry = self.registry.entry(clock);
        while let Some((slot, detector, assessment)) = self.first_word(entry, clock, &slots, now) {
            slots.start = slot + 1;
            let timer = Timer::Clock(clock, slot);
            self.settle(detector, entry.node, Some(clock), timer, assessment, now);
        }
    }

    /// The first of these slots whose detector has anything to say, which few have: they all get
    /// the same view.
    fn first_word(
        &self,
        entry: Entry,
        clock: ClockId,
        slots: &Range<u16>,
        now: Received,
    ) -> Option<(u16, usize, Assessment)> {
        let mut view = View {
            now,
            clock: &self.clocks[clock.0 as usize],
            node: &self.nodes[entry.node.0 as usize],
            settings: &self.settings,
            firing: None,
            ended: self.ended,
            clocks: &self.clocks,
            nodes: &self.nodes,
            domain: &self.domains[self.nodes[entry.node.0 as usize].domain],
        };
        for slot in slots.clone() {
            let (detector, firing) = self.registry.asked(entry, slot);
            view.firing = firing;
            let assessment = self.assess(detector, &view);
            // The usual answer, for which nothing need be done.
            if assessment != Assessment::Quiet || view.firing.is_some() {
                return Some((slot, detector, assessment));
            }
        }
        None
    }

    /// What a detector answers; nothing is found on a node that left.
    fn assess(&self, detector: usize, view: &View<'_>) -> Assessment {
        if view.node.gone { Assessment::Quiet } else { (self.detectors[detector].examine)(view) }
    }

    /// Asks every detector about every clock of a node.
    pub(super) fn examine_clocks(&mut self, node: NodeId, now: Received) {
        for member in 0..self.nodes[node.0 as usize].clocks.len() {
            let clock = self.nodes[node.0 as usize].clocks[member].id;
            self.ask(clock, 0..self.registry.subjects(clock), now);
        }
    }

    /// Asks the detectors of whole nodes, those that wait for their time only if `always`.
    pub(super) fn examine_node(&mut self, node: NodeId, now: Received, always: bool) {
        for slot in 0..self.registry.node_slots() {
            let state = self.registry.node_slot(node, slot);
            if always || state.firing.is_some() || state.due.is_none() {
                self.examine_node_slot(node, slot, now);
            }
        }
    }

    pub(super) fn examine_node_slot(&mut self, id: NodeId, slot: u16, now: Received) {
        let detector = self.registry.node_detector(slot);
        let firing = self.registry.node_slot(id, slot).firing;
        let node = &self.nodes[id.0 as usize];
        let clock =
            node.clocks.first().map_or(&self.blank, |member| &self.clocks[member.id.0 as usize]);
        let view = View {
            now,
            clock,
            node,
            settings: &self.settings,
            firing: firing.map(|(since, ..)| since),
            ended: self.ended,
            clocks: &self.clocks,
            nodes: &self.nodes,
            domain: &self.domains[node.domain],
        };
        let assessment = self.assess(detector, &view);
        if assessment == Assessment::Quiet && firing.is_none() {
            return;
        }
        self.settle(detector, id, None, Timer::Node(id, slot), assessment, now);
    }

    /// Compares a detector's answer with its last one, and files the difference.
    pub(super) fn settle(
        &mut self,
        detector: usize,
        node: NodeId,
        clock: Option<ClockId>,
        timer: Timer,
        assessment: Assessment,
        now: Received,
    ) {
        let (again, firing) = match assessment {
            Assessment::Quiet => (None, None),
            Assessment::Wait(until) => (Some(until), None),
            Assessment::Firing { severity, since, again } => (again, Some((since, severity))),
        };
        let before = self.slot(timer).firing;
        if let Some(again) = again.filter(|again| *again > now) {
            self.arm(timer, again);
        }
        match (before, firing) {
            (None, Some((since, severity))) => {
                let kept = self.found(detector, node, clock, since, severity, now);
                self.set_firing(timer, Some((since, severity, kept)));
            }
            (Some((_, _, kept)), None) => {
                self.set_firing(timer, None);
                let world = world!(self);
                self.ledger.clear(&world, kept, now);
            }
            (Some((began, was, kept)), Some((since, severity))) if severity > was => {
                let subject = Subject { code: self.detectors[detector].code, node, clock, since };
                let world = world!(self);
                let kept = if self.ledger.still_explains(&world, kept, &subject, now) {
                    let says = self.describe(detector, node, clock, began, now);
                    self.ledger.worsen(kept, severity, says, now);
                    kept
                } else {
                    self.ledger.clear(&world, kept, now);
                    self.found(detector, node, clock, now, severity, now)
                };
                self.set_firing(timer, Some((began, severity, kept)));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.collect_changes();
    }

    /// Sees to it that a detector is asked at `at`, or before.
    pub(super) fn arm(&mut self, timer: Timer, at: Received) {
        if self.slot(timer).arm(at) {
            self.timers.push(Reverse((at, timer)));
        }
    }

    pub(super) fn slot(&mut self, timer: Timer) -> &mut Slot {
        match timer {
            Timer::Clock(clock, slot) => self.registry.clock_slot(clock, slot),
            Timer::Node(node, slot) => self.registry.node_slot(node, slot),
            Timer::Incident(_) => unreachable!("incidents have no detector"),
        }
    }

    fn set_firing(&mut self, timer: Timer, firing: Option<Firing>) {
        match timer {
            Timer::Clock(clock, slot) => self.registry.set_firing(clock, slot, firing),
            timer => self.slot(timer).firing = firing,
        }
    }

    pub(super) fn found(
        &mut self,
        detector: usize,
        node: NodeId,
        clock: Option<ClockId>,
        since: Received,
        severity: Severity,
        now: Received,
    ) -> Kept {
        let says = self.describe(detector, node, clock, since, now);
        if clock.is_none() && self.nodes[node.0 as usize].blind.is_none() {
            self.blind_since(node, &says);
        }
        let subject = Subject { code: self.detectors[detector].code, node, clock, since };
        let domain = self.nodes[node.0 as usize].domain;
        self.domains[domain].forget(now, &self.settings);
        let world = world!(self);
        self.ledger.file(&world, Found { subject, severity, now, says })
    }

    /// A node fell silent: from its last word on nothing is known about it.
    pub(super) fn blind_since(&mut self, id: NodeId, why: &str) {
        let node = &mut self.nodes[id.0 as usize];
        let since = node.last_seen;
        node.blind = Some((since, why.to_owned()));
        // Whatever it was taken for in the meantime, nobody saw it.
        self.update_state(id, since);
        let node = &self.nodes[id.0 as usize];
        self.blind.push(BlindWindow::new(node.name.clone(), since, why.to_owned()));
        self.forget_blindness();
    }

    pub(super) fn describe(
        &self,
        detector: usize,
        node: NodeId,
        clock: Option<ClockId>,
        since: Received,
        now: Received,
    ) -> String {
        let node = &self.nodes[node.0 as usize];
        let view = View {
            now,
            clock: clock.map_or(&self.blank, |id| &self.clocks[id.0 as usize]),
            node,
            settings: &self.settings,
            firing: Some(since),
            ended: self.ended,
            clocks: &self.clocks,
            nodes: &self.nodes,
            domain: &self.domains[node.domain],
        };
        (self.detectors[detector].describe)(&view)
    }
}
