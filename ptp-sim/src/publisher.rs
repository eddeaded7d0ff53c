//! What a node's publisher says, and when: changes only, at each process's own pace.

use ptp_events::recording::Origin;
use ptp_events::{
    ClockClass, GpsFix, Instance, Measurement, QualityLevel, Reading, Resource, SyncState,
};

use crate::clock::Seen;
use crate::conditions::Conditions;
use crate::lock::{LockMachine, PROCESS_DOWN, Sample};
use crate::os_clock::OsSample;
use crate::random::Random;
use crate::said::{Said, Table};
use crate::topology::{Node, Role};

/// The mean time between two repetitions of an unchanged state, in s.
///
/// Repetitions were observed, their rate was not: a few a day.
const REPEAT_EVERY_S: f64 = 20_000.0;

/// The publisher of one node.
#[derive(Debug)]
pub(crate) struct Publisher {
    node: usize,
    role: Role,
    normal_threshold: u32,
    os_threshold: u64,
    pub(crate) names: Names,
    pub(crate) lock: LockMachine,
    pub(crate) said: Table,
    os_state: Option<SyncState>,
    /// What it announces to those who follow it.
    class: u8,
    /// In which order its processes write their lines, and when in the second.
    order: [(Line, i64); 5],
    was_away: bool,
    random: Random,
    /// For answers only, so that being asked changes nothing that is pushed.
    answering: Random,
}

/// The instances a node's resources have.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) master: Instance,
    pub(crate) os: Instance,
    pub(crate) synce: Instance,
}

/// The lines of the daemon's log that a publisher reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Line {
    Gnss,
    Lock,
    Class,
    Os,
    Synce,
}

const MILLISECOND: i64 = 1_000_000;

impl Publisher {
    pub(crate) fn new(
        index: usize,
        node: &Node,
        names: Names,
        mut random: Random,
        answering: Random,
    ) -> Self {
        let shift = i64::from(random.whole(0, 40));
        let mut slots: Vec<i64> = (0..17).map(|slot| 60 + shift + slot * 50).collect();
        random.shuffle(&mut slots);
        let lock_at = 160 + i64::from(random.whole(0, 600));
        let slot = |at: usize| slots[at] * MILLISECOND;
        // A T-GM's lines follow each other: GNSS, then its state, then its class (`gnss_loss`).
        let (gnss, class) = match node.role {
            Role::Grandmaster => ((lock_at - 156) * MILLISECOND, (lock_at + 56) * MILLISECOND),
            Role::BoundaryClock | Role::Follower => (slot(0), slot(1)),
        };
        let mut order = [
            (Line::Gnss, gnss),
            (Line::Lock, lock_at * MILLISECOND),
            (Line::Class, class),
            (Line::Os, slot(2) + 7 * MILLISECOND),
            (Line::Synce, slot(3) + 13 * MILLISECOND),
        ];
        order.sort_by_key(|(_, at)| *at);
        Self {
            node: index,
            role: node.role,
            normal_threshold: node.threshold_ns,
            os_threshold: node.threshold_ns.into(),
            names,
            lock: LockMachine::new(node),
            said: Table::default(),
            os_state: None,
            class: 248,
            order,
            was_away: false,
            random,
            answering,
        }
    }

    /// The class it announces.
    pub(crate) const fn class(&self) -> u8 {
        self.class
    }

    /// The state of the system clock, if it has said one.
    pub(crate) const fn os_state(&self) -> Option<&SyncState> {
        self.os_state.as_ref()
    }

    /// Whether everything it says is as it should be.
    pub(crate) fn is_well(&self) -> bool {
        let locked = |state: Option<&SyncState>| state.is_none_or(SyncState::is_locked);
        self.lock.state() == Some(&SyncState::Locked)
            && self.os_state == Some(SyncState::Locked)
            && locked(self.said.state(&Resource::Gnss))
            && locked(self.said.state(&Resource::SynceState))
            && matches!(self.class, 6 | 255)
    }

    /// Second `t` passes; what it says is appended to `out`.
    pub(crate) fn step(
        &mut self,
        t: i64,
        seen: &Seen,
        now: &Conditions,
        upstream: u8,
        out: &mut Vec<Said>,
    ) {
        self.lock.set_threshold(now.threshold.unwrap_or(self.normal_threshold));
        let before = out.len();
        if self.was_away && !now.publisher_restart {
            self.come_back(t, out);
        }
        self.was_away = now.publisher_restart;
        for (line, at) in self.order {
            let at = t * 1_000 * MILLISECOND + at + i64::from(self.random.whole(0, 999_999));
            match line {
                Line::Gnss => self.read_gnss(at, seen, now, out),
                Line::Lock => self.read_lock(t, at, seen.ptp, out),
                Line::Class => self.read_class(t, at, upstream, now, out),
                Line::Os => self.read_os(at, seen.os, out),
                Line::Synce => self.read_synce(at, seen, out),
            }
        }
        if now.publisher_down || now.publisher_restart {
            out.truncate(before);
        }
        for said in &mut out[before..] {
            said.stamp_error_ns = seen.stamp_error_ns;
        }
    }

    /// Started again it has forgotten everything: placeholders to whom it knows, and then every
    /// state as if it were new.
    fn come_back(&mut self, t: i64, out: &mut Vec<Said>) {
        self.said = Table::default();
        self.os_state = None;
        self.subscribed(t * 1_000 * MILLISECOND + 20 * MILLISECOND, out);
        if let Some(state) = self.lock.state().cloned() {
            self.say_lock(t * 1_000 * MILLISECOND + 50 * MILLISECOND, state, out);
        }
    }

    /// The initial notifications to a new subscriber.
    pub(crate) fn subscribed(&mut self, at: i64, out: &mut Vec<Said>) {
        let mut at = at;
        for (resource, reading) in self.said.initial() {
            at += 2_500_000 + i64::from(self.random.whole(0, 3_000_000));
            out.push(Said::new(self.node, at, Origin::Initial, resource, reading));
        }
    }

    fn say(&mut self, at: i64, resource: Resource, reading: Reading, out: &mut Vec<Said>) {
        self.said.set(&resource, &reading);
        out.push(Said::new(self.node, at, Origin::Push, resource, reading));
    }

    fn read_gnss(&mut self, at: i64, seen: &Seen, now: &Conditions, out: &mut Vec<Said>) {
        let Some(gnss) = &seen.gnss else { return };
        // Its lines come from ts2phc and gpsd, which go with the other processes.
        if now.ptp_down {
            return;
        }
        let offset = Measurement::from_nanos(gnss.offset_ns);
        // A fix that changes alone is not sent (docs/protocol.md §5), and here never does.
        if self.said.state(&Resource::Gnss) == Some(&gnss.state) {
            self.said.measured(&Resource::Gnss, offset);
            return;
        }
        let mut reading = Reading::new(self.names.master.clone());
        reading.state = Some(gnss.state.clone());
        reading.offset = Some(offset);
        reading.gps_fix = Some(GpsFix(gnss.fix));
        self.say(at, Resource::Gnss, reading, out);
    }

    fn read_lock(&mut self, t: i64, at: i64, sample: Sample, out: &mut Vec<Said>) {
        let changed = self.lock.handle_sample(t, sample);
        let Some(state) = self.lock.state() else {
            return;
        };
        let repeats = self.random.chance(1.0 / REPEAT_EVERY_S);
        let restarted = self.said.state(&Resource::LockState).is_none();
        if changed || repeats || restarted {
            self.say_lock(at, state.clone(), out);
        } else {
            let offset = Measurement::from_nanos(self.lock.offset());
            self.said.measured(&Resource::LockState, offset);
        }
    }

    fn lock_reading(&self, state: SyncState) -> Reading {
        let mut reading = Reading::new(self.names.master.clone());
        reading.state = Some(state);
        reading.offset = Some(Measurement::from_nanos(self.lock.offset()));
        reading
    }

    fn say_lock(&mut self, at: i64, state: SyncState, out: &mut Vec<Said>) {
        let reading = self.lock_reading(state);
        self.say(at, Resource::LockState, reading, out);
        self.say_overall(at, out);
    }

    fn read_class(&mut self, t: i64, at: i64, upstream: u8, now: &Conditions, out: &mut Vec<Said>) {
        // A process that is gone announces nothing, and the publisher keeps what it knew.
        if now.ptp_down {
            return;
        }
        self.class = self.lock.clock_class(t, upstream, now.selecting);
        let class = Some(ClockClass(self.class));
        let known = self.said.get(&Resource::ClockClass);
        if known.is_some_and(|known| known.clock_class == class) {
            return;
        }
        let mut reading = Reading::new(self.names.master.clone());
        reading.clock_class = class;
        self.say(at, Resource::ClockClass, reading, out);
    }

    fn read_os(&mut self, at: i64, sample: OsSample, out: &mut Vec<Said>) {
        let (own, offset) = match sample {
            OsSample::Down => (SyncState::Freerun, PROCESS_DOWN),
            OsSample::Offset(ns) if ns.unsigned_abs() <= self.os_threshold => {
                (SyncState::Locked, ns)
            }
            OsSample::Offset(ns) => (SyncState::Freerun, ns),
        };
        let state = worst(&own, &self.followed());
        let offset = Measurement::from_nanos(offset);
        if self.os_state.as_ref() == Some(&state) {
            self.said.measured(&Resource::OsClock, offset);
            return;
        }
        self.os_state = Some(state.clone());
        let mut reading = Reading::new(self.names.os.clone());
        reading.state = Some(state);
        reading.offset = Some(offset);
        self.say(at, Resource::OsClock, reading, out);
        self.say_overall(at, out);
    }

    /// The PTP state as the system clock follows it: a T-GM's holdover does not pull it down
    /// (docs/protocol.md §5).
    fn followed(&self) -> SyncState {
        match self.lock.state() {
            Some(SyncState::Holdover) if self.role == Role::Grandmaster => SyncState::Locked,
            Some(state) => state.clone(),
            None => SyncState::Freerun,
        }
    }

    /// The worst of the PTP clock and the system clock, said about 0.2 ms after either changes.
    fn say_overall(&mut self, at: i64, out: &mut Vec<Said>) {
        let lock = self.said.state(&Resource::LockState);
        let os = self.said.state(&Resource::OsClock);
        let state = match (lock, os) {
            (Some(lock), Some(os)) => worst(lock, os),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => return,
        };
        if self.said.state(&Resource::SyncState) == Some(&state) {
            return;
        }
        let mut reading = Reading::new(Instance::NODE);
        reading.state = Some(state);
        let at = at + 100_000 + i64::from(self.random.whole(0, 500_000));
        self.say(at, Resource::SyncState, reading, out);
    }

    fn read_synce(&mut self, at: i64, seen: &Seen, out: &mut Vec<Said>) {
        let Some(synce) = &seen.synce else { return };
        let mut state = Reading::new(self.names.synce.clone());
        state.state = Some(synce.state.clone());
        let mut quality = Reading::new(self.names.synce.clone());
        quality.quality = Some(QualityLevel(synce.quality));
        quality.extended_quality = Some(QualityLevel(synce.extended));
        if self.said.get(&Resource::SynceState) != Some(&state) {
            self.say(at, Resource::SynceState, state, out);
        }
        if self.said.get(&Resource::SynceQuality) != Some(&quality) {
            self.say(at + 50 * MILLISECOND, Resource::SynceQuality, quality, out);
        }
    }

    /// Answers to CurrentState for every resource that has data, asked one after the other.
    pub(crate) fn answer(&mut self, at: i64, stamp_error_ns: i64, out: &mut Vec<Said>) {
        let mut at = at;
        for (resource, reading) in self.said.known() {
            at += 1_200_000 + i64::from(self.answering.whole(0, 1_500_000));
            let mut said = Said::new(self.node, at, Origin::Pull, resource, reading);
            said.stamp_error_ns = stamp_error_ns;
            out.push(said);
        }
    }
}

/// FREERUN is worse than HOLDOVER is worse than LOCKED.
fn worst(one: &SyncState, other: &SyncState) -> SyncState {
    for state in [SyncState::Freerun, SyncState::Holdover] {
        if *one == state || *other == state {
            return state;
        }
    }
    SyncState::Locked
}
