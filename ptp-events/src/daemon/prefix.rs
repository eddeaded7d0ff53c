//! What stands before a line of the daemon: when it was written, by whoever wrote it down.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::Received;

/// A klog time may be later than the file's last change by this much before we take it for last
/// year's, in nanoseconds: clocks and time zones differ by a day at most.
const A_DAY: i64 = 86_400 * 1_000_000_000;

/// Takes the wall-clock time off a line; the first and so the outermost one counts.
///
/// These may stand before each other: nanoseconds since 1970 (19 digits), an RFC 3339 time, the
/// container runtime's `stdout F`, and a klog header, which knows no year: `written` tells it.
pub(super) fn strip(line: &str, written: Option<Received>) -> (Option<Received>, &str) {
    let mut wall = None;
    let mut rest = line.trim();
    // Each prefix stands once; five words are more than all of them.
    for _ in 0..5 {
        let Some((word, tail)) = rest.split_once(' ') else { break };
        let tail = tail.trim_start();
        if let Some(time) = nanos(word).or_else(|| rfc3339(word)) {
            wall = wall.or(Some(time));
            rest = tail;
        } else if matches!(word, "stdout" | "stderr" | "F" | "P") {
            rest = tail;
        } else if let Some((time, tail)) = klog(rest, written) {
            wall = wall.or(time);
            rest = tail;
        } else {
            break;
        }
    }
    (wall, rest)
}

fn nanos(word: &str) -> Option<Received> {
    let digits = word.len() == 19 && word.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| word.parse().ok().map(Received::from_nanos)).flatten()
}

fn rfc3339(word: &str) -> Option<Received> {
    // Most words are none; the parser's error would be built for each of them.
    let date = word.len() >= 20 && word.as_bytes()[10] == b'T';
    date.then(|| Received::parse(word).ok()).flatten()
}

/// `I1123 06:40:30.123456    1234 daemon.go:123] rest`; the rest alone when we know no year.
fn klog(text: &str, written: Option<Received>) -> Option<(Option<Received>, &str)> {
    let (header, rest) = text.split_once("] ")?;
    let mut words = header.split_ascii_whitespace();
    let (level, date) = words.next()?.split_at_checked(1)?;
    let clock = words.next()?;
    let is_header = matches!(level, "I" | "W" | "E" | "F")
        && date.len() == 4
        && date.bytes().all(|b| b.is_ascii_digit())
        && words.count() == 2;
    is_header.then(|| (klog_time(date, clock, written), rest.trim_start()))
}

fn klog_time(date: &str, clock: &str, written: Option<Received>) -> Option<Received> {
    let written = written?;
    let year = jiff::Timestamp::from(written).to_zoned(TimeZone::UTC).year();
    let (month, day) = date.split_at(2);
    let of = |year: i16| {
        let civil: DateTime = format!("{year:04}-{month}-{day}T{clock}").parse().ok()?;
        let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
        i64::try_from(instant.as_nanosecond()).ok().map(Received::from_nanos)
    };
    match of(year) {
        Some(time) if time.as_nanos() <= written.as_nanos().saturating_add(A_DAY) => Some(time),
        _ => of(year - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let written = Received::parse("2026-11-24T00:00:00Z").unwrap();
        let (wall, rest) = strip(line, Some(written));
        let wall = wall.map_or("-".to_owned(), |wall| wall.to_string());
        assert_eq!(format!("{wall} | {rest}"), expect);
    }

    #[test]
    fn every_prefix_and_their_combinations() {
        let line = "ptp4l[1.2]: [ptp4l.0.config] x";
        check(line, &format!("- | {line}"));
        check(
            &format!("1795416019881598396 {line}"),
            &format!("2026-11-23T06:40:19.881598396Z | {line}"),
        );
        check(
            &format!("2026-11-23T06:40:30.5Z {line}"),
            &format!("2026-11-23T06:40:30.5Z | {line}"),
        );
        check(
            &format!("2026-11-23T07:40:30.5+01:00 stdout F {line}"),
            &format!("2026-11-23T06:40:30.5Z | {line}"),
        );
        let klog = "I1123 06:40:30.123456    1234 daemon.go:123]";
        check(&format!("{klog} {line}"), &format!("2026-11-23T06:40:30.123456Z | {line}"));
        check(
            &format!("2026-11-23T06:40:30.5Z {klog} {line}"),
            &format!("2026-11-23T06:40:30.5Z | {line}"),
        );
    }

    #[test]
    fn a_klog_time_after_the_files_end_is_last_years() {
        check("I1231 23:59:59.5 1 a.go:1] x", "2025-12-31T23:59:59.5Z | x");
        check("I9931 23:59:59.5 1 a.go:1] x", "- | x");
        assert_eq!(strip("I1231 23:59:59.5 1 a.go:1] x", None), (None, "x"));
    }
}
