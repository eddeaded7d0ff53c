//! What a measurement of a clock's stability says, and over how much it is taken.

use std::time::Duration;

use ptp_events::{Offset, Received};
use serde::{Deserialize, Serialize};

use super::filter::Filtered;

/// The fewest samples, in one stretch without a gap, that are measured.
pub const MIN_SAMPLES: usize = 64;
/// The shortest time that is measured: ITU-T G.8273.2, 7.1 takes its figures over 1000 s.
pub const MIN_SPAN: Duration = Duration::from_secs(1000);
/// An interval of observation is at most this part of the whole, so that many of them fit in.
pub(super) const LEAST_INTERVALS: usize = 12;

/// What all figures of this module are.
pub const BASIS: &str = "indicative, self-reported";

/// An offset, and when it was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Sample {
    /// When it was received.
    pub at: Received,
    /// The offset.
    pub offset: Offset,
}

/// The figures of one stretch of regular samples without a gap.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Figures {
    /// How many samples the stretch has.
    pub samples: usize,
    /// Their mean distance, in seconds.
    pub interval_s: f64,
    /// When the first was received.
    pub from: Received,
    /// When the last was received.
    pub to: Received,
    /// max|TE|: the greatest magnitude, in nanoseconds.
    pub max_te_ns: u64,
    /// cTE: the mean, in nanoseconds.
    pub cte_ns: f64,
    /// MTIE and TDEV by the observation interval, which doubles from point to point.
    pub curve: Vec<Point>,
    /// What needs a filter at 0.1 Hz; `None` where samples come less often than once a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered: Option<Filtered>,
}

/// MTIE and TDEV for one observation interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Point {
    /// The observation interval τ, in seconds.
    pub tau_s: f64,
    /// The greatest peak-to-peak variation within any interval that long, in nanoseconds.
    pub mtie_ns: u64,
    /// The time deviation, in nanoseconds.
    pub tdev_ns: f64,
}

/// To three decimals: more than the samples carry, and the same text everywhere.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
