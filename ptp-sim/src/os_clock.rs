//! The system clock, which `phc2sys` keeps on the network card's clock.

use crate::random::Random;

/// What keeps `phc2sys` from its work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum OsTrouble {
    /// It is not running.
    Down,
    /// It corrects nothing; the clock leaves at so many ns/s.
    Adrift(f64),
    /// Something else just set the clock off by so many ns.
    Jumped(f64),
}

/// What `phc2sys` measures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OsSample {
    Offset(i64),
    Down,
}

/// The system clock's offset from the network card's clock.
#[derive(Clone, Debug)]
pub(crate) struct OsClock {
    error_ns: f64,
    /// One measurement's noise: reading a card over `PCIe` takes some 10 ns more or less.
    noise_ns: f64,
}

/// How much of its offset phc2sys leaves after a second: its proportional gain is 0.7 (default).
const LEFT_AFTER_1_S: f64 = 0.3;

impl OsClock {
    pub(crate) fn draw(cold: bool, random: &mut Random) -> Self {
        let noise_ns = random.between(4.0, 12.0);
        let error_ns = if cold { random.between(5e3, 5e5) * random.sign() } else { 0.0 };
        Self { error_ns, noise_ns }
    }

    pub(crate) const fn error_ns(&self) -> f64 {
        self.error_ns
    }

    /// One second passes.
    pub(crate) fn step(&mut self, trouble: Option<OsTrouble>, random: &mut Random) -> OsSample {
        let noise = self.noise_ns * random.normal();
        match trouble {
            None => self.error_ns = self.error_ns * LEFT_AFTER_1_S + 0.3 * noise,
            // Without phc2sys the crystal keeps its last correction, wrong by some ns/s.
            Some(OsTrouble::Down) => {
                self.error_ns += 20.0;
                return OsSample::Down;
            }
            Some(OsTrouble::Adrift(rate)) => self.error_ns += rate,
            Some(OsTrouble::Jumped(jump)) => self.error_ns += jump,
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 1e15 ns")]
        OsSample::Offset((self.error_ns + noise).round() as i64)
    }
}
