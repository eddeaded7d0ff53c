//! Times as people say them: `1h`, `03:00`, `yesterday 22:30`, or in full.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::Received;

/// On which side of now a time lies that does not say so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// What was: `1h` is an hour ago, `03:00` the last one.
    Past,
    /// What will be: `1h` is in an hour, `03:00` the next one.
    Future,
}

/// Why a text is no time.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "`{text}` is no time: write 1h (from now), 03:00, yesterday, yesterday 22:30, 2026-11-23, \
     2026-11-23 03:00 (all in UTC), or 2026-11-23T03:00:00Z"
)]
#[non_exhaustive]
pub struct MomentError {
    /// What was there, shortened.
    pub text: String,
}

/// Why a text is no length of time.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is no duration, such as 30s, 1h30m or 7d")]
#[non_exhaustive]
pub struct LengthError {
    /// What was there, shortened.
    pub text: String,
}

/// Reads a time as people say it, in UTC, around `now`.
///
/// ```
/// use ptp_events::{Received, Side, moment};
///
/// let now = Received::parse("2026-11-23T12:00:00Z")?;
/// let past = |text| moment(text, now, Side::Past).map(|at| at.to_string());
/// assert_eq!(past("90m")?, "2026-11-23T10:30:00Z");
/// assert_eq!(past("13:30")?, "2026-11-22T13:30:00Z");
/// assert_eq!(moment("13:30", now, Side::Future)?.to_string(), "2026-11-23T13:30:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When it is nothing of the kind; the error lists what is understood.
pub fn moment(text: &str, now: Received, side: Side) -> Result<Received, MomentError> {
    let said = text.trim();
    if let Ok(exact) = Received::parse(said) {
        return Ok(exact);
    }
    read(said, Timestamp::from(now), side)
        .and_then(|at| i64::try_from(at.as_nanosecond()).ok())
        .map(Received::from_nanos)
        .ok_or_else(|| MomentError { text: text.chars().take(40).collect() })
}

fn read(said: &str, now: Timestamp, side: Side) -> Option<Timestamp> {
    if said == "now" {
        return Some(now);
    }
    let utc = |civil: DateTime| civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    let today = now.to_zoned(TimeZone::UTC).date();
    let day = |word: &str| match word {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        "tomorrow" => today.tomorrow().ok(),
        date => date.parse::<Date>().ok(),
    };
    let clock = |word: &str| {
        let looks =
            word.contains(':') && word.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b));
        looks.then(|| word.parse::<Time>().ok()).flatten()
    };
    if let Some((date, time)) = said.split_once([' ', 'T'])
        && let (Some(date), Some(time)) = (day(date), clock(time.trim()))
    {
        return utc(date.to_datetime(time));
    }
    if let Some(day) = day(said) {
        return utc(day.at(0, 0, 0, 0));
    }
    if let Some(time) = clock(said) {
        let at = utc(today.to_datetime(time))?;
        return match side {
            Side::Past if at > now => at.checked_sub(24.hours()).ok(),
            Side::Future if at <= now => at.checked_add(24.hours()).ok(),
            _ => Some(at),
        };
    }
    let ago = said.strip_suffix("ago").map(str::trim);
    let later = said.strip_prefix("in ").map(str::trim);
    let word = ago.or(later).unwrap_or(said);
    let length: SignedDuration = span(word.trim_start_matches(['-', '+']))?;
    let back =
        match (ago.is_some() || word.starts_with('-'), later.is_some() || word.starts_with('+')) {
            (true, _) => true,
            (_, true) => false,
            _ => side == Side::Past,
        };
    if back { now.checked_sub(length).ok() } else { now.checked_add(length).ok() }
}

/// A length of time, in which a day has 24 hours.
fn span(text: &str) -> Option<SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()
}

/// Reads a length of time as people say it: `30s`, `1h30m`, `7d`.
///
/// # Errors
/// When it is none, or negative; the error says what is understood.
pub fn length(text: &str) -> Result<Duration, LengthError> {
    let wrong = || LengthError { text: text.chars().take(40).collect() };
    Duration::try_from(span(text.trim()).ok_or_else(wrong)?).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_say_a_time() {
        let now = Received::parse("2026-11-23T12:00:00Z").unwrap();
        for (said, past, future) in [
            ("now", "2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z"),
            ("1h", "2026-11-23T11:00:00Z", "2026-11-23T13:00:00Z"),
            ("1h30m", "2026-11-23T10:30:00Z", "2026-11-23T13:30:00Z"),
            ("2d", "2026-11-21T12:00:00Z", "2026-11-25T12:00:00Z"),
            ("-1h", "2026-11-23T11:00:00Z", "2026-11-23T11:00:00Z"),
            ("+1h", "2026-11-23T13:00:00Z", "2026-11-23T13:00:00Z"),
            ("2h ago", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
            ("in 2h", "2026-11-23T14:00:00Z", "2026-11-23T14:00:00Z"),
            ("03:00", "2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z"),
            ("13:00:30", "2026-11-22T13:00:30Z", "2026-11-23T13:00:30Z"),
            ("today", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("yesterday", "2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("yesterday 22:30", "2026-11-22T22:30:00Z", "2026-11-22T22:30:00Z"),
            ("tomorrow 02:00", "2026-11-24T02:00:00Z", "2026-11-24T02:00:00Z"),
            ("2026-11-20", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
            ("2026-11-20 03:00", "2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00", "2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z"),
            ("2026-11-20T03:00:00+01:00", "2026-11-20T02:00:00Z", "2026-11-20T02:00:00Z"),
        ] {
            let read = |side| moment(said, now, side).unwrap().to_string();
            assert_eq!((&*read(Side::Past), &*read(Side::Future)), (past, future), "{said}");
        }
        for said in ["", "x", "25:00", "1", "yesterday x", "2026-13-01", "9999999999h"] {
            assert!(moment(said, now, Side::Past).is_err(), "{said}");
        }
    }
}
