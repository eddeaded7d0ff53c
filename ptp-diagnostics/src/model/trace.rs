//! The shape of a clock's offsets over the last hour: level, spread, steps and trend.
//!
//! Bounded: `KEEP` samples at most, one per `SPACING` at most, so that it covers an hour at any cadence. The statistics are taken when a sample is kept, never per event.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::Received;

/// How many samples are kept: an hour of them.
const KEEP: usize = 192;
/// How far apart samples are at least: closer ones say little more about an hour.
const SPACING: Duration = Duration::from_secs(20);
/// How many of them a trend is taken from, as far apart as they are.
const TREND_KEEP: usize = 64;
/// Samples further apart than this do not belong to one story.
const LONGEST_GAP: Duration = Duration::from_mins(15);
/// How many samples show a new level.
const NEW_LEVEL: usize = 4;
/// How many samples a level to compare with needs.
const OLD_LEVEL: usize = 12;
/// How many times the spread, or a quarter of the least step, each of a new level's samples is off the old one.
const FARTHER: f64 = 1.5;
/// How many samples show the present spread.
const SPREAD: usize = 20;
/// Over which time the usual one is averaged: what grows within hours must not become usual by it.
const USUAL_OVER: Duration = Duration::from_mins(64);
/// How many show the usual one.
const USUAL: usize = 32;
/// How many samples a trend needs, and how much time.
const TREND: usize = 32;
const TREND_SPAN: Duration = Duration::from_mins(25);
/// The time a trend is looked for in, and if there is none, the late part of it.
const TREND_WHOLE: Duration = Duration::from_mins(63);
const TREND_SHORT: Duration = Duration::from_mins(33);
/// How often it is looked for; samples come a second early or late.
const TREND_EVERY: Duration = Duration::from_secs(119);
/// What a trend must amount to, in nanoseconds: clocks behind slow servos wander by less.
const TREND_LEAST_NS: f64 = 20.0;
const SHORT_TREND_LEAST_NS: f64 = 30.0;
/// Offsets are whole nanoseconds, and no clock measures better than this.
const FINEST_NS: f64 = 2.0;
/// From the median absolute deviation to a standard deviation.
const MAD_TO_SIGMA: f64 = 1.4826;

/// A shift of the level that stayed.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Step {
    /// The first sample of the new level.
    pub since: Received,
    /// The level before, in nanoseconds.
    pub from_ns: f64,
    /// By how much it shifted.
    pub by_ns: f64,
}

/// A steady change of the level.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Trend {
    /// The first sample it rests on.
    pub since: Received,
    /// The last one, and the level there.
    pub at: Received,
    /// In nanoseconds.
    pub level_ns: f64,
    /// In nanoseconds per second.
    pub slope: f64,
    /// What it has amounted to, in nanoseconds.
    pub change_ns: f64,
    /// How many samples.
    pub samples: usize,
}

/// The offsets of the last hour, thinned out.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    samples: VecDeque<(Received, f64)>,
    /// When the trend was last looked for.
    trend_at: Option<Received>,
    step: Option<Step>,
    /// What no sample of late lies outside of: perhaps more than they need.
    bounds: Option<(f64, f64)>,
    trend: Option<Trend>,
    /// The spread from one sample to the next, of late and usually; in nanoseconds.
    spread: f64,
    usual_spread: Option<f64>,
}

impl Trace {
    /// Takes in a sample, unless the last one is too near.
    pub(crate) fn push(&mut self, at: Received, nanos: i64, step_ns: f64) {
        if let Some((last, _)) = self.samples.back() {
            let gap = at.since(*last);
            if gap < SPACING {
                return;
            }
            if gap > LONGEST_GAP {
                self.clear();
            }
        }
        if self.samples.len() == KEEP {
            self.samples.pop_front();
        }
        self.samples.push_back((at, nanos as f64));
        self.measure_step(step_ns);
        self.measure_spread();
        // The dearest figure, and the slowest to change: once in two minutes.
        if self.trend_at.is_none_or(|last| at.since(last) >= TREND_EVERY) {
            self.trend_at = Some(at);
            self.trend = self.measure_trend();
        }
    }

    /// Forgets the samples that are farther off than any servo leaves a clock it has locked: they were
    /// measured while it had none, and say nothing of how it keeps time now.
    pub(crate) fn forget_beyond(&mut self, limit_ns: u64) {
        let limit = limit_ns as f64;
        if self.samples.iter().any(|(_, nanos)| nanos.abs() > limit) {
            self.samples.retain(|(_, nanos)| nanos.abs() <= limit);
            self.bounds = None;
            self.measure_spread();
        }
    }

    /// Forgets the samples: what comes now has another reference, or none.
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.bounds = None;
        self.step = None;
        self.trend = None;
        self.spread = 0.0;
    }

    /// The samples kept, in nanoseconds, oldest first.
    #[must_use]
    pub fn samples(&self) -> impl ExactSizeIterator<Item = (Received, i64)> {
        #[expect(clippy::cast_possible_truncation, reason = "they came as whole nanoseconds")]
        self.samples.iter().map(|(at, nanos)| (*at, *nanos as i64))
    }

    /// The shift of the level, as long as the clock is not back where it was.
    #[must_use]
    pub const fn step(&self) -> Option<Step> {
        self.step
    }

    /// Whether there are enough samples to tell a trend.
    pub(crate) fn is_long(&self) -> bool {
        self.samples.len() >= TREND
    }

    /// The steady change, if there is one.
    #[must_use]
    pub const fn trend(&self) -> Option<Trend> {
        self.trend
    }

    /// How many times as much as usual successive samples differ, and by how much, in nanoseconds.
    #[must_use]
    pub fn noise(&self) -> Option<(f64, f64)> {
        let usual = self.usual_spread?;
        (self.samples.len() > SPREAD).then(|| (self.spread / usual, self.spread))
    }

    /// Whether offsets go far and smoothly: a wander rather than noise.
    #[must_use]
    pub fn wanders(&self) -> bool {
        let count = self.samples.len();
        // How far the latest are from their median; it is asked for too seldom to be kept.
        let (_, range) = robust(&mut self.values(count.saturating_sub(SPREAD), count));
        count >= 12 && range > 45.0 && self.spread < 0.65 * range
    }

    fn values(&self, from: usize, to: usize) -> Vec<f64> {
        self.samples.range(from..to).map(|(_, nanos)| *nanos).collect()
    }

    fn measure_step(&mut self, least_ns: f64) {
        let count = self.samples.len();
        if let Some(step) = self.step {
            self.bounds = None;
            let back =
                |nanos: f64| (nanos - step.from_ns).abs() < step.by_ns.abs().min(least_ns) / 2.0;
            let (last, _) = self.samples[count - 1];
            let recent = self.values(count.saturating_sub(NEW_LEVEL), count);
            if recent.iter().all(|nanos| back(*nanos)) || last.since(step.since) > LONGEST_GAP * 2 {
                self.step = None;
            }
            return;
        }
        let Some(old) = count.checked_sub(NEW_LEVEL).filter(|old| *old >= OLD_LEVEL) else {
            return;
        };
        let from = old.saturating_sub(30);
        // Nearly always everything lies so close together that no sorting can find a step.
        let newest = self.samples[count - 1].1;
        let within = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let bounds = self.bounds.map(|bounds| within(bounds, newest));
        let is_narrow = |(low, high): &(f64, f64)| high - low <= least_ns;
        let bounds = bounds.filter(is_narrow).unwrap_or_else(|| {
            let all = self.samples.range(from..).map(|(_, nanos)| *nanos);
            all.fold((f64::MAX, f64::MIN), within)
        });
        self.bounds = Some(bounds);
        if is_narrow(&bounds) {
            return;
        }
        if !self.may_have_stepped(from, old, FARTHER * (least_ns / 4.0).max(FINEST_NS)) {
            return;
        }
        let (level, sigma) = robust(&mut self.values(from, old));
        let new: Vec<f64> = self.values(old, count).iter().map(|nanos| nanos - level).collect();
        let by = median(&mut new.clone());
        // The median of four samples spreads half as far as one; five would do for white noise.
        let enough = by.abs() > least_ns && by.abs() > 7.0 * 0.5 * sigma;
        let stays =
            new.iter().all(|nanos| nanos * by.signum() > FARTHER * sigma.max(least_ns / 4.0));
        let apart = |at: usize| self.samples[at].1 - level;
        let was_there = |at: usize| apart(at).abs() < (2.5 * sigma).max(by.abs() / 4.0);
        // The mean of the half minute in which it stepped lies between.
        let between = (0.0..=by.abs()).contains(&(apart(old - 1) * by.signum()));
        let before = was_there(old - 1) || (between && was_there(old - 2));
        // A step is there at once; a wander grows into it.
        let most = new.iter().fold(0.0, |most: f64, nanos| most.max(nanos.abs()));
        let at_once = new[0].abs() > 0.75 * most;
        if enough && stays && before && at_once {
            self.step = Some(Step { since: self.samples[old].0, from_ns: level, by_ns: by });
        }
    }

    /// Whether all samples from `old` on are on one side of the median of those before, by more than
    /// `apart`: it takes counting, no sorting.
    fn may_have_stepped(&self, from: usize, old: usize, apart: f64) -> bool {
        let new = self.samples.range(old..).map(|(_, nanos)| *nanos);
        let (low, high) =
            new.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
        let (mut below, mut above) = (0, 0);
        for (_, nanos) in self.samples.range(from..old) {
            below += usize::from(low - nanos > apart);
            above += usize::from(nanos - high > apart);
        }
        let middle = (old - from) / 2;
        below > middle || above >= old - from - middle
    }

    fn measure_spread(&mut self) {
        let count = self.samples.len();
        let latest = self.samples.iter().rev().map(|(at, _)| *at);
        let passed = latest.clone().next().zip(latest.clone().nth(1));
        let passed = passed.map_or(0.0, |(last, before)| last.since(before).as_secs_f64());
        self.spread = spread(self.samples.range(count.saturating_sub(SPREAD)..).map(|(_, x)| *x));
        if count < USUAL {
            return;
        }
        // What is noisy now is no measure of what is usual.
        match self.usual_spread {
            None => {
                self.usual_spread = Some(spread(self.samples.range(..USUAL).map(|(_, x)| *x)));
            }
            Some(usual) if self.spread < 2.5 * usual => {
                let share = (passed / USUAL_OVER.as_secs_f64()).min(1.0);
                self.usual_spread = Some(usual + (self.spread - usual) * share);
            }
            Some(_) => {}
        }
    }

    /// The slope of Theil and Sen, if the test of Mann and Kendall finds it significant.
    fn measure_trend(&self) -> Option<Trend> {
        let last = self.samples.back()?.0;
        let since = |span: Duration| {
            let from = last.before(span);
            self.samples.partition_point(|(at, _)| *at < from)
        };
        let whole = self.trend_of(since(TREND_WHOLE), TREND_WHOLE * 9 / 10, TREND_LEAST_NS);
        whole.or_else(|| self.trend_of(since(TREND_SHORT), TREND_SPAN, SHORT_TREND_LEAST_NS))
    }

    fn trend_of(&self, from: usize, span: Duration, least_ns: f64) -> Option<Trend> {
        let (since, at) = (self.samples.get(from)?.0, self.samples.back()?.0);
        let count = self.samples.len() - from;
        let step = count.div_ceil(TREND_KEEP);
        if count.div_ceil(step) < TREND || at.since(since) < span || self.step.is_some() {
            return None;
        }
        let samples: Vec<(f64, f64)> = self
            .samples
            .range(from..)
            .step_by(step)
            .map(|(at, nanos)| (at.since(since).as_secs_f64(), *nanos))
            .collect();
        // Nearly always the first third and the last are so close together that no slope can count.
        let third = samples.len() / 3;
        let mean = |part: &[(f64, f64)]| part.iter().map(|(_, x)| x).sum::<f64>() / third as f64;
        let moved = mean(&samples[samples.len() - third..]) - mean(&samples[..third]);
        if moved.abs() < least_ns / 3.0 {
            return None;
        }
        // The signs alone say whether there is a trend, and nearly always there is none.
        let count = samples.len() as f64;
        let variance = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0;
        let z = f64::from(rises(&samples)) / variance.sqrt();
        if z.abs() <= 5.0 {
            return None;
        }
        let slope = theil_sen(&samples);
        let mut residuals: Vec<f64> = samples.iter().map(|(t, x)| x - slope * t).collect();
        let (base, sigma) = robust(&mut residuals);
        let span = at.since(since).as_secs_f64();
        // Wander passes the test of Mann and Kendall too, which assumes independent samples: the
        // change must stand out of what is left when the line is taken away.
        let change = (slope * span).abs();
        let stands_out = change > 3.0 * sigma && change > least_ns;
        stands_out.then_some(Trend {
            since,
            at,
            level_ns: base + slope * span,
            slope,
            change_ns: change,
            samples: samples.len(),
        })
    }
}

/// How many pairs of samples rise, less those that fall (the statistic of Mann and Kendall).
fn rises(samples: &[(f64, f64)]) -> i32 {
    let mut rises = 0;
    for (at, (_, x)) in samples.iter().enumerate() {
        for (_, y) in &samples[at + 1..] {
            // Offsets are whole nanoseconds, so ties are exact.
            rises += i32::from(y - x > 0.5) - i32::from(x - y > 0.5);
        }
    }
    rises
}

/// The median of the slopes of all pairs.
fn theil_sen(samples: &[(f64, f64)]) -> f64 {
    let pairs = samples.iter().enumerate();
    let mut slopes: Vec<f64> = pairs
        .flat_map(|(at, (t, x))| {
            samples[at + 1..].iter().map(move |(later, y)| (y - x) / (later - t))
        })
        .collect();
    median(&mut slopes)
}

/// The middle value; 0 of none. Reorders.
fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Median and robust standard deviation. Reorders.
fn robust(values: &mut [f64]) -> (f64, f64) {
    let level = median(values);
    for value in values.iter_mut() {
        *value = (*value - level).abs();
    }
    (level, (MAD_TO_SIGMA * median(values)).max(FINEST_NS))
}

/// The spread of white noise that makes successive values differ like this: unlike the deviation
/// from the median it does not take a drift or a wander for noise.
///
/// The mean of all but the largest tenth: steadier than a median, and deaf to a spike.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    // The largest so far, the greatest first: a tenth of what there can be.
    let mut largest = [0.0; USUAL / 10];
    let mut before = None;
    for value in values {
        if let Some(before) = before.replace(value) {
            let mut step: f64 = (value - before).abs();
            sum += step;
            count += 1;
            for kept in &mut largest {
                if step > *kept {
                    std::mem::swap(kept, &mut step);
                }
            }
        }
    }
    // One sample far off makes two steps.
    let trimmed = (count + 5) / 10;
    let mean = (sum - largest[..trimmed].iter().sum::<f64>()) / ((count - trimmed).max(1) as f64);
    // Of normal noise: the mean step is 2/√π sigma, and the trimming takes a sixth of it.
    (mean * 1.2 * std::f64::consts::PI.sqrt() / 2.0).max(FINEST_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trace of one sample a minute; noise that repeats, so that the test does.
    fn trace(samples: usize, shape: impl Fn(usize) -> f64) -> Trace {
        let mut trace = Trace::default();
        for n in 0..samples {
            let noise = f64::from(u32::try_from(n * 7919 % 13).unwrap()) - 6.0;
            let at = Received::from_nanos(0).after(Duration::from_secs(60 * n as u64));
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            trace.push(at, (shape(n) + noise) as i64, 30.0);
        }
        trace
    }

    #[test]
    fn noise_alone_has_no_shape() {
        let trace = trace(200, |_| 0.0);
        assert_eq!((trace.step(), trace.trend()), (None, None));
        assert!(trace.noise().is_some_and(|(growth, _)| growth < 1.5));
        assert!(!trace.wanders());
    }

    #[test]
    fn a_step_is_found_after_four_samples_and_is_no_trend() {
        assert_eq!(trace(43, |n| if n < 40 { 0.0 } else { 60.0 }).step(), None);
        let trace = trace(44, |n| if n < 40 { 0.0 } else { 60.0 });
        assert!(trace.step().is_some_and(|step| (50.0..70.0).contains(&step.by_ns)));
        assert_eq!(trace.trend(), None);
    }

    #[test]
    fn a_trend_is_measured() {
        let trace = trace(64, |n| n as f64);
        let slope = trace.trend().map(|trend| trend.slope * 60.0);
        assert!(slope.is_some_and(|slope| (0.9..1.1).contains(&slope)), "{slope:?}");
    }

    #[test]
    fn more_noise_is_told_from_wander() {
        let noisy = trace(100, |n| if n < 70 { 0.0 } else { [-40.0, 35.0, 3.0][n % 3] });
        assert!(noisy.noise().is_some_and(|(growth, _)| growth > 3.0));
        let wander = trace(100, |n| 100.0 * (n as f64 / 2.5).sin());
        assert!(wander.wanders() && wander.trend().is_none());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        assert_eq!(trace(10_000, |_| 0.0).samples.len(), KEEP);
    }
}
