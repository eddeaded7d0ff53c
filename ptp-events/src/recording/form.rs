//! What one text of a recording can be, and the events inside it.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::sequence::Item;
use super::splitter::{ObjectScan, Text};
use super::{LineProblem, Origin, ReadError, Recorded};
use crate::daemon::MAX_LINE_BYTES;
use crate::decode::{elements, is_array};
use crate::{DecodeError, Event, NodeName, Received};

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
        let excerpt = excerpt(text);
        out.push_back(Item::Bad(ReadError::Line { line, excerpt, source }));
    }
}

fn read_whole(
    text: &[u8],
    line: u64,
    form: &mut Form,
    out: &mut VecDeque<Item>,
) -> Result<(), LineProblem> {
    let bare = Context { received: None, origin: Origin::Unknown, node: None, line };
    if *form == Form::Bare
        && let Ok(event) = Event::from_slice(text)
    {
        out.push_back(bare.recorded(event));
        return Ok(());
    }
    let found = recognise(text);
    match found {
        Form::Bare => read_events(text, &bare, out)?,
        Form::Envelope => {
            let envelope: Envelope<'_> = wrapped(text)?;
            let context = Context {
                received: envelope.received,
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
            let context = Context { received, origin: Origin::Unknown, node: None, line };
            read_events(request.body.as_bytes(), &context, out)?;
        }
        Form::Fed => {
            *form = found;
            let fed: Fed<'_> = wrapped(text)?;
            let received = Some(Received::from_nanos(fed.t_ns));
            out.push_back(Item::Line { number: line, text: fed.line.into_owned(), received });
        }
        Form::Log => {
            out.push_back(match (read_log(text, &bare), std::str::from_utf8(text)) {
                (Some(event), _) => event,
                (None, Ok(text)) if text.len() <= MAX_LINE_BYTES => {
                    Item::Line { number: line, text: text.to_owned(), received: None }
                }
                (None, _) => Item::Nothing,
            });
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
            _ => Form::Bare,
        },
        Some(b'[') if matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b']')) => {
            Form::Bare
        }
        _ => Form::Log,
    }
}

/// What a text says about the events in it.
struct Context {
    received: Option<Received>,
    origin: Origin,
    node: Option<NodeName>,
    line: u64,
}

impl Context {
    const fn recorded(&self, event: Event) -> Item {
        let (received, origin, line) = (self.received, self.origin, self.line);
        Item::Event(Recorded { event, received, origin, line })
    }

    fn decode(&self, json: &[u8]) -> Result<Event, DecodeError> {
        match &self.node {
            Some(node) => Event::from_slice_of(json, node),
            None => Event::from_slice(json),
        }
    }
}

/// One event, or an array of them.
fn read_events(
    json: &[u8],
    context: &Context,
    out: &mut VecDeque<Item>,
) -> Result<(), LineProblem> {
    let decode = |json: &[u8]| context.decode(json).map_err(|source| LineProblem::Event { source });
    if !is_array(json) {
        out.push_back(context.recorded(decode(json)?));
        return Ok(());
    }
    for element in elements(json).map_err(|source| LineProblem::Envelope { source })? {
        out.push_back(context.recorded(decode(element)?));
    }
    Ok(())
}

/// An event somewhere in a line of text.
fn read_log(text: &[u8], context: &Context) -> Option<Item> {
    let start = memchr::memchr(b'{', text)?;
    let tail = &text[start..];
    let event = if tail.starts_with(br#"{\""#) {
        // The logger quoted its message, and so escaped the event's quotes.
        context.decode(unescape(tail)?.as_bytes())
    } else {
        let end = ObjectScan::default().feed(tail)?;
        context.decode(&tail[..end])
    };
    Some(context.recorded(event.ok()?))
}

/// Takes one level of JSON string escapes off, up to the quote that ends the string.
fn unescape(text: &[u8]) -> Option<String> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    let mut escaped = false;
    for byte in text {
        if *byte == b'"' && !escaped {
            break;
        }
        escaped = *byte == b'\\' && !escaped;
        quoted.push(*byte);
    }
    quoted.push(b'"');
    serde_json::from_slice(&quoted).ok()
}

fn excerpt(text: &[u8]) -> String {
    let head = &text[..text.len().min(EXCERPT_CHARS * 4)];
    let text = String::from_utf8_lossy(head);
    text.trim().chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect()
}
