//! The words of a stability table, for whatever it is written in.

use std::time::Duration;

use ptp_diagnostics::stability::StabilityReport;
use ptp_diagnostics::text::lasting;

/// What the columns hold; MTIE and TDEV are those of the longest observation interval.
pub(super) const COLUMNS: [&str; 8] =
    ["clock", "samples", "every", "max|TE|", "cTE", "MTIE", "TDEV", "fits"];

/// The clock's node and which of its clocks it is.
pub(super) fn name(clock: &StabilityReport) -> String {
    format!("{} {}", clock.node, clock.instance)
}

/// The samples, how far apart they are, and max|TE|, cTE, MTIE and TDEV in nanoseconds; `None` when
/// they are refused.
pub(super) fn figures(clock: &StabilityReport) -> Option<[String; 6]> {
    let figures = clock.figures.as_ref()?;
    let longest = figures.curve.last()?;
    Some([
        figures.samples.to_string(),
        lasting(Duration::from_secs_f64(figures.interval_s)),
        figures.max_te_ns.to_string(),
        // Without a sign when it is as good as zero.
        format!("{:.1}", (figures.cte_ns * 10.0).round() / 10.0 + 0.0),
        longest.mtie_ns.to_string(),
        format!("{:.1}", longest.tdev_ns),
    ])
}

/// What needs the filter of G.8273.2, in one line; `None` where samples come too seldom for it.
pub(super) fn filtered(clock: &StabilityReport) -> Option<String> {
    let filtered = clock.figures.as_ref()?.filtered.as_ref()?;
    let longest = filtered.curve.last()?;
    Some(format!(
        "through {} Hz: max|TE_L| {:.1}, dTE_L MTIE {} and TDEV {:.1}, dTE_H {:.1} from peak to peak",
        filtered.bandwidth_hz,
        filtered.max_te_l_ns,
        longest.mtie_ns,
        longest.tdev_ns,
        filtered.dte_h_ns
    ))
}

/// Which class's masks the figures keep to.
pub(super) fn fits(clock: &StabilityReport) -> &str {
    match clock.fits() {
        Some(class) => class.unwrap_or("no class"),
        None => "no mask",
    }
}
