//! Reads recordings of every form.

use std::io::{self, BufRead};

use super::form::{self, Form};
use super::splitter::Splitter;
use super::{Recorded, Sequence};
use crate::DecodeError;
use crate::daemon::DaemonLog;

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
    /// The event has no `time`, and the recording does not say when it was received.
    #[error("the event has no `time`, and nothing says when it was received")]
    NoTime,
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
    sequence: Sequence,
    ended: bool,
    /// Why it ended, said after all that was read before.
    failed: Option<ReadError>,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `input`; compressed input goes through [`super::decompress`] first.
    ///
    /// Lines of linuxptp-daemon are only counted: they do not say whose they are.
    pub fn new(input: R) -> Self {
        Self::reading(input, Sequence::new())
    }

    /// Reads from `input`, in which lines of linuxptp-daemon belong to `daemon`.
    pub fn with_daemon(input: R, daemon: DaemonLog) -> Self {
        Self::reading(input, Sequence::with_daemon(daemon))
    }

    const fn reading(input: R, sequence: Sequence) -> Self {
        let splitter = Splitter::new(input);
        Self { splitter, form: Form::Bare, sequence, ended: false, failed: None }
    }

    /// How many lines so far held text that does not claim to be an event.
    #[must_use]
    pub const fn other_lines(&self) -> u64 {
        self.sequence.other_lines()
    }

    /// The daemons' logs, as [`Sequence::daemons`] tells them.
    pub fn daemons(&self) -> impl Iterator<Item = &DaemonLog> {
        self.sequence.daemons()
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Recorded, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.sequence.poll_recorded() {
                return Some(next);
            }
            if self.ended {
                return self.failed.take().map(Err);
            }
            match self.splitter.next() {
                Ok(Some((line, text))) => {
                    form::read(text, line, &mut self.form, self.sequence.items());
                }
                Ok(None) => {
                    self.ended = true;
                    self.sequence.finish();
                }
                Err(source) => {
                    self.ended = true;
                    self.sequence.finish();
                    self.failed = Some(ReadError::Io { line: self.splitter.line(), source });
                }
            }
        }
    }
}
