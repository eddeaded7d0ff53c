//! How steady a clock says it is: max|TE|, cTE, MTIE and TDEV of its own offsets.
//!
//! **Indicative and self-reported.** An offset in an event is what the clock measured against its
//! own reference, to a nanosecond, often no more than once a minute. It sees neither the asymmetry of the path nor an error of the
//! reference. Where offsets come once a second or faster, as in a log, the filters of G.8273.2 are applied
//! (`dTE_L`, `dTE_H`, classes A to D). A figure within a mask is no proof of conformance; one beyond it is worth a
//! measurement with an instrument. So short or gappy data are refused rather than stretched.
//!
//! ```
//! use ptp_diagnostics::stability::{Sample, measure};
//! use ptp_events::{Offset, Received};
//!
//! // A sample a minute, the offset growing by 1 ns each time.
//! let samples: Vec<_> = (1..=120)
//!     .map(|n| Sample { at: Received::from_nanos(n * 60_000_000_000), offset: Offset::from_nanos(n) })
//!     .collect();
//! let figures = measure(&samples)?;
//! assert_eq!(figures.max_te_ns, 120);
//! assert_eq!((figures.curve[2].tau_s, figures.curve[2].mtie_ns), (240.0, 4));
//! # Ok::<(), ptp_diagnostics::stability::Refusal>(())
//! ```

mod deviation;
mod figures;
mod filter;
mod gather;
mod masks;
mod stretch;

use ptp_events::{Instance, NodeName, Resource};
use serde::{Deserialize, Serialize};

use crate::text::Text;

pub use self::figures::{BASIS, Figures, MIN_SAMPLES, MIN_SPAN, Point, Sample};
use self::figures::{LEAST_INTERVALS, rounded};
pub use self::filter::{BANDWIDTH_HZ, Filtered};
pub use self::gather::{Gatherer, MAX_CLOCKS, MAX_SAMPLES, MAX_SAMPLES_PER_CLOCK};
pub use self::masks::{Figure, MaskReport};
pub use self::stretch::Refusal;

/// The stability of one clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StabilityReport {
    /// The clock's node.
    pub node: NodeName,
    /// Its kind.
    pub resource: Resource,
    /// Which one.
    pub instance: Instance,
    /// [`BASIS`].
    pub basis: Text,
    /// How many offsets it sent while LOCKED.
    pub offered: u64,
    /// The figures; absent when they are refused.
    #[serde(flatten)]
    pub figures: Option<Figures>,
    /// How the figures compare with masks for a clock of its kind.
    pub masks: Vec<MaskReport>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

impl StabilityReport {
    /// The strictest class whose masks all hold, and those of all wider ones: `Some(None)` when not even
    /// the widest does, `None` when no masks apply.
    #[must_use]
    pub fn fits(&self) -> Option<Option<&str>> {
        let mut classes: Vec<_> = self.masks.iter().map(|mask| &*mask.class).collect();
        classes.dedup();
        let holds = |class: &&&str| {
            self.masks.iter().filter(|mask| mask.class == **class).all(|mask| mask.within)
        };
        (!classes.is_empty()).then(|| classes.iter().take_while(holds).last().copied())
    }
}

/// Measures the longest regular stretch of `samples`, which may come in any order.
///
/// # Errors
/// When there is no stretch that is long enough to be measured.
pub fn measure(samples: &[Sample]) -> Result<Figures, Refusal> {
    let stretch = stretch::longest(samples)?;
    let offsets: Vec<i64> = stretch.iter().map(|sample| sample.offset.as_nanos()).collect();
    let (from, to) = (stretch[0].at, stretch[stretch.len() - 1].at);
    let interval_s = to.since(from).as_secs_f64() / (offsets.len() - 1) as f64;
    let sum: i128 = offsets.iter().copied().map(i128::from).sum();
    let curve = std::iter::successors(Some(1_usize), |n| Some(n * 2))
        .take_while(|n| n * LEAST_INTERVALS <= offsets.len())
        .map(|n| Point {
            tau_s: rounded(interval_s * n as f64),
            mtie_ns: deviation::mtie(&offsets, n),
            tdev_ns: rounded(deviation::tdev(&offsets, n)),
        })
        .collect();
    Ok(Figures {
        samples: offsets.len(),
        interval_s: rounded(interval_s),
        from,
        to,
        max_te_ns: offsets.iter().map(|offset| offset.unsigned_abs()).max().unwrap_or_default(),
        cte_ns: rounded(sum as f64 / offsets.len() as f64),
        filtered: filter::filtered(&offsets, interval_s),
        curve,
    })
}

#[cfg(test)]
mod tests;
