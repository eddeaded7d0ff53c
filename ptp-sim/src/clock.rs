//! One node's clocks: true time error, and what its processes measure of it.

use ptp_events::SyncState;

use crate::conditions::Conditions;
use crate::fault::Mistake;
use crate::gnss::{GnssReading, Receiver};
use crate::lock::Sample;
use crate::os_clock::{OsClock, OsSample};
use crate::oscillator::Oscillator;
use crate::random::Random;
use crate::servo::{Phase, Servo};
use crate::topology::{HoldoverOffsets, Node, Role};

/// UTC taken for TAI, in ns: 37 leap seconds since 2017.
const UTC_FOR_TAI_NS: f64 = 37e9;

/// What can be seen of a node in one second.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) gnss: Option<GnssReading>,
    pub(crate) ptp: Sample,
    pub(crate) os: OsSample,
    pub(crate) synce: Option<SynceSeen>,
    /// The system clock minus true time, in ns.
    pub(crate) stamp_error_ns: i64,
}

/// What can be seen of `SyncE` in one second.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SynceSeen {
    pub(crate) state: SyncState,
    pub(crate) quality: u8,
    pub(crate) extended: u8,
}

/// The time a node gives to those who follow it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Given {
    /// Its true time error, in ns.
    pub(crate) error_ns: f64,
    /// Whether it has ever been locked: before, it does not announce itself.
    pub(crate) announces: bool,
}

/// The physics of one node.
#[derive(Debug)]
pub(crate) struct Clock {
    oscillator: Oscillator,
    servo: Servo,
    receiver: Option<Receiver>,
    system: OsClock,
    noise_ns: f64,
    in_holdover: HoldoverOffsets,
    has_synce: bool,
    synce_lost_for: u32,
    error_ns: f64,
    announces: bool,
    was_down: bool,
    random: Random,
}

impl Clock {
    pub(crate) fn draw(node: &Node, mut random: Random) -> Self {
        let oscillator = Oscillator::draw(node.oscillator, &mut random);
        let (servo, error_ns) = if node.cold {
            // Switched on, a card's clock is off by anything; below a millisecond when it was set
            // from the system's before.
            let error_ns = random.between(2e3, 9e5) * random.sign();
            let until_step = random.pick(&[1, 2, 4]);
            (Servo::started(node.servo, until_step), error_ns)
        } else {
            (Servo::settled(node.servo, oscillator.settled(0.0)), 0.0)
        };
        let receiver =
            (node.role == Role::Grandmaster).then(|| Receiver::draw(node.cold, &mut random));
        Self {
            oscillator,
            servo,
            receiver,
            system: OsClock::draw(node.cold, &mut random),
            noise_ns: node.noise_ns,
            in_holdover: node.offsets_in_holdover,
            has_synce: node.synce,
            synce_lost_for: 0,
            error_ns,
            announces: !node.cold,
            was_down: false,
            random,
        }
    }

    pub(crate) const fn given(&self) -> Given {
        Given { error_ns: self.error_ns, announces: self.announces }
    }

    /// One second passes.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a scenario")]
    pub(crate) fn step(&mut self, t: i64, now: &Conditions, parent: Option<Given>) -> Seen {
        let frequency = self.oscillator.step(t as f64, &mut self.random) + now.drift;
        self.error_ns += frequency + self.servo.correction();
        if let Some(receiver) = &mut self.receiver {
            receiver.step(now.gnss.as_ref(), &mut self.random);
        }
        let ptp = self.measure(now, parent, frequency);
        let os = self.system.step(now.os, &mut self.random);
        #[expect(clippy::cast_possible_truncation, reason = "below 1e12 ns")]
        let own_error = (self.error_ns + self.system.error_ns()) as i64;
        Seen {
            gnss: self.receiver.as_ref().map(|r| r.reading().clone()),
            ptp,
            os,
            synce: self.synce(now),
            stamp_error_ns: own_error + now.skew_ns,
        }
    }

    /// The reference's time minus true time, when it can be heard.
    fn reference(&self, now: &Conditions, parent: Option<Given>) -> Option<f64> {
        match &self.receiver {
            Some(receiver) => receiver.gives_time().then_some(0.0),
            None if now.link_down => None,
            None => parent
                .filter(|given| given.announces)
                .map(|given| given.error_ns + now.reference_shift),
        }
    }

    fn measure(&mut self, now: &Conditions, parent: Option<Given>, frequency: f64) -> Sample {
        let noise = self.noise_ns * self.random.normal() * now.noise_factor.max(1.0);
        match now.mistake {
            Some(Mistake::Domain) => return Sample::Nothing,
            // Too far to step and too fast to slew: at 1 ms per s it takes ten hours.
            Some(Mistake::UtcOffset) => return offset(UTC_FOR_TAI_NS + self.error_ns + noise),
            None => {}
        }
        if now.ptp_down {
            self.servo.hold();
            self.was_down = true;
            return Sample::ProcessDown;
        }
        if self.was_down {
            self.was_down = false;
            self.servo.restart();
        }
        let reference = self.reference(now, parent);
        let Some(reference) = reference.filter(|_| !now.selecting) else {
            if self.servo.follows() {
                self.servo.hold();
            }
            let never_heard = !self.announces && self.receiver.is_none();
            let meanwhile = match self.in_holdover {
                HoldoverOffsets::Repeated => None,
                HoldoverOffsets::Measured => Some(nanos(self.error_ns + noise)),
            };
            return if never_heard { Sample::Nothing } else { Sample::Lost(meanwhile) };
        };
        let measured = self.error_ns - reference + now.path_shift + noise;
        if self.servo.handle_offset(measured, frequency + noise / 4.0) == Phase::Step {
            self.error_ns -= measured;
        }
        self.announces |= self.servo.follows();
        offset(measured)
    }

    /// Quality levels of option I networks (ITU-T G.781): 2 PRC, 4 SSU-A, 11 SEC, 15 do not use.
    fn synce(&mut self, now: &Conditions) -> Option<SynceSeen> {
        if !self.has_synce {
            return None;
        }
        self.synce_lost_for = if now.synce_down { self.synce_lost_for + 1 } else { 0 };
        // An equipment clock holds its frequency for minutes before it gives up.
        let (state, quality, extended) = match self.synce_lost_for {
            0 => (SyncState::Locked, 2, 32),
            1..=300 => (SyncState::Holdover, 11, 255),
            _ => (SyncState::Freerun, 15, 255),
        };
        Some(SynceSeen { state, quality, extended })
    }
}

fn offset(ns: f64) -> Sample {
    Sample::Offset(nanos(ns))
}

#[expect(clippy::cast_possible_truncation, reason = "below 1e12 ns")]
fn nanos(ns: f64) -> i64 {
    ns.round() as i64
}
