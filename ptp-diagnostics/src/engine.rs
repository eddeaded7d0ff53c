//! The engine: events and time in, incidents out.

mod asking;
mod inbox;
mod intake;
mod quiet;
mod reporting;
mod slots;
mod telling;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use ptp_events::observation::Evidence;
use ptp_events::{DecodeError, Event, Input, Instance, NodeName, Received, Resource};

use self::inbox::Inbox;
use self::slots::Slots;
use crate::Settings;
use crate::detectors::{BUILT_IN, Detector};
use crate::incidents::incident::IncidentId;
use crate::incidents::ledger::{Change, Ledger};
use crate::model::Model;
use crate::model::node::{ClockId, Node, NodeId, NodeState};
use crate::model::skew::UsualSkew;
use crate::model::timeline::Timeline;
use crate::report::{Alert, BlindWindow};

/// What the engine counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Counts {
    /// Events taken in, each once.
    pub events: u64,
    /// Events that had been taken in before.
    pub duplicates: u64,
    /// Events that only said that there is no data yet.
    pub placeholders: u64,
    /// Readings older than what the same clock had said already.
    pub overtaken: u64,
    /// Events of resources this version does not know.
    pub unknown_resources: u64,
    /// Events dropped because of [`Settings::max_nodes`].
    pub nodes_refused: u64,
    /// Readings dropped because of [`Settings::max_clocks_per_node`].
    pub clocks_refused: u64,
    /// Alerts no longer kept because of [`Settings::max_incidents`].
    pub alerts_forgotten: u64,
    /// How far our own clock is ahead of what three nodes or more agree on, in nanoseconds, latency
    /// included.
    pub own_skew_ns: Option<i64>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Timer {
    Clock(ClockId, u16),
    Node(NodeId, u16),
    Incident(IncidentId),
}

/// Diagnoses a stream of events.
///
/// Nothing in it reads a clock, waits, or does I/O. Give it events with [`Self::handle_event`] and
/// the time with [`Self::handle_time`]; take what happened from [`Self::poll_change`]; come back at
/// [`Self::poll_timeout`] even if nothing arrives. The same input gives the same output.
///
/// # Order of calls
///
/// - **Events wait** for [`Settings::reorder_window`], and are worked off in the order of their times:
///   within the window they may come in any order. One that comes later still is placed at the time
///   reached; of a clock that has said something newer it is passed over (within 2 s) or believed (then
///   the node's clock was stepped).
/// - **Time only moves forwards.** [`Self::handle_time`] with an earlier time does nothing. It works off
///   what is older than the window; [`Self::finish`] everything.
/// - **What is said of a node as a whole** ([`Self::handle_blind`], [`Self::handle_sighted`],
///   [`Self::handle_missed`], [`Self::handle_gone`]) and [`Self::handle_resumed`] empty the window first:
///   what was received before them counts as before them, and an event that comes after them with an
///   earlier time is placed after them.
/// - **Late calls** cost nothing but lateness: a timer that is due is worked off at its own time, before
///   whatever comes after it, however late the engine is told of that time. So a recording gives the same
///   whether time is told in steps or at its end.
/// - Changes wait to be polled, at most [`Settings::max_incidents`] of them; of more the oldest are
///   dropped. Nothing may be called after [`Self::end`] but what reads.
///
/// ```
/// use ptp_diagnostics::{Engine, Settings};
/// use ptp_events::Event;
///
/// let body = br#"{"specversion":"1.0","id":"1","source":"/sync/ptp-status/lock-state",
///   "type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30Z","data":{
///   "version":"1.0","values":[{"ResourceAddress":"/cluster/node/n1/ens1fx/master",
///   "data_type":"notification","value_type":"enumeration","value":"FREERUN"}]}}"#;
/// let event = Event::from_slice(body)?;
/// let mut engine = Engine::new(Settings::default());
/// let received = event.stamped.expect("the body has a time").assume_received();
/// engine.handle_event(event, received);
/// engine.finish(received.after(std::time::Duration::from_secs(60)));
/// let report = engine.report();
/// assert_eq!(report.incidents[0].findings[0].code, "loss-of-lock");
/// # Ok::<(), ptp_events::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    model: Model,
    detectors: Vec<Detector>,
    inbox: Inbox,
    /// The latest time we were told of.
    latest: Option<Received>,
    /// The time everything has been worked off to.
    now: Option<Received>,
    slots: Slots,
    /// Stands in for the clock of a node that has none.
    blank: Timeline,
    usual_skew: UsualSkew,
    ledger: Ledger,
    timers: BinaryHeap<Reverse<(Received, Timer)>>,
    changes: VecDeque<Change>,
    alerts: VecDeque<Alert>,
    blind: Vec<BlindWindow>,
    counts: Counts,
    first: Option<Received>,
    last: Option<Received>,
    /// When the recording ended, if it did, see [`Self::end`].
    ended: Option<Received>,
}

/// Nobody misses what may have happened while an agent was replaced within this time.
const SHORTEST_GAP: Duration = Duration::from_secs(1);

impl Engine {
    /// An engine with the built-in detectors.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::with_detectors(settings, BUILT_IN)
    }

    /// An engine with these detectors: [`BUILT_IN`], some of them, or others.
    #[must_use]
    pub fn with_detectors(settings: Settings, detectors: &[Detector]) -> Self {
        Self {
            slots: Slots::new(detectors),
            model: Model::new(settings),
            detectors: detectors.to_vec(),
            inbox: Inbox::default(),
            latest: None,
            now: None,
            blank: Timeline::new(Resource::SyncState, Instance::NODE, Received::from_nanos(0)),
            usual_skew: UsualSkew::default(),
            ledger: Ledger::default(),
            timers: BinaryHeap::new(),
            changes: VecDeque::new(),
            alerts: VecDeque::new(),
            blind: Vec::new(),
            counts: Counts::default(),
            first: None,
            last: None,
            ended: None,
        }
    }

    /// Takes in anything that may come in, as a journal keeps it.
    ///
    /// # Errors
    /// When it is an event that cannot be decoded; it is passed over.
    pub fn handle_input(&mut self, input: &Input, received: Received) -> Result<(), DecodeError> {
        match input {
            Input::Blind { node, why } => self.handle_blind(node, received, why),
            Input::Missed { node, since, why } => self.handle_missed(node, *since, received, why),
            Input::Sighted { node } => self.handle_sighted(node, received),
            Input::Resumed => self.handle_resumed(received),
            Input::Gone { node } => self.handle_gone(node, received),
            other => {
                if let Some(event) = other.event() {
                    self.handle_event(event?, received);
                }
            }
        }
        Ok(())
    }

    /// Takes in an event.
    ///
    /// Events may come out of order by up to [`Settings::reorder_window`]; later ones are placed
    /// at the time reached.
    pub fn handle_event(&mut self, event: Event, received: Received) {
        self.handle_evidence(Evidence::Event(event), received);
    }

    /// Takes in anything that is known of a node's clocks: an event, or what a log shows.
    pub fn handle_evidence(&mut self, evidence: Evidence, received: Received) {
        self.inbox.push(received, evidence);
        self.handle_time(received);
    }

    /// Notes that it is now at least `now`.
    pub fn handle_time(&mut self, now: Received) {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        self.work_off(latest.before(self.model.settings.reorder_window));
    }

    /// Notes that it is now `now`, and that nothing that was received before is still to come.
    pub fn finish(&mut self, now: Received) {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        self.work_off(latest);
    }

    /// Ends a recording: nothing more will be handed in, and nothing new happens for `settle`, so that
    /// what must last for a while to be a finding can be one.
    ///
    /// That time was not observed: figures stop at the last input, and nobody is silent in it. Without
    /// any input it does nothing.
    pub fn end(&mut self, settle: Duration) {
        let Some(latest) = self.latest else { return };
        self.finish(latest);
        self.ended = Some(latest);
        self.finish(latest.after(settle));
    }

    /// Until when anything was observed, as far as it has been worked off.
    pub(crate) const fn observed_until(&self) -> Option<Received> {
        match self.ended {
            Some(ended) => Some(ended),
            None => self.now,
        }
    }

    /// Notes that `node` cannot be observed, and why: its publisher does not answer, for instance.
    ///
    /// An unknown node becomes known by this.
    pub fn handle_blind(&mut self, node: &NodeName, now: Received, why: &str) {
        self.finish(now);
        let Some(id) = self.node_id(node, now) else {
            return;
        };
        // Somebody expects it to answer.
        self.return_node(id, now);
        let entry = &mut self.model.nodes[id.0 as usize];
        if entry.blind.is_none() {
            entry.blind = Some((now, why.to_owned()));
            self.update_state(id, now);
            let window = BlindWindow::new(node.clone(), now, why.to_owned());
            self.blind.push(window);
            self.forget_blindness();
        }
        self.examine_node(id, now, true);
    }

    /// Notes that `node` can be observed again.
    pub fn handle_sighted(&mut self, node: &NodeName, now: Received) {
        self.finish(now);
        let Some(id) = self.model.find_node(node) else {
            return;
        };
        self.model.nodes[id.0 as usize].last_seen = now;
        self.return_node(id, now);
        self.end_blindness(id, now);
        self.examine_node(id, now, true);
    }

    /// Notes that what `node` said from `since` until now may have been missed, and why: its publisher
    /// had forgotten a subscription, for instance. The node is not taken to be silent for that.
    ///
    /// Stretches that touch are one, under the first reason; while it goes on, say so again. An unknown node becomes known by this.
    pub fn handle_missed(&mut self, node: &NodeName, since: Received, now: Received, why: &str) {
        self.finish(now);
        if since >= now || self.node_id(node, now).is_none() {
            return;
        }
        let last = self.blind.iter_mut().rev().find(|window| window.node == *node);
        if let Some(window) = last
            && window.to.is_none_or(|to| to >= since)
        {
            window.from = window.from.min(since);
            window.to = window.to.map(|to| to.max(now));
            return;
        }
        let mut window = BlindWindow::new(node.clone(), since, why.to_owned());
        window.to = Some(now);
        self.blind.push(window);
        self.forget_blindness();
    }

    /// Notes that nobody was listening since the last input, until now.
    ///
    /// Nobody's silence means anything for that time, and it is a blind window for every node that we
    /// were not blind to anyway.
    pub fn handle_resumed(&mut self, now: Received) {
        let Some(since) = self.latest else { return };
        // What was still held back came before.
        self.finish(since);
        let unseen = now.since(since) >= SHORTEST_GAP;
        for node in &mut self.model.nodes {
            node.last_seen = node.last_seen.max(now);
            if unseen && !node.gone && node.blind.is_none() {
                let (state, _) = node.state();
                node.enter(NodeState::Unknown, since);
                node.enter(state, now.max(since));
                let why = "the agent was not running".to_owned();
                let mut window = BlindWindow::new(node.name.clone(), since, why);
                window.to = Some(now);
                self.blind.push(window);
            }
        }
        self.forget_blindness();
        self.finish(now);
    }

    /// Forgets the oldest blind windows that are over, when there are too many.
    fn forget_blindness(&mut self) {
        let excess = self.blind.len().saturating_sub(self.model.settings.max_incidents);
        let mut left = excess;
        self.blind.retain(|window| {
            let forget = left > 0 && window.to.is_some();
            left -= usize::from(forget);
            !forget
        });
    }

    /// Notes that `node` left: nothing is known of it from now on, and its silence means nothing.
    ///
    /// What was found on it ends here, so an incident of nodes that all left resolves, and says so. A
    /// word of the node, or of its publisher, brings it back; what is wrong with it then is the same
    /// incident again within [`Settings::reopen`].
    pub fn handle_gone(&mut self, node: &NodeName, now: Received) {
        self.finish(now);
        let Some(id) = self.model.find_node(node) else { return };
        self.end_blindness(id, now);
        self.model.nodes[id.0 as usize].gone = true;
        self.model.note_in_domain(id);
        self.update_state(id, now);
        self.examine_clocks(id, now);
        self.examine_node(id, now, true);
    }

    /// The next thing that happened to an incident.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// When to call [`Self::handle_time`] next, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Received> {
        let window = self.model.settings.reorder_window;
        self.timers.peek().map(|Reverse((due, _))| due.after(window))
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        Counts { own_skew_ns: self.usual_skew.own(), ..self.counts }
    }

    /// The settings it works with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.model.settings
    }

    /// The time everything has been worked off to; `None` before the first event.
    #[must_use]
    pub const fn now(&self) -> Option<Received> {
        self.now
    }

    /// The latest time it was told of; `None` before the first.
    #[must_use]
    pub const fn latest(&self) -> Option<Received> {
        self.latest
    }

    /// When the first and the last event were received.
    #[must_use]
    pub fn span(&self) -> Option<(Received, Received)> {
        self.first.zip(self.last)
    }

    /// What is known of each clock of a node; `None` for a node never heard of.
    #[must_use]
    pub fn timelines(&self, node: &NodeName) -> Option<impl Iterator<Item = &Timeline>> {
        let node = &self.model.nodes[self.model.find_node(node)?.0 as usize];
        Some(node.clocks.iter().map(|member| &self.model.clocks[member.id.0 as usize]))
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.model.nodes
    }

    pub(crate) fn clocks(&self) -> &[Timeline] {
        &self.model.clocks
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter()
    }

    pub(crate) fn blind_windows(&self) -> &[BlindWindow] {
        &self.blind
    }

    /// Works off events and timers up to `until`, in time order; at equal times events come first.
    fn work_off(&mut self, until: Received) {
        // What is worked off is lent by the inbox, not moved out of it: it is some hundred bytes.
        let mut inbox = std::mem::take(&mut self.inbox);
        while let Some((received, evidence)) = inbox.peek(until) {
            let at = self.now.map_or(received, |now| now.max(received));
            self.fire_timers(at, false);
            self.now = Some(at);
            self.apply(evidence, at);
            inbox.drop_first();
        }
        self.inbox = inbox;
        self.fire_timers(until, true);
        self.now = Some(self.now.map_or(until, |now| now.max(until)));
    }

    /// Fires the timers due before `until`, and those due at it if `inclusive`.
    fn fire_timers(&mut self, until: Received, inclusive: bool) {
        while let Some(Reverse((due, timer))) = self.timers.peek().copied() {
            if due > until || (due == until && !inclusive) {
                return;
            }
            self.timers.pop();
            let now = self.now.map_or(due, |now| now.max(due));
            self.now = Some(now);
            match timer {
                Timer::Clock(id, slot) => {
                    if self.slots.clock_slot(id, slot).take_due(due) {
                        self.examine_clock(id, slot, now);
                    }
                }
                Timer::Node(id, slot) => {
                    if self.slots.node_slot(id, slot).take_due(due) {
                        self.examine_node_slot(id, slot, now);
                    }
                }
                Timer::Incident(id) => {
                    self.ledger.handle_due(&self.model, id, due);
                    self.collect_changes();
                }
            }
        }
    }
}
