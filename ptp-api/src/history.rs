//! What a node's clocks did in a stretch of time.

use ptp_diagnostics::curve::Curve;
use ptp_diagnostics::report::BlindWindow;
use ptp_events::{Instance, NodeName, Received, Resource, SyncState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many points the curve of a [`ClockHistory`] has at most.
pub const MOST_POINTS: usize = 60;

/// The latest offsets of one clock.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClockSamples {
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// Time and nanoseconds, oldest first: an hour's worth at most, one in 20 s at most.
    pub samples: Vec<(Received, i64)>,
    /// The offset over which it counts as out of tolerance, in nanoseconds.
    #[serde(default)]
    pub threshold_ns: u64,
}

impl ClockSamples {
    /// These offsets of a clock.
    #[must_use]
    pub const fn new(
        resource: Resource,
        instance: Instance,
        samples: Vec<(Received, i64)>,
        threshold_ns: u64,
    ) -> Self {
        Self { resource, instance, samples, threshold_ns }
    }
}

/// Where figures are from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Every event of the stretch, from the journal.
    Journal,
    /// The samples that the engine keeps: of the last hour, one in 20 s at most, so a spike between two of
    /// them is missing. There is no journal, or it does not reach back so far.
    EngineSamples,
}

/// A stretch of a node's history.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct History {
    /// The node.
    pub node: NodeName,
    /// From when.
    pub since: Received,
    /// Until when.
    pub until: Received,
    /// Where the figures are from.
    pub source: Source,
    /// Whether the stretch has more than was read: the figures are of its newest part, from `since` on.
    pub cut: bool,
    /// Its clocks.
    pub clocks: Vec<ClockHistory>,
    /// When it could not be observed; that time counts in no figure.
    pub blind_windows: Vec<BlindWindow>,
}

impl History {
    /// A stretch in which nothing is known yet.
    #[must_use]
    pub fn new(node: NodeName, since: Received, until: Received, source: Source) -> Self {
        let (clocks, blind_windows) = (Vec::new(), Vec::new());
        Self { node, since, until, source, cut: false, clocks, blind_windows }
    }
}

/// One clock in a stretch of time.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ClockHistory {
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// How many events spoke of it.
    pub events: usize,
    /// How often its state changed.
    pub changes: usize,
    /// The latest changes, oldest first.
    pub latest_changes: Vec<Change>,
    /// Seconds in each state; blind time, and time before its first word, are in none.
    pub time_in_state_s: StateTimes,
    /// The share of the known time that it was LOCKED, from 0 to 1; absent when nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<f64>,
    /// Its offsets; absent when it gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_ns: Option<OffsetFigures>,
    /// Its offsets over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

impl ClockHistory {
    /// A clock of which nothing was heard.
    #[must_use]
    pub fn new(resource: Resource, instance: Instance) -> Self {
        Self {
            resource,
            instance,
            events: 0,
            changes: 0,
            latest_changes: Vec::new(),
            time_in_state_s: StateTimes::default(),
            availability: None,
            offset_ns: None,
            curve: None,
        }
    }
}

/// Seconds in each state.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub struct StateTimes {
    /// LOCKED or SYNCHRONIZED.
    pub locked: f64,
    /// HOLDOVER.
    pub holdover: f64,
    /// Anything else.
    pub freerun: f64,
}

/// A change of a clock's state.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// When.
    pub at: Received,
    /// Its state from then on.
    pub state: SyncState,
}

/// Offsets of a stretch of time, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct OffsetFigures {
    /// How many there were.
    pub samples: usize,
    /// The least.
    pub min: i64,
    /// When that was.
    pub min_at: Received,
    /// The greatest.
    pub max: i64,
    /// When that was.
    pub max_at: Received,
    /// The greatest magnitude.
    pub max_abs: u64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub sd: f64,
    /// Half of the magnitudes are below this.
    pub p50_abs: u64,
    /// 95 of a hundred magnitudes are below this.
    pub p95_abs: u64,
    /// 99 of a hundred magnitudes are below this.
    pub p99_abs: u64,
    /// The drift, by least squares over time, in nanoseconds per hour; absent of fewer than three samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_per_hour: Option<f64>,
}

impl OffsetFigures {
    /// The figures of these offsets, oldest first; `None` of none.
    #[must_use]
    pub fn of(offsets: &[(Received, i64)]) -> Option<Self> {
        let min = offsets.iter().min_by_key(|(_, ns)| *ns)?;
        // Of several that are the greatest, the first.
        let max = offsets.iter().rev().max_by_key(|(_, ns)| *ns)?;
        let count = offsets.len() as f64;
        let mean = offsets.iter().map(|(_, ns)| *ns as f64).sum::<f64>() / count;
        let variance =
            offsets.iter().map(|(_, ns)| (*ns as f64 - mean).powi(2)).sum::<f64>() / count;
        let mut magnitudes: Vec<u64> = offsets.iter().map(|(_, ns)| ns.unsigned_abs()).collect();
        magnitudes.sort_unstable();
        let percentile = |p: usize| magnitudes[(magnitudes.len() * p).div_ceil(100).max(1) - 1];
        let tenth = |value: f64| (value * 10.0).round() / 10.0;
        Some(Self {
            samples: offsets.len(),
            min: min.1,
            min_at: min.0,
            max: max.1,
            max_at: max.0,
            max_abs: magnitudes.last().copied().unwrap_or(0),
            mean: tenth(mean),
            sd: tenth(variance.sqrt()),
            p50_abs: percentile(50),
            p95_abs: percentile(95),
            p99_abs: percentile(99),
            drift_per_hour: drift(offsets, mean).map(tenth),
        })
    }
}

/// Least squares over time, in nanoseconds per hour.
fn drift(offsets: &[(Received, i64)], mean: f64) -> Option<f64> {
    let (first, _) = offsets.first().filter(|_| offsets.len() > 2)?;
    let hours = |at: Received| at.since(*first).as_secs_f64() / 3600.0;
    let centre = offsets.iter().map(|(at, _)| hours(*at)).sum::<f64>() / offsets.len() as f64;
    let (mut over, mut under) = (0.0, 0.0);
    for (at, ns) in offsets {
        let x = hours(*at) - centre;
        over += x * (*ns as f64 - mean);
        under += x * x;
    }
    (under > 0.0).then(|| over / under)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn figures_are_those_of_all_offsets() {
        let at = |s| Received::from_nanos(0).after(Duration::from_secs(s));
        let offsets: Vec<_> =
            (0..100).map(|n| (at(n * 36), i64::try_from(n).unwrap() - 20)).collect();
        let figures = OffsetFigures::of(&offsets).unwrap();
        assert_eq!(
            (figures.samples, figures.min, figures.max, figures.max_abs),
            (100, -20, 79, 79)
        );
        assert_eq!((figures.min_at, figures.max_at), (at(0), at(99 * 36)));
        assert_eq!((figures.mean, figures.p50_abs, figures.p99_abs), (29.5, 29, 78));
        assert_eq!(figures.drift_per_hour, Some(100.0));
        assert!(OffsetFigures::of(&[]).is_none());
        assert_eq!(OffsetFigures::of(&offsets[..1]).unwrap().drift_per_hour, None);
    }
}
