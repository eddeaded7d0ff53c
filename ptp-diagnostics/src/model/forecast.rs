//! When a clock in holdover will reach its limit.
//!
//! ΔT(t) = T₀ + S·t + ½·A·t², as a Kalman filter believes it from what was measured since the
//! reference was lost. Most publishers repeat the last offset before the loss (docs/protocol.md §4),
//! which says nothing; then the default model speaks, with bounds that follow from which oscillators
//! there are.

use std::time::Duration;

use ptp_events::{Measurement, Offset, Received};

use crate::model::holdover::HoldoverTracker;
use crate::model::node::Node;
use crate::{Role, Settings, Timeline};

/// How many measurements it takes before they are worth more than the default model.
const LEAST: usize = 4;
/// A normal variable is below this many standard deviations nine times out of ten.
const NINE_OF_TEN: f64 = 1.2816;

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
    node: &Node,
    settings: &Settings,
) -> Option<Crossing> {
    let since = clock.unlocked_since()?;
    let prior = || Prior::of(node, settings).crossing(clock, since, settings);
    measured(clock.held(), settings).or_else(|| Some(prior()))
}

/// How long a clock holds when nothing measures it.
///
/// The bounds are those of what makers publish for one day without a reference. An error that grows with the
/// square of time, as a drift makes it, reaches 1500 ns after `86400 s · √(1.5 µs / error of a day)`; one that
/// grows evenly, as a frequency does that was not learnt, after `86400 s · 1.5 µs / error of a day`.
///
/// | oscillator | error of a day | by a drift | by a frequency |
/// |---|---|---|---|
/// | OCXO (Tekron NTS 03-G) | 10 µs | 9.3 h | 3.6 h |
/// | OCXO (Stratum One NTP server) | 80 µs | 3.3 h | 27 min |
/// | TCXO (Tekron NTS 03-E) | 600 µs | 72 min | 3.6 min |
/// | TCXO (Stratum One NTP server) | 10 ms | 18 min | 13 s |
struct Prior {
    model: Duration,
    /// Of the time above, where the 10 % and the 90 % bound are.
    low: f64,
    high: f64,
    name: &'static str,
}

impl Prior {
    /// What the topology says of the node's oscillator. Else the daemon's default for a grandmaster,
    /// and for a boundary clock, which is built to hold; for other nodes what a TCXO holds, the
    /// safer guess: whoever has an OCXO has more time than this says.
    ///
    /// What is built to hold for a time was chosen with its drift in mind: 3.3 to 9.3 h of a model of 4 h, and
    /// a little less where it is not at 25 °C. A card that nobody knows may have a TCXO whose frequency was
    /// not learnt, 3.6 min of 20, or the best of these OCXOs, 9.3 h.
    fn of(node: &Node, settings: &Settings) -> Self {
        let (model, low, high, name) = match (node.holds, node.role()) {
            (Some(declared), _) => (declared, 0.7, 2.4, "declared"),
            (None, Role::Grandmaster | Role::BoundaryClock) => {
                (settings.holdover_model, 0.7, 2.4, "default")
            }
            (None, _) => (settings.holdover_model_follower, 0.18, 28.0, "default"),
        };
        Self { model, low, high, name }
    }

    fn crossing(&self, clock: &Timeline, since: Received, settings: &Settings) -> Crossing {
        let before = clock.samples().last.map(|(_, offset)| offset);
        let before = before.or_else(|| clock.entered_with().and_then(Measurement::offset));
        let start = before.map_or(0, Offset::magnitude);
        let left = settings.holdover_limit_ns.saturating_sub(start);
        let share = left as f64 / settings.holdover_limit_ns as f64;
        let seconds = self.model.as_secs_f64() * share;
        let after = |factor: f64| {
            since.after(Duration::try_from_secs_f64(seconds * factor).unwrap_or(Duration::MAX))
        };
        Crossing {
            at: after(1.0),
            earliest: after(self.low),
            latest: after(self.high),
            samples: 0,
            model: self.name,
        }
    }
}

/// What the measurements lead to; `None` while there are too few, and for ever after the horizon.
fn measured(held: &HoldoverTracker, settings: &Settings) -> Option<Crossing> {
    let (since, _) = held.lost?;
    let filter = held.filter.as_deref().filter(|filter| filter.samples() >= LEAST)?;
    if let Some(at) = held.reached() {
        let samples = filter.samples();
        return Some(Crossing { at, earliest: at, latest: at, samples, model: "measured" });
    }
    let horizon = 20.0 * settings.holdover_model.as_secs_f64();
    if filter.last() >= horizon {
        return None;
    }
    let limit = settings.holdover_limit_ns as f64;
    let when = |sigmas: f64| {
        let reached = |t: f64| {
            let (offset, spread) = filter.expected(t);
            offset.abs() + sigmas * spread >= limit
        };
        let seconds = first(filter.last(), horizon, reached);
        since.after(Duration::from_secs_f64(seconds))
    };
    Some(Crossing {
        at: when(0.0),
        earliest: when(NINE_OF_TEN),
        latest: when(-NINE_OF_TEN),
        samples: filter.samples(),
        model: "quadratic",
    })
}

/// The first time from `from` on at which something is so, to a 64th of a percent; else `to`.
fn first(from: f64, to: f64, is_so: impl Fn(f64) -> bool) -> f64 {
    let mut before = from;
    while !is_so(before) {
        let next = before + (before / 64.0).max(1.0);
        if next >= to {
            return to;
        }
        if is_so(next) {
            let (mut low, mut high) = (before, next);
            for _ in 0..7 {
                let middle = f64::midpoint(low, high);
                *(if is_so(middle) { &mut high } else { &mut low }) = middle;
            }
            return high;
        }
        before = next;
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holdover(seconds: u64, offset: impl Fn(f64) -> f64) -> Option<Crossing> {
        let since = Received::from_nanos(0);
        let mut held = HoldoverTracker::default();
        held.begin(since, 0);
        for second in (1..=seconds).step_by(20) {
            #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
            held.push(since.after(Duration::from_secs(second)), offset(second as f64) as i64, 1500);
        }
        measured(&held, &Settings::default())
    }

    fn seconds(at: Received) -> f64 {
        at.since(Received::from_nanos(0)).as_secs_f64()
    }

    #[test]
    fn a_curve_is_followed_to_the_limit() {
        // 1500 ns after 4472 s.
        let crossing = holdover(2_000, |t| 0.000_15 * t * t / 2.0).unwrap();
        assert!((4_250.0..4_700.0).contains(&seconds(crossing.at)), "{crossing:?}");
        assert!(crossing.earliest < crossing.at && crossing.at < crossing.latest);
        assert_eq!((crossing.samples, crossing.model), (100, "quadratic"));
    }

    #[test]
    fn a_line_is_followed_either_way() {
        for slope in [-0.25, 0.25] {
            let crossing = holdover(2_000, |t| slope * t).unwrap();
            assert!((5_700.0..6_300.0).contains(&seconds(crossing.at)), "{crossing:?}");
        }
    }

    #[test]
    fn an_outlier_does_not_bend_it() {
        let crossing =
            holdover(2_000, |t| if (500.0..520.0).contains(&t) { 900.0 } else { t / 4.0 });
        let at = seconds(crossing.unwrap().at);
        assert!((5_400.0..6_600.0).contains(&at), "{at}");
    }

    #[test]
    fn a_clock_beyond_its_limit_has_reached_it() {
        let crossing = holdover(4_000, |t| t).unwrap();
        // Samples are 20 s apart.
        assert!((1_500.0..1_520.0).contains(&seconds(crossing.at)), "{crossing:?}");
        assert_eq!((crossing.model, crossing.earliest), ("measured", crossing.at));
    }

    #[test]
    fn numbers_that_cannot_be_are_survived() {
        for wild in [i64::MIN, i64::MAX] {
            let mut held = HoldoverTracker::default();
            held.begin(Received::from_nanos(i64::MIN), wild);
            for at in [i64::MIN, 0, 1, 2, 3, i64::MAX] {
                held.push(Received::from_nanos(at), wild, 1500);
                let crossing = measured(&held, &Settings::default());
                assert!(crossing.is_none_or(|c| c.earliest <= c.at && c.at <= c.latest));
            }
        }
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert_eq!(holdover(60, |t| t), None);
    }
}
