//! What one text of a recording can be, and the events inside it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::splitter::ObjectScan;
use super::{LineProblem, Origin, Recorded};
use crate::daemon::{DaemonLog, LineKind, LogLine};
use crate::decode::{elements, is_array};
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
    /// A recorded line of linuxptp-daemon.
    Fed,
    /// Something else with an event inside, or a line of linuxptp-daemon.
    Log,
}

/// What a text was found to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// One or more events.
    Events,
    /// A line of linuxptp-daemon, given to its log; events may come of it, now or later.
    Daemon,
    /// Nothing that claims to be either.
    Nothing,
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
    event: Option<IgnoredAny>,
    t_ns: Option<IgnoredAny>,
    body: Option<IgnoredAny>,
    line: Option<IgnoredAny>,
}

/// Appends the events of `text` to `out`, or hands it to the daemon's log.
pub(super) fn read(
    text: &[u8],
    line: u64,
    form: &mut Form,
    daemon: Option<&mut DaemonLog>,
    out: &mut Vec<Recorded>,
) -> Result<Found, LineProblem> {
    let text = text.trim_ascii();
    let bare = Context { received: None, origin: Origin::Unknown, node: None, line };
    if *form == Form::Bare
        && let Ok(event) = Event::from_slice(text)
    {
        out.push(bare.recorded(event));
        return Ok(Found::Events);
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
                return Ok(Found::Nothing);
            }
            let received = Some(Received::from_nanos(request.t_ns));
            let context = Context { received, origin: Origin::Unknown, node: None, line };
            read_events(request.body.as_bytes(), &context, out)?;
        }
        Form::Fed => {
            *form = found;
            let fed: Fed<'_> =
                serde_json::from_slice(text).map_err(|source| LineProblem::Envelope { source })?;
            let received = Some(Received::from_nanos(fed.t_ns));
            return Ok(read_daemon(LogLine { number: line, text: &fed.line, received }, daemon));
        }
        Form::Log => {
            let daemons = std::str::from_utf8(text).is_ok_and(|text| {
                let fed = LogLine { number: line, text, received: None };
                read_daemon(fed, daemon) == Found::Daemon
            });
            return Ok(if daemons { Found::Daemon } else { read_log(text, &bare, out) });
        }
    }
    *form = found;
    Ok(Found::Events)
}

/// Without a log to give it to, a line of the daemon is just a line.
fn read_daemon(line: LogLine<'_>, daemon: Option<&mut DaemonLog>) -> Found {
    match daemon.map(|daemon| daemon.handle_line(line)) {
        Some(LineKind::Understood) => Found::Daemon,
        Some(LineKind::Ignored | LineKind::Foreign) | None => Found::Nothing,
    }
}

fn recognise(text: &[u8]) -> Form {
    match text.first() {
        Some(b'{') => match serde_json::from_slice::<Keys>(text) {
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
    if !is_array(json) {
        out.push(context.recorded(decode(json)?));
        return Ok(());
    }
    for element in elements(json).map_err(|source| LineProblem::Envelope { source })? {
        out.push(context.recorded(decode(element)?));
    }
    Ok(())
}

/// An event somewhere in a line of text. A line without one is just a line.
fn read_log(text: &[u8], context: &Context, out: &mut Vec<Recorded>) -> Found {
    let Some(start) = memchr::memchr(b'{', text) else {
        return Found::Nothing;
    };
    let tail = &text[start..];
    let event = if tail.starts_with(br#"{\""#) {
        // The logger quoted its message, and so escaped the event's quotes.
        unescape(tail).and_then(|json| context.decode(json.as_bytes()).ok())
    } else {
        let end = ObjectScan::default().feed(tail);
        end.and_then(|end| context.decode(&tail[..end]).ok())
    };
    let Some(event) = event else {
        return Found::Nothing;
    };
    out.push(context.recorded(event));
    Found::Events
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
