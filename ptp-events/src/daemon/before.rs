//! What stands before a line: when it was written, and on which machine, by whoever wrote it down.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::found::Process;
use crate::Received;

/// A time without a year may be later than the file's last change by this much before we take it for
/// last year's, in nanoseconds: clocks and time zones differ by a day at most.
const A_DAY: i64 = 86_400 * 1_000_000_000;

/// How many words before a line are looked at; labels are many.
const MOST_WORDS: usize = 64;

/// Words that say how a line was written, not where.
const NO_HOSTS: [&str; 22] = [
    "stdout", "stderr", "f", "p", "trace", "debug", "info", "notice", "warn", "warning", "error",
    "err", "crit", "critical", "alert", "emerg", "fatal", "user", "daemon", "local0", "log",
    "message",
];

/// Keys whose value is the node, as collectors call it.
const HOST_KEYS: [&str; 12] = [
    "host",
    "hostname",
    "_hostname",
    "node",
    "nodename",
    "node_name",
    "kubernetes_host",
    "kubernetes.host",
    "k8s_node_name",
    "k8s.node.name",
    "host.name",
    "computer",
];

/// Keys whose value is the pod.
const POD_KEYS: [&str; 7] = [
    "pod",
    "podname",
    "pod_name",
    "kubernetes_pod_name",
    "k8s_pod_name",
    "k8s.pod.name",
    "instance_pod",
];

/// How pods of the daemon are called (ptp-operator); its container too, which is no pod.
const POD: &str = "linuxptp-daemon-";
const CONTAINER: &str = "linuxptp-daemon-container";

/// Which machine a key's value names: a node by its name, or by its pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Whose {
    Node,
    Pod,
}

/// What the value of a field called `key` names, whatever its letters' case.
pub(crate) fn names(key: &str) -> Option<Whose> {
    let is_one = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    if is_one(&HOST_KEYS) { Some(Whose::Node) } else { is_one(&POD_KEYS).then_some(Whose::Pod) }
}

/// What a line's beginning tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Before<'a> {
    /// When the line was written; the first and so the outermost time counts.
    pub(crate) wall: Option<Received>,
    /// The node, or else the pod.
    pub(crate) whose: Option<&'a str>,
}

/// Reads what stands before a line. `written` is when the file was last written to: times without a
/// year are read by it, and not without.
pub(crate) fn read(before: &str, written: Option<Received>) -> Before<'_> {
    let before = before.trim_ascii();
    if before.is_empty() {
        return Before::default();
    }
    let words: smallvec::SmallVec<[&str; 8]> = words(before).take(MOST_WORDS).collect();
    let (mut wall, mut timed) = (None, false);
    let (mut pod, mut node, mut others) = (None, None, 0);
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        at += 1;
        if let Some((time, used)) = time(rest, written) {
            (wall, timed) = (wall.or(time), true);
            at += used - 1;
            (node, others) = (None, 0);
            continue;
        }
        let word = rest[0];
        if let (Some(whose), Some(value)) = (names(word), rest.get(1)) {
            match whose {
                Whose::Node => return Before { wall, whose: Some(value) },
                Whose::Pod => pod = Some(*value),
            }
            at += 1;
        } else if word.starts_with(POD) && !word.starts_with(CONTAINER) {
            pod = pod.or(Some(word));
        } else if timed && is_host(word) {
            others += 1;
            node = node.or(Some(word));
        }
    }
    // A journal writes the host, and nothing else, between the time and the line.
    let whose = pod.or_else(|| node.filter(|_| others == 1));
    Before { wall, whose }
}

/// Words, and the values and keys in `[pod/a/b]`, `{a="b"}`, `"a","b"`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ',' | '"' | '|' | ';' | '{' | '}' | '=' | '>' | '`' | '[' | ']' | '<' | '(' | ')'
            )
    };
    text.split(part)
        .flat_map(|word| {
            let path = word.strip_prefix("pod/").or_else(|| word.strip_prefix("pods/"));
            path.map_or(word, |path| path.split('/').next().unwrap_or(path)).split('\0')
        })
        .filter(|word| !word.is_empty())
}

fn is_host(word: &str) -> bool {
    let named = word.bytes().any(|b| b.is_ascii_alphabetic());
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    named
        && plain
        && !word.starts_with(CONTAINER)
        && !NO_HOSTS.iter().any(|no| no.eq_ignore_ascii_case(word))
        && Process::named(word).is_none()
}

/// A time at the beginning of these words, and how many it takes; `None` of it where no year is known.
fn time(words: &[&str], written: Option<Received>) -> Option<(Option<Received>, usize)> {
    let first = *words.first()?;
    if let Some(time) = since_1970(first).or_else(|| full(first)) {
        return Some((Some(time), 1));
    }
    let second = *words.get(1)?;
    if let Ok(date) = first.replace('/', "-").parse::<Date>()
        && first.len() >= 8
        && let Some(time) = clock(second)
    {
        return Some((instant(date.to_datetime(time)), 2));
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
pub(crate) fn parse_time(text: &str) -> Option<Received> {
    let words: smallvec::SmallVec<[&str; 3]> = text.split_ascii_whitespace().take(3).collect();
    time(&words, None)?.0
}

/// `10:00:00`, with a fraction after a point or a comma.
fn clock(word: &str) -> Option<Time> {
    let shape = word.len() >= 8 && word.as_bytes()[2] == b':' && word.as_bytes()[5] == b':';
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
    let date = bytes.len() >= 19 && bytes[10] == b'T' && bytes[4] == b'-' && bytes[13] == b':';
    if !date {
        return None;
    }
    let word = word.trim_end_matches(':');
    if let Ok(time) = Received::parse(word) {
        return Some(time);
    }
    let word = word.replace(',', ".");
    let (civil, zone) = match word[19..].find(['+', '-']) {
        Some(at) => word.split_at(19 + at),
        None => (word.as_str(), "Z"),
    };
    match zone.len() {
        5 => Received::parse(&format!("{civil}{}:{}", &zone[..3], &zone[3..])).ok(),
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

    #[test]
    fn times_and_machines_before_a_line() {
        let written = Received::parse("2026-11-24T00:00:00Z").ok();
        for (before, wall, whose) in [
            ("", "-", "-"),
            ("1795416019881598396", "2026-11-23T06:40:19.881598396Z", "-"),
            ("2026-11-23T06:40:30.5Z", "2026-11-23T06:40:30.5Z", "-"),
            ("2026-11-23T07:40:30.5+01:00 stdout F", "2026-11-23T06:40:30.5Z", "-"),
            ("I1123 06:40:30.123456    1234 daemon.go:123]", "2026-11-23T06:40:30.123456Z", "-"),
            ("2026-11-23T06:40:30Z I1123 06:40:31.1 1 a.go:1]", "2026-11-23T06:40:30Z", "-"),
            ("I1231 23:59:59.5 1 a.go:1]", "2025-12-31T23:59:59.5Z", "-"),
            ("I9931 23:59:59.5 1 a.go:1]", "-", "-"),
            ("Mar  4 10:00:00 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("Mar 04 10:00:00.25 worker-1", "2026-03-04T10:00:00.25Z", "worker-1"),
            ("2026-03-04T10:00:00+0000 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("2026-03-04T10:00:00,250 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("2026-03-04 10:00:00.5", "2026-03-04T10:00:00.5Z", "-"),
            ("<30>1 2026-03-04T10:00:00Z worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("   三  14 21:53:00 du-1", "2026-11-14T21:53:00Z", "du-1"),
            ("[pod/linuxptp-daemon-x7k2p/linuxptp-daemon-container]", "-", "linuxptp-daemon-x7k2p"),
            ("linuxptp-daemon-x7k2p linuxptp-daemon-container", "-", "linuxptp-daemon-x7k2p"),
            ("2026-03-04T10:00:00Z {host=\"w-2\", pod=\"p\"}", "2026-03-04T10:00:00Z", "w-2"),
            ("> 2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "-"),
            ("\"2026-03-04T10:00:00Z\",\"w-3\",\"", "2026-03-04T10:00:00Z", "w-3"),
            ("2026-03-04T10:00:00Z one two", "2026-03-04T10:00:00Z", "-"),
        ] {
            let got = read(before, written);
            let time = got.wall.map_or("-".to_owned(), |wall| wall.to_string());
            assert_eq!((time.as_str(), got.whose.unwrap_or("-")), (wall, whose), "{before}");
        }
    }
}
