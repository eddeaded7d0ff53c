//! MTIE and TDEV, as appendix II of ITU-T G.810 estimates them.

use std::collections::VecDeque;

/// The maximum time interval error over `n` sampling intervals, in the unit of `offsets`: the
/// greatest peak-to-peak variation of any `n + 1` successive samples.
///
/// Exact, and in time that does not depend on `n`: the extremes of a sliding window.
pub(super) fn mtie(offsets: &[i64], n: usize) -> u64 {
    let mut highest = Extreme::new(n, |new, old| new >= old);
    let mut lowest = Extreme::new(n, |new, old| new <= old);
    let ranges = offsets.iter().enumerate().map(|(at, offset)| {
        let (high, low) = (highest.push(at, *offset), lowest.push(at, *offset));
        high.abs_diff(low)
    });
    ranges.max().unwrap_or_default()
}

/// The extreme of the last `n + 1` values.
struct Extreme {
    n: usize,
    /// Whether a value makes an older one irrelevant.
    beats: fn(i64, i64) -> bool,
    /// What may still become the extreme, the extreme first.
    candidates: VecDeque<(usize, i64)>,
}

impl Extreme {
    fn new(n: usize, beats: fn(i64, i64) -> bool) -> Self {
        Self { n, beats, candidates: VecDeque::new() }
    }

    fn push(&mut self, at: usize, value: i64) -> i64 {
        while self.candidates.back().is_some_and(|(_, old)| (self.beats)(value, *old)) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((at, value));
        while self.candidates.front().is_some_and(|(old, _)| old + self.n < at) {
            self.candidates.pop_front();
        }
        self.candidates.front().map_or(value, |(_, extreme)| *extreme)
    }
}

/// The time deviation over `n` sampling intervals, in the unit of `offsets`; 0 for fewer than `3 n`
/// samples.
///
/// The second differences of means over `n` samples are exact integers, so that a constant offset
/// in time or frequency changes nothing.
pub(super) fn tdev(offsets: &[i64], n: usize) -> f64 {
    let Some(windows) = (offsets.len() + 1).checked_sub(3 * n).filter(|count| *count > 0) else {
        return 0.0;
    };
    let mut sums = Vec::with_capacity(offsets.len() + 1);
    sums.push(0_i128);
    let mut sum = 0_i128;
    for offset in offsets {
        sum += i128::from(*offset);
        sums.push(sum);
    }
    let of = |from: usize| sums[from + n] - sums[from];
    let squares: f64 = (0..windows)
        .map(|at| (of(at + 2 * n) - 2 * of(at + n) + of(at)) as f64)
        .map(|difference| difference * difference)
        .sum();
    let n = n as f64;
    (squares / (6.0 * n * n * windows as f64)).sqrt()
}
