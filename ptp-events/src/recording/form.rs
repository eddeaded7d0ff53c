//! What one text of a recording can be, and the events inside it.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use super::item::{Context, Item};
use super::logged;
use super::nested;
use super::splitter::Text;
use super::{LineProblem, Origin, ReadError};
use crate::daemon::MAX_LINE_BYTES;
use crate::decode::{elements, is_array};
use crate::{Event, NodeName, Received};

/// How much of a bad line an error shows, in characters.
const EXCERPT_CHARS: usize = 80;

/// The forms a text can have. Recordings are mostly of one form, so the last one is tried first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// The event itself.
    Bare,
    /// With receive time and origin, as [`super::Writer`] writes.
    Envelope,
    /// A recorded HTTP request with the event as its body.
    Request,
    /// A recorded line of linuxptp-daemon.
    Fed,
    /// Something else with an event inside, or a line of linuxptp-daemon.
    Log,
    /// An object with such texts somewhere in it.
    Nested,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    received: Option<Received>,
    #[serde(default)]
    origin: Origin,
    node: Option<NodeName>,
    #[serde(borrow)]
    event: &'a RawValue,
}

#[derive(Deserialize)]
struct Request<'a> {
    t_ns: i64,
    #[serde(borrow)]
    body: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Fed<'a> {
    t_ns: i64,
    #[serde(borrow)]
    line: Cow<'a, str>,
}

/// Which keys are there; tells the forms apart when decoding failed.
#[derive(Deserialize)]
struct Keys {
    id: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
    event: Option<IgnoredAny>,
    t_ns: Option<IgnoredAny>,
    body: Option<IgnoredAny>,
    line: Option<IgnoredAny>,
}

/// Appends what `text` is found to be to `out`: its events, or else what else it may be.
pub(super) fn read(text: Text<'_>, line: u64, form: &mut Form, out: &mut VecDeque<Item>) {
    let (text, outcome) = match text {
        Text::Whole(text) => (text, read_whole(text.trim_ascii(), line, form, out)),
        Text::TooLong(text) => (text, Err(LineProblem::TooLong)),
    };
    // Events before the bad one in an array still count.
    if let Err(source) = outcome {
        // Something is glued to it, or it was printed by a program that writes no JSON.
        let glued = Context::logged(line, None, None);
        if let Some((events, logged)) = logged::events(&plain(text), None) {
            let context = Context { logged, ..glued };
            let items = events.into_iter().filter_map(|event| context.recorded(event).ok());
            let before = out.len();
            out.extend(items);
            if out.len() > before {
                return;
            }
        }
        let excerpt = excerpt(text);
        out.push_back(Item::Bad(ReadError::Line { line, excerpt, source }));
    }
}

/// Why the data of an event is none, where its attributes are missing.
pub(super) fn refuse(text: &str, line: u64) -> Option<ReadError> {
    let source = Event::from_slice(text.as_bytes()).err()?;
    let excerpt = excerpt(text.as_bytes());
    Some(ReadError::Line { line, excerpt, source: LineProblem::Event { source } })
}

fn read_whole(
    text: &[u8],
    line: u64,
    form: &mut Form,
    out: &mut VecDeque<Item>,
) -> Result<(), LineProblem> {
    let bare = Context { received: None, logged: None, origin: Origin::Unknown, node: None, line };
    if *form == Form::Bare
        && text.first() == Some(&b'{')
        && let Ok(event) = Event::from_slice(text)
    {
        out.push_back(bare.recorded(event)?);
        return Ok(());
    }
    let found = recognise(text);
    match found {
        Form::Bare => read_events(text, &bare, out)?,
        Form::Envelope => {
            let envelope: Result<Envelope<'_>, _> = wrapped(text);
            let is_event = |event: &RawValue| recognise(event.get().as_bytes()) != Form::Nested;
            // Elastic has a field of that name too: `event.original` is the line as it was.
            if !envelope.as_ref().is_ok_and(|envelope| is_event(envelope.event))
                && nested::read(&wrapped(text)?, line, out)
            {
                return Ok(());
            }
            let envelope = envelope?;
            let context = Context {
                received: envelope.received,
                logged: None,
                origin: envelope.origin,
                node: envelope.node,
                line,
            };
            read_events(envelope.event.get().as_bytes(), &context, out)?;
        }
        Form::Request => {
            let request: Request<'_> = wrapped(text)?;
            if request.body.trim().is_empty() {
                out.push_back(Item::Nothing);
                return Ok(());
            }
            let received = Some(Received::from_nanos(request.t_ns));
            let context =
                Context { received, logged: None, origin: Origin::Unknown, node: None, line };
            read_events(request.body.as_bytes(), &context, out)?;
        }
        Form::Fed => {
            *form = found;
            let fed: Fed<'_> = wrapped(text)?;
            let received = Some(Received::from_nanos(fed.t_ns));
            let text = fed.line.into_owned();
            out.push_back(Item::Line { number: line, text, received, written: None, whose: None });
        }
        Form::Nested => {
            let value: Value = wrapped(text)?;
            if nested::read(&value, line, out) {
                return Ok(());
            }
            if value.get("values").is_some_and(Value::is_array) && value.get("version").is_some() {
                let text = String::from_utf8_lossy(text).into_owned();
                out.push_back(Item::Data { number: line, text });
                return Ok(());
            }
            if is_empty(&value) {
                out.push_back(Item::Nothing);
                return Ok(());
            }
            // Whatever it is, it claims to be one.
            read_events(text, &bare, out)?;
        }
        Form::Log => {
            let text = plain(text);
            if let Some((events, logged)) = logged::events(&text, None) {
                let context = Context { received: None, logged, ..bare };
                for event in events {
                    out.push_back(context.recorded(event)?);
                }
            } else if nested::read_tail(&text, line, out) {
                // A collector wrote a time before its JSON.
            } else if text.len() <= MAX_LINE_BYTES {
                let text = text.into_owned();
                let (received, written, whose) = (None, None, None);
                out.push_back(Item::Line { number: line, text, received, written, whose });
            } else {
                out.push_back(Item::Nothing);
            }
            return Ok(());
        }
    }
    *form = found;
    Ok(())
}

fn wrapped<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Result<T, LineProblem> {
    serde_json::from_slice(text).map_err(|source| LineProblem::Envelope { source })
}

fn recognise(text: &[u8]) -> Form {
    match text.first() {
        Some(b'{') => match serde_json::from_slice::<Keys>(text) {
            // Whatever else a forwarder has added to it.
            Ok(Keys { id: Some(_), data: Some(_), .. }) => Form::Bare,
            Ok(Keys { event: Some(_), .. }) => Form::Envelope,
            Ok(Keys { t_ns: Some(_), body: Some(_), .. }) => Form::Request,
            Ok(Keys { t_ns: Some(_), line: Some(_), .. }) => Form::Fed,
            Ok(_) => Form::Nested,
            _ => Form::Bare,
        },
        Some(b'[') if matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b']')) => {
            Form::Bare
        }
        // An array of strings, each of which holds something.
        Some(b'[')
            if text[1..].trim_ascii_start().first() == Some(&b'"')
                && serde_json::from_slice::<Vec<IgnoredAny>>(text).is_ok() =>
        {
            Form::Nested
        }
        // A text with its line breaks escaped.
        Some(b'"') if serde_json::from_slice::<Cow<'_, str>>(text).is_ok() => Form::Nested,
        _ => Form::Log,
    }
}

/// Whether nothing is in any of its fields: `{"items":[]}` claims to be no event.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.values().all(is_empty),
        _ => false,
    }
}

/// A line without what terminals, mail, browsers and editors put into it: colours, NULs, a mark of its
/// encoding, spaces that are none, entities.
fn plain(text: &[u8]) -> Cow<'_, str> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let is_clean = text.is_ascii() && memchr::memchr3(0x1B, 0, b'&', text).is_none();
    if is_clean {
        return String::from_utf8_lossy(text);
    }
    let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != 0).collect();
    let text = anstream::adapter::strip_bytes(&text).into_vec();
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.contains('&') {
        for (entity, plain) in ENTITIES {
            text = text.replace(entity, plain);
        }
    }
    if !text.is_ascii() {
        text = text.chars().filter_map(typed).collect();
    }
    Cow::Owned(text)
}

/// What browsers write for what linuxptp printed.
const ENTITIES: [(&str, &str); 6] = [
    ("&nbsp;", " "),
    ("&gt;", ">"),
    ("&lt;", "<"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&amp;", "&"),
];

/// The character that was typed where an editor put a finer one; `None` of those that nobody sees.
fn typed(c: char) -> Option<char> {
    Some(match c {
        '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}' => return None,
        '\u{00A0}' | '\u{2007}' | '\u{2009}' | '\u{202F}' => ' ',
        '\u{2212}' | '\u{2010}' | '\u{2011}' => '-',
        '\u{201C}' | '\u{201D}' => '"',
        c => c,
    })
}

/// One event, or an array of them.
fn read_events(
    json: &[u8],
    context: &Context,
    out: &mut VecDeque<Item>,
) -> Result<(), LineProblem> {
    let decode = |json: &[u8]| context.decode(json).map_err(|source| LineProblem::Event { source });
    if !is_array(json) {
        out.push_back(context.recorded(decode(json)?)?);
        return Ok(());
    }
    for element in elements(json).map_err(|source| LineProblem::Envelope { source })? {
        out.push_back(context.recorded(decode(element)?)?);
    }
    Ok(())
}

fn excerpt(text: &[u8]) -> String {
    let head = &text[..text.len().min(EXCERPT_CHARS * 4)];
    let text = String::from_utf8_lossy(head);
    text.trim().chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect()
}
