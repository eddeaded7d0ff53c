//! How often, and how far, a clock's offset went over its publisher's threshold.

use ptp_events::{Measurement, Received, SyncState};

use crate::model::timeline::{Said, Timeline};
use crate::model::trace::Trace;

/// The losses of lock of late that came with an offset of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crossings {
    /// How many.
    pub count: u32,
    /// Losses of lock for another reason: HOLDOVER, a dead process, nothing measured.
    pub others: u32,
    /// How many of them were far over the usual threshold.
    pub far: u32,
    /// The least magnitude with which the lock was had again on the same side of zero, in
    /// nanoseconds; 0 when it was on the other.
    pub back: u64,
    /// The smallest magnitude of them, in nanoseconds.
    pub least: u64,
    /// The greatest.
    pub most: u64,
    /// When the first and the last of them were.
    pub first: Received,
    pub last: Received,
}

/// Whether an offset is so far over the threshold that it did not creep there.
pub(crate) const fn is_far(magnitude: u64, offset_ns: u64) -> bool {
    magnitude.saturating_mul(4) > offset_ns.saturating_mul(5)
}

impl Crossings {
    /// Those of the clock's remembered changes that were after `from`.
    pub(crate) fn of(clock: &Timeline, from: Received, offset_ns: u64) -> Self {
        let mut found = Self {
            count: 0,
            others: 0,
            far: 0,
            back: u64::MAX,
            least: 0,
            most: 0,
            first: from,
            last: from,
        };
        let mut was_locked = false;
        let mut crossed = 0;
        for fact in clock.facts() {
            let Said::State { state, measured, .. } = &fact.said else {
                continue;
            };
            let left = std::mem::replace(&mut was_locked, state.is_locked());
            if state.is_locked()
                && !left
                && crossed != 0
                && let Some(Measurement::Offset(back)) = measured
            {
                let same_side = back.as_nanos().signum() == crossed;
                found.back = found.back.min(if same_side { back.magnitude() } else { 0 });
            }
            if !left || state.is_locked() || fact.at < from {
                continue;
            }
            let (SyncState::Freerun, Some(Measurement::Offset(offset))) = (state, measured) else {
                found.others += 1;
                continue;
            };
            crossed = offset.as_nanos().signum();
            let magnitude = offset.magnitude();
            if found.count == 0 {
                found.first = fact.at;
                found.least = magnitude;
            }
            found.count += 1;
            found.far += u32::from(is_far(magnitude, offset_ns));
            found.last = fact.at;
            found.least = found.least.min(magnitude);
            found.most = found.most.max(magnitude);
        }
        found
    }

    /// Whether they are a matter of where the threshold is: see `threshold-hugging`.
    pub(crate) fn hug(&self, offset_ns: u64, trace: &Trace) -> bool {
        if self.others > 0 {
            return false;
        }
        // Hardly above it and hardly below it, whatever the threshold is: the level sits there.
        let sits = self.back < u64::MAX
            && self.back.saturating_mul(10) >= self.most.saturating_mul(6)
            && self.most.saturating_mul(10) <= self.least.saturating_mul(13);
        if sits || trace.trend().is_some() {
            return sits;
        }
        let tight = self.most * 10 < offset_ns * 9;
        let touched =
            self.least * 10 >= offset_ns * 8 && self.most * 10 <= offset_ns * 13 && trace.wanders();
        tight || touched
    }
}
