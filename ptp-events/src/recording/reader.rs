//! Reads recordings of every form.

use std::io::{self, BufRead};

use super::form::{self, Form, Found};
use super::splitter::{Splitter, Text};
use super::{Origin, Recorded};
use crate::DecodeError;
use crate::daemon::{DaemonLog, LogEvent};

/// How much of a bad line an error shows, in characters.
const EXCERPT_CHARS: usize = 80;

/// Why reading stopped, or what was passed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The input itself failed; nothing more will come.
    #[error("cannot read on at line {line}")]
    Io {
        /// The line reached, counted from 1.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is not an event; reading goes on with the next.
    #[error("line {line} is not an event: {excerpt}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// Its first characters, control characters escaped.
        excerpt: String,
        /// What is wrong with it.
        source: LineProblem,
    },
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineProblem {
    /// The event in it cannot be decoded.
    #[error(transparent)]
    Event {
        /// Why not.
        source: DecodeError,
    },
    /// What wraps the event cannot be decoded.
    #[error("what wraps the event cannot be read")]
    Envelope {
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Longer than any event.
    #[error("the line is longer than 2 MiB")]
    TooLong,
}

/// Reads the events of a recording, in the order they stand in it.
///
/// A line that is not an event is handed out as an error and never stops the rest. Lines that do
/// not claim to hold an event, as most lines of a log, are only counted.
pub struct Reader<R> {
    splitter: Splitter<R>,
    form: Form,
    daemon: Option<DaemonLog>,
    /// Read, not yet handed out; reversed.
    ready: Vec<Recorded>,
    other_lines: u64,
    failed: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`; compressed input goes through [`super::decompress`] first.
    ///
    /// Lines of linuxptp-daemon are only counted: they do not say whose they are.
    pub const fn new(input: R) -> Self {
        Self::reading(input, None)
    }

    /// Reads from `input`, in which lines of linuxptp-daemon belong to `daemon`.
    pub const fn with_daemon(input: R, daemon: DaemonLog) -> Self {
        Self::reading(input, Some(daemon))
    }

    const fn reading(input: R, daemon: Option<DaemonLog>) -> Self {
        Self {
            splitter: Splitter::new(input),
            form: Form::Bare,
            daemon,
            ready: Vec::new(),
            other_lines: 0,
            failed: false,
        }
    }

    /// How many lines so far held text that does not claim to be an event.
    #[must_use]
    pub const fn other_lines(&self) -> u64 {
        self.other_lines
    }

    /// The daemon's log, to ask what it counted.
    #[must_use]
    pub const fn daemon(&self) -> Option<&DaemonLog> {
        self.daemon.as_ref()
    }

    /// Fetches what the daemon's log has to say, the last first.
    fn poll_daemon(&mut self) {
        let Some(daemon) = &mut self.daemon else { return };
        while let Some(LogEvent { event, line }) = daemon.poll_event() {
            self.ready.push(Recorded { event, received: None, origin: Origin::Unknown, line });
        }
        self.ready.reverse();
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Recorded, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            if let Some(recorded) = self.ready.pop() {
                return Some(Ok(recorded));
            }
            let (line, text) = match self.splitter.next() {
                Ok(Some(next)) => next,
                Ok(None) => {
                    self.daemon.as_mut()?.finish();
                    self.poll_daemon();
                    return self.ready.pop().map(Ok);
                }
                Err(source) => {
                    self.failed = true;
                    return Some(Err(ReadError::Io { line: self.splitter.line(), source }));
                }
            };
            let outcome = match text {
                Text::Whole(text) => {
                    form::read(text, line, &mut self.form, self.daemon.as_mut(), &mut self.ready)
                        .map_err(|problem| (problem, excerpt(text)))
                }
                Text::TooLong(text) => Err((LineProblem::TooLong, excerpt(text))),
            };
            match outcome {
                Ok(Found::Events) => self.ready.reverse(),
                Ok(Found::Daemon) => self.poll_daemon(),
                Ok(Found::Nothing) => self.other_lines += 1,
                Err((source, excerpt)) => {
                    // Events before the bad one in an array still count.
                    self.ready.reverse();
                    return Some(Err(ReadError::Line { line, excerpt, source }));
                }
            }
        }
        None
    }
}

fn excerpt(text: &[u8]) -> String {
    let head = &text[..text.len().min(EXCERPT_CHARS * 4)];
    let text = String::from_utf8_lossy(head);
    text.trim().chars().take(EXCERPT_CHARS).flat_map(char::escape_debug).collect()
}
