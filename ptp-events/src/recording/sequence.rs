//! The half of reading that needs the order of the lines.

use std::collections::{BTreeMap, VecDeque};

use smol_str::SmolStr;

use super::{Decoded, Origin, ReadError, Recorded};
use crate::daemon::{DaemonLog, LineKind, LogEvent, LogLine};
use crate::{NodeName, Received};

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
    /// Of lines that say from which pod they are (`oc logs --prefix`), a log for each.
    pods: BTreeMap<SmolStr, DaemonLog>,
    /// Whose line was the last; empty for lines that do not say.
    current: SmolStr,
    other_lines: u64,
    finished: bool,
}

/// How many pods' lines are told apart in one recording; a cluster has one for each node.
const MOST_PODS: usize = 10_000;

/// The pod that a line is from and what it wrote, by the prefix of `oc logs --prefix`:
/// `[pod/POD/CONTAINER] …`.
fn pod(text: &str) -> Option<(&str, &str)> {
    let (source, line) = text.strip_prefix("[pod/")?.split_once("] ")?;
    let (pod, _container) = source.split_once('/')?;
    Some((pod, line))
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
            if let Some(LogEvent { event, line }) = self.current().and_then(DaemonLog::poll_event) {
                return Some(Ok(Recorded { event, received: None, origin: Origin::Unknown, line }));
            }
            let Some(item) = self.items.pop_front() else {
                // Every line was read: the logs are over too, one after the other.
                self.current = self.next_unfinished().filter(|_| self.finished)?;
                self.current()?.finish();
                continue;
            };
            match item {
                Item::Event(recorded) => return Some(Ok(recorded)),
                Item::Bad(error) => return Some(Err(error)),
                Item::Line { number, text, received } => {
                    let (pod, text) = pod(&text).unwrap_or(("", &text));
                    let line = LogLine { number, text, received };
                    // Without a log to give it to, a line of the daemon is just a line.
                    let kind = self.log_of(pod).map(|log| log.handle_line(line));
                    self.other_lines += u64::from(kind != Some(LineKind::Understood));
                }
                Item::Nothing => self.other_lines += 1,
            }
        }
    }

    fn current(&mut self) -> Option<&mut DaemonLog> {
        match self.current.as_str() {
            "" => self.daemon.as_mut(),
            pod => self.pods.get_mut(pod),
        }
    }

    /// The log that a line of this pod belongs to, which is the current one from then on.
    fn log_of(&mut self, pod: &str) -> Option<&mut DaemonLog> {
        if self.current != pod {
            self.current = SmolStr::new(pod);
        }
        if !pod.is_empty() && !self.pods.contains_key(pod) && self.pods.len() < MOST_PODS {
            // No line says on which node a pod runs, so its own name stands for it.
            let first = self.pods.is_empty();
            let log = self.daemon.as_ref()?.of_pod(NodeName::new(pod).ok()?, first);
            self.pods.insert(SmolStr::new(pod), log);
        }
        self.current()
    }

    /// The first log that has not been told that it is over.
    fn next_unfinished(&self) -> Option<SmolStr> {
        if self.daemon.as_ref().is_some_and(|log| !log.is_finished()) {
            return Some(SmolStr::default());
        }
        self.pods.iter().find(|(_, log)| !log.is_finished()).map(|(pod, _)| pod.clone())
    }

    /// How many lines so far held text that does not claim to be an event.
    #[must_use]
    pub const fn other_lines(&self) -> u64 {
        self.other_lines
    }

    /// The daemons' logs, to ask what they counted: that of lines which do not say whose they are, and
    /// one for each pod.
    pub fn daemons(&self) -> impl Iterator<Item = &DaemonLog> {
        self.daemon.iter().chain(self.pods.values())
    }
}
