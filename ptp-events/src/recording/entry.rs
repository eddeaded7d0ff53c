//! Entries of `journalctl -o export` and `-o verbose`: a field a line, in no fixed order (systemd,
//! `JOURNAL_EXPORT_FORMATS`).

use smol_str::SmolStr;

use super::item::Item;
use crate::Received;
use crate::daemon::{parse_time, read_before};

/// The fields of the entry that is being read, as far as they matter.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Whether the lines so far are such fields.
    is_open: bool,
    number: u64,
    time: Option<Received>,
    host: Option<SmolStr>,
    program: Option<SmolStr>,
    message: Option<String>,
}

/// What a line is of an entry.
#[derive(Debug)]
pub(super) enum Part {
    /// No part of one.
    None,
    /// One of its fields.
    Field,
    /// The beginning of the next: the one before is complete.
    Next(Option<Box<Item>>),
}

impl Entry {
    /// Takes a line.
    pub(super) fn handle_line(&mut self, number: u64, text: &str) -> Part {
        let text = text.trim_ascii_start();
        if text.starts_with("__CURSOR=") || is_heading(text) {
            let before = self.take();
            let time = if is_heading(text) { read_before(text, None).wall } else { None };
            *self = Self { is_open: true, number, time, ..Self::default() };
            return Part::Next(before.map(Box::new));
        }
        let field = self.is_open.then(|| text.split_once('=')).flatten();
        let Some((key, value)) = field.filter(|(key, _)| is_key(key)) else {
            return Part::None;
        };
        match key {
            "__REALTIME_TIMESTAMP" => self.time = parse_time(value).or(self.time),
            "_HOSTNAME" => self.host = Some(SmolStr::new(value)),
            "SYSLOG_IDENTIFIER" => self.program = Some(SmolStr::new(value)),
            "MESSAGE" => self.message = Some(value.to_owned()),
            _ => {}
        }
        Part::Field
    }

    /// The line that the entry holds, which is complete.
    pub(super) fn take(&mut self) -> Option<Item> {
        let Self { number, time: written, host: whose, program, message, .. } =
            std::mem::take(self);
        let message = message?;
        let text = match program {
            Some(program) => format!("{program}: {message}"),
            None => message,
        };
        Some(Item::Line { number, text, received: None, written, whose })
    }
}

/// `Wed 2026-03-04 10:00:00.000000 UTC [s=8d…;i=1f;b=…`
fn is_heading(text: &str) -> bool {
    text.ends_with(']') && text.contains(" [s=") && text.contains(";i=") && text.contains(";b=")
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
