//! Whether what is said to be so likely comes true so often.

use std::fmt::Write as _;

/// How many bins a confidence falls into.
const BINS: usize = 10;

/// What was said with which confidence, and whether it was so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calibration {
    bins: [Bin; BINS],
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    said: f64,
    true_: u32,
    count: u32,
}

impl Calibration {
    pub(crate) fn push(&mut self, confidence: f64, came_true: bool) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        self.bins[bin].said += confidence;
        self.bins[bin].true_ += u32::from(came_true);
        self.bins[bin].count += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.said += more.said;
            bin.true_ += more.true_;
            bin.count += more.count;
        }
    }

    /// The expected calibration error: how far what is said is from what comes true, bin by bin,
    /// weighed by how often it is said (Naeini et al., AAAI 2015).
    pub(crate) fn error(&self) -> Option<f64> {
        let whole: u32 = self.bins.iter().map(|bin| bin.count).sum();
        let apart = |bin: &Bin| (bin.said - f64::from(bin.true_)).abs();
        (whole > 0).then(|| self.bins.iter().map(apart).sum::<f64>() / f64::from(whole))
    }

    /// One row per bin in which anything was said.
    pub(crate) fn table(&self) -> String {
        let mut out = "| said | came true | incidents |\n|--:|--:|--:|\n".to_owned();
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            let count = f64::from(bin.count);
            let (said, came) = (bin.said / count, f64::from(bin.true_) / count);
            writeln!(out, "| {said:.2} | {came:.2} | {} |", bin.count).unwrap_or_default();
        }
        let error = self.error().unwrap_or_default();
        writeln!(out, "\nExpected calibration error: {error:.3}.").unwrap_or_default();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_true_as_often_as_said_is_no_error() {
        let mut calibration = Calibration::default();
        for n in 0..10 {
            calibration.push(0.7, n < 7);
        }
        assert!(calibration.error().is_some_and(|error| error < 1e-9));
        for _ in 0..10 {
            calibration.push(0.95, false);
        }
        let error = calibration.error().unwrap_or_default();
        assert!((error - 0.475).abs() < 1e-9, "half of what is said is wrong by 0.95: {error}");
        assert_eq!(Calibration::default().error(), None);
        assert_eq!(
            calibration.table(),
            "| said | came true | incidents |\n|--:|--:|--:|\n| 0.70 | 0.70 | 10 |\n\
             | 0.95 | 0.00 | 10 |\n\nExpected calibration error: 0.475.\n"
        );
    }

    #[test]
    fn sums_are_those_of_all() {
        let (mut one, mut other) = (Calibration::default(), Calibration::default());
        let mut both = Calibration::default();
        for (mine, confidence, so) in [(true, 0.2, true), (false, 1.0, false), (false, 0.0, false)]
        {
            if mine { &mut one } else { &mut other }.push(confidence, so);
            both.push(confidence, so);
        }
        one.add(&other);
        assert_eq!(one.table(), both.table());
    }
}
