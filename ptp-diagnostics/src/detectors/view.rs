//! What a detector sees: one clock, its node, the settings, the time.

use std::time::Duration;

use ptp_events::{Offset, Received, Resource};

use crate::Settings;
use crate::model::Model;
use crate::model::artefacts::follows_from_stuck;
use crate::model::crossings::is_far;
use crate::model::node::{Node, NodeId};
use crate::model::timeline::Timeline;

/// How fast a servo that is slow moves its clock, in nanoseconds per second: a PI servo with a time
/// constant of minutes, after its first lock.
const SLOW_SLEW_NS_PER_S: u64 = 3;

/// All that a detector may look at.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct View<'a> {
    /// The engine's time.
    pub now: Received,
    /// The clock in question.
    pub clock: &'a Timeline,
    /// The node it is on.
    pub node: &'a Node,
    /// The thresholds.
    pub settings: &'a Settings,
    /// Since when the detector has been firing for this clock, if it is.
    pub firing: Option<Received>,
    /// When the recording ended, if it did: what comes after was not observed.
    pub(crate) ended: Option<Received>,
    pub(crate) model: &'a Model,
    pub(crate) id: NodeId,
}

impl<'a> View<'a> {
    /// The clocks of the node that are of `resource`.
    pub fn of_node(&self, resource: &'a Resource) -> impl Iterator<Item = &'a Timeline> {
        let model = self.model;
        self.node
            .clocks
            .iter()
            .filter(move |member| member.resource == *resource)
            .map(move |member| model.clock(member.id))
    }

    /// The shortest regular distance of the node's samples, if any of its clocks has one.
    #[must_use]
    pub const fn cadence(&self) -> Option<Duration> {
        self.node.cadence
    }

    /// Whether this clock has not yet reached the first lock of its life.
    ///
    /// The publisher announced that it has no data yet; or the class was the power-on default
    /// before anything else was known; or the first state came with "no solution". A clock that
    /// was ever locked, or fell out of the blue, is not starting; nor is a receiver on a node that
    /// holds over.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        let clocks = &self.model.clocks;
        // What follows a PTP clock cannot be there before it.
        let follows = matches!(self.clock.resource(), Resource::OsClock | Resource::SyncState)
            && self.clock.last_locked().is_none();
        let ptp_starts = || {
            let mut ptp = self.of_node(&Resource::LockState).peekable();
            ptp.peek().is_some() && ptp.all(|ptp| self.node.has_yet_to_lock(ptp, clocks))
        };
        self.node.has_yet_to_lock(self.clock, clocks) || (follows && ptp_starts())
    }

    /// Until when a PTP clock of the node may be off because its servo is settling.
    ///
    /// Only while its reference is heard: a clock that goes into HOLDOVER, or FREERUN with an offset
    /// it had while LOCKED, has lost it.
    #[must_use]
    pub fn settling_until(&self) -> Option<Received> {
        let ptp = self.of_node(&Resource::LockState);
        ptp.filter_map(|ptp| self.settles_until(ptp)).find(|until| self.now < *until)
    }

    fn settles_until(&self, ptp: &Timeline) -> Option<Received> {
        if (!ptp.is_locked() && ptp.lost_by_offset().is_none()) || self.swing(ptp).is_some() {
            return None;
        }
        let started = self.node.saw_start_of(ptp);
        let first = ptp.first_locked().filter(|_| started);
        // A servo that has just found its reference flaps several times, at any offset.
        // One whose process was started again begins anew.
        let restarted = ptp.last_break().filter(|_| ptp.broke_by_process()).map(|(_, back)| back);
        let found = ptp.relocked().max(first).max(restarted);
        let flapping = found.map(|at| at.after(self.settings.relock));
        // What follows a PTP clock that is LOCKED has no part in its settling.
        let follows = *self.clock.resource() != Resource::LockState && ptp.is_locked();
        let creeps = first.filter(|_| ptp.settled().is_none() && !follows && self.may_creep(ptp));
        flapping.max(creeps.map(|first| first.after(self.settings.settle)))
    }

    /// Since when the offsets of a PTP clock of the node swing, and how far: no servo that settles does it.
    fn swing(&self, ptp: &Timeline) -> Option<(Received, u64)> {
        ptp.first_hand().and_then(|seen| seen.swing(self.settings.offset_ns))
    }

    /// Whether a slow servo may have brought a clock to where it left its lock: not too far, and no
    /// faster than such a servo slews. What a publisher pushes it says within a second.
    fn may_creep(&self, ptp: &Timeline) -> bool {
        let Some(offset) = ptp.lost_by_offset().map(Offset::magnitude) else {
            return true;
        };
        let limit = self.settings.offset_ns;
        let crept = match ptp.jump() {
            Some((jump_ns, within)) => jump_ns <= limit.max(within.as_secs() * SLOW_SLEW_NS_PER_S),
            None => !is_far(offset, limit),
        };
        offset <= self.settings.offset_critical_ns && crept
    }

    /// Whether a clock of the node is judged by how often it left its lock from this time on: not from
    /// before a servo that was seen to start had settled.
    #[must_use]
    pub fn is_judged_from(&self, from: Received) -> bool {
        let mut ptp = self.of_node(&Resource::LockState);
        if *self.clock.resource() != Resource::LockState {
            // What follows a PTP clock that was LOCKED all the time has no part in its settling.
            let locked = |ptp: &Timeline| {
                ptp.is_locked() && ptp.state().is_some_and(|(_, since)| since <= from)
            };
            return ptp.all(|ptp| locked(ptp) || !self.node.saw_start_of(ptp));
        }
        let started = ptp.filter(|ptp| self.node.saw_start_of(ptp));
        let mut started =
            started.filter(|ptp| self.swing(ptp).is_none_or(|(since, _)| since > from));
        started.all(|ptp| {
            // One that never settles cannot be excused for ever.
            let excused = ptp.first_locked().map(|first| first.after(self.settings.settle));
            ptp.settled().or(excused).is_some_and(|settled| from >= settled)
        })
    }

    /// Whether a PTP clock of the node may be off because its servo is settling.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        self.settling_until().is_some()
    }

    /// Whether one of the node's clocks is lost because a process died; what follows it, or is the
    /// worst of all, is lost with it.
    #[must_use]
    pub fn is_process_down(&self) -> bool {
        let measured = self.of_node(&Resource::LockState).chain(self.of_node(&Resource::OsClock));
        measured.into_iter().any(|clock| !clock.is_locked() && clock.process_down())
    }

    /// Whether the node as a whole has said LOCKED since this clock said otherwise, or all its clocks
    /// since the node as a whole did.
    ///
    /// sync-state is the worst of both clocks (docs/diagnosis.md §5), so this one must be LOCKED too,
    /// and the event that said so was lost.
    #[must_use]
    pub fn is_locked_after_all(&self) -> bool {
        self.model.is_locked_after_all(self.id, self.clock)
    }

    /// Whether what is said of this clock is explained by a publisher that is stuck.
    pub(crate) fn is_artefact(&self) -> bool {
        follows_from_stuck(self.clock, self.node, &self.model.clocks, self.settings)
    }

    /// Since when the node's stamps are off, and by how many nanoseconds; positive when its clock
    /// is behind ours.
    #[must_use]
    pub fn skew(&self) -> Option<(Received, i64)> {
        let limit = i64::try_from(self.settings.skew.as_nanos()).unwrap_or(i64::MAX);
        self.node.skew.beyond(limit)
    }

    /// Whether many nodes lost their lock around `since`, and all of them have it again.
    pub(crate) fn all_came_back(&self, since: Received) -> bool {
        let lost = self.model.domain_outage(self.id, since);
        lost.is_some_and(|lost| lost.iter().all(|id| self.model.ptp(*id).all(Timeline::is_locked)))
    }
}
