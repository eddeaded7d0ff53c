//! One node: its clocks, its role, and how long it has been in which state.

use std::time::Duration;

use ptp_events::{Instance, NodeName, Received, Resource, SyncState};
use serde::{Deserialize, Serialize};

use crate::Timeline;
use crate::model::recent::Recent;
use crate::model::skew::Skew;

/// For how long nothing but placeholders is heard of a clock that has yet to find its lock, and not
/// of one whose publisher was started again: that says within seconds what it finds.
const UNHEARD: Duration = Duration::from_secs(10);

/// A clock's place in the engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct ClockId(pub u32);

/// A node's place in the engine.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct NodeId(pub u32);

/// One of a node's clocks, with what it is found by.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub id: ClockId,
    pub resource: Resource,
    pub instance: Instance,
}

/// What part a node plays in its timing domain, as far as its events show.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// A grandmaster: it reports a GNSS receiver.
    #[serde(rename = "t-gm")]
    Grandmaster,
    /// A boundary clock: it announced a boundary clock's holdover class.
    #[serde(rename = "t-bc")]
    BoundaryClock,
    /// A slave: it announced class 255.
    #[serde(rename = "t-tsc")]
    Slave,
    /// Its events do not show.
    #[default]
    Unknown,
}

impl Role {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grandmaster => "t-gm",
            Self::BoundaryClock => "t-bc",
            Self::Slave => "t-tsc",
            Self::Unknown => "unknown",
        }
    }
}

/// A node's state as a whole: the worst of its clocks.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum NodeState {
    /// Nothing is known, or we are blind.
    #[default]
    Unknown,
    /// Every clock is locked.
    Locked,
    /// The worst clock is in holdover.
    Holdover,
    /// The worst clock is in FREERUN or worse.
    Freerun,
}

impl NodeState {
    /// As it is written in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Locked => "LOCKED",
            Self::Holdover => "HOLDOVER",
            Self::Freerun => "FREERUN",
        }
    }

    pub(crate) const fn of(state: &SyncState) -> Self {
        match state {
            SyncState::Locked | SyncState::Synchronized => Self::Locked,
            SyncState::Holdover => Self::Holdover,
            _ => Self::Freerun,
        }
    }
}

/// What a clock's state counts as.
impl From<&SyncState> for NodeState {
    fn from(state: &SyncState) -> Self {
        Self::of(state)
    }
}

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) name: NodeName,
    /// Which of the engine's timing domains it is in.
    pub(crate) domain: usize,
    /// How long its oscillator holds the limit of holdovers, where the topology says so.
    pub(crate) holds: Option<Duration>,
    pub(crate) clocks: Vec<Member>,
    /// Other names of these: a publisher writes `ens1fx` where a log writes `ens1f0`.
    pub(crate) other_names: Vec<Member>,
    pub(crate) role: Role,
    pub(crate) events: u64,
    pub(crate) last_seen: Received,
    /// When it was heard again after nothing had been for a while.
    pub(crate) resumed_at: Received,
    /// When the publisher first said that it has no data yet.
    pub(crate) placeholder_at: Option<Received>,
    pub(crate) placeholders: Recent,
    /// When a log first showed that a port was initialised or a process started.
    pub(crate) started_at: Option<Received>,
    /// The class was the power-on default before anything better was announced.
    pub(crate) born_with_default_class: Option<Received>,
    /// It left, and nothing is expected of it.
    pub(crate) gone: bool,
    /// Why we cannot see the node, and since when.
    pub(crate) blind: Option<(Received, String)>,
    /// The shortest cadence of its clocks, see [`Timeline::cadence`].
    pub(crate) cadence: Option<Duration>,
    /// How far its stamps are from when we receive them.
    pub(crate) skew: Skew,
    state: NodeState,
    state_since: Received,
    time_in: [Duration; 4],
}

impl Node {
    pub(crate) fn new(
        name: NodeName,
        domain: usize,
        holds: Option<Duration>,
        at: Received,
    ) -> Self {
        Self {
            name,
            domain,
            holds,
            clocks: Vec::new(),
            other_names: Vec::new(),
            role: Role::Unknown,
            events: 0,
            last_seen: at,
            resumed_at: at,
            placeholder_at: None,
            placeholders: Recent::default(),
            started_at: None,
            born_with_default_class: None,
            gone: false,
            blind: None,
            cadence: None,
            skew: Skew::default(),
            state: NodeState::Unknown,
            state_since: at,
            time_in: [Duration::ZERO; 4],
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &NodeName {
        &self.name
    }

    /// Its role, as far as its events show.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// How many events it sent.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// When we last heard from it.
    #[must_use]
    pub const fn last_seen(&self) -> Received {
        self.last_seen
    }

    /// Looks anew at how regularly its clocks are sampled, as one of them has changed.
    pub(crate) fn learn_cadence(&mut self, clocks: &[Timeline]) {
        let own = self.clocks.iter().map(|member| &clocks[member.id.0 as usize]);
        // Nobody samples a clock whose process is gone.
        let own = own.filter(|clock| !clock.process_down());
        self.cadence = own.filter_map(Timeline::cadence).min();
    }

    /// Whether `clock` was first heard of while the node was starting.
    pub(crate) fn is_starting(&self, clock: &Timeline) -> bool {
        let no_solution = clock.facts().front().is_some_and(|fact| {
            use crate::model::timeline::Said;
            use ptp_events::{Measurement, Sentinel};
            let sentinel = Measurement::Sentinel(Sentinel::ProcessDown);
            matches!(&fact.said, Said::State { measured: Some(measured @ Measurement::Sentinel(_)), .. }
                if *measured != sentinel)
        }) && *clock.resource() == Resource::LockState;
        let before = |at: Option<Received>| at.is_some_and(|at| at <= clock.first_seen());
        if self.started_with(clock) {
            return true;
        }
        no_solution || before(self.placeholder_at) || before(self.born_with_default_class)
    }

    /// Whether a log shows that a port was initialised, or a process started, when `clock` was first
    /// heard of.
    fn started_with(&self, clock: &Timeline) -> bool {
        self.started_at.is_some_and(|at| at <= clock.first_seen().after(UNHEARD))
    }

    /// Whether `clock` was seen to find its first lock, or was silent for so long before it that what it
    /// said first was lost: of a clock that is LOCKED one hears at once.
    pub(crate) fn saw_start_of(&self, clock: &Timeline) -> bool {
        let late = self.placeholder_at.is_some_and(|at| clock.first_seen() >= at.after(UNHEARD));
        let began = clock.began_unlocked() || late || self.started_with(clock);
        began && self.is_starting(clock)
    }

    /// Whether `clock` has yet to reach the first lock of its life: it was first heard of while the
    /// node was starting, and was not locked since.
    ///
    /// A receiver on a node whose PTP clock held over is not: only what was locked can hold over,
    /// so what the receiver lacks now it had before we listened.
    pub(crate) fn has_yet_to_lock(&self, clock: &Timeline, clocks: &[Timeline]) -> bool {
        clock.last_locked().is_none()
            && self.is_starting(clock)
            && !(*clock.resource() == Resource::Gnss && self.held_over(clocks))
    }

    /// Whether a PTP clock is in HOLDOVER, or lost its lock by way of it.
    fn held_over(&self, clocks: &[Timeline]) -> bool {
        let holdover = SyncState::Holdover;
        let ptp = self.clocks.iter().filter(|member| member.resource == Resource::LockState);
        ptp.map(|member| &clocks[member.id.0 as usize]).any(|clock| {
            clock.is(&holdover) || (!clock.is_locked() && clock.previous() == Some(&holdover))
        })
    }

    /// What it is in now, and since when.
    #[must_use]
    pub const fn state(&self) -> (NodeState, Received) {
        (self.state, self.state_since)
    }

    /// How long it has been in each state until `now`.
    #[must_use]
    pub fn time_in_state(&self, now: Received) -> [(NodeState, Duration); 4] {
        let mut times = self.time_in;
        times[self.state as usize] += now.since(self.state_since);
        [
            (NodeState::Locked, times[NodeState::Locked as usize]),
            (NodeState::Holdover, times[NodeState::Holdover as usize]),
            (NodeState::Freerun, times[NodeState::Freerun as usize]),
            (NodeState::Unknown, times[NodeState::Unknown as usize]),
        ]
    }

    pub(crate) fn enter(&mut self, state: NodeState, at: Received) {
        if state != self.state {
            self.time_in[self.state as usize] += at.since(self.state_since);
            self.state = state;
            self.state_since = at;
        }
    }

    /// What can be said of it: nothing while it is gone or cannot be observed, else the worst of its
    /// clocks.
    pub(crate) fn visible_state(&self, clocks: &[Timeline]) -> NodeState {
        if self.gone || self.blind.is_some() { NodeState::Unknown } else { self.worst(clocks) }
    }

    /// The worst of the PTP and OS clocks; the node's own word for it when they are unknown.
    ///
    /// sync-state = worst of both (docs/diagnosis.md §5), and it is not sent again after a
    /// publisher's restart (docs/protocol.md §3): the clocks themselves are the better witnesses.
    fn worst(&self, clocks: &[Timeline]) -> NodeState {
        let worst_of = |wanted: fn(&Resource) -> bool| {
            self.clocks
                .iter()
                .filter(|member| wanted(&member.resource))
                .filter_map(|member| clocks[member.id.0 as usize].state())
                .map(|(state, _)| NodeState::of(state))
                .max()
        };
        worst_of(|r| matches!(r, Resource::LockState | Resource::OsClock))
            .or_else(|| worst_of(|r| *r == Resource::SyncState))
            .unwrap_or_default()
    }
}
