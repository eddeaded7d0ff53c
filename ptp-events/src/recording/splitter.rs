//! Cuts input into texts that may each be a record, without understanding them.

use std::io::{self, BufRead};

use crate::MAX_BODY_BYTES;

/// The longest text that can hold an event: a recorded request escapes it once more.
const MAX_TEXT_BYTES: usize = 2 * MAX_BODY_BYTES;

/// One text of the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Text<'a> {
    /// A line, or a JSON object out of an array or over several lines.
    Whole(&'a [u8]),
    /// More bytes than any record has; these are the first of them.
    TooLong(&'a [u8]),
}

/// Where in the input we are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mode {
    Start,
    Lines,
    /// After the bracket that may open a JSON array.
    Bracket,
    /// Between the elements of a JSON array.
    Array,
}

/// Cuts `input` into texts.
pub(crate) struct Splitter<R> {
    input: R,
    mode: Mode,
    /// The line the next text starts on, counted from 1.
    line: u64,
    text: Vec<u8>,
}

impl<R: BufRead> Splitter<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, mode: Mode::Start, line: 1, text: Vec::new() }
    }

    /// The line reached, counted from 1.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The next text and the line it starts on.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Text<'_>)>> {
        if self.mode == Mode::Start {
            self.start()?;
        }
        loop {
            self.text.clear();
            let line = self.line;
            let found = match self.mode {
                Mode::Bracket | Mode::Array => self.element()?,
                Mode::Start | Mode::Lines => self.one_line()?,
            };
            match found {
                Found::Text => {
                    return Ok(Some((line.max(self.element_line(line)), Text::Whole(&self.text))));
                }
                Found::TooLong => return Ok(Some((line, Text::TooLong(&self.text)))),
                Found::Nothing => {}
                Found::End => return Ok(None),
            }
        }
    }

    /// An element's first line is known only after the blanks before it.
    fn element_line(&self, line: u64) -> u64 {
        if self.mode == Mode::Array { self.line - count_lines(&self.text) } else { line }
    }

    /// Decides from the first bytes whether the input is one JSON array.
    fn start(&mut self) -> io::Result<()> {
        self.mode = Mode::Lines;
        loop {
            let buffer = self.input.fill_buf()?;
            let Some(at) = buffer.iter().position(|b| !b.is_ascii_whitespace()) else {
                let seen = buffer.len();
                if seen == 0 {
                    return Ok(());
                }
                self.line += count_lines(buffer);
                self.input.consume(seen);
                continue;
            };
            let bracket = buffer[at] == b'[';
            self.line += count_lines(&buffer[..at]);
            self.input.consume(at + usize::from(bracket));
            if bracket {
                self.mode = Mode::Bracket;
            }
            return Ok(());
        }
    }

    fn one_line(&mut self) -> io::Result<Found> {
        match self.read_line()? {
            Found::Text => {}
            other => return Ok(other),
        }
        // A pretty-printed object opens with a line of its own.
        if self.text.trim_ascii() == b"{" {
            let mut scan = ObjectScan::default();
            scan.feed(&self.text);
            return self.object(scan);
        }
        Ok(if self.text.trim_ascii().is_empty() { Found::Nothing } else { Found::Text })
    }

    /// Appends one line to the text, without its line break.
    fn read_line(&mut self) -> io::Result<Found> {
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = MAX_TEXT_BYTES.saturating_sub(self.text.len());
            too_long |= part.len() > room;
            self.text.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                self.line += 1;
                break;
            }
        }
        Ok(match (any, too_long) {
            (false, _) => Found::End,
            (true, true) => Found::TooLong,
            (true, false) => Found::Text,
        })
    }

    /// Skips to the next element of the array and reads it if it is an object.
    fn element(&mut self) -> io::Result<Found> {
        loop {
            let buffer = self.input.fill_buf()?;
            let Some(byte) = buffer.first().copied() else {
                return Ok(Found::End);
            };
            match byte {
                b'{' => {
                    self.mode = Mode::Array;
                    return self.object(ObjectScan::default());
                }
                b']' => {
                    self.input.consume(1);
                    self.mode = Mode::Lines;
                    return Ok(Found::Nothing);
                }
                b',' | b' ' | b'\t' | b'\r' => self.input.consume(1),
                b'\n' => {
                    self.line += 1;
                    self.input.consume(1);
                }
                // Not a JSON array of objects after all, but a line such as `[2026-…`.
                _ => {
                    if self.mode == Mode::Bracket {
                        self.text.push(b'[');
                    }
                    self.mode = Mode::Lines;
                    return self.one_line();
                }
            }
        }
    }

    /// Appends bytes to the text up to the brace that closes the object.
    fn object(&mut self, mut scan: ObjectScan) -> io::Result<Found> {
        let mut too_long = false;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                // Cut off: let the decoder say what is missing.
                return Ok(if self.text.is_empty() { Found::End } else { Found::Text });
            }
            let end = scan.feed(buffer);
            let used = end.unwrap_or(buffer.len());
            self.line += count_lines(&buffer[..used]);
            let room = MAX_TEXT_BYTES.saturating_sub(self.text.len());
            too_long |= used > room;
            self.text.extend_from_slice(&buffer[..used.min(room)]);
            self.input.consume(used);
            if end.is_some() {
                return Ok(if too_long { Found::TooLong } else { Found::Text });
            }
        }
    }
}

enum Found {
    Text,
    TooLong,
    Nothing,
    End,
}

fn count_lines(bytes: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', bytes).count()).unwrap_or(u64::MAX)
}

/// Finds the brace that closes a JSON object, minding strings.
#[derive(Debug, Default)]
pub(crate) struct ObjectScan {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl ObjectScan {
    /// Looks at more bytes; returns how many of them belong to the object once it is closed.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' => self.depth += 1,
                b'}' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    /// The same texts whatever the size of the buffer below.
    #[track_caller]
    fn check(input: &str, expect: &[(u64, &str)]) {
        for capacity in [1, 2, 7, 1 << 16] {
            let mut splitter = Splitter::new(BufReader::with_capacity(capacity, input.as_bytes()));
            let mut got = Vec::new();
            while let Some((line, text)) = splitter.next().unwrap() {
                match text {
                    Text::Whole(text) => {
                        got.push((line, String::from_utf8_lossy(text).into_owned()));
                    }
                    Text::TooLong(_) => got.push((line, "too long".to_owned())),
                }
            }
            let got: Vec<_> = got.iter().map(|(line, text)| (*line, text.as_str())).collect();
            assert_eq!(got, expect, "with a buffer of {capacity}");
        }
    }

    #[test]
    fn lines() {
        check(
            "{\"a\":1}\n\n{\"a\":2}\r\nplain",
            &[(1, "{\"a\":1}"), (3, "{\"a\":2}\r"), (4, "plain")],
        );
        check("", &[]);
    }

    #[test]
    fn arrays_on_one_line_and_on_many() {
        check("[{\"a\":\"}]\"},{\"b\":{}}]", &[(1, "{\"a\":\"}]\"}"), (1, "{\"b\":{}}")]);
        check("[\n {\"a\":\n1},\n {\"b\":2}\n]\n", &[(2, "{\"a\":\n1}"), (4, "{\"b\":2}")]);
        check("[{\"a\":1}]\n[{\"b\":1}]", &[(1, "{\"a\":1}"), (2, "[{\"b\":1}]")]);
    }

    #[test]
    fn pretty_printed_objects() {
        check(
            "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n",
            &[(1, "{  \"a\": 1\n}"), (4, "{  \"b\": 2\n}")],
        );
    }

    #[test]
    fn a_log_line_may_begin_with_a_bracket() {
        check("[2026-11-23] hello\n", &[(1, "[2026-11-23] hello")]);
    }

    #[test]
    fn a_line_longer_than_any_event_does_not_fill_memory() {
        let long = "x".repeat(MAX_TEXT_BYTES + 10);
        check(&format!("{long}\nnext\n"), &[(1, "too long"), (2, "next")]);
    }
}
