//! Asking detectors, and filing what is new in their answers.

use std::cmp::Reverse;

use ptp_events::Received;

use super::slots::{Entry, Firing, Slot};
use super::{Engine, Timer};
use crate::Severity;
use crate::causality::Subject;
use crate::detectors::{Assessment, Detector, View};
use crate::incidents::ledger::{FindingRef, Found};
use crate::model::node::{ClockId, NodeId};
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
        self.ask(clock, now);
        let resource = self.slots.ordinal(clock);
        if !changed || !self.slots.has_also(resource) {
            return;
        }
        for at in 0..self.model.nodes[node.0 as usize].clocks.len() {
            let sibling = self.model.nodes[node.0 as usize].clocks[at].id;
            for slot in 0..self.slots.subjects(sibling) {
                if self.slots.concerns(sibling, slot, resource) {
                    self.examine_clock(sibling, slot, now);
                }
            }
        }
    }

    /// Asks the detector in one slot of a clock.
    pub(super) fn examine_clock(&mut self, clock: ClockId, slot: u16, now: Received) {
        let entry = self.slots.entry(clock);
        let (detector, firing) = self.slots.asked(entry, slot);
        let assessment = self.assess(detector, &View { firing, ..self.view(entry, clock, now) });
        if assessment != Assessment::Quiet || firing.is_some() {
            let timer = Timer::Clock(clock, slot);
            self.settle(detector, entry.node, Some(clock), timer, assessment, now);
        }
    }

    /// Asks the detectors of a clock that may find anything, one after the other.
    fn ask(&mut self, clock: ClockId, now: Received) {
        let mut from = 0;
        while let Some((slot, detector, assessment)) = self.first_word(clock, from, now) {
            from = slot + 1;
            let timer = Timer::Clock(clock, slot);
            let node = self.slots.entry(clock).node;
            self.settle(detector, node, Some(clock), timer, assessment, now);
        }
    }

    /// The first slot of a clock, from this one on, whose detector has anything to say, which few have:
    /// they all get the same view.
    fn first_word(
        &self,
        clock: ClockId,
        from: u16,
        now: Received,
    ) -> Option<(u16, usize, Assessment)> {
        let entry = self.slots.entry(clock);
        let mut view = self.view(entry, clock, now);
        for slot in self.slots.worth_asking(entry, view.clock) {
            if *slot < from {
                continue;
            }
            let (detector, firing) = self.slots.asked(entry, *slot);
            view.firing = firing;
            let assessment = self.assess(detector, &view);
            // The usual answer, for which nothing need be done.
            if assessment != Assessment::Quiet || firing.is_some() {
                return Some((*slot, detector, assessment));
            }
        }
        None
    }

    /// What the detectors of a clock see.
    pub(super) fn view(&self, entry: Entry, clock: ClockId, now: Received) -> View<'_> {
        View {
            now,
            clock: &self.model.clocks[clock.0 as usize],
            node: self.model.node(entry.node),
            settings: &self.model.settings,
            firing: None,
            ended: self.ended,
            model: &self.model,
            id: entry.node,
        }
    }

    /// What a detector answers; nothing is found on a node that left.
    pub(super) fn assess(&self, detector: usize, view: &View<'_>) -> Assessment {
        if view.node.gone { Assessment::Quiet } else { (self.detectors[detector].examine)(view) }
    }

    /// Asks every detector about every clock of a node.
    pub(super) fn examine_clocks(&mut self, node: NodeId, now: Received) {
        for member in 0..self.model.nodes[node.0 as usize].clocks.len() {
            let clock = self.model.nodes[node.0 as usize].clocks[member].id;
            self.ask(clock, now);
        }
    }

    /// Asks the detectors of whole nodes, those that wait for their time only if `always`.
    pub(super) fn examine_node(&mut self, node: NodeId, now: Received, always: bool) {
        for slot in 0..self.slots.node_slots() {
            let state = self.slots.node_slot(node, slot);
            if always || state.firing.is_some() || state.due.is_none() {
                self.examine_node_slot(node, slot, now);
            }
        }
    }

    pub(super) fn examine_node_slot(&mut self, id: NodeId, slot: u16, now: Received) {
        let detector = self.slots.node_detector(slot);
        let firing = self.slots.node_slot(id, slot).firing;
        let node = &self.model.nodes[id.0 as usize];
        let clock = node
            .clocks
            .first()
            .map_or(&self.blank, |member| &self.model.clocks[member.id.0 as usize]);
        let view = View {
            now,
            clock,
            node,
            settings: &self.model.settings,
            firing: firing.map(|(since, ..)| since),
            ended: self.ended,
            model: &self.model,
            id,
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
                self.ledger.clear(&self.model, kept, now);
            }
            (Some((began, was, kept)), Some((since, severity))) if severity > was => {
                let subject = self.subject(detector, node, clock, since);
                let kept = if self.ledger.still_explains(&self.model, kept, &subject, now) {
                    let says = self.describe(detector, node, clock, began, now);
                    self.ledger.worsen(kept, severity, says, now);
                    kept
                } else {
                    self.ledger.clear(&self.model, kept, now);
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
            Timer::Clock(clock, slot) => self.slots.clock_slot(clock, slot),
            Timer::Node(node, slot) => self.slots.node_slot(node, slot),
            Timer::Incident(_) => unreachable!("incidents have no detector"),
        }
    }

    fn set_firing(&mut self, timer: Timer, firing: Option<Firing>) {
        match timer {
            Timer::Clock(clock, slot) => self.slots.set_firing(clock, slot, firing),
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
    ) -> FindingRef {
        let says = self.describe(detector, node, clock, since, now);
        if clock.is_none() && self.model.nodes[node.0 as usize].blind.is_none() {
            self.blind_since(node, &says);
        }
        let subject = self.subject(detector, node, clock, since);
        let domain = self.model.nodes[node.0 as usize].domain;
        self.model.domains[domain].forget(now, &self.model.settings);
        self.ledger.file(&self.model, Found { subject, severity, now, says })
    }

    fn subject(
        &self,
        detector: usize,
        node: NodeId,
        clock: Option<ClockId>,
        since: Received,
    ) -> Subject {
        let Detector { code, shows, .. } = self.detectors[detector];
        Subject { code, shows, node, clock, since }
    }

    /// A node fell silent: from its last word on nothing is known about it.
    pub(super) fn blind_since(&mut self, id: NodeId, why: &str) {
        let node = &mut self.model.nodes[id.0 as usize];
        let since = node.last_seen;
        node.blind = Some((since, why.to_owned()));
        // Whatever it was taken for in the meantime, nobody saw it.
        self.update_state(id, since);
        let node = &self.model.nodes[id.0 as usize];
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
        let id = node;
        let node = self.model.node(node);
        let view = View {
            now,
            clock: clock.map_or(&self.blank, |id| &self.model.clocks[id.0 as usize]),
            node,
            settings: &self.model.settings,
            firing: Some(since),
            ended: self.ended,
            model: &self.model,
            id,
        };
        (self.detectors[detector].describe)(&view)
    }
}
