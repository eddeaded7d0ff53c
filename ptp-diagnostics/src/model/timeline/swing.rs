//! Whether successive offsets go to and fro farther than a clock can.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::Received;

/// How many offsets show it, one a second as ptp4l prints them.
const KEEP: usize = 16;
/// Offsets farther apart are not of one run: ptp4l was stopped, or its port lost.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How many times the sign must change: a servo that rings after a step does so in a period of several
/// samples.
const LEAST_TURNS: usize = 5;

/// The latest offsets that a log shows, each of them measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Swing {
    latest: VecDeque<(Received, i64)>,
}

impl Swing {
    /// Takes in an offset; one that its source finds in range is no swing.
    pub(super) fn push(&mut self, at: Received, nanos: i64, in_range: bool) {
        let paused = self.latest.back().is_some_and(|(last, _)| at.since(*last) > LONGEST_PAUSE);
        if in_range || paused {
            self.latest.clear();
        }
        if in_range {
            return;
        }
        if self.latest.len() == KEEP {
            self.latest.pop_front();
        }
        self.latest.push_back((at, nanos));
    }

    /// Since when offsets go to and fro, and how far from one to the next, in nanoseconds.
    ///
    /// A servo brings a clock to its reference steadily, or rings less and less: the PI servo of linuxptp
    /// halves the swing with each turn (servo/pi.c; observed with ptp4l of linuxptp 4.0). Offsets that turn
    /// again and again by twice the threshold, as far at last as at first, are the path's delay.
    pub(super) fn over(&self, threshold_ns: u64) -> Option<(Received, u64)> {
        let offset = |n: usize| self.latest[n].1;
        if self.latest.len() < KEEP {
            return None;
        }
        let turns = (1..KEEP).filter(|n| {
            let (before, after) = (offset(n - 1), offset(*n));
            before.signum() * after.signum() < 0
                && before.abs_diff(after) > threshold_ns.saturating_mul(2)
        });
        let size = |n: usize| offset(n).unsigned_abs();
        let first = (0..KEEP / 2).map(size).max()?;
        let last = (KEEP / 2..KEEP).map(size).max()?;
        let mut steps: [u64; KEEP - 1] = std::array::from_fn(|n| offset(n).abs_diff(offset(n + 1)));
        steps.sort_unstable();
        let swings = turns.count() >= LEAST_TURNS && last >= first / 2;
        swings.then(|| (self.latest[0].0, steps[KEEP / 2]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(offsets: impl IntoIterator<Item = i64>) -> Option<u64> {
        let mut swing = Swing::default();
        for (second, nanos) in (0..).zip(offsets) {
            let at = Received::from_nanos(0).after(Duration::from_secs(second));
            swing.push(at, nanos, false);
        }
        swing.over(100).map(|(_, size)| size)
    }

    #[test]
    fn jitter_swings_and_a_servo_does_not() {
        let jitter = [900, -400, 700, 100, -800, 650, -300, -500];
        assert_eq!(over(jitter.into_iter().cycle().take(16)), Some(1_100));
        // Within the threshold it is nothing.
        assert_eq!(over(jitter.into_iter().map(|nanos| nanos / 10).cycle().take(16)), None);
        // A ringing servo: ptp4l after a step of 10 us.
        let rings = (0..16).map(|n| 10_000.0 * 0.7_f64.powi(n) * (f64::from(n) * 1.6).cos());
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let rings = rings.map(|nanos| nanos as i64);
        assert_eq!(over(rings), None);
        // One that comes from afar, and one that is off.
        assert_eq!(over((0..16).map(|n| 100_000 - n * 6_000)), None);
        assert_eq!(over((0..16).map(|n| 2_000 + n % 2 * 900)), None);
        assert_eq!(over(jitter), None);
    }
}
