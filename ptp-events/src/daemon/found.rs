//! Finds linuxptp's own text in a line, whatever somebody wrote around it.
//!
//! linuxptp prints `progname[seconds.millis]: tag text` to a terminal and gives `[seconds.millis] tag
//! text` to syslog, which puts `host progname[pid]:` before it (linuxptp, print.c). The daemon adds
//! lines of its own with the seconds since 1970 in the brackets. Container runtimes, collectors,
//! journals and people put more before and around that; none of it is looked for by product.

use memchr::{memchr_iter, memmem};

use super::before::{self, Before};
use super::process::{Bracket, Process};
use crate::Received;

/// From here on the number in a line's brackets is seconds since 1970, not since the node started:
/// nothing runs for 31 years.
const EPOCH_FROM_SECONDS: i64 = 1_000_000_000;

/// How many words a `message_tag` may have that is not in brackets; people write one.
const MOST_TAG_WORDS: usize = 3;

/// A line's parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Found<'a> {
    /// What stands before it: times, hosts, pods.
    pub(super) before: &'a str,
    /// Who wrote it; `None` where only the text says.
    pub(super) process: Option<Process>,
    pub(super) bracket: Bracket,
    /// The tag, usually the name of a configuration: `ptp4l.0.config`; empty where there is none.
    pub(super) tag: &'a str,
    /// What was written.
    pub(super) text: &'a str,
    /// What stands behind the quotes it was in: more fields of a table.
    pub(super) after: &'a str,
}

impl Found<'_> {
    /// Whether it is for certain linuxptp's, and not another program's with such a time.
    pub(crate) const fn names_a_process(&self) -> bool {
        self.process.is_some()
    }

    /// The time in its brackets since the node started, in nanoseconds.
    pub(crate) const fn since_start(&self) -> Option<i64> {
        match self.bracket {
            Bracket::Monotonic(nanos) => Some(nanos),
            Bracket::Epoch(_) | Bracket::None => None,
        }
    }

    /// What stands before it, or else behind it.
    pub(crate) fn read_before(&self, written: Option<Received>) -> Before<'_> {
        let told = before::read(self.before, written);
        if self.after.is_empty() || (told.wall.is_some() && told.whose.is_some()) {
            return told;
        }
        let after = before::read(self.after, written);
        Before { wall: told.wall.or(after.wall), whose: told.whose.or(after.whose) }
    }
}

/// Finds linuxptp's own text; `None` when there is none.
pub(crate) fn find(line: &str) -> Option<Found<'_>> {
    let line = line.trim_ascii_end();
    with_brackets(line).or_else(|| with_name_only(line)).or_else(|| with_time_only(line))
}

/// `ptp4l[1000.000]: …`, `ptp4l[4321]: [1000.000] …`, `GM[1795416079]:[…`
fn with_brackets(line: &str) -> Option<Found<'_>> {
    memchr_iter(b'[', line.as_bytes()).find_map(|at| {
        let (process, begin) = Process::at_end_of(&line[..at])?;
        let (number, rest) = line[at + 1..].split_once(']')?;
        let bracket = bracket(number)?;
        let rest = after_brackets(rest)?;
        let (bracket, rest) = match time(rest) {
            // What came before was the number of the process.
            Some((time, rest)) if bracket == Bracket::None => (time, rest),
            _ => (bracket, rest),
        };
        Some(found(&line[..begin], Some(process), bracket, rest))
    })
}

/// What follows the brackets: `: …`, or at once the tag as the daemon writes it for chronyd,
/// `chronyd[4321][chronyd.0.config]: …`.
fn after_brackets(rest: &str) -> Option<&str> {
    let told = rest.strip_prefix(':');
    told.or_else(|| Some(rest).filter(|rest| rest.starts_with('['))).map(str::trim_ascii_start)
}

/// `ptp4l: [1000.000] …`, as syslog writes it without the number of the process.
fn with_name_only(line: &str) -> Option<Found<'_>> {
    memmem::find_iter(line.as_bytes(), b": ").find_map(|at| {
        let (process, begin) = Process::at_end_of(&line[..at])?;
        let rest = line[at + 2..].trim_ascii_start();
        let (bracket, rest) = match time(rest) {
            Some(found) => found,
            // chronyd prints no time of its own.
            None if process == Process::Chronyd => (Bracket::None, rest),
            None => return None,
        };
        Some(found(&line[..begin], Some(process), bracket, rest))
    })
}

/// `[1000.000] …`, where whoever wrote the line down left out who it was.
fn with_time_only(line: &str) -> Option<Found<'_>> {
    memchr_iter(b'[', line.as_bytes()).find_map(|at| {
        let (bracket, rest) = time(&line[at..])?;
        // RFC 5424: `… worker-1 ptp4l 4321 - - [1000.000] …`
        let process = line[..at].split_ascii_whitespace().find_map(Process::named);
        Some(found(&line[..at], process, bracket, rest))
    })
}

/// `[1000.000] rest`: always three digits of a fraction (linuxptp, print.c).
fn time(text: &str) -> Option<(Bracket, &str)> {
    let (number, rest) = text.strip_prefix('[')?.split_once(']')?;
    let (_, fraction) = number.split_once('.')?;
    let bracket = bracket(number).filter(|_| fraction.len() >= 3)?;
    Some((bracket, rest.trim_start_matches(':').trim_ascii_start()))
}

fn found<'a>(
    before: &'a str,
    process: Option<Process>,
    bracket: Bracket,
    rest: &'a str,
) -> Found<'a> {
    // linuxptp prints no quotes.
    let quoted = before.ends_with('"').then(|| rest.split_once('"')).flatten();
    let (rest, after) = quoted.unwrap_or((rest, ""));
    let (tag, text) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        // `ptp4l.0.config:6` adds the level of the message.
        Some((tag, text)) => (tag.split(':').next().unwrap_or(tag), text),
        None => ("", rest),
    };
    let text = text.strip_prefix(':').unwrap_or(text);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '`'));
    Found { before, process, bracket, tag, text: text.trim_end_matches(ends), after }
}

/// What ends a field of CSV, JSON or markup that nobody took apart, and no line of linuxptp.
fn ends(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ']' | '}' | '$' | ',' | ';' | '\\' | '|')
}

/// The message with one word of a bare tag more taken off each time.
pub(super) fn without_tag(text: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(text), |text| {
        text.split_once(' ').map(|(_, rest)| rest.trim_ascii_start())
    })
    .take(MOST_TAG_WORDS + 1)
}

fn bracket(text: &str) -> Option<Bracket> {
    let (seconds, fraction) = match text.split_once('.') {
        Some((seconds, fraction)) => (seconds, Some(fraction)),
        None => (text, None),
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let digits = fraction.unwrap_or("0");
    if !plain(seconds) || !plain(digits) || digits.len() > 9 {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let digits: i64 = digits
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(9)
        .fold(0, |n, digit| n * 10 + i64::from(digit - b'0'));
    let nanos = seconds.checked_mul(1_000_000_000)?.checked_add(digits)?;
    Some(match fraction {
        _ if seconds >= EPOCH_FROM_SECONDS => Bracket::Epoch(nanos),
        Some(_) => Bracket::Monotonic(nanos),
        None => Bracket::None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whatever_stands_around_it() {
        let text = "master offset 5 s2 freq -1 path delay 9";
        for (line, before, tag) in [
            (format!("ptp4l[1.500]: {text}"), "", ""),
            (format!("ptp4l[1.500]: [ptp4l.0.config] {text}"), "", "ptp4l.0.config"),
            (format!("ptp4l[1.500]: [ptp4l.0.config:6] {text}"), "", "ptp4l.0.config"),
            (format!("a b ptp4l[77]: [1.500] [ens1f0] {text}"), "a b ", "ens1f0"),
            (format!("a ptp4l: [1.500] {text}"), "a ", ""),
            (format!("[1.500] {text}"), "", ""),
            (format!("[pod/p/c] ptp4l[1.500]: {text}"), "[pod/p/c] ", ""),
            (format!("\"x\",\"ptp4l[1.500]: {text}\""), "\"x\",\"", ""),
            (format!("> `ptp4l[1.500]: {text}`"), "> `", ""),
        ] {
            let found = find(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.before, found.tag, found.text), (before, tag, text), "{line}");
            assert_eq!(found.bracket, Bracket::Monotonic(1_500_000_000), "{line}");
        }
        for line in ["", "ptp4l", "xptp4l[1.0]: x", "ptp4l[x]: x", "ptp4l[99999999999999999]: x"] {
            assert_eq!(find(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn a_known_line_is_found_behind_any_prefix(prefix in "[ -~]{0,80}", tag in "[a-z0-9.-]{0,12}") {
            let own = format!("ptp4l[1.500]: [{tag}] master offset 5 s2 freq -1 path delay 9");
            // What stands before it may be such a line itself.
            prop_assume!(find(&prefix).is_none());
            let line = format!("{prefix} {own}");
            let found = find(&line).map(|found| (found.process, found.bracket, found.tag, found.text));
            prop_assert_eq!(found, find(&own).map(|own| (own.process, own.bracket, own.tag, own.text)));
        }
    }

    #[test]
    fn the_daemon_writes_no_colon_before_chronyds_tag() {
        let found =
            find("chronyd[4321][chronyd.0.config]: Selected source 10.0.0.1").expect("it is one");
        assert_eq!(found.process, Some(Process::Chronyd));
        assert_eq!((found.tag, found.text), ("chronyd.0.config", "Selected source 10.0.0.1"));
    }

    #[test]
    fn a_number_without_a_fraction_is_a_process_or_since_1970() {
        let of = |line| find(line).map(|found| found.bracket);
        assert_eq!(of("GM[1795416079]:[c] x"), Some(Bracket::Epoch(1_795_416_079_000_000_000)));
        assert_eq!(of("chronyd[834]: Selected source 10.0.0.1"), Some(Bracket::None));
        assert_eq!(of("chronyd: Selected source 10.0.0.1"), Some(Bracket::None));
    }
}
