//! The samples that may be measured: regular, without a gap, and enough of them.

use std::time::Duration;

use super::figures::{MIN_SAMPLES, MIN_SPAN, Sample};
use crate::text::lasting;

/// Why samples are not measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There are not enough samples, however they are spread.
    #[error("only {samples} offsets while LOCKED without a break, of at least {MIN_SAMPLES}")]
    Few {
        /// How many there are.
        samples: usize,
    },
    /// There are enough, but no stretch of them is regular.
    #[error(
        "gappy: at most {longest} of {samples} offsets come at regular distance, of at least {MIN_SAMPLES}"
    )]
    Gappy {
        /// How many the longest regular stretch has.
        longest: usize,
        /// How many there are.
        samples: usize,
    },
    /// The longest regular stretch is over too soon.
    #[error("short: regular offsets for {}, of at least {}", lasting(*span), lasting(MIN_SPAN))]
    Short {
        /// How long it lasts.
        span: Duration,
    },
    /// There is nothing in them: some publishers send 0 in place of a measurement
    /// (docs/protocol.md §6).
    #[error("every offset is 0, which some publishers send in place of a measurement")]
    Zero,
}

/// The longest stretch in which samples come at a regular distance: the median of all distances,
/// half of it more or less. What comes in between is left out.
pub(super) fn longest(samples: &[Sample]) -> Result<Vec<Sample>, Refusal> {
    if samples.len() < MIN_SAMPLES {
        return Err(Refusal::Few { samples: samples.len() });
    }
    if samples.iter().all(|sample| sample.offset.as_nanos() == 0) {
        return Err(Refusal::Zero);
    }
    let mut sorted = samples.to_vec();
    // The same samples give the same figures, whatever their order.
    sorted.sort_by_key(|sample| (sample.at, sample.offset));
    let mut best = 0..0;
    let mut kept: Vec<Sample> = Vec::with_capacity(sorted.len());
    let mut begin = 0;
    let usual = median_distance(&sorted);
    for sample in sorted {
        if let Some(last) = kept.last() {
            let distance = sample.at.since(last.at);
            if distance * 2 <= usual {
                continue;
            }
            if distance * 2 > usual * 3 {
                begin = kept.len();
            }
        }
        kept.push(sample);
        if kept.len() - begin > best.len() {
            best = begin..kept.len();
        }
    }
    if best.len() < MIN_SAMPLES {
        return Err(Refusal::Gappy { longest: best.len(), samples: samples.len() });
    }
    let stretch = kept[best].to_vec();
    let span = stretch[stretch.len() - 1].at.since(stretch[0].at);
    if span < MIN_SPAN {
        return Err(Refusal::Short { span });
    }
    Ok(stretch)
}

/// The median distance of samples in time order.
fn median_distance(sorted: &[Sample]) -> Duration {
    let mut distances: Vec<_> =
        sorted.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    let middle = distances.len() / 2;
    *distances.select_nth_unstable(middle).1
}
