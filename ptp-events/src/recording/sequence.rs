//! The half of reading that needs the order of the lines.

use std::collections::VecDeque;

use super::{Decoded, Origin, ReadError, Recorded};
use crate::Received;
use crate::daemon::{DaemonLog, LineKind, LogEvent, LogLine};

/// What one text was found to be.
#[derive(Debug)]
pub(super) enum Item {
    Event(Recorded),
    /// A line without an event in it; it may be one of linuxptp-daemon.
    Line {
        number: u64,
        text: String,
        received: Option<Received>,
    },
    /// Text that claims to be neither.
    Nothing,
    Bad(ReadError),
}

/// Puts decoded texts in a sequence: a log of linuxptp-daemon is understood only line by line.
///
/// [`super::Batch`] shows how it is used.
#[derive(Debug, Default)]
pub struct Sequence {
    items: VecDeque<Item>,
    daemon: Option<DaemonLog>,
    other_lines: u64,
    finished: bool,
}

impl Sequence {
    /// For texts in which lines of linuxptp-daemon are only counted: they do not say whose they are.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For texts in which lines of linuxptp-daemon belong to `daemon`.
    #[must_use]
    pub fn with_daemon(daemon: DaemonLog) -> Self {
        Self { daemon: Some(daemon), ..Self::default() }
    }

    /// Takes in what comes next in the recording.
    pub fn handle_decoded(&mut self, decoded: Decoded) {
        if self.items.is_empty() {
            self.items = decoded.items;
        } else {
            self.items.extend(decoded.items);
        }
    }

    /// Where to decode to without a batch.
    pub(super) const fn items(&mut self) -> &mut VecDeque<Item> {
        &mut self.items
    }

    /// Notes that nothing more will come in.
    pub const fn finish(&mut self) {
        self.finished = true;
    }

    /// The next event, or a line that is none.
    pub fn poll_recorded(&mut self) -> Option<Result<Recorded, ReadError>> {
        loop {
            if let Some(LogEvent { event, line }) =
                self.daemon.as_mut().and_then(DaemonLog::poll_event)
            {
                return Some(Ok(Recorded { event, received: None, origin: Origin::Unknown, line }));
            }
            let Some(item) = self.items.pop_front() else {
                // Only now has the log no line before it.
                let daemon = self.daemon.as_mut().filter(|log| self.finished && !log.is_finished());
                daemon?.finish();
                continue;
            };
            match item {
                Item::Event(recorded) => return Some(Ok(recorded)),
                Item::Bad(error) => return Some(Err(error)),
                Item::Line { number, text, received } => {
                    let line = LogLine { number, text: &text, received };
                    // Without a log to give it to, a line of the daemon is just a line.
                    let kind = self.daemon.as_mut().map(|daemon| daemon.handle_line(line));
                    self.other_lines += u64::from(kind != Some(LineKind::Understood));
                }
                Item::Nothing => self.other_lines += 1,
            }
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
}
