//! The low-pass filter that ITU-T G.8273.2 measures through, 7.1: first order, 0.1 Hz.

use std::f64::consts::TAU;

use super::deviation;
use super::figures::{LEAST_INTERVALS, Point, rounded};
use serde::{Deserialize, Serialize};

/// The filter's bandwidth, in hertz.
pub const BANDWIDTH_HZ: f64 = 0.1;
/// The longest distance of samples that a filter of 0.1 Hz can be applied to, in seconds: what is sampled once a
/// second comes a little late at times.
pub(super) const LONGEST_INTERVAL_S: f64 = 1.1;
/// How many time constants pass before the filter has forgotten where it began: 0.03 % is left.
const SETTLING: f64 = 8.0;

/// The figures of G.8273.2 that need a filter: only samples that come once a second or faster have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Filtered {
    /// [`BANDWIDTH_HZ`]
    pub bandwidth_hz: f64,
    /// `max|TE_L|`: the greatest magnitude after the low-pass filter, in nanoseconds.
    pub max_te_l_ns: f64,
    /// `dTE_H`: what the low-pass filter takes away, from peak to peak, in nanoseconds.
    pub dte_h_ns: f64,
    /// MTIE and TDEV of `dTE_L`.
    pub curve: Vec<Point>,
}

/// Filters regular samples `interval_s` apart; `None` where they are too far apart, or too few.
pub(super) fn filtered(offsets: &[i64], interval_s: f64) -> Option<Filtered> {
    if interval_s <= 0.0 || interval_s > LONGEST_INTERVAL_S {
        return None;
    }
    let weight = 1.0 - (-TAU * BANDWIDTH_HZ * interval_s).exp();
    let settled = (SETTLING / (TAU * BANDWIDTH_HZ * interval_s)).ceil();
    let mut low = *offsets.first()? as f64;
    let mut passed = Vec::with_capacity(offsets.len());
    let (mut max, mut lowest, mut highest) = (0.0_f64, f64::MAX, f64::MIN);
    for (n, offset) in offsets.iter().enumerate() {
        let offset = *offset as f64;
        low += weight * (offset - low);
        if (n as f64) < settled {
            continue;
        }
        max = max.max(low.abs());
        (lowest, highest) = (lowest.min(offset - low), highest.max(offset - low));
        // In picoseconds, as the figures are taken from integers.
        #[expect(clippy::cast_possible_truncation, reason = "offsets in ps are far below 2^63")]
        passed.push((low * 1000.0).round() as i64);
    }
    if passed.len() < LEAST_INTERVALS {
        return None;
    }
    let curve = std::iter::successors(Some(1_usize), |n| Some(n * 2))
        .take_while(|n| n * LEAST_INTERVALS <= passed.len())
        .map(|n| Point {
            tau_s: rounded(interval_s * n as f64),
            mtie_ns: deviation::mtie(&passed, n).div_ceil(1000),
            tdev_ns: rounded(deviation::tdev(&passed, n) / 1000.0),
        })
        .collect();
    Some(Filtered {
        bandwidth_hz: BANDWIDTH_HZ,
        max_te_l_ns: rounded(max),
        dte_h_ns: rounded(highest - lowest),
        curve,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sine of 1000 ns, sampled ten times a second for 1000 s.
    fn sine(hertz: f64) -> Filtered {
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let offsets: Vec<i64> = (0..10_000)
            .map(|n| ((TAU * hertz * f64::from(n) / 10.0).sin() * 1000.0).round() as i64)
            .collect();
        filtered(&offsets, 0.1).unwrap()
    }

    #[test]
    fn it_has_the_gain_of_a_first_order_filter() {
        // 1 / sqrt(1 + (f / 0.1 Hz)²)
        for (hertz, gain) in [(0.001, 1.0), (0.05, 0.894), (0.1, 0.707), (0.2, 0.447), (1.0, 0.1)] {
            let got = sine(hertz).max_te_l_ns / 1000.0;
            assert!((got - gain).abs() < 0.03, "{hertz} Hz: {got}, not {gain}");
        }
    }

    #[test]
    fn what_is_fast_is_in_the_high_part() {
        // From peak to peak a sine has twice its amplitude, less what the low part takes.
        assert!((1850.0..2010.0).contains(&sine(1.0).dte_h_ns), "{}", sine(1.0).dte_h_ns);
        assert!(sine(0.001).dte_h_ns < 25.0, "{}", sine(0.001).dte_h_ns);
    }

    #[test]
    fn a_constant_is_only_that() {
        let constant = filtered(&[7; 1000], 1.0).unwrap();
        assert_eq!((constant.max_te_l_ns, constant.dte_h_ns), (7.0, 0.0));
        assert!(constant.curve.iter().all(|point| point.mtie_ns == 0 && point.tdev_ns == 0.0));
    }

    #[test]
    fn what_comes_too_seldom_is_not_filtered() {
        assert_eq!(filtered(&[7; 1000], 30.0), None);
        assert_eq!(filtered(&[7; 12], 1.0), None);
        assert_eq!(filtered(&[], 1.0), None);
    }
}
