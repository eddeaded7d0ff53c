//! Ways to write a diagnosis. Text from events is data: escaped for wherever it goes.

mod human;
mod junit;
mod machine;
mod markdown;
mod timeline;

pub(crate) use human::human;
pub(crate) use junit::junit;
pub(crate) use machine::{json, ndjson};
pub(crate) use markdown::markdown;

use std::time::Duration;

use ptp_events::Received;

/// A duration for people: `0.16 s`, `63 s`, `5.3 min`, `2.0 h`.
fn lasting(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    match s {
        _ if s < 10.0 => format!("{s:.2} s"),
        _ if s < 120.0 => format!("{s:.0} s"),
        _ if s < 7200.0 => format!("{:.1} min", s / 60.0),
        _ if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        _ => format!("{:.1} d", s / 86400.0),
    }
}

/// The date and time in UTC, to the millisecond.
fn moment(at: Received) -> String {
    jiff::Timestamp::from(at)
        .strftime("%Y-%m-%d %H:%M:%S%.3f UTC")
        .to_string()
}

/// The time of day in UTC, to the millisecond.
fn time_of_day(at: Received) -> String {
    jiff::Timestamp::from(at)
        .strftime("%H:%M:%S%.3f")
        .to_string()
}
