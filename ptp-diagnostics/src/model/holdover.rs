//! What was measured of a clock while it had no reference.

mod filter;

use ptp_events::Received;

use self::filter::Filter;

/// How many measurements in a row beyond the limit show that it is reached: one may be an outlier.
const BEYOND: u32 = 2;
/// What was measured during a holdover, by something that still knows better.
#[derive(Clone, Debug, Default)]
pub(crate) struct HoldoverTracker {
    /// When the reference was lost, and the offset then, in nanoseconds.
    pub(super) lost: Option<(Received, i64)>,
    /// Nothing until something is measured: most clocks never are.
    pub(super) filter: Option<Box<Filter>>,
    /// The first of those beyond the limit, and how many there were in a row, up to [`BEYOND`].
    beyond: Option<(Received, u32)>,
}

impl HoldoverTracker {
    /// The reference was lost at `at`, with this offset.
    pub(crate) fn begin(&mut self, at: Received, nanos: i64) {
        self.lost = Some((at, nanos));
        self.filter = None;
        self.beyond = None;
    }

    /// Takes an offset that is not the one from before the loss.
    pub(crate) fn push(&mut self, at: Received, nanos: i64, limit_ns: u64) {
        let Some((since, phase)) = self.lost else {
            return;
        };
        let filter = self.filter.get_or_insert_with(|| Box::new(Filter::new(phase as f64)));
        filter.push(at.since(since).as_secs_f64(), nanos as f64);
        self.beyond = match self.beyond {
            Some((first, count)) if count >= BEYOND => Some((first, count)),
            before if nanos.unsigned_abs() >= limit_ns => {
                Some(before.map_or((at, 1), |(first, count)| (first, count + 1)))
            }
            _ => None,
        };
    }

    /// When the limit was reached, where that was measured.
    pub(super) fn reached(&self) -> Option<Received> {
        self.beyond.filter(|(_, count)| *count >= BEYOND).map(|(first, _)| first)
    }
}
