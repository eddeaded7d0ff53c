//! Lines of logs and events inside JSON, wherever a collector has put them.
//!
//! Collectors agree on little: a line is in some field of an object, the time and the machine in fields
//! beside it or in an object of labels; many such objects are in arrays, or an array holds pairs of a
//! time and a line; or it is a table, whose columns are named once. So every object is looked through,
//! and what is known of it goes for what is in it.

mod table;

use std::collections::VecDeque;

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::item::{Context, Item};
use super::logged;
use crate::Received;
use crate::daemon::{MAX_LINE_BYTES, Whose, find, names, parse_time, read_before};

/// How deep we look.
const MOST_LEVELS: usize = 8;

/// Fields that tell when a line was written, as collectors call them.
const TIMES: [&str; 16] = [
    "@timestamp",
    "timestamp",
    "time",
    "_time",
    "ts",
    "datetime",
    "date",
    "eventtime",
    "asctime",
    "__realtime_timestamp",
    "_source_realtime_timestamp",
    "tsns",
    "timegenerated",
    "isodate",
    "timeunixnano",
    "observedtimeunixnano",
];

/// Fields that tell which program wrote it, where the line does not.
const PROGRAMS: [&str; 9] = [
    "syslog_identifier",
    "systemd.u.syslog_identifier",
    "ident",
    "program",
    "programname",
    "appname",
    "app_name",
    "process",
    "tag",
];

/// Fields in which the same line may stand once more, as it was before it was taken apart.
const COPIES: [&str; 3] = ["original", "_raw", "full_message"];

/// What is known of everything inside an object.
#[derive(Clone, Debug, Default)]
struct Around {
    written: Option<Received>,
    node: Option<SmolStr>,
    pod: Option<SmolStr>,
    program: Option<SmolStr>,
}

/// Finds what there is in `value`; false when there is nothing.
pub(super) fn read(value: &Value, line: u64, out: &mut VecDeque<Item>) -> bool {
    let mut found = Found { line, out, any: false };
    found.look_into(value, &Around::default(), 0);
    found.any
}

/// Finds what there is in the object that a line ends with, after a time: fluentd writes so.
pub(super) fn read_tail(text: &str, line: u64, out: &mut VecDeque<Item>) -> bool {
    let text = text.trim_ascii_end();
    let Some(at) = text.find('{').filter(|at| text.ends_with('}') && *at > 0) else { return false };
    let Ok(value) = serde_json::from_str(&text[at..]) else { return false };
    let around = Around { written: read_before(&text[..at], None).wall, ..Around::default() };
    let mut found = Found { line, out, any: false };
    found.look_into(&value, &around, 0);
    found.any
}

struct Found<'a> {
    line: u64,
    out: &'a mut VecDeque<Item>,
    any: bool,
}

impl Found<'_> {
    fn look_into(&mut self, value: &Value, around: &Around, level: usize) {
        if level > MOST_LEVELS {
            return;
        }
        match value {
            Value::Object(fields) => self.object(fields, around, level),
            Value::Array(elements) => match elements.as_slice() {
                [time, Value::String(text), ..] if is_time(time) => {
                    let written = time_of(time).or(around.written);
                    self.text(text, &Around { written, ..around.clone() });
                }
                elements => {
                    for element in elements {
                        self.look_into(element, around, level + 1);
                    }
                }
            },
            Value::String(text) => {
                self.text(text, around);
            }
            _ => {}
        }
    }

    fn object(&mut self, fields: &Map<String, Value>, around: &Around, level: usize) {
        if fields.contains_key("id") && fields.contains_key("data") && self.event(fields, around) {
            return;
        }
        let mut around = around.clone();
        around.learn(fields, true);
        let rows = table::rows(fields);
        if !rows.is_empty() {
            for row in rows {
                self.object(&row, &around, level + 1);
            }
            return;
        }
        let texts = fields.iter().filter_map(|(key, value)| Some((key, only(value).as_str()?)));
        let (copies, texts): (Vec<_>, Vec<_>) =
            texts.partition(|(key, _)| COPIES.iter().any(|copy| copy.eq_ignore_ascii_case(key)));
        if texts.into_iter().chain(copies).any(|(_, text)| self.text(text, &around)) {
            return;
        }
        for value in fields.values() {
            self.look_into(value, &around, level + 1);
        }
    }

    /// An event that is an object among others.
    fn event(&mut self, fields: &Map<String, Value>, around: &Around) -> bool {
        let Ok(json) = serde_json::to_vec(fields) else { return false };
        let context = Context::logged(self.line, around.written, around.node.as_deref());
        let Ok(item) = context.read(&json) else { return false };
        self.out.push_back(item);
        self.any = true;
        true
    }

    /// A text that may hold an event, or lines.
    fn text(&mut self, text: &str, around: &Around) -> bool {
        if let Some((events, logged)) = logged::events(text, None) {
            let written = logged.or(around.written);
            let context = Context::logged(self.line, written, around.node.as_deref());
            let items = events.into_iter().filter_map(|event| context.recorded(event).ok());
            self.out.extend(items);
            self.any = true;
            return true;
        }
        let before = self.any;
        self.any = false;
        for text in text.lines().filter(|text| text.len() <= MAX_LINE_BYTES) {
            self.one_line(text, around);
        }
        let any = self.any;
        self.any |= before;
        any
    }

    fn one_line(&mut self, text: &str, around: &Around) {
        let names_one = |text: &str| find(text).is_some_and(|found| found.names_a_process());
        let text = if names_one(text) {
            text.to_owned()
        } else {
            let Some(program) = &around.program else { return };
            let text = format!("{program}: {text}");
            if !names_one(&text) {
                return;
            }
            text
        };
        let whose = around.node.as_ref().or(around.pod.as_ref()).cloned();
        let (number, written) = (self.line, around.written);
        self.out.push_back(Item::Line { number, text, received: None, written, whose });
        self.any = true;
    }
}

impl Around {
    /// What the fields of an object tell, and those of the objects in it: of labels, of a pod.
    fn learn(&mut self, fields: &Map<String, Value>, deeper: bool) {
        for (key, value) in fields {
            let value = only(value);
            if deeper && let Value::Object(labels) = value {
                self.learn(labels, false);
                continue;
            }
            let is_one = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
            if is_one(&TIMES) {
                self.written = time_of(value).or(self.written);
                continue;
            }
            let Some(text) = value.as_str() else { continue };
            match names(key) {
                Some(Whose::Node) => self.node = Some(SmolStr::new(text)),
                Some(Whose::Pod) => self.pod = Some(SmolStr::new(text)),
                None if is_one(&PROGRAMS) => self.program = Some(SmolStr::new(text)),
                None => {}
            }
        }
    }
}

/// The one value of a list of one: Elasticsearch answers `fields` so.
fn only(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => value,
    }
}

/// Whether it is a time, and no line that begins with one.
fn is_time(value: &Value) -> bool {
    let is_line = value.as_str().is_some_and(|text| find(text).is_some());
    !is_line && time_of(value).is_some()
}

fn time_of(value: &Value) -> Option<Received> {
    match value {
        Value::String(text) => parse_time(text),
        Value::Number(number) => parse_time(&number.to_string()),
        _ => None,
    }
}
