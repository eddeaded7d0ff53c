//! The engine: events and time in, incidents out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, Hash, Hasher};
use std::time::Duration;

use foldhash::fast::FixedState;
use ptp_events::{Event, Instance, NodeName, Reading, Received, Resource, SyncState};

use crate::classify::{Subject, World};
use crate::detector::{Assessment, Detector, View};
use crate::detectors::BUILT_IN;
use crate::domain::Domain;
use crate::inbox::Inbox;
use crate::incident::IncidentId;
use crate::ledger::{Change, Found, Kept, Ledger};
use crate::node::{ClockId, Member, Node, NodeId, NodeState, Role};
use crate::registry::{Registry, Slot};
use crate::report::{Alert, AlertStatus, BlindWindow};
use crate::timeline::Timeline;
use crate::{Settings, Severity, narrate};

/// A view on everything but the ledger, so that the ledger can be changed meanwhile.
macro_rules! world {
    ($engine:expr) => {
        World {
            settings: &$engine.settings,
            nodes: &$engine.nodes,
            clocks: &$engine.clocks,
            domain: &$engine.domain,
        }
    };
}

/// How late an event may be delivered and still be recognised as old news.
const LATE: Duration = Duration::from_secs(2);

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
/// let received = event.stamped.assume_received();
/// engine.handle_event(event, received);
/// engine.finish(received.after(std::time::Duration::from_secs(60)));
/// let report = engine.report();
/// assert_eq!(report.incidents[0].findings[0].code, "loss-of-lock");
/// # Ok::<(), ptp_events::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    detectors: Vec<Detector>,
    inbox: Inbox,
    /// The latest time we were told of.
    latest: Option<Received>,
    /// The time everything has been worked off to.
    now: Option<Received>,
    registry: Registry,
    clocks: Vec<Timeline>,
    /// Stands in for the clock of a node that has none.
    blank: Timeline,
    nodes: Vec<Node>,
    domain: Domain,
    ledger: Ledger,
    timers: BinaryHeap<Reverse<(Received, Timer)>>,
    changes: std::collections::VecDeque<Change>,
    alerts: std::collections::VecDeque<Alert>,
    blind: Vec<BlindWindow>,
    counts: Counts,
    first: Option<Received>,
    last: Option<Received>,
}

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
            registry: Registry::new(detectors),
            settings,
            detectors: detectors.to_vec(),
            inbox: Inbox::default(),
            latest: None,
            now: None,
            clocks: Vec::new(),
            blank: Timeline::new(Resource::SyncState, Instance::NODE, Received::from_nanos(0)),
            nodes: Vec::new(),
            domain: Domain::default(),
            ledger: Ledger::default(),
            timers: BinaryHeap::new(),
            changes: std::collections::VecDeque::new(),
            alerts: std::collections::VecDeque::new(),
            blind: Vec::new(),
            counts: Counts::default(),
            first: None,
            last: None,
        }
    }

    /// Takes in an event.
    ///
    /// Events may come out of order by up to [`Settings::reorder_window`]; later ones are placed
    /// at the time reached.
    pub fn handle_event(&mut self, event: Event, received: Received) {
        self.inbox.push(received, event);
        self.handle_time(received);
    }

    /// Notes that it is now at least `now`.
    pub fn handle_time(&mut self, now: Received) {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        self.work_off(latest.before(self.settings.reorder_window));
    }

    /// Notes that it is now `now`, and that nothing that was received before is still to come.
    pub fn finish(&mut self, now: Received) {
        let latest = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(latest);
        self.work_off(latest);
    }

    /// Notes that `node` cannot be observed, and why: its publisher does not answer, for instance.
    ///
    /// An unknown node becomes known by this.
    pub fn handle_blind(&mut self, node: &NodeName, now: Received, why: &str) {
        self.finish(now);
        let Some(id) = self.node_id(node, now) else {
            return;
        };
        let entry = &mut self.nodes[id.0 as usize];
        if entry.blind.is_none() {
            entry.blind = Some((now, why.to_owned()));
            entry.enter(NodeState::Unknown, now);
            let window = BlindWindow::new(node.clone(), now, why.to_owned());
            self.blind.push(window);
        }
        self.examine_node(id, now, true);
    }

    /// Notes that `node` can be observed again.
    pub fn handle_sighted(&mut self, node: &NodeName, now: Received) {
        self.finish(now);
        let Some(id) = self.registry.find_node(node) else {
            return;
        };
        self.nodes[id.0 as usize].last_seen = now;
        self.end_blindness(id, now);
        self.examine_node(id, now, true);
    }

    /// The next thing that happened to an incident.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// When to call [`Self::handle_time`] next, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Received> {
        let window = self.settings.reorder_window;
        self.timers.peek().map(|Reverse((due, _))| due.after(window))
    }

    /// What was counted.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The settings it works with.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
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

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(crate) fn clocks(&self) -> &[Timeline] {
        &self.clocks
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

    pub(crate) fn world(&self) -> World<'_> {
        World {
            settings: &self.settings,
            nodes: &self.nodes,
            clocks: &self.clocks,
            domain: &self.domain,
        }
    }

    /// Works off events and timers up to `until`, in time order; at equal times events come first.
    fn work_off(&mut self, until: Received) {
        while let Some((received, event)) = self.inbox.pop(until) {
            let at = self.now.map_or(received, |now| now.max(received));
            self.fire_timers(at, false);
            self.now = Some(at);
            self.apply(event, at);
        }
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
                    if self.registry.clock_slot(id, slot).take_due(due) {
                        self.examine_clock(id, slot, now);
                    }
                }
                Timer::Node(id, slot) => {
                    if self.registry.node_slot(id, slot).take_due(due) {
                        self.examine_node_slot(id, slot, now);
                    }
                }
                Timer::Incident(id) => {
                    let world = world!(self);
                    self.ledger.handle_due(&world, id, due);
                    self.collect_changes();
                }
            }
        }
    }

    fn apply(&mut self, event: Event, at: Received) {
        if matches!(event.resource, Resource::Other(_)) {
            self.counts.unknown_resources += 1;
            return;
        }
        let Some(node) = self.node_id(&event.node, at) else {
            self.counts.nodes_refused += 1;
            return;
        };
        let window = self.settings.reorder_window.max(LATE);
        if event.is_placeholder() {
            let content = contents(&event);
            let placeholders = &mut self.nodes[node.0 as usize].placeholders;
            if placeholders.is_repeated(at, event.stamped, content, window) {
                self.counts.duplicates += 1;
                return;
            }
            self.counts.events += 1;
            self.counts.placeholders += 1;
            self.count_for(node, at);
            self.nodes[node.0 as usize].placeholder_at = Some(at);
            return;
        }
        let mut fresh = false;
        let mut any_change = false;
        let Event { id, resource, stamped, readings, .. } = event;
        for reading in readings {
            if reading.instance.is_placeholder() {
                continue;
            }
            let Some(clock) = self.clock_id(node, &resource, &reading, at) else {
                self.counts.clocks_refused += 1;
                fresh = true;
                continue;
            };
            let content = content(&reading);
            let timeline = &mut self.clocks[clock.0 as usize];
            if timeline.is_repeated(at, stamped, content, window) {
                continue;
            }
            fresh = true;
            if timeline.is_overtaken(at, stamped, window) {
                self.counts.overtaken += 1;
                continue;
            }
            let was_locked = timeline.is_locked();
            let was_unlocked = timeline.unlocked_since().is_some();
            let changed = timeline.apply(at, stamped, &id, reading, &self.settings);
            let is_locked = timeline.is_locked();
            if resource == Resource::LockState && !is_locked && !was_unlocked {
                self.domain.push_loss(at, node, &self.settings);
            }
            self.learn_role(node, &resource, clock);
            if changed {
                self.tell_ledger(node, clock, is_locked && !was_locked);
            }
            self.examine_after(node, clock, changed, at);
            any_change |= changed;
        }
        if fresh {
            self.counts.events += 1;
            self.count_for(node, at);
            self.after_event(node, any_change, at);
        } else {
            self.counts.duplicates += 1;
        }
    }

    fn count_for(&mut self, node: NodeId, at: Received) {
        self.first.get_or_insert(at);
        self.last = Some(at);
        let node = &mut self.nodes[node.0 as usize];
        node.events += 1;
        node.last_seen = at;
    }

    /// The node as a whole, once all readings of an event are in.
    fn after_event(&mut self, id: NodeId, changed: bool, at: Received) {
        self.end_blindness(id, at);
        if changed {
            let worst = self.nodes[id.0 as usize].worst(&self.clocks);
            self.nodes[id.0 as usize].enter(worst, at);
        }
        self.examine_node(id, at, false);
    }

    fn end_blindness(&mut self, id: NodeId, at: Received) {
        let node = &mut self.nodes[id.0 as usize];
        if node.blind.take().is_none() {
            return;
        }
        let worst = node.worst(&self.clocks);
        node.enter(worst, at);
        let name = &node.name;
        if let Some(window) = self.blind.iter_mut().rev().find(|w| w.node == *name) {
            window.to.get_or_insert(at);
        }
    }

    fn tell_ledger(&mut self, node: NodeId, clock: ClockId, recovered: bool) {
        if let Some(fact) = self.clocks[clock.0 as usize].facts().back() {
            let world = world!(self);
            self.ledger.handle_fact(&world, node, clock, fact, recovered);
            self.collect_changes();
        }
    }

    fn learn_role(&mut self, id: NodeId, resource: &Resource, clock: ClockId) {
        let node = &mut self.nodes[id.0 as usize];
        match resource {
            Resource::Gnss if node.role != Role::Grandmaster => {
                node.role = Role::Grandmaster;
                self.domain.grandmasters.push(id);
            }
            Resource::ClockClass => {
                let timeline = &self.clocks[clock.0 as usize];
                let class = timeline.class().map(|(class, _)| class.0);
                if timeline.events() == 1 && matches!(class, Some(248 | 255)) {
                    node.born_with_default_class.get_or_insert(timeline.first_seen());
                }
                match (class, node.role) {
                    (Some(255), Role::Unknown) => node.role = Role::Slave,
                    (Some(135 | 165), Role::Unknown) => node.role = Role::BoundaryClock,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn node_id(&mut self, name: &NodeName, at: Received) -> Option<NodeId> {
        if let Some(id) = self.registry.find_node(name) {
            return Some(id);
        }
        if self.nodes.len() >= self.settings.max_nodes {
            return None;
        }
        self.nodes.push(Node::new(name.clone(), at));
        Some(self.registry.add_node(name.clone()))
    }

    fn clock_id(
        &mut self,
        node: NodeId,
        resource: &Resource,
        reading: &Reading,
        at: Received,
    ) -> Option<ClockId> {
        let known = &mut self.nodes[node.0 as usize].clocks;
        let found = known
            .iter()
            .find(|member| member.resource == *resource && member.instance == reading.instance);
        if let Some(member) = found {
            return Some(member.id);
        }
        if known.len() >= self.settings.max_clocks_per_node {
            return None;
        }
        let first_ptp = *resource == Resource::LockState
            && !known.iter().any(|member| member.resource == *resource);
        self.domain.ptp_nodes += usize::from(first_ptp);
        let id = self.registry.add_clock(node, resource);
        let instance = reading.instance.clone();
        known.push(Member { id, resource: resource.clone(), instance: instance.clone() });
        self.clocks.push(Timeline::new(resource.clone(), instance, at));
        Some(id)
    }

    /// Asks every detector whose answer an event about `clock` may have changed; those of other
    /// clocks only when what it said was new.
    fn examine_after(&mut self, node: NodeId, clock: ClockId, changed: bool, now: Received) {
        for slot in 0..self.registry.subjects(clock) {
            self.examine_clock(clock, slot, now);
        }
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

    fn examine_clock(&mut self, clock: ClockId, slot: u16, now: Received) {
        let detector = self.registry.detector(clock, slot);
        let node = self.registry.node_of(clock);
        let firing = self.registry.clock_slot(clock, slot).firing;
        let view = View {
            now,
            clock: &self.clocks[clock.0 as usize],
            node: &self.nodes[node.0 as usize],
            settings: &self.settings,
            firing: firing.map(|(since, ..)| since),
            clocks: &self.clocks,
        };
        let assessment = (self.detectors[detector].examine)(&view);
        // The usual answer, for which nothing need be done.
        if assessment == Assessment::Quiet && firing.is_none() {
            return;
        }
        let timer = Timer::Clock(clock, slot);
        self.settle(detector, node, Some(clock), timer, assessment, now);
    }

    /// Asks the detectors of whole nodes, those that wait for their time only if `always`.
    fn examine_node(&mut self, node: NodeId, now: Received, always: bool) {
        for slot in 0..self.registry.node_slots() {
            let state = self.registry.node_slot(node, slot);
            if always || state.firing.is_some() || state.due.is_none() {
                self.examine_node_slot(node, slot, now);
            }
        }
    }

    fn examine_node_slot(&mut self, id: NodeId, slot: u16, now: Received) {
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
            clocks: &self.clocks,
        };
        let assessment = (self.detectors[detector].examine)(&view);
        self.settle(detector, id, None, Timer::Node(id, slot), assessment, now);
    }

    /// Compares a detector's answer with its last one, and files the difference.
    fn settle(
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
        let slot = self.slot(timer);
        let before = slot.firing;
        if let Some(again) = again.filter(|again| *again > now && slot.arm(*again)) {
            self.timers.push(Reverse((again, timer)));
        }
        match (before, firing) {
            (None, Some((since, severity))) => {
                let kept = self.found(detector, node, clock, since, severity, now);
                self.slot(timer).firing = Some((since, severity, kept));
            }
            (Some((_, _, kept)), None) => {
                self.slot(timer).firing = None;
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
                self.slot(timer).firing = Some((began, severity, kept));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.collect_changes();
    }

    fn slot(&mut self, timer: Timer) -> &mut Slot {
        match timer {
            Timer::Clock(clock, slot) => self.registry.clock_slot(clock, slot),
            Timer::Node(node, slot) => self.registry.node_slot(node, slot),
            Timer::Incident(_) => unreachable!("incidents have no detector"),
        }
    }

    fn found(
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
            self.blind_since(node, now, &says);
        }
        let subject = Subject { code: self.detectors[detector].code, node, clock, since };
        self.domain.forget(now, &self.settings);
        let world = world!(self);
        self.ledger.file(&world, Found { subject, severity, now, says })
    }

    /// A node fell silent: from its last word on nothing is known about it.
    fn blind_since(&mut self, id: NodeId, now: Received, why: &str) {
        let node = &mut self.nodes[id.0 as usize];
        let since = node.last_seen;
        node.blind = Some((since, why.to_owned()));
        node.enter(NodeState::Unknown, now);
        self.blind.push(BlindWindow::new(node.name.clone(), since, why.to_owned()));
    }

    fn describe(
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
            clocks: &self.clocks,
        };
        (self.detectors[detector].describe)(&view)
    }

    /// Takes over what happened to incidents: times to come back, changes, and alerts about them.
    fn collect_changes(&mut self) {
        while let Some((due, id)) = self.ledger.poll_due() {
            self.timers.push(Reverse((due, Timer::Incident(id))));
        }
        while let Some(change) = self.ledger.poll_change() {
            self.raise(change);
            self.changes.push_back(change);
            if self.changes.len() > self.settings.max_incidents {
                self.changes.pop_front();
            }
        }
    }

    /// Makes an alert of a change, if people are to be told of it.
    fn raise(&mut self, change: Change) {
        let Some(incident) = self.ledger.get(change.incident) else {
            return;
        };
        if incident.severity < Severity::Warning || !self.may_alert(change.incident) {
            return;
        }
        let status = match (change.kind, incident.told) {
            (crate::ChangeKind::Resolved, Some(_)) => AlertStatus::Resolved,
            (crate::ChangeKind::Resolved, None) => return,
            (_, None) => AlertStatus::Opened,
            (_, Some(told)) if incident.severity > told => AlertStatus::Escalated,
            (_, Some(_)) => return,
        };
        let severity = incident.severity;
        let alert = narrate::alert(&self.world(), incident, status, change.at);
        self.ledger.tell(change.incident, severity);
        if self.alerts.len() >= self.settings.max_incidents {
            self.alerts.pop_front();
            self.counts.alerts_forgotten += 1;
        }
        self.alerts.push_back(alert);
    }

    /// Whether an incident has a finding on a resource that may raise alerts.
    fn may_alert(&self, id: IncidentId) -> bool {
        let (Some(allowed), Some(incident)) = (&self.settings.alert_resources, self.ledger.get(id))
        else {
            return true;
        };
        incident.findings.iter().any(|finding| {
            finding.resource.as_ref().is_none_or(|resource| allowed.contains(resource))
        })
    }
}

/// The values of a reading, condensed to recognise them when they are sent again.
fn content(reading: &Reading) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hash(reading, &mut hasher);
    hasher.finish()
}

/// The same for a whole event.
fn contents(event: &Event) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    event.resource.hash(&mut hasher);
    event.readings.iter().for_each(|reading| hash(reading, &mut hasher));
    hasher.finish()
}

fn hash(reading: &Reading, hasher: &mut impl Hasher) {
    let Reading { instance, state, offset, clock_class, gps_fix, quality, extended_quality } =
        reading;
    instance.as_str().hash(hasher);
    state.as_ref().map(SyncState::as_str).hash(hasher);
    (offset, clock_class, gps_fix, quality, extended_quality).hash(hasher);
}
