//! Why nothing fires on a node.

use ptp_events::{NodeName, Received, Resource};

use super::Engine;
use crate::NodeState;
use crate::detectors::{Assessment, View};
use crate::model::node::{ClockId, NodeId};
use crate::model::stage::Stage;
use crate::report::quiet::{Quiet, Waiting, WatchedClock};
use crate::text::Text;

impl Engine {
    /// What is seen of a node, what fires on it, and what will unless something changes; `None` for a node
    /// never heard of.
    ///
    /// Detectors are asked as of [`Self::now`]; nothing changes by it.
    #[must_use]
    pub fn quiet(&self, node: &NodeName) -> Option<Quiet> {
        let id = self.model.find_node(node)?;
        let entry = self.model.node(id);
        let now = self.now().unwrap_or(entry.last_seen);
        let (state, entered) = entry.state();
        let mut members: Vec<_> = entry.clocks.iter().map(|member| member.id).collect();
        members.sort_by_key(|id| {
            let clock = self.model.clock(*id);
            (clock.resource().clone(), clock.instance().clone())
        });
        let blind = self.blind.iter().rev().find(|window| window.node == *node);
        // That the agent was started anew is no change of the node.
        let states = members.iter().filter_map(|id| self.model.clock(*id).state());
        let of_state = states.filter(|(its, _)| NodeState::from(*its) == state);
        let since = of_state.map(|(_, since)| since);
        let since = if state == NodeState::Locked { since.max() } else { since.min() };
        Some(Quiet {
            node: node.clone(),
            at: now,
            state,
            since: since.filter(|_| entry.blind.is_none()).unwrap_or(entered),
            last_heard: entry.last_seen,
            left: entry.gone,
            blind: blind.filter(|_| entry.blind.is_some()).cloned(),
            waiting: self.node_waits(id, now),
            clocks: members.into_iter().map(|clock| self.watched(clock, now)).collect(),
        })
    }

    fn node_waits(&self, id: NodeId, now: Received) -> Vec<Waiting> {
        let node = self.model.node(id);
        let first = node.clocks.first();
        let clock = first.map_or(&self.blank, |member| self.model.clock(member.id));
        let view = View {
            now,
            clock,
            node,
            settings: &self.model.settings,
            firing: None,
            ended: self.ended,
            model: &self.model,
            id,
        };
        let detectors = (0..self.slots.node_slots()).map(|slot| self.slots.node_detector(slot));
        detectors.filter_map(|detector| self.waits(detector, &view)).collect()
    }

    fn watched(&self, id: ClockId, now: Received) -> WatchedClock {
        let settings = &self.model.settings;
        let clock = self.model.clock(id);
        let entry = self.slots.entry(id);
        let mut view = self.view(entry, id, now);
        let (mut firing, mut waiting) = (Vec::<Text>::new(), Vec::new());
        for slot in 0..self.slots.subjects(id) {
            let (detector, since) = self.slots.asked(entry, slot);
            view.firing = since;
            match since {
                Some(_) => firing.push(self.detectors[detector].code.into()),
                None => waiting.extend(self.waits(detector, &view)),
            }
        }
        let limit = settings.state_changes;
        let window = settings.state_changes_window;
        let lately = |n: &u32| clock.change_before(*n).is_some_and(|at| now < at.after(window));
        let changes = (0..=limit).take_while(lately).count();
        let mut excused = Vec::<Text>::new();
        if view.is_starting() {
            excused.push("it is starting: it has not been LOCKED yet".into());
        } else if *clock.resource() == Resource::LockState && view.settling_until().is_some() {
            excused.push("its servo is settling after its lock".into());
        }
        if self.model.is_artefact(id) {
            excused.push("its publisher's word is known to be wrong".into());
        }
        WatchedClock {
            resource: clock.resource().clone(),
            instance: clock.instance().clone(),
            state: clock.state().map(|(state, _)| state.clone()),
            since: clock.state().map(|(_, since)| since),
            changes: u32::try_from(changes).unwrap_or(u32::MAX),
            changes_limit: limit,
            changes_window_s: window.as_secs(),
            offset_ns: clock.samples().last.map(|(_, offset)| offset.as_nanos()),
            offset_limit_ns: settings.offset_ns,
            firing,
            waiting,
            excused,
        }
    }

    fn waits(&self, detector: usize, view: &View<'_>) -> Option<Waiting> {
        // Who watches for silence waits always.
        if self.detectors[detector].shows.stage == Some(Stage::Telemetry) {
            return None;
        }
        let Assessment::Wait(at) = self.assess(detector, view) else { return None };
        let detector = &self.detectors[detector];
        Some(Waiting { code: detector.code.into(), summary: detector.summary.into(), at })
    }
}
