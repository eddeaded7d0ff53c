//! How long to wait after failures.

use std::time::Duration;

/// Waiting times that double with every failure in a row, up to a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// The longest.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), most: Duration::from_mins(1) }
    }
}

/// A random share of a waiting time, given by whoever has a source of randomness.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Jitter(u16);

impl Jitter {
    /// Uses the bits as they are; all are equally good.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// Between half of `wait` and all of it.
    #[must_use]
    pub fn shorten(self, wait: Duration) -> Duration {
        let half = wait / 2;
        half + half.mul_f64(f64::from(self.0) / f64::from(u16::MAX))
    }
}

impl Backoff {
    /// How long to wait after this many failures in a row.
    #[must_use]
    pub fn delay(self, failures: u32, jitter: Jitter) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let wait = self.first.saturating_mul(1 << doublings).min(self.most);
        jitter.shorten(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_limit() {
        let backoff = Backoff::default();
        let full = Jitter::from_bits(u16::MAX);
        let waits = [1, 2, 3, 7, u32::MAX].map(|n| backoff.delay(n, full).as_secs());
        assert_eq!(waits, [1, 2, 4, 60, 60]);
        let none = Jitter::from_bits(0);
        assert_eq!(backoff.delay(2, none), Duration::from_secs(1));
    }
}
