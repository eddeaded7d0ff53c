//! MTIE and TDEV against the observation interval, with the masks they are compared with.

use maud::{Markup, PreEscaped, html};
use ptp_diagnostics::report::Report;
use ptp_diagnostics::stability::{BASIS, Figure, MaskReport, Point, StabilityReport};

use crate::words::{nanos, seconds};

/// How many clocks are drawn, and how many stand in the table.
const DRAWN: usize = 60;
const LISTED: usize = 1000;

/// More decades than any figure spans.
const MOST_DECADES: usize = 30;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 8.0;
const RIGHT: f64 = 10.0;
const BOTTOM: f64 = 34.0;

pub(crate) fn stability(clocks: &[StabilityReport], report: &Report) -> Markup {
    let measured = clocks.iter().filter(|clock| clock.figures.is_some());
    html! {
        p.soft { (BASIS) ": what a clock measured against its own reference. It shows neither an asymmetric path nor an error of the reference." }
        @if clocks.is_empty() { p { "No clock sent offsets while LOCKED." } }
        (table(clocks))
        @if clocks.len() > LISTED { p { "and " (clocks.len() - LISTED) " more" } }
        @for clock in measured.take(DRAWN) {
            @if let Some(figures) = &clock.figures {
                @let curve = figures.filtered.as_ref().map_or(&figures.curve, |filtered| &filtered.curve);
                details.node id=(format!("stability-{}-{}", clock.node, clock.instance)) open[report.nodes.len() <= 4] {
                    summary { (clock.node) " " (clock.instance) }
                    (plot("MTIE", Figure::Mtie, &points(curve, |p| p.mtie_ns as f64), &clock.masks))
                    (plot("TDEV", Figure::Tdev, &points(curve, |p| p.tdev_ns), &clock.masks))
                }
            }
        }
    }
}

fn points(curve: &[Point], value: impl Fn(&Point) -> f64) -> Vec<(f64, f64)> {
    curve.iter().map(|point| (point.tau_s, value(point))).collect()
}

fn table(clocks: &[StabilityReport]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Stability" { table {
            thead { tr {
                th { "clock" } th.number { "samples" } th.number { "every" } th.number { "max|TE|" } th.number { "cTE" } th { "keeps to" }
            } }
            tbody { @for clock in clocks.iter().take(LISTED) { tr {
                td { (clock.node) " " (clock.instance) }
                @match &clock.figures {
                    Some(figures) => {
                        td.number { (figures.samples) }
                        td.number { (seconds(figures.interval_s)) }
                        td.number { (nanos(figures.max_te_ns as f64)) }
                        td.number { (nanos(figures.cte_ns)) }
                        td { @match clock.fits() { None => "no mask", Some(None) => "no class", Some(Some(class)) => (class) } }
                    },
                    None => td.soft colspan="5" { (clock.refused.as_deref().unwrap_or_default()) },
                }
            } } }
        } }
    }
}

/// A log-log plot: the measured figure as a line, each mask broken.
fn plot(name: &str, figure: Figure, points: &[(f64, f64)], masks: &[MaskReport]) -> Markup {
    // A logarithm needs more than nothing.
    const LEAST_NS: f64 = 0.1;
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let masks: Vec<(&MaskReport, Vec<(f64, f64)>)> = masks
        .iter()
        .filter(|mask| mask.figure == figure)
        .map(|mask| {
            let at = |(tau, _): &(f64, f64)| mask.limit_at(*tau).map(|limit| (*tau, limit));
            (mask, points.iter().filter_map(at).collect())
        })
        .collect();
    let values = || {
        points.iter().chain(masks.iter().flat_map(|(_, line)| line)).map(|(_, ns)| ns.max(LEAST_NS))
    };
    let (low, high) =
        (values().fold(f64::MAX, f64::min).log10(), values().fold(f64::MIN, f64::max).log10());
    let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
    let (begin, end) = (first.0.log10(), last.0.log10().max(first.0.log10() + 0.1));
    let x = |tau: f64| LEFT + (WIDTH - LEFT - RIGHT) * (tau.log10() - begin) / (end - begin);
    let y =
        |ns: f64| TOP + (HEIGHT - TOP - BOTTOM) * (high - ns.max(LEAST_NS).log10()) / (high - low);
    let line = |points: &[(f64, f64)]| {
        let places = points.iter().map(|(tau, ns)| format!("{:.1},{:.1}", x(*tau), y(*ns)));
        places.collect::<Vec<_>>().join(" ")
    };
    let decades = |from: f64, to: f64| {
        std::iter::successors(Some(from.ceil()), |n| Some(n + 1.0))
            .take_while(move |n| *n <= to + 1e-9)
            .take(MOST_DECADES)
    };
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(format!("{name} against the observation interval, with its masks")) {
            @for power in decades(low, high) {
                @let at = y(10_f64.powf(power));
                line.grid x1=(LEFT) x2=(WIDTH - RIGHT) y1=(format!("{at:.1}")) y2=(format!("{at:.1}")) {}
                text x=(LEFT - 6.0) y=(format!("{:.1}", at + 4.0)) text-anchor="end" { (nanos(10_f64.powf(power))) }
            }
            @for power in decades(begin, end) {
                @let at = x(10_f64.powf(power));
                line.grid x1=(format!("{at:.1}")) x2=(format!("{at:.1}")) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                text x=(format!("{at:.1}")) y=(HEIGHT - BOTTOM + 14.0) text-anchor="middle" { (10_f64.powf(power)) " s" }
            }
            @for (mask, limits) in &masks {
                polyline.mask.wide[mask.within] points=(line(limits)) { title { (mask.standard) " " (mask.class) } }
                @if let Some((tau, ns)) = limits.last() {
                    text x=(format!("{:.1}", x(*tau) - 2.0)) y=(format!("{:.1}", y(*ns) - 3.0)) text-anchor="end" { (mask.class) }
                }
            }
            (PreEscaped(format!(r#"<polyline class="curve" points="{}"/>"#, line(points))))
            text x=(LEFT + 4.0) y=(HEIGHT - 6.0) { (name) " over the observation interval" }
        }
    }
}
