//! What one text of a recording can be, and the events inside it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::splitter::ObjectScan;
use super::{LineProblem, Origin, Recorded};
use crate::{DecodeError, Event, NodeName, Received};

/// The forms a text can have. Recordings are mostly of one form, so the last one is tried first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// The event itself.
    Bare,
    /// With receive time and origin, as [`super::Writer`] writes.
    Envelope,
    /// A recorded HTTP request with the event as its body.
    Request,
    /// Something else with an event inside.
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

/// Which keys are there; tells the forms apart when decoding failed.
#[derive(Deserialize)]
struct Keys {
    event: Option<IgnoredAny>,
    t_ns: Option<IgnoredAny>,
    body: Option<IgnoredAny>,
}

/// Appends the events of `text` to `out`; `Ok(false)` when it holds none and does not claim to.
pub(super) fn read(
    text: &[u8],
    line: u64,
    form: &mut Form,
    out: &mut Vec<Recorded>,
) -> Result<bool, LineProblem> {
    let text = text.trim_ascii();
    let bare = Context { received: None, origin: Origin::Unknown, node: None, line };
    if *form == Form::Bare
        && let Ok(event) = Event::from_slice(text)
    {
        out.push(bare.recorded(event));
        return Ok(true);
    }
    let found = recognise(text);
    match found {
        Form::Bare => read_events(text, &bare, out)?,
        Form::Envelope => {
            let envelope: Envelope<'_> =
                serde_json::from_slice(text).map_err(|source| LineProblem::Envelope { source })?;
            let context = Context {
                received: envelope.received,
                origin: envelope.origin,
                node: envelope.node,
                line,
            };
            read_events(envelope.event.get().as_bytes(), &context, out)?;
        }
        Form::Request => {
            let request: Request<'_> =
                serde_json::from_slice(text).map_err(|source| LineProblem::Envelope { source })?;
            if request.body.trim().is_empty() {
                return Ok(false);
            }
            let received = Some(Received::from_nanos(request.t_ns));
            let context = Context { received, origin: Origin::Unknown, node: None, line };
            read_events(request.body.as_bytes(), &context, out)?;
        }
        Form::Log => return Ok(read_log(text, &bare, out)),
    }
    *form = found;
    Ok(true)
}

fn recognise(text: &[u8]) -> Form {
    match text.first() {
        Some(b'{') => match serde_json::from_slice::<Keys>(text) {
            Ok(Keys { event: Some(_), .. }) => Form::Envelope,
            Ok(Keys { t_ns: Some(_), body: Some(_), .. }) => Form::Request,
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
    fn recorded(&self, event: Event) -> Recorded {
        Recorded { event, received: self.received, origin: self.origin, line: self.line }
    }

    fn decode(&self, json: &[u8]) -> Result<Event, DecodeError> {
        match &self.node {
            Some(node) => Event::from_slice_of(json, node),
            None => Event::from_slice(json),
        }
    }
}

/// One event, or an array of them.
fn read_events(json: &[u8], context: &Context, out: &mut Vec<Recorded>) -> Result<(), LineProblem> {
    let decode = |json: &[u8]| context.decode(json).map_err(|source| LineProblem::Event { source });
    if !json.trim_ascii_start().starts_with(b"[") {
        out.push(context.recorded(decode(json)?));
        return Ok(());
    }
    let elements: Vec<&RawValue> =
        serde_json::from_slice(json).map_err(|source| LineProblem::Envelope { source })?;
    for element in elements {
        out.push(context.recorded(decode(element.get().as_bytes())?));
    }
    Ok(())
}

/// An event somewhere in a line of text. A line without one is just a line.
fn read_log(text: &[u8], context: &Context, out: &mut Vec<Recorded>) -> bool {
    let Some(start) = memchr::memchr(b'{', text) else {
        return false;
    };
    let tail = &text[start..];
    let event = if tail.starts_with(br#"{\""#) {
        // The logger quoted its message, and so escaped the event's quotes.
        unescape(tail).and_then(|json| context.decode(json.as_bytes()).ok())
    } else {
        let end = ObjectScan::default().feed(tail);
        end.and_then(|end| context.decode(&tail[..end]).ok())
    };
    event.is_some_and(|event| {
        out.push(context.recorded(event));
        true
    })
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
