//! A clock's offsets as a picture, for clients whose model sees them.
//!
//! Without letters: fonts are large, and what a reader must know of the scales is in the answer's text.

use ptp_diagnostics::curve::{Curve, CurvePoint};
use tiny_skia::{Color, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

/// Its size, in pixels: what a model sees whole.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 240;
const MARGIN: f64 = 8.0;
/// How far beyond the greatest offset, and beyond the tolerance, there is still room.
const ROOM: f64 = 1.1;

/// A curve, drawn.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// A PNG.
    pub png: Vec<u8>,
    /// The offset at its upper edge, in nanoseconds; at its lower edge it is as far below zero.
    pub edge_ns: u64,
}

/// Where a point in time and an offset are, in pixels.
struct Scale {
    from: f64,
    seconds: f64,
    edge: f64,
}

impl Scale {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "pixels are small, and need no more digits"
    )]
    fn x(&self, point: &CurvePoint) -> f32 {
        let share = (point.at.as_nanos() as f64 - self.from) / self.seconds;
        (MARGIN + share.clamp(0.0, 1.0) * (f64::from(WIDTH) - 2.0 * MARGIN)) as f32
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "pixels are small, and need no more digits"
    )]
    fn y(&self, ns: f64) -> f32 {
        let share = (ns / self.edge).clamp(-1.0, 1.0);
        (f64::from(HEIGHT) / 2.0 - share * (f64::from(HEIGHT) / 2.0 - MARGIN)) as f32
    }
}

/// Draws a curve: time from left to right, zero as a line, the tolerance as two broken ones, each point from its
/// least to its greatest offset, and the means as a line. `None` of a curve without points.
pub(crate) fn draw(curve: &Curve) -> Option<Picture> {
    let (first, last) = (curve.points.first()?, curve.points.last()?);
    let greatest = curve.points.iter().map(|point| magnitude(point).max(curve.threshold_ns)).max();
    let edge = (greatest.unwrap_or(1).max(1) as f64 * ROOM).ceil();
    let (from, to) = (first.at.as_nanos() as f64, last.at.as_nanos() as f64);
    let scale = Scale { from, seconds: (to - from).max(1.0), edge };

    let mut picture = Pixmap::new(WIDTH, HEIGHT)?;
    picture.fill(Color::WHITE);
    let tolerance = curve.threshold_ns as f64;
    for (ns, dashes) in [(0.0, None), (tolerance, Some(8.0)), (-tolerance, Some(8.0))] {
        let dash = dashes.and_then(|length| StrokeDash::new(vec![length, length], 0.0));
        let stroke = Stroke { width: 1.0, dash, ..Stroke::default() };
        line(&mut picture, &level(scale.y(ns))?, (120, 120, 120), &stroke);
    }
    let bar = Stroke { width: 3.0, ..Stroke::default() };
    for point in &curve.points {
        let mut path = PathBuilder::new();
        let (top, bottom) = (scale.y(point.max_ns as f64), scale.y(point.min_ns as f64));
        path.move_to(scale.x(point), top - 1.0);
        path.line_to(scale.x(point), bottom + 1.0);
        line(&mut picture, &path.finish()?, (150, 190, 230), &bar);
    }
    let mut means = PathBuilder::new();
    means.move_to(scale.x(first), scale.y(first.mean_ns));
    for point in &curve.points {
        means.line_to(scale.x(point), scale.y(point.mean_ns));
    }
    // Of a single point there is no line.
    if let Some(path) = means.finish() {
        let stroke = Stroke { width: 1.5, ..Stroke::default() };
        line(&mut picture, &path, (10, 60, 130), &stroke);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and what is larger than any offset ends there"
    )]
    let edge_ns = edge as u64;
    Some(Picture { png: picture.encode_png().ok()?, edge_ns })
}

fn magnitude(point: &CurvePoint) -> u64 {
    point.min_ns.unsigned_abs().max(point.max_ns.unsigned_abs())
}

/// A line from the left to the right.
fn level(y: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    path.move_to(0.0, y);
    #[expect(clippy::cast_precision_loss, reason = "it is a few hundred")]
    path.line_to(WIDTH as f32, y);
    path.finish()
}

fn line(picture: &mut Pixmap, path: &Path, (r, g, b): (u8, u8, u8), stroke: &Stroke) {
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, 255);
    paint.anti_alias = true;
    picture.stroke_path(path, &paint, stroke, Transform::identity(), None);
}

#[cfg(test)]
mod tests {
    use ptp_events::Received;

    use super::*;

    fn curve(offsets: &[i64]) -> Curve {
        let timed =
            (0..).zip(offsets).map(|(s, ns)| (Received::from_nanos(s * 1_000_000_000), *ns));
        Curve::of(100, timed, 60)
    }

    /// Whether something of the curve's own colours is drawn in a row of pixels.
    fn is_drawn(picture: &Picture, rows: std::ops::Range<u32>) -> bool {
        let pixels = Pixmap::decode_png(&picture.png).unwrap();
        rows.flat_map(|y| (0..WIDTH).map(move |x| (x, y)))
            .filter_map(|(x, y)| pixels.pixel(x, y))
            .any(|pixel| pixel.blue() > pixel.red().saturating_add(40))
    }

    #[test]
    fn a_clock_that_is_late_is_drawn_above_zero_and_an_early_one_below() {
        let (above, below) = (0..HEIGHT / 2 - 10, HEIGHT / 2 + 10..HEIGHT);
        let late = draw(&curve(&[80; 30])).unwrap();
        assert_eq!(late.edge_ns, 111, "{}", late.edge_ns);
        assert!(is_drawn(&late, above.clone()) && !is_drawn(&late, below.clone()));
        let early = draw(&curve(&[-80; 30])).unwrap();
        assert!(!is_drawn(&early, above) && is_drawn(&early, below));
    }

    #[test]
    fn no_offset_is_too_wild_to_draw_and_none_draws_nothing() {
        for wild in [&[i64::MAX, i64::MIN][..], &[0], &[5; 61]] {
            let picture = draw(&curve(wild)).unwrap();
            assert!(picture.png.starts_with(b"\x89PNG") && picture.png.len() < 20_000);
        }
        assert!(draw(&curve(&[])).is_none());
    }
}
