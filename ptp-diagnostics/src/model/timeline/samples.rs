//! The offsets of one clock as running figures.

use ptp_events::{Offset, Received};

use crate::Settings;

/// What is known of the offsets of one clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples {
    /// How many there were.
    pub count: u64,
    /// The latest, and when.
    pub last: Option<(i64, Offset)>,
    /// The least, in nanoseconds.
    pub min: i64,
    /// The greatest, in nanoseconds.
    pub max: i64,
    /// Their sum; saturates.
    sum: i64,
    /// How many in a row, up to the latest, exceeded the threshold.
    pub over: u32,
    /// When the first of those was received, in nanoseconds since the epoch.
    over_since: i64,
    /// The greatest magnitude among those.
    pub over_peak: u64,
    /// How many in a row, up to the latest, stayed below 80 % of the threshold.
    pub calm: u32,
    /// Whether the latest is in range by its source, whatever the threshold.
    pub in_range: bool,
}

impl Samples {
    /// Takes in an offset; `in_range` where its source finds it so, whatever the threshold.
    pub(super) fn push(
        &mut self,
        at: Received,
        offset: Offset,
        in_range: bool,
        settings: &Settings,
    ) {
        let nanos = offset.as_nanos();
        self.min = if self.count == 0 { nanos } else { self.min.min(nanos) };
        self.max = if self.count == 0 { nanos } else { self.max.max(nanos) };
        self.count += 1;
        self.sum = self.sum.saturating_add(nanos);
        self.last = Some((at.as_nanos(), offset));
        self.in_range = in_range;
        if offset.magnitude() > settings.offset_ns && !in_range {
            if self.over == 0 {
                self.over_since = at.as_nanos();
                self.over_peak = 0;
            }
            self.over = self.over.saturating_add(1);
            self.over_peak = self.over_peak.max(offset.magnitude());
        } else {
            self.over = 0;
        }
        self.calm =
            if in_range || is_calm(offset, settings) { self.calm.saturating_add(1) } else { 0 };
    }

    /// The mean, in nanoseconds; `None` without samples.
    #[must_use]
    pub fn mean_ns(&self) -> Option<i64> {
        let count = i64::try_from(self.count).ok().filter(|count| *count > 0)?;
        Some(self.sum / count)
    }

    /// When the present run of samples over the threshold began.
    #[must_use]
    pub const fn over_since(&self) -> Option<Received> {
        if self.over > 0 { Some(Received::from_nanos(self.over_since)) } else { None }
    }
}

/// Whether an offset is below 80 % of the threshold, in integers.
pub(crate) fn is_calm(offset: Offset, settings: &Settings) -> bool {
    u128::from(offset.magnitude()) * 5 < u128::from(settings.offset_ns) * 4
}
