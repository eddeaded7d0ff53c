//! A diagnosis as a page for people: HTML and SVG, drawn here and nowhere else.
//!
//! What is drawn is the public report, [`ptp_diagnostics::Report`]: whoever has one, from an engine or from a
//! file, has its page. A page is one file. Nothing is loaded from elsewhere, and its own policy forbids
//! it; without JavaScript only the copy buttons are missing. Text from events is escaped by the templates.
//!
//! ```
//! use ptp_diagnostics::{Engine, Settings};
//!
//! // Curves are kept where they are asked for.
//! let settings = Settings { curve_points: ptp_view::CURVE_POINTS, ..Settings::default() };
//! let page = ptp_view::report(&Engine::new(settings).report());
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! ```

mod document;
mod incident;
#[cfg(feature = "live")]
pub mod live;
mod node;
mod plot;
mod report;
mod scale;
pub mod states;
mod strip;
mod wander;
mod words;

pub use report::report;
pub use words::expected;

/// How many points of a clock's curve a plot can show: more would fall on one pixel.
pub const CURVE_POINTS: usize = 240;
