//! From times and nanoseconds to places in a picture, and which of them to name.

use std::time::Duration;

use ptp_events::Received;

/// Time along a line of `width`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeScale {
    pub from: Received,
    pub to: Received,
    pub left: f64,
    pub width: f64,
}

/// Distances between ticks that people read well, in seconds.
const STEPS_S: [u64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
const MOST_TICKS: u64 = 8;

impl TimeScale {
    pub(crate) fn x(&self, at: Received) -> f64 {
        let span = self.to.as_nanos().saturating_sub(self.from.as_nanos()).max(1);
        let passed = at.as_nanos().saturating_sub(self.from.as_nanos()).clamp(0, span);
        self.left + self.width * passed as f64 / span as f64
    }

    /// The times to name, and how.
    pub(crate) fn ticks(&self) -> Vec<(Received, String)> {
        let span = self.to.since(self.from);
        let step = STEPS_S
            .iter()
            .copied()
            .find(|step| span.as_secs() / step <= MOST_TICKS)
            .unwrap_or_else(|| span.as_secs() / MOST_TICKS / 86_400 * 86_400 + 86_400);
        let form = match step {
            0..60 => "%H:%M:%S",
            60..86_400 => "%H:%M",
            _ => "%m-%d",
        };
        if span < Duration::from_secs(1) {
            return vec![(self.from, clock(self.from, "%H:%M:%S%.3f"))];
        }
        let step = i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        let first = self.from.as_nanos().div_euclid(step).saturating_add(1).saturating_mul(step);
        let count = usize::try_from(MOST_TICKS).unwrap_or(usize::MAX) + 1;
        let ticks = std::iter::successors(Some(first), |at| at.checked_add(step)).take(count);
        ticks
            .map(Received::from_nanos)
            .take_while(|at| *at <= self.to)
            .map(|at| (at, clock(at, form)))
            .collect()
    }
}

fn clock(at: Received, form: &str) -> String {
    jiff::Timestamp::from(at).strftime(form).to_string()
}

/// Nanoseconds up a line: in proportion, or where they span decades by their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffsetScale {
    /// The greatest magnitude shown.
    pub most: f64,
    /// Below it in proportion, above it by order; infinite where all is in proportion.
    pub knee: f64,
    pub top: f64,
    pub height: f64,
}

impl OffsetScale {
    /// One for offsets up to `most`, of a clock that may be off by `threshold`.
    pub(crate) fn new(most: f64, threshold: f64, top: f64, height: f64) -> Self {
        let most = most.max(threshold * 1.3).max(1.0);
        let knee = if most > threshold * 20.0 { threshold.max(1.0) } else { f64::INFINITY };
        Self { most, knee, top, height }
    }

    pub(crate) fn y(&self, ns: f64) -> f64 {
        let ns = ns.clamp(-self.most, self.most);
        let share = if self.knee.is_finite() {
            (ns / self.knee).asinh() / (self.most / self.knee).asinh()
        } else {
            ns / self.most
        };
        self.top + self.height * (1.0 - share) / 2.0
    }

    /// The offsets to name.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        let steps: Vec<f64> = if self.knee.is_finite() {
            let first = 10_f64.powf(self.knee.log10().ceil());
            let decades = (self.most / first).log10().floor().max(0.0);
            let every = (decades / 3.0).ceil().max(1.0);
            let powers = std::iter::successors(Some(0.0), |n| Some(n + every));
            powers.take_while(|n| *n <= decades).map(|n| first * 10_f64.powf(n)).collect()
        } else {
            let rough = self.most / 2.0;
            let power = 10_f64.powf(rough.log10().floor());
            let step = [5.0, 2.0, 1.0].into_iter().map(|n| n * power).find(|step| *step <= rough);
            let step = step.unwrap_or(power);
            (1..=4).map(|n| f64::from(n) * step).take_while(|ns| *ns <= self.most).collect()
        };
        let below = steps.iter().rev().map(|ns| -ns);
        below.chain([0.0]).chain(steps.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_named_at_round_distances() {
        let scale = |seconds: i64| TimeScale {
            from: Received::from_nanos(1_795_392_007_000_000_000),
            to: Received::from_nanos((1_795_392_007 + seconds) * 1_000_000_000),
            left: 0.0,
            width: 100.0,
        };
        let named = |s| scale(s).ticks().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(named(4), ["00:00:08", "00:00:09", "00:00:10", "00:00:11"]);
        assert_eq!(named(3_600).len(), 6);
        assert_eq!(named(3_600)[0], "00:10");
        assert_eq!(named(7 * 86_400)[0], "11-24");
        assert!(named(86_400 * 365 * 40).len() <= 9);
        assert_eq!(named(0).len(), 1);
        assert!((scale(10).x(Received::from_nanos(i64::MAX)) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn offsets_of_decades_are_told_by_their_order() {
        let near = OffsetScale::new(70.0, 100.0, 0.0, 100.0);
        assert_eq!(near.ticks(), [-100.0, -50.0, 0.0, 50.0, 100.0]);
        let far = OffsetScale::new(2.5e8, 100.0, 0.0, 100.0);
        assert_eq!(far.ticks(), [-1e8, -1e6, -1e4, -100.0, 0.0, 100.0, 1e4, 1e6, 1e8]);
        assert!(far.y(1e9).abs() < 1e-9 && (far.y(0.0) - 50.0).abs() < 1e-9);
    }
}
