//! The times that people, daemons and exporters write, and none of them alike.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use crate::Received;

/// A time without a year may be later than the file's last change by this much before we take it for
/// last year's, in nanoseconds: clocks and time zones differ by a day at most.
const A_DAY: i64 = 86_400 * 1_000_000_000;

/// Times of one line further apart than this are of two occasions, in nanoseconds.
const ONE_OCCASION: i64 = 120 * 1_000_000_000;
/// Time zones differ by a multiple of this, and by 14 h at most, in nanoseconds (IANA time zone database).
const QUARTER: i64 = 900 * 1_000_000_000;
const MOST_ZONES: i64 = 14 * 4 * QUARTER;

/// What Kafka writes before the time of a record (kafka, `DefaultMessageFormatter`).
const RECORD_TIMES: [&str; 2] = ["CreateTime:", "LogAppendTime:"];

/// Which of two times before one line is the line's: the outer one, whose zone is known, unless it was
/// written down at another occasion than the inner one, as by a job that prints an old log.
pub(super) fn of_two(outer: Option<Received>, inner: Option<Received>) -> Option<Received> {
    let (Some(first), Some(second)) = (outer, inner) else { return outer.or(inner) };
    let apart = first.as_nanos().saturating_sub(second.as_nanos()).saturating_abs();
    let to_quarter = (apart % QUARTER).min(QUARTER - apart % QUARTER);
    let is_zone = apart <= MOST_ZONES + ONE_OCCASION && to_quarter <= ONE_OCCASION / 60;
    if apart <= ONE_OCCASION || is_zone { outer } else { inner }
}

/// Whether a word behind a time is its zone: `UTC`, `CEST`, `+0100`.
pub(super) fn is_zone(word: &str) -> bool {
    let letters =
        word.len() <= 5 && word.len() >= 2 && word.bytes().all(|b| b.is_ascii_uppercase());
    let offset = word.strip_prefix(['+', '-']).is_some_and(|digits| {
        digits.len() >= 4 && digits.bytes().all(|b| b.is_ascii_digit() || b == b':')
    });
    letters || offset
}

/// Words, and the values and keys in `[pod/a/b]`, `{a="b"}`, `"a","b"`.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '|' | ';' | '{' | '}' | '=' | '>' | '`' | '[' | ']' | '<' | '(' | ')' | '@'
            )
    };
    text.split(part)
        .flat_map(|word| {
            // `10:00:00,400` is one word.
            let is_time = word.split_once(',').is_some_and(|(time, fraction)| {
                time.ends_with(|c: char| c.is_ascii_digit())
                    && time.contains(':')
                    && fraction.starts_with(|c: char| c.is_ascii_digit())
            });
            word.split(move |c| c == ',' && !is_time)
        })
        .flat_map(|word| {
            let path = word.strip_prefix("pod/").or_else(|| word.strip_prefix("pods/"));
            path.map_or(word, |path| path.split('/').next().unwrap_or(path)).split('\0')
        })
        .filter(|word| !word.is_empty())
}

/// A time at the beginning of these words, and how many it takes; `None` of it where no year is known.
pub(super) fn time(words: &[&str], written: Option<Received>) -> Option<(Option<Received>, usize)> {
    let first = *words.first()?;
    // What kafka-console-consumer prints of a record (`print.timestamp=true`).
    let first = RECORD_TIMES.iter().find_map(|kind| first.strip_prefix(kind)).unwrap_or(first);
    if let Some(time) = since_1970(first).or_else(|| full(first)) {
        return Some((Some(time), 1));
    }
    if let Some(time) = common_log(first) {
        return Some((Some(time), 1));
    }
    let second = *words.get(1)?;
    if let Ok(date) = first.replace('/', "-").parse::<Date>()
        && first.len() >= 8
        && let Some(time) = clock(second)
    {
        return Some((instant(date.to_datetime(time)), 2));
    }
    if let Some((date, used)) = written_out(words)
        && let Some(time) = words.get(used).and_then(|word| clock(word))
    {
        let half = words.get(used + 1).and_then(|word| noon(word));
        let time = half.map_or(Some(time), |half| half.of(time))?;
        return Some((instant(date.to_datetime(time)), used + 1 + usize::from(half.is_some())));
    }
    // stern: `03-04 10:00:00`
    if let Some((month, day)) = first.split_once('-')
        && month.len() == 2
        && day.len() == 2
        && let (Ok(month), Ok(day)) = (month.parse(), day.parse())
        && let Some(time) = clock(second)
    {
        return Some((yearless(Some(month), day, time, written), 2));
    }
    // klog: `I1123 06:40:30.123456 1234 daemon.go:123]`
    if let Some((level, date)) = first.split_at_checked(1)
        && matches!(level, "I" | "W" | "E" | "F")
        && date.len() == 4
        && date.bytes().all(|b| b.is_ascii_digit())
        && let Some(time) = clock(second)
    {
        let (month, day) = (date[..2].parse().ok()?, date[2..].parse().ok()?);
        return Some((yearless(Some(month), day, time, written), 4.min(words.len())));
    }
    // syslog: `Mar  4 10:00:00`, in any language: `三 14 21:53:00`
    let time = clock(words.get(2)?)?;
    let day: i8 = second.trim_end_matches('.').parse().ok()?;
    Some((yearless(month(first), day, time, written), 3))
}

/// A time that is a text of its own, with a year.
pub(crate) fn parse(text: &str) -> Option<Received> {
    let words: smallvec::SmallVec<[&str; 8]> = words(text).take(7).collect();
    // The day of the week says nothing.
    time(&words, None).or_else(|| time(words.get(1..)?, None))?.0
}

/// A date with a name for its month, or in the order of its parts that its points or its half of the day
/// tell, and how many words it takes: `Mar 4 2026`, `04 Mar 2026`, `04.03.2026`, `3/4/2026 … AM`.
fn written_out(words: &[&str]) -> Option<(Date, usize)> {
    let number = |word: &str| word.parse::<i16>().ok();
    let date =
        |year: i16, month: i8, day: i16| Date::new(year, month, i8::try_from(day).ok()?).ok();
    let first = words.first()?;
    let points = first.split('.').collect::<smallvec::SmallVec<[&str; 4]>>();
    if let [day, month, year] = points.as_slice()
        && year.len() == 4
    {
        let month = i8::try_from(number(month)?).ok()?;
        return Some((date(number(year)?, month, number(day)?)?, 1));
    }
    let slashes = first.split('/').collect::<smallvec::SmallVec<[&str; 4]>>();
    if let [month, day, year] = slashes.as_slice()
        && year.len() == 4
        && words.get(2).is_some_and(|word| noon(word).is_some())
    {
        let month = i8::try_from(number(month)?).ok()?;
        return Some((date(number(year)?, month, number(day)?)?, 1));
    }
    let (second, third) = (words.get(1)?, words.get(2)?);
    if third.len() != 4 {
        return None;
    }
    let year = number(third)?;
    if let Some(month) = month(first) {
        return Some((date(year, month, number(second)?)?, 3));
    }
    Some((date(year, month(second)?, number(first)?)?, 3))
}

/// Which half of the day a time is in.
#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
}

fn noon(word: &str) -> Option<Half> {
    match word {
        "AM" | "am" => Some(Half::Am),
        "PM" | "pm" => Some(Half::Pm),
        _ => None,
    }
}

impl Half {
    fn of(self, time: Time) -> Option<Time> {
        let hour = match (self, time.hour()) {
            (Self::Am, 12) => 0,
            (Self::Am, hour) => hour,
            (Self::Pm, 12) => 12,
            (Self::Pm, hour) => hour.checked_add(12)?,
        };
        time.with().hour(hour).build().ok()
    }
}

/// The Common Log Format: `04/Mar/2026:10:00:00`.
fn common_log(word: &str) -> Option<Received> {
    let (date, clock_word) = word.split_once(':')?;
    let mut parts = date.split('/');
    let (day, name, year) = (parts.next()?, parts.next()?, parts.next()?);
    let date = Date::new(year.parse().ok()?, month(name)?, day.parse().ok()?).ok()?;
    instant(date.to_datetime(clock(clock_word)?))
}

/// `10:00:00`, with a fraction after a point or a comma.
fn clock(word: &str) -> Option<Time> {
    let bytes = word.as_bytes();
    // `9:04:59`
    if bytes.len() >= 7 && bytes[1] == b':' && bytes[4] == b':' {
        return clock(&format!("0{word}"));
    }
    let shape = bytes.len() >= 8 && bytes[2] == b':' && bytes[5] == b':';
    shape.then(|| word.replace(',', ".").trim_end_matches(['Z', ':']).parse().ok()).flatten()
}

/// Seconds since 1970 with a fraction, or whole microseconds or nanoseconds.
fn since_1970(word: &str) -> Option<Received> {
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let nanos = match (whole.len(), fraction.len()) {
        (19, 0) => number,
        (16, 0) => number.checked_mul(1000)?,
        (13, 0) => number.checked_mul(1_000_000)?,
        (10, 1..) => {
            let part: i64 = format!("{fraction:0<9}").parse().ok()?;
            number.checked_mul(1_000_000_000)?.checked_add(part)?
        }
        _ => return None,
    };
    Some(Received::from_nanos(nanos))
}

/// RFC 3339, and what systemd and others write like it: `2026-03-04T10:00:00+0000`.
fn full(word: &str) -> Option<Received> {
    // Most words are none; the parser's error would be built for each of them.
    let bytes = word.as_bytes();
    if bytes.len() < 19 {
        return None;
    }
    let is_date =
        |at: usize| bytes[at + 10] == b'T' && bytes[at + 4] == b'-' && bytes[at + 13] == b':';
    // A file's name, a number or a sign may be written at once before it: `a.log:12:2026-…`, `+2026-…`.
    let glued = |at: &usize| is_date(*at) && matches!(bytes[at - 1], b':' | b'-' | b'+' | b'\'');
    let at = if is_date(0) { 0 } else { (1..=bytes.len() - 19).find(glued)? };
    let word = word.get(at..)?.trim_end_matches(':');
    if let Ok(time) = Received::parse(word) {
        return Some(time);
    }
    let word = word.replace(',', ".");
    let (civil, zone) = match word.get(19..)?.find(['+', '-']) {
        Some(at) => word.split_at(19 + at),
        None => (word.as_str(), "Z"),
    };
    match zone.len() {
        5 => Received::parse(&format!("{civil}{}:{}", zone.get(..3)?, zone.get(3..)?)).ok(),
        _ => instant(civil.trim_end_matches('Z').parse().ok()?),
    }
}

fn instant(civil: DateTime) -> Option<Received> {
    let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    i64::try_from(instant.as_nanosecond()).ok().map(Received::from_nanos)
}

/// The month of its first three letters in English; others are read by `written` alone.
fn month(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let short = word.get(..3)?;
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(short))?;
    i8::try_from(at + 1).ok()
}

/// The latest such time that is not after the file was last written to.
fn yearless(month: Option<i8>, day: i8, time: Time, written: Option<Received>) -> Option<Received> {
    let written = written?;
    let last = jiff::Timestamp::from(written).to_zoned(TimeZone::UTC).date();
    let latest = written.as_nanos().saturating_add(A_DAY);
    let months = (0..13i8).filter_map(|back| {
        let index = i16::from(last.month()) - 1 - i16::from(back);
        let (year, at) = (last.year() + index.div_euclid(12), index.rem_euclid(12));
        i8::try_from(at + 1).ok().map(|at| (year, at))
    });
    months
        .filter(|(_, at)| month.is_none_or(|month| month == *at))
        .filter_map(|(year, at)| instant(Date::new(year, at, day).ok()?.to_datetime(time)))
        .find(|time| time.as_nanos() <= latest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What looks like a time and is none.
    #[test]
    fn what_is_cut_or_odd_is_no_time() {
        for text in [
            "2026-03-04T10:00:0:",
            "2026-03-04T10:00:00+é12",
            "éé2026-03-04T10:00",
            "3/4/2026 99:00:00 PM",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
