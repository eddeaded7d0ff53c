//! Offset against time, with the tolerance, the forecast, and the states below.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};
use ptp_diagnostics::curve::{Curve, CurvePoint};
use ptp_diagnostics::report::Forecast;
use ptp_diagnostics::text::moment;
use ptp_events::Received;

use crate::scale::{OffsetScale, TimeScale};
use crate::states::Stretch;
use crate::strip::{self, strip};
use crate::words::nanos;

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 8.0;
const HEIGHT: f64 = 180.0;
const AXIS: f64 = 18.0;

/// What is drawn of one clock.
pub(crate) struct Plot<'a> {
    /// What a reader who does not see it is told.
    pub label: String,
    pub curve: Option<&'a Curve>,
    pub stretches: &'a [Stretch],
    /// The time shown.
    pub span: (Received, Received),
    /// Since when a fault is there, and what is expected of it.
    pub fault: Option<(Received, Option<&'a Forecast>)>,
}

/// Clocks one below the other on one line of time, by their states alone.
pub(crate) fn strips(rows: &[(String, Vec<Stretch>)], span: (Received, Received)) -> Markup {
    const LABEL: f64 = 260.0;
    const ROW: f64 = 20.0;
    let scale = TimeScale { from: span.0, to: span.1, left: LABEL, width: WIDTH - LABEL - RIGHT };
    let height = ROW * rows.len() as f64;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {:.0}", height + AXIS + 4.0)) role="img"
            aria-label="States of the clocks over time" {
            @for (n, (name, stretches)) in rows.iter().enumerate() {
                @let top = ROW * n as f64 + 3.0;
                text x="0" y=(format!("{:.1}", top + 11.0)) { (clip(name)) title { (name) } }
                (strip(stretches, &scale, top))
            }
            (time_axis(&scale, height + 4.0, 0.0))
        }
    }
}

/// Names that would run into the strip are cut; the whole name stands in the title.
fn clip(name: &str) -> String {
    const MOST: usize = 40;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let kept: String = name.chars().take(MOST - 1).collect();
    format!("{kept}…")
}

impl Plot<'_> {
    pub(crate) fn draw(&self) -> Markup {
        let forecast = self.fault.and_then(|(_, forecast)| forecast);
        let end = forecast.map_or(self.span.1, |forecast| {
            forecast.latest.unwrap_or(forecast.at).max(forecast.at).max(self.span.1)
        });
        let scale =
            TimeScale { from: self.span.0, to: end, left: LEFT, width: WIDTH - LEFT - RIGHT };
        let points: Vec<&CurvePoint> = self
            .curve
            .map(|curve| curve.points.iter())
            .into_iter()
            .flatten()
            .filter(|point| (self.span.0..=self.span.1).contains(&point.at))
            .collect();
        let drawn = if points.is_empty() { None } else { self.curve };
        let plot_height = if drawn.is_some() || forecast.is_some() { HEIGHT } else { 0.0 };
        let strip_top = TOP + plot_height + 6.0;
        let height = strip_top + strip::HEIGHT + AXIS + 4.0;
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="img" aria-label=(self.label) {
                @if plot_height > 0.0 {
                    (self.offsets(&points, drawn.map(|curve| curve.threshold_ns), forecast, &scale))
                }
                (strip(self.stretches, &scale, strip_top))
                @if let Some((since, _)) = self.fault {
                    (line("event", scale.x(since), TOP, scale.x(since), strip_top + strip::HEIGHT))
                }
                (time_axis(&scale, strip_top + strip::HEIGHT, plot_height))
            }
        }
    }

    fn offsets(
        &self,
        points: &[&CurvePoint],
        threshold_ns: Option<u64>,
        forecast: Option<&Forecast>,
        scale: &TimeScale,
    ) -> Markup {
        let limit = forecast.map(|forecast| forecast.limit_ns as f64);
        let threshold = threshold_ns.map_or(100.0, |ns| ns as f64);
        let sizes = points.iter().flat_map(|point| [point.min_ns, point.max_ns]);
        let most = sizes.map(|ns| ns.unsigned_abs() as f64).fold(0.0, f64::max);
        let y = OffsetScale::new(most.max(limit.unwrap_or(0.0)), threshold, TOP, HEIGHT);
        let (above, below) = (y.y(threshold), y.y(-threshold));
        html! {
            rect.tolerance x=(number(LEFT)) y=(number(above)) width=(number(scale.width))
                height=(number(below - above)) {}
            @for tick in y.ticks() {
                (line("grid", LEFT, y.y(tick), LEFT + scale.width, y.y(tick)))
                text x=(number(LEFT - 6.0)) y=(number(y.y(tick) + 4.0)) text-anchor="end" { (nanos(tick)) }
            }
            (line("axis", LEFT, TOP, LEFT, TOP + HEIGHT))
            (curve(points, scale, &y))
            @if let (Some((since, _)), Some(forecast)) = (self.fault, forecast) {
                (cone(since, forecast, points, scale, &y))
            }
        }
    }
}

/// The extremes as a band, the means as a line, broken where nothing was measured for long.
fn curve(points: &[&CurvePoint], scale: &TimeScale, y: &OffsetScale) -> Markup {
    let apart = |a: &CurvePoint, b: &CurvePoint| b.at.as_nanos().saturating_sub(a.at.as_nanos());
    let mut gaps: Vec<i64> = points.windows(2).map(|pair| apart(pair[0], pair[1])).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
    let together = |a: &&CurvePoint, b: &&CurvePoint| apart(a, b) <= usual.saturating_mul(6);
    let mut drawn = String::new();
    for run in points.chunk_by(together) {
        if let [point] = run {
            let (x, y) = (scale.x(point.at), y.y(point.mean_ns));
            let _ = write!(drawn, r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="2"/>"#);
            continue;
        }
        let at = |point: &&CurvePoint, ns: f64| format!("{:.1},{:.1}", scale.x(point.at), y.y(ns));
        if run.iter().any(|point| point.min_ns != point.max_ns) {
            let upper = run.iter().map(|point| at(point, point.max_ns as f64));
            let lower = run.iter().rev().map(|point| at(point, point.min_ns as f64));
            let range = upper.chain(lower).collect::<Vec<_>>().join(" ");
            let _ = write!(drawn, r#"<polygon class="range" points="{range}"/>"#);
        }
        let mean = run.iter().map(|point| at(point, point.mean_ns)).collect::<Vec<_>>().join(" ");
        let _ = write!(drawn, r#"<polyline class="curve" points="{mean}"/>"#);
    }
    PreEscaped(drawn)
}

/// From where the reference was lost to when the limit is reached: 8 times in 10 within the cone.
fn cone(
    since: Received,
    forecast: &Forecast,
    points: &[&CurvePoint],
    scale: &TimeScale,
    y: &OffsetScale,
) -> Markup {
    let latest = points.iter().rev().find(|point| point.at >= since);
    let sign = latest.map_or(1.0, |point| if point.mean_ns < 0.0 { -1.0 } else { 1.0 });
    let limit = y.y(sign * forecast.limit_ns as f64);
    // From what was measured last, where it rests on measurements.
    let (begin, offset) = match latest.filter(|_| forecast.samples > 0) {
        Some(point) => (point.at, point.mean_ns),
        None => (since, 0.0),
    };
    let (x, zero) = (scale.x(begin), y.y(offset));
    let says =
        format!("{} may be reached at {}", nanos(forecast.limit_ns as f64), moment(forecast.at));
    html! {
        (line("limit", LEFT, limit, LEFT + scale.width, limit))
        @if let (Some(earliest), Some(latest), true) = (forecast.earliest, forecast.latest, forecast.earliest < forecast.latest) {
            polygon.cone points=(format!(
                "{x:.1},{zero:.1} {:.1},{limit:.1} {:.1},{limit:.1}", scale.x(earliest), scale.x(latest)
            )) {}
        }
        @if forecast.model != "measured" { path.median d=(format!("M{x:.1} {zero:.1} L{:.1} {limit:.1}", scale.x(forecast.at))) {
            title { (says) }
        } }
    }
}

fn time_axis(scale: &TimeScale, top: f64, up: f64) -> Markup {
    html! {
        @for (at, text) in scale.ticks() {
            @let x = scale.x(at);
            @if up > 0.0 { (line("grid", x, TOP, x, TOP + up)) }
            (line("axis", x, top, x, top + 4.0))
            text x=(number(x)) y=(number(top + 15.0)) text-anchor="middle" data-time=(at.as_nanos() / 1_000_000) { (text) }
        }
    }
}

fn line(class: &str, x1: f64, y1: f64, x2: f64, y2: f64) -> Markup {
    html! { line class=(class) x1=(number(x1)) y1=(number(y1)) x2=(number(x2)) y2=(number(y2)) {} }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}
