//! Events in lines of logs, in every form in which publishers and consumers log them
//! (docs/protocol.md §12 has an example and the source of each).
//!
//! The event is JSON, bare or escaped once or twice by whatever quoted it; or a text that the
//! CloudEvents SDK, the publishers' own library, or Python made of it. What stands around it does not
//! matter, but for the time of a logger, which counts where the event has none.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::splitter::ObjectScan;
use crate::{Event, NodeName, Received};

/// How often a text may have been quoted: once by the logger, and once more by whoever forwards it.
const MOST_QUOTES: usize = 3;

/// How many braces of a text may be the beginning of an event.
const MOST_BRACES: usize = 300;

/// What every event says of itself, however it is written.
static MARK: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("event.sync."));

/// The events in a line of text, and when the logger says that it was written. What else the line holds
/// is passed over.
pub(super) fn events(
    text: &str,
    node: Option<&NodeName>,
) -> Option<(Vec<Event>, Option<Received>)> {
    // Most lines of a log hold none, and must not cost more than a look.
    MARK.find(text.as_bytes())?;
    let time = logger_time(text);
    layers(text, node)
        // A field of CSV: its quotes are doubled (RFC 4180, 2.7).
        .or_else(|| {
            let doubled = text.contains("\"\"").then(|| text.replace("\"\"", "\""));
            doubled.and_then(|text| layers(&text, node))
        })
        .map(|events| (events, time))
}

/// The events in a text, or in what is quoted in it.
fn layers(text: &str, node: Option<&NodeName>) -> Option<Vec<Event>> {
    let mut layer = Cow::Borrowed(text);
    for _ in 0..MOST_QUOTES {
        let found = json(&layer, node).or_else(|| dumped(&layer, node));
        if found.is_some() {
            return found;
        }
        layer = Cow::Owned(unquote(&layer)?);
    }
    None
}

/// `time="2026-11-23T06:40:30Z"`, as logrus writes it.
fn logger_time(text: &str) -> Option<Received> {
    let (_, rest) = text.split_once("time=\"")?;
    let (time, _) = rest.split_once('"')?;
    Received::parse(time).ok()
}

fn decode(json: &[u8], node: Option<&NodeName>) -> Option<Event> {
    match node {
        Some(node) => Event::from_slice_of(json, node).ok(),
        None => Event::from_slice(json).ok(),
    }
}

/// Every JSON object with an event in it, or the same as Python writes it, one after the other or in
/// an array.
fn json(text: &str, node: Option<&NodeName>) -> Option<Vec<Event>> {
    let mut events = Vec::new();
    let mut from = 0;
    // What is before an event may hold braces of its own, but not many.
    for _ in 0..MOST_BRACES {
        let Some(mark) = MARK.find(&text.as_bytes()[from..]).map(|at| from + at) else { break };
        // Somebody names the type in words of his own.
        let Some(at) = text[from..mark].find('{').map(|at| from + at) else {
            from = mark + MARK.needle().len();
            continue;
        };
        let found = if text[at..].starts_with("{'") {
            from_python(&text[at..])
                .and_then(|(json, end)| Some((decode(json.as_bytes(), node)?, end)))
        } else {
            let end = ObjectScan::default().feed(&text.as_bytes()[at..]);
            end.and_then(|end| Some((decode(&text.as_bytes()[at..at + end], node)?, end)))
        };
        from = at + 1;
        if let Some((event, end)) = found {
            events.push(event);
            from = at + end;
        }
    }
    (!events.is_empty()).then_some(events)
}

/// The dictionary that `text` begins with, as Python's `repr` writes it, in JSON; and where it ends.
fn from_python(text: &str) -> Option<(String, usize)> {
    let mut json = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut depth = 0usize;
    let mut read = 0;
    while let Some(c) = chars.next() {
        read += c.len_utf8();
        match c {
            '\'' | '"' => {
                let mut string = String::new();
                loop {
                    let next = chars.next()?;
                    read += next.len_utf8();
                    match next {
                        '\\' => {
                            let escaped = chars.next()?;
                            read += escaped.len_utf8();
                            string.push(escaped);
                        }
                        end if end == c => break,
                        other => string.push(other),
                    }
                }
                json.push_str(&serde_json::to_string(&string).ok()?);
            }
            'T' | 'F' | 'N' => {
                let word: String = std::iter::once(c)
                    .chain(std::iter::from_fn(|| chars.next_if(char::is_ascii_alphabetic)))
                    .collect();
                read += word.len() - 1;
                json.push_str(match word.as_str() {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    _ => return None,
                });
            }
            '{' => {
                depth += 1;
                json.push(c);
            }
            '}' => {
                json.push(c);
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((json, read));
                }
            }
            other => json.push(other),
        }
    }
    None
}

/// An event as a library prints it for people: `key: value` on lines of its own, values last.
///
/// The CloudEvents SDK writes `Context Attributes,` before and `Data,` with JSON after; the
/// publishers' library writes everything so, with or without a blank after the colon, and without a
/// source.
fn dumped(text: &str, node: Option<&NodeName>) -> Option<Vec<Event>> {
    let mut lines = text.lines().map(str::trim);
    let mut head = Vec::new();
    for line in lines.by_ref() {
        if line.is_empty() {
            continue;
        }
        // The first line has the logger's words before it.
        let line = ["id:", "specversion:"]
            .iter()
            .find_map(|key| line.find(key).filter(|_| head.is_empty()).map(|at| &line[at..]))
            .unwrap_or(line);
        if line.starts_with("Data") || line.starts_with("values:") {
            break;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        if matches!(key, "id" | "type" | "source" | "time") {
            head.push((key.to_owned(), value.trim().to_owned()));
        }
    }
    let rest: Vec<_> = lines.collect();
    let data = if rest.first()?.starts_with('{') {
        rest.join("\n")
    } else {
        format!("{{\"values\":[{}]}}", dumped_values(&rest))
    };
    let mut event = String::from("{");
    for (key, value) in head {
        let value = serde_json::to_string(&value).ok()?;
        write!(event, "\"{key}\":{value},").ok()?;
    }
    let end = ObjectScan::default().feed(data.as_bytes())?;
    write!(event, "\"data\":{}}}", &data[..end]).ok()?;
    decode(event.as_bytes(), node).map(|event| vec![event])
}

/// Lines such as `value : HOLDOVER`, `data type : notification` and `ResourceAddress: /cluster/…`, the
/// address last, as the elements of an array.
fn dumped_values(lines: &[&str]) -> String {
    let mut values = Vec::new();
    let (mut kind, mut value) = ("", "");
    for line in lines {
        let Some((key, text)) = line.split_once(':') else { continue };
        match (key.trim(), text.trim()) {
            ("data type" | "data_type", text) => kind = text,
            ("value", text) => value = text,
            ("resource" | "ResourceAddress", address) => {
                let texts = [address, kind, value].map(|text| serde_json::json!(text).to_string());
                let [address, kind, value] = texts;
                values.push(format!(
                    "{{\"ResourceAddress\":{address},\"data_type\":{kind},\"value\":{value}}}"
                ));
            }
            _ => {}
        }
    }
    values.join(",")
}

/// Takes one level of string escapes off, those of JSON and of Go's `%q` alike, from where the quoted
/// text begins up to the quote that ends it.
fn unquote(text: &str) -> Option<String> {
    let begin = text.find("\\\"").or_else(|| text.find("\\n"))?;
    // What is before the first escape belongs to the quoted text as well, from its quote on.
    let begin = text[..begin].rfind('"').map_or(0, |quote| quote + 1);
    let mut out = String::with_capacity(text.len());
    let mut chars = text[begin..].chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' | 'b' | 'f' | 'v' => out.push(' '),
                'x' => out.push(code(&mut chars, 2)?),
                'u' => out.push(code(&mut chars, 4)?),
                'U' => out.push(code(&mut chars, 8)?),
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
    Some(out)
}

/// The character of so many hexadecimal digits; half of a surrogate pair is replaced.
fn code(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let mut number = 0u32;
    for _ in 0..digits {
        number = number.checked_mul(16)?.checked_add(chars.next()?.to_digit(16)?)?;
    }
    Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_on_the_type_before_the_event_hides_nothing() {
        let event = r#"{"id":"1","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30Z","data":{"values":[{"ResourceAddress":"/cluster/node/n1/ens1fx/master","data_type":"notification","value":"LOCKED"}]}}"#;
        let text = format!(
            "Publishing event.sync.ptp-status.ptp-state-change: {event} and event.sync.x {event}"
        );
        assert_eq!(events(&text, None).map(|(events, _)| events.len()), Some(2));
    }

    /// One line per form, with other names; see docs/protocol.md §12.
    #[test]
    fn every_form_that_is_logged() {
        let mut table = String::new();
        for line in include_str!("testdata/logged.txt").lines() {
            let Some((form, line)) = line.split_once('|') else { continue };
            // Where the log has several lines, so has the text.
            let text = line.replace('⏎', "\n").replace('␛', "\u{1b}");
            match events(&text, None) {
                Some((events, time)) => {
                    for event in events {
                        let reading = &event.readings[0];
                        let state = reading.state.as_ref().map(ToString::to_string);
                        writeln!(
                            table,
                            "{form}: {} {} {} {} at {} logged {}",
                            event.node,
                            event.resource,
                            reading.instance,
                            state.unwrap_or_default(),
                            event.stamped.map_or("?".to_owned(), |at| at.to_string()),
                            time.map_or("?".to_owned(), |at| at.to_string()),
                        )
                        .unwrap();
                    }
                }
                None => writeln!(table, "{form}: none").unwrap(),
            }
        }
        insta::assert_snapshot!(table);
    }
}
