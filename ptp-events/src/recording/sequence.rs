//! The half of reading that needs the order of the lines.

use std::collections::{BTreeMap, VecDeque};

use smol_str::SmolStr;

use super::entry::{Entry, Part};
use super::form;
use super::item::{Context, Item};
use super::joined::Joined;
use super::pieces::Pieces;
use super::{Decoded, Origin, ReadError, Recorded};
use crate::daemon::{DaemonLog, LineKind, LogEvidence, LogLine, SAMPLE_BYTES, find};
use crate::{Event, NodeName, Received};

/// Puts decoded texts in a sequence: a log of linuxptp-daemon is understood only line by line.
///
/// [`super::Batch`] shows how it is used.
#[derive(Debug, Default)]
pub struct Sequence {
    items: VecDeque<Item>,
    daemon: Option<DaemonLog>,
    /// Of lines that say from which node or pod they are, a log for each.
    logs: BTreeMap<SmolStr, DaemonLog>,
    /// Whose line was the last; empty for lines that do not say.
    current: SmolStr,
    /// What was read of an event that comes in several lines.
    pieces: Pieces,
    /// Lines that were cut in pieces.
    joined: Joined,
    /// Whose file follows, as a line between files says.
    heading: Heading,
    /// The entry of an exported journal that is being read.
    entry: Entry,
    order: Order,
    events: u64,
    other_lines: u64,
    /// The first line that is neither an event nor linuxptp's.
    first_foreign: Option<Box<str>>,
    foreign_lines: u64,
    finished: bool,
}

/// Lines between the files, or the hosts, that one recording was put together of: `==> worker-1.log <==`
/// (tail, head), a file's name alone (ripgrep), a host between two rules (clush).
#[derive(Debug, Default)]
struct Heading {
    whose: Option<SmolStr>,
    /// The line before was a rule.
    after_rule: bool,
}

impl Heading {
    fn handle_line(&mut self, text: &str) {
        let text = text.trim();
        let named = text.strip_prefix("==> ").and_then(|rest| rest.strip_suffix(" <=="));
        let is_word = !text.contains(char::is_whitespace);
        let is_file = is_word && [".log", ".txt"].iter().any(|end| text.ends_with(end));
        if let Some(path) = named.or_else(|| Some(text).filter(|_| is_file)) {
            let name = path.rsplit('/').next().unwrap_or(path);
            self.whose = Some(SmolStr::new(name.split('.').next().unwrap_or(name)));
        } else if self.after_rule && is_word && !text.is_empty() {
            self.whose = Some(SmolStr::new(text));
        }
        self.after_rule = text.len() >= 3 && text.bytes().all(|b| matches!(b, b'-' | b'='));
    }
}

/// Which way the lines run: stores of logs answer with the newest first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Order {
    #[default]
    Unknown,
    Forward,
    Backward,
}

/// How many lines are looked at for their order, before the first is read.
const LOOKED_AT: usize = 256;

/// How StarlingX calls the node that speaks: whoever recorded it knows which that is.
const THIS_NODE: &str = ".";

/// How many nodes' lines are told apart in one recording.
const MOST_LOGS: usize = 10_000;

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
        self.order = match self.order {
            Order::Unknown if self.items.len() < LOOKED_AT && !self.finished => return None,
            Order::Unknown => self.order_of_lines(),
            known => known,
        };
        if self.order == Order::Backward {
            if !self.finished {
                return None;
            }
            self.items.make_contiguous().reverse();
            self.order = Order::Forward;
        }
        loop {
            let told = self.current().and_then(DaemonLog::poll_evidence);
            if let Some(LogEvidence { evidence, line }) = told {
                let (received, origin) = (None, Origin::Unknown);
                return Some(Ok(Recorded { evidence, received, origin, line }));
            }
            let Some(item) = self.items.pop_front() else {
                if self.finished
                    && let Some(last) = self.entry.take()
                {
                    self.items.push_back(last);
                    continue;
                }
                // Every line was read: the logs are over too, one after the other.
                self.current = self.next_unfinished().filter(|_| self.finished)?;
                self.current()?.finish();
                continue;
            };
            match item {
                Item::Recorded(mut recorded) => {
                    self.events += 1;
                    if recorded.evidence.node().as_str() == THIS_NODE
                        && let Some(daemon) = &self.daemon
                    {
                        recorded.evidence.set_node(daemon.node().clone());
                    }
                    return Some(Ok(recorded));
                }
                Item::Bad(error) => return Some(Err(error)),
                Item::Line { number, text, .. } if self.is_of_an_entry(number, &text) => {}
                Item::Line { number, text, received, written, whose } => {
                    let Some(text) = self.joined.handle_piece(text) else { continue };
                    let line = LogLine { number, text: &text, received, written };
                    let kind = self.handle_line(line, whose.as_deref());
                    self.other_lines += u64::from(kind != Some(LineKind::Understood));
                    let is_foreign = matches!(kind, None | Some(LineKind::Foreign));
                    if kind == Some(LineKind::Understood) {
                        self.joined.handle_read();
                    } else if let Some((number, text)) =
                        is_foreign.then(|| self.joined.unfold(&text)).flatten()
                    {
                        let line = LogLine { number, text: &text, received, written };
                        self.handle_line(line, whose.as_deref());
                        continue;
                    } else {
                        self.joined.handle_unread(number, &text);
                    }
                    if is_foreign {
                        self.note_foreign(&text);
                        if let Some((events, logged)) = self.pieces.handle_line(&text) {
                            self.put_back(events, logged, number);
                        }
                    }
                }
                Item::Data { number, text } => match self.pieces.handle_data(&text) {
                    Some(event) => self.put_back(vec![event], None, number),
                    None => match form::refuse(&text, number) {
                        Some(error) => return Some(Err(error)),
                        None => self.other_lines += 1,
                    },
                },
                Item::Nothing => self.other_lines += 1,
            }
        }
    }

    /// Events that are next.
    fn put_back(&mut self, events: Vec<Event>, logged: Option<Received>, line: u64) {
        let context = Context::logged(line, logged, None);
        let items = events.into_iter().rev().filter_map(|event| context.recorded(event).ok());
        for item in items {
            self.items.push_front(item);
        }
    }

    /// By the times of the first lines: when they were written, or else those in linuxptp's brackets.
    fn order_of_lines(&self) -> Order {
        let year = self.daemon.as_ref().and_then(DaemonLog::written);
        let times = self.items.iter().take(LOOKED_AT).filter_map(|item| {
            let Item::Line { text, received, written, .. } = item else { return None };
            let found = find(text)?;
            let wall = || found.read_before(year).wall;
            let told = received.or(*written).or_else(wall).map(Received::as_nanos);
            told.map(|wall| (true, wall)).or_else(|| Some((false, found.since_start()?)))
        });
        let (mut up, mut down) = (0_usize, 0);
        let mut last: Option<(bool, i64)> = None;
        for (is_wall, time) in times {
            if let Some((was_wall, before)) = last.replace((is_wall, time))
                && was_wall == is_wall
            {
                up += usize::from(time > before);
                down += usize::from(time < before);
            }
        }
        if down > 1 && down > 4 * up { Order::Backward } else { Order::Forward }
    }

    fn note_foreign(&mut self, text: &str) {
        self.foreign_lines += 1;
        if self.first_foreign.is_none() && !text.trim().is_empty() {
            self.first_foreign = Some(text[..text.floor_char_boundary(SAMPLE_BYTES)].into());
        }
    }

    /// Whether a line is a field of an exported journal's entry; of one that is complete its line comes
    /// next.
    fn is_of_an_entry(&mut self, number: u64, text: &str) -> bool {
        match self.entry.handle_line(number, text) {
            Part::None => false,
            Part::Field => true,
            Part::Next(before) => {
                if let Some(line) = before {
                    self.items.push_front(*line);
                }
                true
            }
        }
    }

    /// Gives a line to the log it belongs to. Without one, a line of a log is just a line.
    fn handle_line(&mut self, line: LogLine<'_>, whose: Option<&str>) -> Option<LineKind> {
        match find(line.text) {
            Some(found) => {
                let before = found.read_before(self.daemon.as_ref()?.written());
                let heading = self.heading.whose.clone();
                let named = whose.or(before.whose).or(heading.as_deref());
                let named = named.filter(|whose| NodeName::new(whose).is_ok());
                let log = self.log_of(named.unwrap_or(""))?;
                Some(log.handle_found(line, &found, before.wall))
            }
            None => {
                self.heading.handle_line(line.text);
                self.current().map(|log| log.handle_foreign(line))
            }
        }
    }

    fn current(&mut self) -> Option<&mut DaemonLog> {
        match self.current.as_str() {
            "" => self.daemon.as_mut(),
            whose => self.logs.get_mut(whose),
        }
    }

    /// The log that lines of this node or pod belong to, which is the current one from then on.
    fn log_of(&mut self, whose: &str) -> Option<&mut DaemonLog> {
        if self.current != whose {
            self.current = SmolStr::new(whose);
        }
        if !whose.is_empty() && !self.logs.contains_key(whose) && self.logs.len() < MOST_LOGS {
            // No line says on which node a pod runs, so its own name stands for it.
            let first = self.logs.is_empty();
            let log = self.daemon.as_ref()?.of_node(NodeName::new(whose).ok()?, first);
            self.logs.insert(SmolStr::new(whose), log);
        }
        self.current()
    }

    /// The first log that has not been told that it is over.
    fn next_unfinished(&self) -> Option<SmolStr> {
        if self.daemon.as_ref().is_some_and(|log| !log.is_finished()) {
            return Some(SmolStr::default());
        }
        self.logs.iter().find(|(_, log)| !log.is_finished()).map(|(whose, _)| whose.clone())
    }

    /// How many lines so far held text that does not claim to be an event.
    #[must_use]
    pub const fn other_lines(&self) -> u64 {
        self.other_lines
    }

    /// Whether nothing told of a clock: no event came, and no line was understood.
    #[must_use]
    pub fn is_without_evidence(&self) -> bool {
        self.events == 0 && self.daemons().all(|log| log.understood_lines() == 0)
    }

    /// How many of those are neither an event nor linuxptp's.
    #[must_use]
    pub const fn foreign_lines(&self) -> u64 {
        self.foreign_lines
    }

    /// The first of these; cut off where it is long.
    #[must_use]
    pub fn first_foreign(&self) -> Option<&str> {
        self.first_foreign.as_deref()
    }

    /// The daemons' logs, to ask what they counted: that of lines which do not say whose they are, and
    /// one for each node or pod that lines name.
    pub fn daemons(&self) -> impl Iterator<Item = &DaemonLog> {
        self.daemon.iter().chain(self.logs.values())
    }
}
