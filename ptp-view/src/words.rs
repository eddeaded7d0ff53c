//! Words that several parts of a page share.

use std::time::Duration;

use maud::{Markup, html};
use ptp_diagnostics::report::{ClockReport, Forecast, IncidentReport};
use ptp_diagnostics::text::{lasting, moment};
use ptp_events::{Received, Resource};

/// How a clock is called, beside its node.
pub(crate) fn clock_name(clock: &ClockReport) -> String {
    let name = match clock.instance.as_str() {
        "" => clock.resource.to_string(),
        name => name.to_owned(),
    };
    if clock.resource == Resource::Gnss { format!("{name} gnss") } else { name }
}

/// So many seconds, in words; what is no duration is none.
pub(crate) fn seconds(seconds: f64) -> String {
    lasting(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// A time, in UTC; a live page may show it in another zone.
pub(crate) fn time(at: Received) -> Markup {
    html! { time datetime=(at) { (moment(at)) } }
}

/// Nanoseconds in the unit that suits them.
pub(crate) fn nanos(ns: f64) -> String {
    let (value, unit) = match ns.abs() {
        size if size < 1e4 => (ns, "ns"),
        size if size < 1e7 => (ns / 1e3, "µs"),
        size if size < 1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// When the limit may be reached, how wide the guess is, and what it rests on.
#[must_use]
pub fn expected(incident: &IncidentReport, forecast: &Forecast, last: Option<Received>) -> String {
    let (limit, at) = (forecast.limit_ns, moment(forecast.at));
    if forecast.model == "measured" {
        return format!("{limit} ns were reached at {at}, as it was measured");
    }
    if last.is_some_and(|last| forecast.at <= last) {
        return format!("{limit} ns were reached by {at}, as far as can be told");
    }
    let after = |at: Received| lasting(at.since(incident.opened_at));
    let band = forecast.earliest.zip(forecast.latest).map_or_else(String::new, |(low, high)| {
        format!("8 times in 10 it takes {} to {}; ", after(low), after(high))
    });
    let basis = match (&*forecast.model, forecast.samples) {
        ("declared", _) => "by its holdover in the topology".to_owned(),
        (_, 0) => "nothing measures it, and what its oscillator holds is not declared".to_owned(),
        (_, samples) => format!("by {samples} measurements"),
    };
    format!("{limit} ns may be reached at {at} ({band}{basis})")
}

pub(crate) fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
