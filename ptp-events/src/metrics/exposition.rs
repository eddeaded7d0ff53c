//! The Prometheus text format, one line at a time.
//!
//! The libraries for it bring a regular-expression engine and a second time library along, for what
//! are two dozen lines.

use std::borrow::Cow;

use super::history::seconds_since_1970;
use crate::Stamped;

/// The most labels a sample may have; ours have five.
const MOST_LABELS: usize = 32;

/// A sample as it stands in the text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Labelled<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) labels: Vec<(&'a str, Cow<'a, str>)>,
    pub(super) value: &'a str,
    /// When it was so, where it is told: milliseconds since 1970, or seconds (`OpenMetrics`).
    pub(super) time: Option<&'a str>,
}

impl Labelled<'_> {
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| *name == key).map(|(_, value)| &**value)
    }

    pub(super) fn time(&self) -> Option<Stamped> {
        let number: f64 = self.time?.parse().ok()?;
        // The year 2100 in seconds is 1973 in milliseconds.
        let seconds = if number.abs() > 1e11 { number / 1e3 } else { number };
        Some(seconds_since_1970(seconds))
    }
}

/// Takes a line apart; `None` for a comment or nothing. The error says what was expected.
pub(super) fn parse(line: &str) -> Result<Option<Labelled<'_>>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (mut labelled, rest) = labels(line)?;
    let mut words = rest.split_ascii_whitespace();
    labelled.value = words.next().ok_or("a value")?;
    labelled.time = words.next();
    let time_is_one = labelled.time.is_none_or(|time| time.parse::<f64>().is_ok());
    // An exemplar may follow (`OpenMetrics`).
    if !time_is_one || words.next().is_some_and(|word| word != "#") {
        return Err("nothing after the value but a time");
    }
    Ok(Some(labelled))
}

/// The same for a series without a value.
pub(super) fn series(text: &str) -> Result<Option<Labelled<'_>>, &'static str> {
    let (labelled, rest) = labels(text.trim())?;
    if rest.trim().is_empty() { Ok(Some(labelled)) } else { Err("nothing after a series") }
}

/// The name and the labels at the beginning of a line, and what follows them. The name may be a label
/// (`{__name__="…"}`).
fn labels(line: &str) -> Result<(Labelled<'_>, &str), &'static str> {
    let (name, mut rest) = name(line).unwrap_or(("", line));
    if name.is_empty() && !rest.starts_with('{') {
        return Err("a metric's name");
    }
    let mut labels = Vec::new();
    if let Some(inside) = rest.trim_start().strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = self::name(rest).ok_or("a label's name, or `}`")?;
            let after = after.trim_start().strip_prefix('=').ok_or("`=` after a label's name")?;
            let after = after.trim_start().strip_prefix('"').ok_or("a label's value in quotes")?;
            let (value, after) = quoted(after).ok_or("a quote that ends a label's value")?;
            if labels.len() == MOST_LABELS {
                return Err("32 labels at most");
            }
            labels.push((key, value));
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(after) => after,
                None if after.starts_with('}') => after,
                None => return Err("`,` or `}` after a label"),
            };
        }
    }
    let mut name = Cow::Borrowed(name);
    if name.is_empty() {
        let named = labels.iter().find(|(key, _)| *key == "__name__");
        name = named.map(|(_, value)| value.clone()).ok_or("a metric's name")?;
    }
    Ok((Labelled { name, labels, value: "", time: None }, rest))
}

/// A name at the beginning of `text`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let end = text.find(|c| !is_in_name(c)).unwrap_or(text.len());
    let starts_well = text.starts_with(|c: char| !c.is_ascii_digit());
    (end > 0 && starts_well).then(|| text.split_at(end))
}

/// A label's value up to its closing quote, and what follows that; `\\`, `\"` and `\n` are escapes.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    let (inside, rest) = (&text[..end], &text[end + 1..]);
    if !inside.contains('\\') {
        return Some((Cow::Borrowed(inside), rest));
    }
    let mut value = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        value.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some((Cow::Owned(value), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(line: &str, expect: &str) {
        let got = match parse(line) {
            Ok(Some(Labelled { name, labels, value, .. })) => format!("{name} {labels:?} {value}"),
            Ok(None) => "nothing".to_owned(),
            Err(expected) => format!("expected {expected}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn every_kind_of_line() {
        check("", "nothing");
        check("# HELP a b", "nothing");
        check("up 1", "up [] 1");
        check("up{} 1 1795416019000", "up [] 1");
        check(r#"a{b="c",d="e",} -9.5e+07"#, r#"a [("b", "c"), ("d", "e")] -9.5e+07"#);
        check(r#"a{b="}\"\\\n"} 0"#, r#"a [("b", "}\"\\\n")] 0"#);
    }

    #[test]
    fn what_is_wrong_is_said() {
        check("1a 2", "expected a metric's name");
        check(r#"a{b="c} 1"#, "expected a quote that ends a label's value");
        check(r#"a{b="\x"} 1"#, "expected a quote that ends a label's value");
        check(r"a{b=c} 1", "expected a label's value in quotes");
        check(r#"a{b="c" d="e"} 1"#, "expected `,` or `}` after a label");
        check("a", "expected a value");
        check("a 1 2 3", "expected nothing after the value but a time");
    }

    proptest! {
        #[test]
        fn label_values_survive(value: String) {
            let escaped = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            let line = format!("a{{b=\"{escaped}\"}} 1");
            let labelled = parse(&line).unwrap().unwrap();
            prop_assert_eq!(labelled.label("b"), Some(&*value));
        }

        #[test]
        fn no_line_panics(line in r#"[a{}="\\,# 1é]{0,40}"#) {
            let _ = parse(&line);
        }
    }
}
