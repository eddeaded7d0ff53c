//! Events that come in pieces: their attributes line by line, and then their data.
//!
//! In `CloudEvents`' binary mode the attributes are headers (`ce-id: …`, CloudEvents HTTP binding 1.0, 3.1);
//! the SDK prints them as `id: …` under `Context Attributes,`; and where somebody wrote something before
//! every line, even JSON that was printed over several lines is such.

use std::fmt::Write as _;

use super::logged;
use super::splitter::ObjectScan;
use crate::{Event, Received};

/// How long what is being put together may be, in bytes; an event has some 600.
const MOST_BYTES: usize = 1 << 16;

/// The attributes that an event has.
const ATTRIBUTES: [&str; 4] = ["id", "type", "source", "time"];

/// What was read of an event that is not complete.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// By the places in [`ATTRIBUTES`].
    attributes: [Option<String>; ATTRIBUTES.len()],
    json: Option<Json>,
}

/// JSON, line by line, behind something.
#[derive(Debug)]
struct Json {
    prefix: usize,
    text: String,
    scan: ObjectScan,
}

impl Pieces {
    /// Takes a line that is nothing by itself. The events that it completes, if it does.
    pub(super) fn handle_line(&mut self, text: &str) -> Option<(Vec<Event>, Option<Received>)> {
        if let Some(json) = &mut self.json {
            let rest = text.get(json.prefix.min(text.len())..).unwrap_or_default();
            let is_part =
                rest.trim_start().starts_with(|c: char| "\"{}[]tfn-0123456789".contains(c));
            if !is_part || json.text.len() + rest.len() > MOST_BYTES {
                self.json = None;
                return None;
            }
            json.text.push_str(rest);
            json.text.push('\n');
            let end = json.scan.feed(format!("{rest}\n").as_bytes());
            let text = end.and_then(|_| self.json.take())?.text;
            return logged::events(&text, None)
                .or_else(|| self.handle_data(&text).map(|event| (vec![event], None)));
        }
        if let Some(prefix) = opens(text) {
            let mut scan = ObjectScan::default();
            let _ = scan.feed(b"{\n");
            self.json = Some(Json { prefix, text: "{\n".to_owned(), scan });
            return None;
        }
        if let Some((at, value)) = attribute(text) {
            // The first of another event.
            if self.attributes[at].is_some() {
                self.attributes = Default::default();
            }
            self.attributes[at] = Some(value.to_owned());
        }
        None
    }

    /// Takes the data of an event: the event, if its attributes came before.
    pub(super) fn handle_data(&mut self, json: &str) -> Option<Event> {
        let attributes = std::mem::take(&mut self.attributes);
        let mut event = String::from("{");
        for (name, value) in ATTRIBUTES.iter().zip(attributes) {
            let value = serde_json::to_string(&value?).ok()?;
            write!(event, "\"{name}\":{value},").ok()?;
        }
        event.push_str("\"data\":");
        event.push_str(json);
        event.push('}');
        Event::from_slice(event.as_bytes()).ok()
    }
}

/// Where the object begins that a line opens with its last character, if nothing before that is JSON.
fn opens(text: &str) -> Option<usize> {
    let text = text.trim_end();
    let at = text.strip_suffix('{')?.len();
    (!text[..at].contains(['"', '{'])).then_some(at)
}

/// `Ce-Id: …`, `ce_id:…`, `  id: …`
fn attribute(text: &str) -> Option<(usize, &str)> {
    let (key, value) = text.split_once(':')?;
    let key = key.trim();
    let is_header =
        |key: &str| matches!(key.as_bytes(), [b'c' | b'C', b'e' | b'E', b'-' | b'_', ..]);
    let key = if is_header(key) { &key[3..] } else { key };
    let at = ATTRIBUTES.iter().position(|name| name.eq_ignore_ascii_case(key))?;
    let value = value.trim();
    (!value.is_empty()).then_some((at, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{"version":"1.0","values":[{"data_type":"notification","ResourceAddress":"/cluster/node/w-1/ens1fx/master","value":"LOCKED"}]}"#;
    const ATTRIBUTES: [&str; 4] = [
        "id: 1",
        "type: event.sync.ptp-status.ptp-state-change",
        "source: /cluster/node/w-1/sync/ptp-status/lock-state",
        "time: 2026-03-04T10:00:00Z",
    ];

    fn told(event: &Event) -> String {
        format!("{} {} {}", event.node, event.resource, event.readings[0].instance)
    }

    #[test]
    fn attributes_and_then_data() {
        for prefix in ["Ce-", "ce-", "ce_", "  ", ""] {
            let mut pieces = Pieces::default();
            for line in ATTRIBUTES {
                assert_eq!(pieces.handle_line(&format!("{prefix}{line}")), None);
            }
            let event = pieces.handle_data(DATA).unwrap();
            assert_eq!(told(&event), "w-1 lock-state ens1fx/master", "{prefix}");
            assert_eq!(pieces.handle_data(DATA), None);
        }
    }

    #[test]
    fn json_behind_something() {
        let event = format!(
            "{{\n  \"id\": \"1\",\n  \"type\": \"event.sync.ptp-status.ptp-state-change\",\n  \
             \"source\": \"/sync/ptp-status/lock-state\",\n  \"time\": \"2026-03-04T10:00:00Z\",\n  \"data\": {DATA}\n}}"
        );
        for prefix in ["2026-03-04T10:00:00.5Z ", "[pod/a/b] ", "> ", "    17\t"] {
            let mut pieces = Pieces::default();
            let lines = event.lines().map(|line| format!("{prefix}{line}"));
            let mut events =
                lines.filter_map(|line| pieces.handle_line(&line)).flat_map(|(e, _)| e);
            assert_eq!(told(&events.next().unwrap()), "w-1 lock-state ens1fx/master", "{prefix}");
        }
    }
}
