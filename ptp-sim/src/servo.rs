//! The proportional-integral controller that steers a clock, as `ptp4l`, `ts2phc` and DPLLs do.

use serde::{Deserialize, Serialize};

/// How fast a clock follows its reference.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ServoKind {
    /// `ptp4l` with hardware stamps at one sample a second: settles in seconds.
    Fast,
    /// A DPLL behind GNSS: settles in a minute, and averages long before it holds over.
    Dpll,
    /// Partial timing support (ITU-T G.8275.2): settles in some ten minutes, needs an OCXO.
    Slow,
}

impl ServoKind {
    /// Proportional gain per second, integral gain per second squared, and over how many seconds
    /// the frequency that holdover keeps is averaged.
    ///
    /// Fast: linuxptp's defaults for hardware stamps at 1 Hz. The others are critically damped.
    const fn gains(self) -> (f64, f64, f64) {
        match self {
            Self::Fast => (0.7, 0.3, 30.0),
            Self::Dpll => (0.05, 6e-4, 1_000.0),
            Self::Slow => (2e-3, 1e-6, 2_000.0),
        }
    }
}

/// A controller and what it has learnt.
#[derive(Clone, Debug)]
pub(crate) struct Servo {
    proportional: f64,
    integral: f64,
    average_over: f64,
    /// The frequency correction learnt, in ns/s.
    learnt: f64,
    /// `learnt`, averaged: what holdover keeps.
    held: f64,
    /// What it corrects by now.
    correction: f64,
    /// Samples until it steps the clock; `None` once it follows.
    acquiring: Option<u8>,
}

/// What the controller wants done to the phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Phase {
    Keep,
    /// Move the clock back by its whole offset.
    Step,
}

impl Servo {
    /// A controller that has long followed, for an oscillator that is off by `frequency`.
    pub(crate) const fn settled(kind: ServoKind, frequency: f64) -> Self {
        let (proportional, integral, average_over) = kind.gains();
        Self {
            proportional,
            integral,
            average_over,
            learnt: -frequency,
            held: -frequency,
            correction: -frequency,
            acquiring: None,
        }
    }

    /// A controller that has just been started and knows nothing.
    pub(crate) const fn started(kind: ServoKind, samples_until_step: u8) -> Self {
        let mut servo = Self::settled(kind, 0.0);
        servo.acquiring = Some(samples_until_step);
        servo
    }

    /// What to add to the clock's frequency during the next second, in ns/s.
    pub(crate) const fn correction(&self) -> f64 {
        self.correction
    }

    /// Whether it has stepped the clock and follows since.
    pub(crate) const fn follows(&self) -> bool {
        self.acquiring.is_none()
    }

    /// Begins again, as a restarted process does; the frequency stays in the hardware.
    pub(crate) const fn restart(&mut self) {
        self.acquiring = Some(2);
        self.learnt = self.correction;
    }

    /// Takes one measured offset; `frequency` is what a first estimate from two samples yields.
    pub(crate) fn handle_offset(&mut self, offset_ns: f64, frequency: f64) -> Phase {
        if let Some(left) = self.acquiring {
            self.acquiring = left.checked_sub(1);
            if self.acquiring.is_none() {
                self.learnt = -frequency;
                self.held = -frequency;
                self.correction = -frequency;
                return Phase::Step;
            }
            return Phase::Keep;
        }
        self.learnt -= self.integral * offset_ns;
        self.correction = self.learnt - self.proportional * offset_ns;
        self.held += (self.learnt - self.held) / self.average_over;
        Phase::Keep
    }

    /// Goes on without a reference.
    pub(crate) const fn hold(&mut self) {
        self.correction = self.held;
        self.learnt = self.held;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offset after `seconds`, having begun at `offset` on an oscillator off by `frequency`.
    fn settle(kind: ServoKind, mut offset: f64, frequency: f64, seconds: u32) -> f64 {
        let mut servo = Servo::settled(kind, 0.0);
        for _ in 0..seconds {
            offset += frequency + servo.correction();
            servo.handle_offset(offset, frequency);
        }
        offset
    }

    #[test]
    fn every_servo_settles() {
        assert!(settle(ServoKind::Fast, 500.0, 10.0, 60).abs() < 1.0);
        assert!(settle(ServoKind::Dpll, 500.0, 0.1, 900).abs() < 1.0);
        assert!(settle(ServoKind::Slow, 80.0, 0.01, 30_000).abs() < 1.0);
    }

    #[test]
    fn a_started_servo_steps_once() {
        let mut servo = Servo::started(ServoKind::Fast, 1);
        assert_eq!(servo.handle_offset(9e5, 40.0), Phase::Keep);
        assert_eq!(servo.handle_offset(9e5, 40.0), Phase::Step);
        assert!(servo.follows());
        assert!((servo.correction() + 40.0).abs() < 1e-9);
    }

    #[test]
    fn an_oscillator_that_drifts_faster_and_faster_leaves_a_slow_servo_behind() {
        let mut servo = Servo::settled(ServoKind::Slow, 0.0);
        let (mut offset, mut frequency, mut drift) = (0.0, 0.0, 0.0);
        for _ in 0..7_200 {
            drift += 0.1 / 3_600.0 / 3_600.0;
            frequency += drift;
            offset += frequency + servo.correction();
            servo.handle_offset(offset, frequency);
        }
        // 0.1 ppb/h² over the integral gain of 1e-6 /s²: 28 ns per hour, with a lag of 2000 s.
        assert!((35.0..60.0).contains(&offset), "{offset}");
    }
}
