//! When a clock in holdover will reach its limit.
//!
//! ΔT(t) = T₀ + S·t + ½·A·t², fitted to what was measured since the reference was lost. Most
//! publishers repeat the last offset before the loss (docs/protocol.md §4), which says nothing;
//! then the default model speaks, with bounds that follow from which oscillators there are.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::{Measurement, Offset, Received};

use crate::{Role, Settings, Timeline};

/// How many samples of a holdover are kept, thinned out as it goes on.
const KEEP: usize = 32;
/// How many a line needs, and a curve.
const LINE: usize = 4;
const CURVE: usize = 10;
/// A normal variable is below this many standard deviations nine times out of ten.
const NINE_OF_TEN: f64 = 1.2816;
/// How far an oscillator strays from its own fitted curve, as a share of what is extrapolated:
/// temperature and flicker, which a short holdover has not shown yet.
const STRAYS: f64 = 0.15;

/// What was measured during a holdover, by something that still knows better.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    samples: VecDeque<(Received, f64)>,
    apart: Duration,
}

impl Held {
    pub(crate) fn clear(&mut self) {
        self.samples.clear();
        self.apart = Duration::from_secs(1);
    }

    /// Takes an offset that is not the one from before the loss.
    pub(crate) fn push(&mut self, at: Received, nanos: i64) {
        let near = |(last, _): &(Received, f64)| at.since(*last) < self.apart;
        if self.samples.back().is_some_and(near) {
            return;
        }
        if self.samples.len() == KEEP {
            let mut odd = false;
            self.samples.retain(|_| {
                odd = !odd;
                odd
            });
            self.apart = self.samples[1].0.since(self.samples[0].0);
        }
        self.samples.push_back((at, nanos as f64));
    }
}

/// When a limit is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Crossing {
    pub at: Received,
    /// The 10 % and the 90 % bound.
    pub earliest: Received,
    pub latest: Received,
    pub samples: usize,
    pub model: &'static str,
}

/// When a clock in holdover will reach [`Settings::holdover_limit_ns`].
///
/// `None` for a clock that is locked.
pub(crate) fn holdover_limit(
    clock: &Timeline,
    role: Role,
    settings: &Settings,
) -> Option<Crossing> {
    let since = clock.unlocked_since()?;
    fitted(clock.held(), since, settings).or_else(|| Some(default(clock, since, role, settings)))
}

/// The daemon's default for a grandmaster; for other nodes the middle of what network cards have,
/// a TCXO or an OCXO. The bounds are those of the prior: a third and three times for the oscillator
/// of a grandmaster; for others from a TCXO at its worst to an OCXO.
fn default(clock: &Timeline, since: Received, role: Role, settings: &Settings) -> Crossing {
    let before = clock.samples().last.map(|(_, offset)| offset);
    let before = before.or_else(|| clock.entered_with().and_then(Measurement::offset));
    let start = before.map_or(0, Offset::magnitude);
    let left = settings.holdover_limit_ns.saturating_sub(start);
    let share = left as f64 / settings.holdover_limit_ns as f64;
    let (model, low, high) = match role {
        Role::Grandmaster => (settings.holdover_model, 1.0 / 3.0, 3.0),
        _ => (settings.holdover_model_follower, 1.0 / 3.0, 8.0),
    };
    let after =
        |factor: f64| since.after(Duration::from_secs_f64(model.as_secs_f64() * share * factor));
    Crossing {
        at: after(1.0),
        earliest: after(low),
        latest: after(high),
        samples: 0,
        model: "default",
    }
}

fn fitted(held: &Held, since: Received, settings: &Settings) -> Option<Crossing> {
    let points: Vec<(f64, f64)> =
        held.samples.iter().map(|(at, nanos)| (at.since(since).as_secs_f64(), *nanos)).collect();
    if points.len() < LINE {
        return None;
    }
    let curve = points.len() >= CURVE;
    let fit = robust_fit(&points, curve)?;
    let (last, _) = *points.last()?;
    let limit = settings.holdover_limit_ns as f64;
    let noise = spread(&points, &fit);
    let margin = |t: f64| {
        let strays = STRAYS * (at(&fit, t) - at(&fit, last)).abs();
        // A straight line through a part of a curve knows even less about what is to come.
        let strays = if curve { strays } else { 2.0 * strays };
        NINE_OF_TEN * (noise * noise + strays * strays).sqrt()
    };
    let horizon = 20.0 * settings.holdover_model.as_secs_f64();
    let first = |reached: &dyn Fn(f64) -> bool| {
        let mut t = last;
        while t < horizon {
            if reached(t) {
                return Some(t);
            }
            t += (t / 256.0).max(1.0);
        }
        None
    };
    let middle = first(&|t| at(&fit, t).abs() >= limit)?;
    let low = first(&|t| at(&fit, t).abs() + margin(t) >= limit).unwrap_or(middle);
    let high = first(&|t| at(&fit, t).abs() - margin(t) >= limit).unwrap_or(horizon);
    let after = |t: f64| since.after(Duration::from_secs_f64(t));
    Some(Crossing {
        at: after(middle),
        earliest: after(low),
        latest: after(high),
        samples: points.len(),
        model: if curve { "quadratic" } else { "linear" },
    })
}

fn at(fit: &[f64; 3], t: f64) -> f64 {
    fit[0] + fit[1] * t + fit[2] * t * t / 2.0
}

/// The spread of the residuals; offsets are whole nanoseconds.
fn spread(points: &[(f64, f64)], fit: &[f64; 3]) -> f64 {
    let mut off: Vec<f64> = points.iter().map(|(t, x)| (x - at(fit, *t)).abs()).collect();
    off.sort_unstable_by(f64::total_cmp);
    (1.4826 * off[off.len() / 2]).max(1.0)
}

/// Least squares, a few times over, each time trusting what is far from the curve less (Huber).
fn robust_fit(points: &[(f64, f64)], curve: bool) -> Option<[f64; 3]> {
    let mut fit = weighted_fit(points, curve, &vec![1.0; points.len()])?;
    for _ in 0..4 {
        let limit = 1.5 * spread(points, &fit);
        let weights: Vec<f64> =
            points.iter().map(|(t, x)| (limit / (x - at(&fit, *t)).abs()).min(1.0)).collect();
        fit = weighted_fit(points, curve, &weights)?;
    }
    Some(fit)
}

/// Solves the normal equations, with time in units of the longest for good conditioning.
fn weighted_fit(points: &[(f64, f64)], curve: bool, weights: &[f64]) -> Option<[f64; 3]> {
    let unit = points.last()?.0.max(1.0);
    let size = if curve { 3 } else { 2 };
    let mut rows = [[0.0_f64; 4]; 3];
    for ((t, x), weight) in points.iter().zip(weights) {
        let t = t / unit;
        let terms = [1.0, t, t * t / 2.0];
        for (row, term) in rows.iter_mut().zip(terms) {
            for (cell, other) in row.iter_mut().zip(terms) {
                *cell += weight * term * other;
            }
            row[3] += weight * term * x;
        }
    }
    for pivot in 0..size {
        if rows[pivot][pivot].abs() < 1e-9 {
            return None;
        }
        for other in (0..size).filter(|other| *other != pivot) {
            let factor = rows[other][pivot] / rows[pivot][pivot];
            let from = rows[pivot];
            for (cell, value) in rows[other].iter_mut().zip(from) {
                *cell -= factor * value;
            }
        }
    }
    let solved = |at: usize| if at < size { rows[at][3] / rows[at][at] } else { 0.0 };
    Some([solved(0), solved(1) / unit, solved(2) / (unit * unit)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holdover(seconds: u64, offset: impl Fn(f64) -> f64) -> Option<Crossing> {
        let since = Received::from_nanos(0);
        let mut held = Held::default();
        for second in (1..=seconds).step_by(20) {
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            held.push(since.after(Duration::from_secs(second)), offset(second as f64) as i64);
        }
        assert!(held.samples.len() <= KEEP);
        fitted(&held, since, &Settings::default())
    }

    #[test]
    fn a_curve_is_followed_to_the_limit() {
        // 1500 ns after 4472 s.
        let crossing = holdover(2_000, |t| 0.000_15 * t * t / 2.0).unwrap();
        let at = crossing.at.since(Received::from_nanos(0)).as_secs_f64();
        assert!((4_300.0..4_650.0).contains(&at), "{at}");
        assert!(crossing.earliest < crossing.at && crossing.at < crossing.latest);
        assert_eq!(crossing.model, "quadratic");
    }

    #[test]
    fn an_outlier_does_not_bend_it() {
        let crossing =
            holdover(2_000, |t| if (500.0..520.0).contains(&t) { 900.0 } else { t / 4.0 });
        let at = crossing.unwrap().at.since(Received::from_nanos(0)).as_secs_f64();
        assert!((5_400.0..6_600.0).contains(&at), "{at}");
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert_eq!(holdover(60, |t| t), None);
    }
}
