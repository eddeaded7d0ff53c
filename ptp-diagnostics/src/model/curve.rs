//! The offsets of a clock from its first to its last, thinned out: what a plot needs, in bounded memory.

use std::time::Duration;

use ptp_events::{Offset, Received};
use serde::{Deserialize, Serialize};

/// How long a point lasts at first; twice as long whenever there would be too many.
const FIRST_WIDTH: Duration = Duration::from_secs(1);

/// All offsets of a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct CurvePoint {
    /// When the first of them was received.
    pub at: Received,
    /// The least, in nanoseconds.
    pub min_ns: i64,
    /// The greatest, in nanoseconds.
    pub max_ns: i64,
    /// The mean, in nanoseconds.
    pub mean_ns: f64,
    /// How many there were.
    pub samples: u64,
}

/// A clock's offsets over time. Stale ones and sentinels are not among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Curve {
    /// The offset over which the clock counts as out of tolerance, in nanoseconds.
    pub threshold_ns: u64,
    /// How long a point lasts, in seconds.
    pub width_s: u64,
    /// Oldest first.
    pub points: Vec<CurvePoint>,
}

impl Curve {
    pub(crate) const fn new(threshold_ns: u64) -> Self {
        Self { threshold_ns, width_s: FIRST_WIDTH.as_secs(), points: Vec::new() }
    }

    /// The curve of these offsets, in nanoseconds, oldest first.
    #[must_use]
    pub fn of(
        threshold_ns: u64,
        offsets: impl IntoIterator<Item = (Received, i64)>,
        most: usize,
    ) -> Self {
        let mut curve = Self::new(threshold_ns);
        for (at, ns) in offsets {
            curve.push(at, Offset::from_nanos(ns), most);
        }
        curve
    }

    /// Takes in an offset; of more than `most` points the curve keeps half.
    pub(crate) fn push(&mut self, at: Received, offset: Offset, most: usize) {
        let ns = offset.as_nanos();
        let new = CurvePoint { at, min_ns: ns, max_ns: ns, mean_ns: ns as f64, samples: 1 };
        self.add(new);
        while self.points.len() > most.max(2) {
            self.width_s = self.width_s.saturating_mul(2);
            for point in std::mem::take(&mut self.points) {
                self.add(point);
            }
        }
    }

    /// Time does not go backwards here: the engine sees to that.
    fn add(&mut self, point: CurvePoint) {
        let stretch = |at: Received| at.as_nanos().div_euclid(nanos(self.width_s));
        match self.points.last_mut() {
            Some(last) if stretch(last.at) == stretch(point.at) => last.join(&point),
            _ => self.points.push(point),
        }
    }
}

impl CurvePoint {
    fn join(&mut self, later: &Self) {
        let samples = self.samples + later.samples;
        self.mean_ns += (later.mean_ns - self.mean_ns) * later.samples as f64 / samples as f64;
        self.min_ns = self.min_ns.min(later.min_ns);
        self.max_ns = self.max_ns.max(later.max_ns);
        self.samples = samples;
    }
}

fn nanos(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_samples_keeps_its_extremes_in_few_points() {
        let mut curve = Curve::new(100);
        for s in 0..86_400 {
            let ns = if s == 40_000 { 900 } else { s % 7 };
            curve.push(Received::from_nanos(s * 1_000_000_000), Offset::from_nanos(ns), 240);
        }
        assert!((121..=240).contains(&curve.points.len()), "{}", curve.points.len());
        assert_eq!(curve.width_s, 512);
        assert_eq!(curve.points.iter().map(|point| point.samples).sum::<u64>(), 86_400);
        assert_eq!(curve.points.iter().map(|point| point.max_ns).max(), Some(900));
        assert!(curve.points.is_sorted_by_key(|point| point.at));
        let calm = curve.points.iter().filter(|point| point.max_ns < 900);
        assert!(calm.into_iter().all(|point| (2.9..3.1).contains(&point.mean_ns)));
    }

    #[test]
    fn the_widest_offsets_have_a_mean() {
        let mut curve = Curve::new(100);
        for ns in [i64::MAX, i64::MIN, i64::MAX] {
            curve.push(Received::from_nanos(5), Offset::from_nanos(ns), 240);
        }
        assert_eq!(curve.points.len(), 1);
        assert_eq!((curve.points[0].min_ns, curve.points[0].max_ns), (i64::MIN, i64::MAX));
    }
}
