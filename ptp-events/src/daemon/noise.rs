//! How well a servo can measure: of a clock that nobody has set a threshold for.

use crate::Offset;

/// How many offsets show it.
const KEEP: usize = 16;
/// How many it takes.
const LEAST: usize = 8;
/// How far beyond its usual size an offset is more than noise: of normal noise one in ten thousand is
/// (5.9 median deviations are four standard deviations).
const BEYOND: u64 = 6;

/// The latest offsets of a locked servo.
///
/// linuxptp has no threshold: a servo in `s2` is locked (linuxptp, servo.h), and offsets about zero are how
/// well it can measure, which with software timestamps is tens of microseconds. The threshold is the
/// publisher's, and where linuxptp runs alone there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Noise {
    latest: [i64; KEEP],
    count: usize,
    /// The usual size, once there were enough; it grows by a tenth at most with each of `KEEP` offsets, or
    /// a fault that lets some of its offsets in would become what is usual.
    usual: Option<u64>,
}

impl Noise {
    /// From where on an offset is out of range, at `least`; `None` until that can be told.
    pub(super) fn limit(&self, least: u64) -> Option<u64> {
        if self.count < LEAST {
            return None;
        }
        let kept = &self.latest[..self.count.min(KEEP)];
        let above = kept.iter().filter(|offset| **offset > 0).count();
        let below = kept.iter().filter(|offset| **offset < 0).count();
        // What stays on one side is off.
        if above.min(below) * 5 < kept.len() {
            return Some(least);
        }
        let size = self.usual.unwrap_or_else(|| median(kept));
        Some(least.max(size.saturating_mul(BEYOND)))
    }

    /// Takes in an offset that is no more than noise, or one of the first.
    pub(super) fn push(&mut self, offset: Offset, limit: Option<u64>) {
        if limit.is_none_or(|limit| offset.magnitude() < limit) {
            self.latest[self.count % KEEP] = offset.as_nanos();
            self.count += 1;
            if self.count.is_multiple_of(KEEP) {
                let now = median(&self.latest);
                let most = self.usual.map_or(now, |usual| usual.saturating_add(usual / 10));
                self.usual = Some(now.min(most));
            }
        }
    }
}

/// The median size.
fn median(offsets: &[i64]) -> u64 {
    let mut sizes: Vec<u64> = offsets.iter().map(|offset| offset.unsigned_abs()).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(offsets: &[i64]) -> Option<u64> {
        let mut noise = Noise::default();
        for offset in offsets {
            let limit = noise.limit(100);
            noise.push(Offset::from_nanos(*offset), limit);
        }
        noise.limit(100)
    }

    #[test]
    fn what_swings_about_zero_is_noise_and_what_stays_off_is_not() {
        assert_eq!(after(&[5; 7]), None);
        assert_eq!(after(&[5, -7, 3, -2, 8, -9, 1, -4]), Some(100));
        assert_eq!(
            after(&[5_000, -7_000, 3_000, -2_000, 8_000, -9_000, 1_000, -4_000]),
            Some(30_000)
        );
        assert_eq!(after(&[5_000; 8]), Some(100));
        // A step is not taken into what is usual.
        let stepped = [5, -7, 3, -2, 8, -9, 1, -4, 700, 700, 700, 700, 700, 700, 700, 700];
        assert_eq!(after(&stepped), Some(100));
        // Nor is jitter, of which some is within reach now and then.
        let quiet = [5_000, -7_000, 3_000, -2_000, 8_000, -9_000, 1_000, -4_000].repeat(2);
        let jitter = [25_000, -400_000, -28_000, 300_000].repeat(100);
        assert!(after(&[quiet, jitter].concat()) < Some(100_000));
    }
}
