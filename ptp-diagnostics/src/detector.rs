//! What a detector is: a question asked of one clock, and its answer.

use std::time::Duration;

use ptp_events::{Offset, Received, Resource};

use crate::artefacts::follows_from_stuck;
use crate::crossings::is_far;
use crate::domain::Domain;
use crate::node::Node;
use crate::{Settings, Severity, Timeline};

/// In what time no slow servo moves a clock by more than its threshold: after its first lock one drifts
/// by some 3 ns/s (simulated, PI with a time constant of minutes).
const THROWN: Duration = Duration::from_secs(30);

/// A question asked of a clock whenever something about it, or its node, may have changed.
///
/// A detector holds no state: what must be remembered is in the [`Timeline`], and whether it fires
/// already is in the [`View`]. Add your own with [`crate::Engine::with_detectors`].
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// Stable, kebab-case; part of the public contract.
    pub code: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The manual page, in Markdown.
    pub manual: &'static str,
    /// What it is asked about.
    pub scope: Scope,
    /// Answers. Same view, same answer.
    pub examine: fn(&View<'_>) -> Assessment,
    /// Says in one line what was found, when it fires.
    pub describe: fn(&View<'_>) -> String,
}

/// What a detector is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// Each clock of `subjects`, whenever an event speaks of it, or one changes what a clock of
    /// `also` on the same node said.
    Clock {
        /// The clocks it is asked about.
        subjects: &'static [Resource],
        /// Further resources of the node whose changes may change the answer.
        also: &'static [Resource],
    },
    /// Each node as a whole, when a time it named has come, and on events while it fires or has
    /// named no time. The view's clock is the first that was heard of.
    Node,
}

/// All that a detector may look at.
#[derive(Clone, Copy)]
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
    pub(crate) clocks: &'a [Timeline],
    pub(crate) nodes: &'a [Node],
    pub(crate) domain: &'a Domain,
}

impl<'a> View<'a> {
    /// The clocks of the node that are of `resource`.
    pub fn of_node(&self, resource: &'a Resource) -> impl Iterator<Item = &'a Timeline> {
        let clocks = self.clocks;
        self.node
            .clocks
            .iter()
            .filter(move |member| member.resource == *resource)
            .map(move |member| &clocks[member.id.0 as usize])
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
        self.node.has_yet_to_lock(self.clock, self.clocks)
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
        let crossed = ptp.lost_by_offset();
        if !ptp.is_locked() && crossed.is_none() {
            return None;
        }
        let started = self.node.saw_start_of(ptp);
        let first = ptp.first_locked().filter(|_| started);
        // A servo that has just found its reference flaps several times, at any offset.
        let flapping = ptp.relocked().max(first).map(|at| at.after(self.settings.relock));
        let slow = || {
            let offset = crossed.map_or(0, Offset::magnitude);
            let within = offset <= self.settings.offset_critical_ns;
            let settled = first.filter(|_| within)?.after(self.settings.settle);
            // What did not creep over the threshold may have been thrown: such an overshoot is soon
            // over, here in the time that a clock has to lock at first. But no servo that is so slow
            // does it in half a minute.
            let (thrown_ns, within) = ptp.thrown();
            let jumped = thrown_ns > self.settings.offset_ns;
            if jumped && !ptp.is_locked() && within <= THROWN {
                return None;
            }
            let thrown =
                ptp.unlocked_since().filter(|_| jumped && is_far(offset, self.settings.offset_ns));
            let over = thrown.map(|lost| lost.after(self.settings.settle / 12));
            Some(over.map_or(settled, |over| over.min(settled)))
        };
        flapping.max(slow())
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
        let Some(unlocked) = self.clock.unlocked_since() else {
            return false;
        };
        let locked = |clock: &Timeline| {
            clock.state().is_some_and(|(state, since)| state.is_locked() && since > unlocked)
        };
        if *self.clock.resource() == Resource::SyncState {
            let kinds = [&Resource::LockState, &Resource::OsClock];
            return kinds.iter().all(|kind| {
                let mut clocks = self.of_node(kind).peekable();
                clocks.peek().is_some() && clocks.all(locked)
            });
        }
        self.of_node(&Resource::SyncState)
            .any(|overall| locked(overall) && overall.last_seen() > self.clock.last_seen())
    }

    /// Whether what is said of this clock is explained by a publisher that is stuck.
    pub(crate) fn is_artefact(&self) -> bool {
        follows_from_stuck(self.clock, self.node, self.clocks, self.settings)
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
        self.domain.mass_loss(since, self.nodes, self.settings).is_some_and(|lost| {
            lost.iter().all(|id| {
                let members = self.nodes[id.0 as usize].clocks.iter();
                members
                    .filter(|member| member.resource == Resource::LockState)
                    .all(|member| self.clocks[member.id.0 as usize].is_locked())
            })
        })
    }
}

/// A detector's answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Assessment {
    /// There is nothing to find.
    Quiet,
    /// Nothing yet; ask again at this time even if nothing happens.
    Wait(Received),
    /// It is so.
    Firing {
        /// How bad.
        severity: Severity,
        /// Since when it is so, not since when we know.
        since: Received,
        /// When to ask again even if nothing happens.
        again: Option<Received>,
    },
}

impl Assessment {
    /// Fires once `since` is `hold` ago, and waits until then.
    pub fn after(view: &View<'_>, since: Received, hold: Duration, severity: Severity) -> Self {
        let due = since.after(hold);
        if view.now < due { Self::Wait(due) } else { Self::Firing { severity, since, again: None } }
    }
}
