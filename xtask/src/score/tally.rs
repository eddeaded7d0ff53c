//! Sums over scenarios, and the figures that follow from them.

use super::calibration::Calibration;
use super::play::{Basis, Judged, Outcome};

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) scenarios: u32,
    pub(crate) visible: u32,
    pub(crate) visible_found: u32,
    pub(crate) hidden: u32,
    pub(crate) hidden_found: u32,
    right_cause: u32,
    false_incidents: u32,
    pub(crate) alerts: u32,
    pub(crate) quiet_alerts: u32,
    delays: Vec<f64>,
    pub(crate) calibration: Calibration,
    /// Forecasts that rest on measurements.
    pub(crate) measured: Forecasts,
    /// Forecasts of the others, where the topology says what an oscillator holds.
    pub(crate) declared: Forecasts,
    /// The same, resting on the default model only.
    pub(crate) model: Forecasts,
    /// Measured or declared, all in one.
    pub(crate) informed: Forecasts,
    /// Measured or by the default model, all in one.
    pub(crate) uninformed: Forecasts,
}

/// How good the forecasts of one sort were.
#[derive(Debug, Default)]
pub(crate) struct Forecasts {
    errors: Vec<f64>,
    held: u32,
}

impl Forecasts {
    fn push(&mut self, judged: Judged) {
        self.errors.push(judged.error);
        self.held += u32::from(judged.held);
    }

    pub(crate) const fn count(&self) -> usize {
        self.errors.len()
    }

    pub(crate) fn error(&self) -> Option<f64> {
        at(&self.errors, 0.5)
    }

    /// The share of crossings that the 80 % band held.
    pub(crate) fn coverage(&self) -> Option<f64> {
        share(self.held, u32::try_from(self.errors.len()).unwrap_or(u32::MAX))
    }
}

impl Tally {
    pub(crate) fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.scenarios += 1;
            tally.visible += outcome.visible;
            tally.visible_found += outcome.visible_found;
            tally.hidden += outcome.hidden;
            tally.hidden_found += outcome.hidden_found;
            tally.right_cause += outcome.right_cause;
            tally.false_incidents += outcome.false_incidents;
            tally.alerts += outcome.alerts;
            tally.quiet_alerts += outcome.quiet_alerts;
            tally.delays.extend(&outcome.delays);
            tally.calibration.add(&outcome.calibration);
            for judged in &outcome.forecasts {
                if judged.basis != Basis::Default {
                    tally.informed.push(*judged);
                }
                if judged.basis != Basis::Declared {
                    tally.uninformed.push(*judged);
                }
                let sort = match judged.basis {
                    Basis::Measured => &mut tally.measured,
                    Basis::Declared => &mut tally.declared,
                    Basis::Default => &mut tally.model,
                };
                sort.push(*judged);
            }
        }
        tally.delays.sort_by(f64::total_cmp);
        for sort in [
            &mut tally.measured,
            &mut tally.declared,
            &mut tally.model,
            &mut tally.informed,
            &mut tally.uninformed,
        ] {
            sort.errors.sort_by(f64::total_cmp);
        }
        tally
    }

    fn found(&self) -> u32 {
        self.visible_found + self.hidden_found
    }

    /// The share of faults that were found, of those that could be and those that were.
    pub(crate) fn recall(&self) -> Option<f64> {
        share(self.visible_found, self.visible)
    }

    /// The share of incidents that are about a fault.
    pub(crate) fn precision(&self) -> Option<f64> {
        share(self.found(), self.found() + self.false_incidents)
    }

    /// The share of found faults whose cause was named.
    pub(crate) fn top1(&self) -> Option<f64> {
        share(self.right_cause, self.found())
    }

    pub(crate) fn alerts_per_fault(&self) -> Option<f64> {
        share(self.alerts, self.visible + self.hidden)
    }

    pub(crate) fn delay(&self, quantile: f64) -> Option<f64> {
        at(&self.delays, quantile)
    }
}

fn share(part: u32, whole: u32) -> Option<f64> {
    (whole > 0).then(|| f64::from(part) / f64::from(whole))
}

/// The value below which this share of `sorted` lies.
fn at(sorted: &[f64], quantile: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (last as f64 * quantile).round() as usize;
    sorted.get(index).copied()
}
