//! Free-running oscillators: how far a clock's frequency is off when nothing corrects it.
//!
//! Frequencies are fractional, in ns/s, which is the same as ppb.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::{Random, sine};

/// Seconds of a day: the period of temperature in an unheated shelter, and the unit of ageing.
const DAY_S: f64 = 86_400.0;

/// Time constants of the four relaxations that together are close to 1/f from 1 s to a day.
const FLICKER_TAU_S: [f64; 4] = [10.0, 100.0, 1_000.0, 10_000.0];

/// The kind of oscillator a clock keeps time with when its reference is gone.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OscillatorKind {
    /// Temperature compensated: 1500 ns in some twenty minutes.
    Tcxo,
    /// Oven controlled: 1500 ns in some hours.
    Ocxo,
    /// Rubidium: 1500 ns in a day or more.
    Rubidium,
}

/// Magnitudes typical of data sheets; a single oscillator is up to twice as bad or good.
struct Quality {
    /// Fractional frequency off nominal, corrected by the servo as long as it has a reference.
    base: f64,
    /// White frequency noise per second.
    white: f64,
    flicker: f64,
    /// Random walk of frequency, per square root of a second.
    walk: f64,
    /// Ageing per day.
    ageing: f64,
    /// Amplitude of the daily temperature cycle.
    temperature: f64,
}

impl OscillatorKind {
    /// How long one of its kind keeps true time within 1500 ns, as its data sheet would say.
    #[must_use]
    pub const fn holdover(self) -> Duration {
        match self {
            Self::Tcxo => Duration::from_mins(20),
            Self::Ocxo => Duration::from_hours(4),
            Self::Rubidium => Duration::from_hours(24),
        }
    }

    const fn quality(self) -> Quality {
        match self {
            Self::Tcxo => Quality {
                base: 2_000.0,
                white: 0.2,
                flicker: 0.3,
                walk: 3e-3,
                ageing: 5.0,
                temperature: 30.0,
            },
            Self::Ocxo => Quality {
                base: 50.0,
                white: 5e-3,
                flicker: 5e-3,
                walk: 2e-5,
                ageing: 0.3,
                temperature: 0.15,
            },
            Self::Rubidium => Quality {
                base: 1.0,
                white: 1e-2,
                flicker: 5e-4,
                walk: 1e-6,
                ageing: 1e-3,
                temperature: 0.01,
            },
        }
    }
}

/// One oscillator.
#[derive(Clone, Debug)]
pub(crate) struct Oscillator {
    base: f64,
    white: f64,
    flicker: f64,
    relaxations: [f64; 4],
    walk_step: f64,
    walked: f64,
    /// Per second.
    ageing: f64,
    temperature: f64,
    /// Where in the day its temperature begins, in turns.
    phase: f64,
}

impl Oscillator {
    pub(crate) fn draw(kind: OscillatorKind, random: &mut Random) -> Self {
        let typical = kind.quality();
        let mut about = |magnitude: f64| magnitude * random.between(0.5, 1.5);
        let (base, ageing) = (about(typical.base), about(typical.ageing));
        let (white, flicker) = (about(typical.white), about(typical.flicker));
        let (walk_step, temperature) = (about(typical.walk), about(typical.temperature));
        Self {
            base: base * random.sign(),
            white,
            flicker,
            relaxations: [0.0; 4],
            walk_step,
            walked: 0.0,
            ageing: ageing * random.sign() / DAY_S,
            temperature,
            phase: random.unit(),
        }
    }

    /// Its frequency, averaged over the second that ends at `t_s`.
    pub(crate) fn step(&mut self, t_s: f64, random: &mut Random) -> f64 {
        let mut frequency = self.base + self.white * random.normal() + self.ageing * t_s;
        for (relaxation, tau) in self.relaxations.iter_mut().zip(FLICKER_TAU_S) {
            let kick = self.flicker / 2.0 * (2.0 / tau).sqrt() * random.normal();
            *relaxation += kick - *relaxation / tau;
            frequency += *relaxation;
        }
        self.walked += self.walk_step * random.normal();
        frequency + self.walked + self.temperature * sine(t_s / DAY_S + self.phase)
    }

    /// Its frequency at the start, for a servo that has long settled on it.
    pub(crate) fn settled(&self, t_s: f64) -> f64 {
        self.base + self.temperature * sine(t_s / DAY_S + self.phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worst time error of eight oscillators, in ns, after `seconds` without correction.
    fn worst_drift(kind: OscillatorKind, seconds: u32) -> f64 {
        (0..8)
            .map(|seed| {
                let mut random = Random::new(seed, 0);
                let mut oscillator = Oscillator::draw(kind, &mut random);
                let settled = oscillator.settled(0.0);
                (0..seconds)
                    .map(|t| oscillator.step(f64::from(t), &mut random) - settled)
                    .sum::<f64>()
                    .abs()
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn better_oscillators_hold_longer() {
        let tcxo = worst_drift(OscillatorKind::Tcxo, 3_600);
        let ocxo = worst_drift(OscillatorKind::Ocxo, 3_600);
        let rubidium = worst_drift(OscillatorKind::Rubidium, 3_600);
        assert!(tcxo > 1_500.0, "{tcxo}");
        assert!((5.0..1_500.0).contains(&ocxo), "{ocxo}");
        assert!(rubidium < 50.0, "{rubidium}");
    }
}
