//! One instance of ptp4l and what steers the same clock: the ports, the state, the name.

use crate::{ClockIdentity, Instance, Offset, Port as PortName, SyncState};

use super::noise::Noise;
use super::outbox::{FAR_NS, SAMPLE_EVERY};
use crate::observation::{PortState, Servo};

/// Who says what state the PTP clock is in.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Source {
    /// ptp4l's offsets and ports; ts2phc's offsets where there is no DPLL.
    #[default]
    Servo,
    /// `T-BC-STATUS` lines.
    BoundaryClock,
    /// `T-GM-STATUS` lines.
    Grandmaster,
}

/// How soon after a port has become SLAVE an offset is printed, if offsets are printed at all: ptp4l
/// measures at least once a second, and the daemon may leave all of them out (`logReduce: "true"`,
/// docs/protocol.md §10). In nanoseconds.
///
/// ptp4l makes a port SLAVE (`MASTER_CLOCK_SELECTED`) when its servo reports that it is locked
/// (linuxptp, port.c, `port_synchronize`), so the state alone says LOCKED.
const OFFSETS_WITHIN: i64 = 3_000_000_000;

/// Whether a port is in SLAVE state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Following {
    /// The log begins in the middle; ptp4l prints offsets only while it follows.
    #[default]
    Unknown,
    Yes,
    No,
}

/// The state of one PTP clock, by the rules of the publisher (docs/protocol.md §9).
#[derive(Debug, Default)]
pub(super) struct Domain {
    pub(super) state: Option<SyncState>,
    pub(super) source: Source,
    /// What a DPLL measured last, in nanoseconds or as a sentinel.
    pub(super) dpll: Option<i64>,
    /// When HOLDOVER turns into FREERUN.
    pub(super) deadline: Option<i64>,
    /// The last offset that counted: in HOLDOVER it stays, and is stale.
    pub(super) last_offset: Option<Offset>,
    /// The master that it follows.
    pub(super) master: Option<ClockIdentity>,
    /// The port that follows, or else the one that was heard of first.
    pub(super) port: Option<PortName>,
    /// When a port that follows is taken for LOCKED, unless an offset says more until then.
    pub(super) believe_port: Option<i64>,
    /// Whether the latest offset was in range of the clock's own noise, where that is what counts.
    pub(super) in_range: bool,
    /// When it was told of last.
    pub(super) told: Told,
    patience: Patience,
    noise: Noise,
    /// When offsets were last summed up, and when the port that follows became SLAVE.
    summed_up: Option<i64>,
    slave_since: Option<i64>,
    following: Following,
    name: Name,
}

/// When a clock was told of last, and what master it followed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) time: Option<i64>,
    pub(super) master: Option<ClockIdentity>,
}

impl Told {
    /// Whether what was measured at `time`, in the state that was told, need not be told again.
    pub(super) fn is_told(
        self,
        measured: Option<Offset>,
        master: Option<ClockIdentity>,
        time: i64,
    ) -> bool {
        let near = measured.is_some_and(|offset| offset.magnitude() < FAR_NS);
        let soon = self.time.is_some_and(|told| time.saturating_sub(told) < SAMPLE_EVERY);
        near && soon && self.master == master
    }
}

/// Since when a locked servo has been out of range without a break.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Patience(Option<i64>);

impl Patience {
    /// Whether an offset out of range at `time` has lasted long enough to be FREERUN.
    pub(super) fn is_over(&mut self, time: i64, settle: i64) -> bool {
        time.saturating_sub(*self.0.get_or_insert(time)) >= settle
    }

    /// An offset is in range again, or a servo lost its lock.
    pub(super) const fn reset(&mut self) {
        self.0 = None;
    }

    /// Times are counted from another zero.
    pub(super) const fn shift(&mut self, shift: i64) {
        if let Some(since) = &mut self.0 {
            *since = since.saturating_add(shift);
        }
    }
}

/// By what an offset is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From here on an offset is out of range, in nanoseconds.
    pub(super) offset: u64,
    /// How long it must be so, in nanoseconds.
    pub(super) settle: i64,
    /// Whether linuxptp runs alone: nobody has set a threshold, and offsets are judged by their noise.
    pub(super) alone: bool,
}

impl Limits {
    /// The same for a clock with such noise, and its offset is taken in; `None` while its noise is not
    /// known, and its servo is believed.
    pub(super) fn of(self, noise: &mut Noise, offset: Offset) -> Option<Self> {
        if !self.alone {
            return Some(self);
        }
        let limit = noise.limit(self.offset);
        noise.push(offset, limit);
        Some(Self { offset: limit?, ..self })
    }
}

/// How the publisher calls the clock. It stays once it was used.
#[derive(Debug, Default)]
enum Name {
    #[default]
    Unknown,
    /// A port of the same configuration, which may not be the one that follows.
    Guess(Instance),
    Known(Instance),
}

impl Domain {
    /// A port, or a card, that belongs to this clock; `sure` if it is the one that is steered by.
    pub(super) fn learn(&mut self, interface: &str, sure: bool) {
        // Nearly every line names the port that is known already.
        let is_known = self.port.as_ref().is_some_and(|port| port.as_str() == interface);
        if is_known && matches!(self.name, Name::Known(_)) {
            return;
        }
        let Ok(port) = PortName::new(interface) else { return };
        let Some(instance) = clock_of(&port) else { return };
        if sure || self.port.is_none() {
            self.port = Some(port);
        }
        match (&self.name, sure) {
            (Name::Unknown | Name::Guess(_), true) => self.name = Name::Known(instance),
            (Name::Unknown, false) => self.name = Name::Guess(instance),
            _ => {}
        }
    }

    /// The clock's name, if it is known for sure.
    pub(super) const fn name(&self) -> Option<&Instance> {
        match &self.name {
            Name::Known(instance) => Some(instance),
            _ => None,
        }
    }

    /// Takes the best name there is, or else `fallback`.
    pub(super) fn settle_name(&mut self, fallback: &str) {
        self.name = match std::mem::take(&mut self.name) {
            Name::Unknown => Name::Known(Instance::new(fallback).unwrap_or(Instance::NODE)),
            Name::Guess(instance) | Name::Known(instance) => Name::Known(instance),
        };
    }

    /// A port changed at `time`; true when the clock goes into HOLDOVER by it.
    pub(super) fn port(&mut self, from: PortState, to: PortState, time: i64) -> bool {
        // Of several ports only one is followed; what the others do says nothing of it.
        if from == PortState::Slave {
            self.believe_port = None;
        }
        if to == PortState::Slave {
            self.slave_since = Some(time);
            self.following = Following::Yes;
            self.believe_port = Some(time.saturating_add(OFFSETS_WITHIN));
        } else if from == PortState::Slave || self.following == Following::Unknown {
            self.following = Following::No;
        }
        // Observed: SLAVE to FAULTY, LISTENING. A port that turns PASSIVE has a better one beside
        // it, and is not reported.
        from == PortState::Slave
            && !matches!(to, PortState::Slave | PortState::Passive)
            && self.source == Source::Servo
            && self.state != Some(SyncState::Holdover)
    }

    /// Whether ptp4l's offsets count; what it prints while UNCALIBRATED does not (observed).
    pub(super) fn follows(&self) -> bool {
        self.following != Following::No
    }

    /// Whether a summary at `time` is of nothing but what was measured while the port was SLAVE; what
    /// comes before is a servo on its way to its lock.
    pub(super) fn sums_up_its_lock(&mut self, time: i64) -> bool {
        let before = self.summed_up.replace(time);
        self.slave_since.is_none_or(|since| before.is_some_and(|before| before >= since))
    }

    /// The state after a servo said this; `None` when the publisher would not listen.
    pub(super) fn measured(
        &mut self,
        servo: Servo,
        offset: Offset,
        time: i64,
        limits: Limits,
    ) -> Option<SyncState> {
        self.believe_port = None;
        let locked = servo == Servo::Locked;
        let judged = if locked { limits.of(&mut self.noise, offset) } else { Some(limits) };
        let within = locked && judged.is_none_or(|limits| offset.magnitude() < limits.offset);
        self.in_range = limits.alone && within;
        let settle = limits.settle;
        if within || !locked {
            self.patience.reset();
        }
        let next = match (within, &self.state) {
            (true, _) => SyncState::Locked,
            (false, Some(SyncState::Locked)) if locked && !self.patience.is_over(time, settle) => {
                SyncState::Locked
            }
            // Out of range is no news while HOLDOVER lasts: the timeout or LOCKED ends it.
            (false, Some(SyncState::Holdover)) if locked => return None,
            (false, _) => SyncState::Freerun,
        };
        if within || self.state.as_ref() != Some(&next) {
            self.last_offset = Some(offset);
        }
        Some(next)
    }

    /// Moves every time by `shift`.
    pub(super) const fn shift(&mut self, shift: i64) {
        self.patience.shift(shift);
        if let Some(deadline) = &mut self.deadline {
            *deadline = deadline.saturating_add(shift);
        }
        if let Some(at) = &mut self.believe_port {
            *at = at.saturating_add(shift);
        }
        if let Some(at) = &mut self.summed_up {
            *at = at.saturating_add(shift);
        }
        if let Some(at) = &mut self.told.time {
            *at = at.saturating_add(shift);
        }
        if let Some(at) = &mut self.slave_since {
            *at = at.saturating_add(shift);
        }
    }

    /// Takes on a state; the holdover timer runs in HOLDOVER only.
    pub(super) fn enter(&mut self, state: &SyncState, deadline: Option<i64>) {
        self.state = Some(state.clone());
        self.deadline = deadline;
    }
}

/// What the clock behind a port is called: as the publisher calls it where the name itself says
/// that the card has several ports, else by the port, as a log does not say which ports share a
/// clock.
pub(super) fn clock_of(port: &PortName) -> Option<Instance> {
    let card = if port.numbers_a_function() { port.alias() } else { port.to_string() };
    Instance::new(&format!("{card}/master")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_patience_one_bad_sample_is_none() {
        let mut domain = Domain::default();
        let limits = Limits { offset: 100, settle: 1000, alone: false };
        let mut states = Vec::new();
        for (time, offset) in [(0, 5), (125, 900), (250, 5), (375, 900), (1250, 900), (1375, 900)] {
            let state = domain.measured(Servo::Locked, Offset::from_nanos(offset), time, limits);
            domain.enter(&state.clone().unwrap(), None);
            states.push(format!("{time} {}", state.unwrap()));
        }
        let expect =
            ["0 LOCKED", "125 LOCKED", "250 LOCKED", "375 LOCKED", "1250 LOCKED", "1375 FREERUN"];
        assert_eq!(states, expect);
    }

    /// `servo offset` in, what the publisher would say out.
    #[test]
    fn a_servo_is_judged_by_state_and_threshold() {
        use SyncState::{Freerun, Holdover, Locked};
        let table = [
            (None, Servo::Unlocked, 5, Some(Freerun)),
            (None, Servo::Locked, 99, Some(Locked)),
            (Some(Freerun), Servo::Step, 5, Some(Freerun)),
            (Some(Locked), Servo::Locked, -100, Some(Freerun)),
            (Some(Holdover), Servo::Locked, 5000, None),
            (Some(Holdover), Servo::Locked, 5, Some(Locked)),
            (Some(Holdover), Servo::Unlocked, 5, Some(Freerun)),
        ];
        for (state, servo, offset, expect) in table {
            let mut domain = Domain { state: state.clone(), ..Domain::default() };
            let limits = Limits { offset: 100, settle: 0, alone: false };
            let got = domain.measured(servo, Offset::from_nanos(offset), 0, limits);
            assert_eq!(got, expect, "{state:?} {servo:?} {offset}");
        }
    }
}
