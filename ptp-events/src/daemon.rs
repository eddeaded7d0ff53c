//! The log of linuxptp and its daemon, as evidence: what a publisher would have said, and more.
//!
//! `cloud-event-proxy` knows nothing but these lines: it reads them from a socket and publishes
//! what changes. [`DaemonLog`] draws the same conclusions (docs/protocol.md §9), so that a log can
//! be diagnosed where nobody kept the events. It adds what the publisher keeps to itself: offsets and
//! how the servo answers them, at most once a second for each clock; what became of a port and why;
//! DPLL, time of day, processes, and what they complain of.
//!
//! ```
//! use ptp_events::daemon::{DaemonLog, DaemonSettings, LogLine};
//! use ptp_events::{NodeName, SyncState};
//!
//! let mut log = DaemonLog::new(NodeName::new("worker-1")?, DaemonSettings::default());
//! for (number, text) in (1..).zip([
//!     "2026-11-23T06:40:20.13Z ptp4l[1106.120]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED",
//!     "2026-11-23T06:40:20.23Z ptp4l[1106.220]: [ptp4l.0.config] master offset 45 s2 freq -3972 path delay 89",
//! ]) {
//!     log.handle_line(LogLine::new(number, text));
//! }
//! let told = std::iter::from_fn(|| log.poll_evidence()).map(|told| told.evidence);
//! let events: Vec<_> = told.filter_map(|evidence| evidence.published()).collect();
//! assert_eq!(events[0].readings[0].state, Some(SyncState::Locked));
//! assert_eq!(events[0].readings[0].instance.as_str(), "ens1fx/master");
//! assert_eq!(events[0].stamped.unwrap().to_string(), "2026-11-23T06:40:20.23Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod before;
mod domain;
mod found;
mod line;
mod noise;
mod outbox;
mod printed;
mod process;
mod rules;
mod timebase;
mod times;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use foldhash::fast::FixedState;
use smol_str::{SmolStr, format_smolstr};

use crate::observation::{Evidence, Observation, Observed, Printed, PrintedLine};
use crate::{
    Event, EventId, Instance, Measurement, NodeName, Reading, Received, Stamped, SyncState,
};
use answers::Answers;
use domain::{Domain, Limits, Patience, Source};
use line::Line;
use noise::Noise;
use outbox::{Outbox, Waiting, What, Who};
use printed::printed;
use process::{Bracket, Process};
use timebase::{Placed, Timebase};

pub(crate) use before::{Whose, names, read as read_before};
pub(crate) use found::{Found, find};
pub(crate) use times::parse as parse_time;

/// How many configurations of one node are told apart; the daemon runs a handful.
const MOST_DOMAINS: usize = 32;

/// The longest line we look at, in bytes. The real ones have about 100.
pub(crate) const MAX_LINE_BYTES: usize = 4096;

/// How many lines are remembered to know them again: some hours of a node's log.
const MOST_LATEST: usize = 1 << 17;

/// How far lines of several processes may be out of order in one log, in nanoseconds.
const OUT_OF_ORDER: i64 = 2_000_000_000;

/// How much of a line is shown to say what was not understood, in bytes.
pub(crate) const SAMPLE_BYTES: usize = 160;

/// How much of a line of another program is looked at for a time, in bytes.
const FOREIGN_BYTES: usize = 64;

/// What the publisher is configured with, and the log does not tell.
///
/// Not `#[non_exhaustive]`, so that programs can write
/// `DaemonSettings { offset_ns: 50, ..DaemonSettings::default() }`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DaemonSettings {
    /// An offset of this size or more is FREERUN, in nanoseconds: `maxOffsetThreshold` and
    /// `minOffsetThreshold` of a `PtpConfig`. 100, the operator's default.
    pub offset_ns: u64,
    /// How long HOLDOVER lasts before it is FREERUN: `holdOverTimeout` of a `PtpConfig`. 5 s, the
    /// operator's default.
    pub holdover_timeout: Duration,
    /// How long a locked servo must be out of range before that is FREERUN. Zero is what the
    /// publisher does: there one bad sample is FREERUN, and LOCKED with the next.
    pub settle: Duration,
    /// When the log was last written to: klog's times have no year. Without it they are not read.
    pub written: Option<Received>,
    /// Whether lines are told as they are ([`crate::observation::Observed::Printed`]), and nothing that
    /// follows from them.
    pub verbatim: bool,
    /// Whether the node's name was given by somebody who knows, and is not a guess: then it is that of
    /// the first pod too, where lines say which pod they are of.
    pub name_is_sure: bool,
}

impl Default for DaemonSettings {
    fn default() -> Self {
        Self {
            offset_ns: 100,
            holdover_timeout: Duration::from_secs(5),
            settle: Duration::ZERO,
            written: None,
            verbatim: false,
            name_is_sure: false,
        }
    }
}

/// A line of a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogLine<'a> {
    /// Counted from 1.
    pub number: u64,
    /// The line, with whatever wrote times before it.
    pub text: &'a str,
    /// When it was received, if it was recorded so; goes before every time in the line.
    pub received: Option<Received>,
    /// When it was written, if something beside the line tells; goes before what stands in front of it.
    pub written: Option<Received>,
}

impl<'a> LogLine<'a> {
    /// A line of which nothing else is known.
    #[must_use]
    pub const fn new(number: u64, text: &'a str) -> Self {
        Self { number, text, received: None, written: None }
    }
}

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineKind {
    /// One we understand, whether or not it changed anything.
    Understood,
    /// One of the daemon's that says nothing we know of.
    Ignored,
    /// Not one of the daemon's.
    Foreign,
}

/// What a line tells.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LogEvidence {
    /// What the publisher would have said, or what it would not.
    pub evidence: Evidence,
    /// The line it is made of, counted from 1.
    pub line: u64,
}

/// Makes evidence of the lines of one node's daemon.
///
/// Lines go in with [`Self::handle_line`], evidence comes out of [`Self::poll_evidence`]. An event waits
/// while later lines may tell its time (linuxptp prints the time since the node started) or its
/// interface (ptp4l's offsets name none); [`Self::finish`] hands out what still waits.
#[derive(Debug)]
pub struct DaemonLog {
    node: NodeName,
    settings: DaemonSettings,
    timebase: Timebase,
    /// By the number in the configuration's name: `ptp4l.0.config` and `ts2phc.0.config` steer the
    /// same clock.
    domains: BTreeMap<SmolStr, Domain>,
    /// The domain that phc2sys follows.
    os_follows: Option<SmolStr>,
    os: Option<SyncState>,
    os_patience: Patience,
    os_noise: Noise,
    os_in_range: bool,
    /// Whether a receiver's own sentences say that it has a fix.
    fix: Option<bool>,
    /// Whether the line that is read is linuxptp's alone, without the daemon's tag.
    alone: bool,
    /// The lock of each receiver.
    receivers: BTreeMap<Instance, SyncState>,
    outbox: Outbox,
    answers: Answers,
    /// Who wrote the lines.
    processes: Vec<Process>,
    /// The times of the newest line: in its brackets, and by the wall clock.
    newest: Option<(i64, i64)>,
    /// The times in the brackets of the latest lines, and how long they are.
    latest: HashSet<(i64, usize), FixedState>,
    /// The tag of the last line, and the number that it stands for.
    tag: (SmolStr, SmolStr),
    repeated: u64,
    understood: u64,
    ignored: u64,
    /// The first of those.
    first_ignored: Option<Box<str>>,
    finished: bool,
}

impl DaemonLog {
    /// For the daemon of `node`; its lines do not name it.
    #[must_use]
    pub fn new(node: NodeName, settings: DaemonSettings) -> Self {
        Self {
            node,
            settings,
            timebase: Timebase::default(),
            domains: BTreeMap::new(),
            os_follows: None,
            os: None,
            os_patience: Patience::default(),
            os_noise: Noise::default(),
            os_in_range: false,
            fix: None,
            alone: false,
            receivers: BTreeMap::new(),
            outbox: Outbox::default(),
            answers: Answers::default(),
            processes: Vec::new(),
            newest: None,
            latest: HashSet::default(),
            tag: <(SmolStr, SmolStr)>::default(),
            repeated: 0,
            understood: 0,
            ignored: 0,
            first_ignored: None,
            finished: false,
        }
    }

    /// An empty log of a node, or of a pod's, read by the same settings; `first` when no other is known.
    #[must_use]
    pub fn of_node(&self, named: NodeName, first: bool) -> Self {
        let node = if first && self.settings.name_is_sure { self.node.clone() } else { named };
        Self::new(node, self.settings.clone())
    }

    /// Whose log it is.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        &self.node
    }

    /// When the log was last written to, if that is known.
    pub(crate) const fn written(&self) -> Option<Received> {
        self.settings.written
    }

    /// How many lines were understood.
    #[must_use]
    pub const fn understood_lines(&self) -> u64 {
        self.understood
    }

    /// How many lines of the daemon say nothing we know of.
    #[must_use]
    pub const fn ignored_lines(&self) -> u64 {
        self.ignored
    }

    /// How many lines were there before.
    #[must_use]
    pub const fn repeated_lines(&self) -> u64 {
        self.repeated
    }

    /// The first line of the daemon that says nothing we know of; cut off where it is long.
    #[must_use]
    pub fn first_ignored(&self) -> Option<&str> {
        self.first_ignored.as_deref()
    }

    /// Which processes wrote the lines: `ptp4l`, `phc2sys` …, in the order they were first seen.
    pub fn processes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.processes.iter().map(|process| process.name())
    }

    /// Whether some line told the time of day. If none did, times count from 1970.
    #[must_use]
    pub const fn has_wall_clock(&self) -> bool {
        self.timebase.is_anchored()
    }

    /// Takes one line.
    pub fn handle_line(&mut self, line: LogLine<'_>) -> LineKind {
        match find(line.text).filter(|_| line.text.len() <= MAX_LINE_BYTES) {
            Some(found) => {
                let before = found.read_before(self.settings.written);
                self.handle_found(line, &found, before.wall)
            }
            None => self.handle_foreign(line),
        }
    }

    /// How often the wall clock was set while the lines were written.
    #[must_use]
    pub const fn wall_clock_jumps(&self) -> u64 {
        self.timebase.jumps()
    }

    /// Takes one line, in which linuxptp's own text was found, after a `wall` clock time.
    pub(crate) fn handle_found(
        &mut self,
        line: LogLine<'_>,
        found: &Found<'_>,
        wall: Option<Received>,
    ) -> LineKind {
        let parsed = Line::parse(found);
        // `[12.345] usb 1-1: …` is the kernel's.
        let process = found.process.or(parsed.as_ref().map(|line| line.process));
        let Some(process) = process else { return LineKind::Foreign };
        if !self.processes.contains(&process) {
            self.processes.push(process);
        }
        self.outbox.at_line(line.number);
        let wall = line.written.or(wall);
        let nanos = |time: Option<Received>| time.map(Received::as_nanos);
        if let (Bracket::Monotonic(bracket), Some(wall)) = (found.bracket, nanos(wall))
            && self.is_repeated(bracket, wall, line.text)
        {
            self.repeated += 1;
            return LineKind::Understood;
        }
        let Some(Placed { time, shift }) =
            self.timebase.place(found.bracket, nanos(wall), nanos(line.received))
        else {
            self.ignore(line.text);
            return LineKind::Ignored;
        };
        self.shift(shift);
        // Nearly every line has the tag of the one before.
        if self.tag.0 != found.tag || self.tag.1.is_empty() {
            self.tag = (SmolStr::new(found.tag), domain_key(found.tag));
        }
        let key = self.tag.1.clone();
        if self.settings.verbatim {
            let line = parsed.as_ref().map_or(PrintedLine::Other, |line| printed(&line.message));
            self.understood += u64::from(parsed.is_some());
            self.outbox.print(Printed { process: process.name().into(), config: key, line }, time);
            return if parsed.is_some() { LineKind::Understood } else { LineKind::Ignored };
        }
        self.time_out(time);
        if !self.domains.contains_key(&key) {
            if self.domains.len() >= MOST_DOMAINS {
                return LineKind::Understood;
            }
            let mut domain = Domain::default();
            if !is_config(found.tag) {
                // OpenShift 4.6 to 4.9 tagged lines with the interface.
                domain.learn(found.tag, false);
            }
            self.domains.insert(key.clone(), domain);
        }
        if let Some(parsed) = parsed {
            self.understood += 1;
            self.take(&key, parsed, time);
            // Time passes, even where nothing else comes of it.
            if self.outbox.is_quiet(time) {
                self.see(&key, process, Observed::Alive, time);
            }
            LineKind::Understood
        } else {
            self.ignore(line.text);
            self.see(&key, process, Observed::Alive, time);
            LineKind::Ignored
        }
    }

    /// Whether a line was read before. `previous` and `current` logs overlap, and so do parts that
    /// somebody joined; linuxptp prints no two lines of one length in one millisecond.
    fn is_repeated(&mut self, bracket: i64, wall: i64, text: &str) -> bool {
        let key = (bracket, text.len());
        let is_older = |(newest, at): (i64, i64)| {
            bracket.saturating_add(OUT_OF_ORDER) < newest && wall.saturating_add(OUT_OF_ORDER) < at
        };
        if self.newest.is_some_and(is_older) {
            return self.latest.contains(&key);
        }
        if self.newest.is_none_or(|(_, newest)| newest <= wall) {
            self.newest = Some((bracket, wall));
        }
        if self.latest.len() >= MOST_LATEST {
            self.latest.clear();
        }
        self.latest.insert(key);
        false
    }

    fn ignore(&mut self, text: &str) {
        self.ignored += 1;
        if self.first_ignored.is_none() {
            self.first_ignored = Some(text[..text.floor_char_boundary(SAMPLE_BYTES)].into());
        }
    }

    /// No line follows: what waits goes out with what is known.
    pub fn finish(&mut self) {
        if let Some(told) = self.answers.finish() {
            self.answered(told);
        }
        self.finished = true;
    }

    /// Whether [`Self::finish`] was called.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// What the lines tell next, in their order.
    pub fn poll_evidence(&mut self) -> Option<LogEvidence> {
        let now = self.finished || self.outbox.is_full();
        let first = self.outbox.first()?;
        if !now && !self.timebase.is_anchored() {
            return None;
        }
        let instance = match &first.who {
            Who::Instance(instance) => instance.clone(),
            Who::Domain(key) => {
                let domain = self.domains.get_mut(key)?;
                if now && domain.name().is_none() {
                    domain.settle_name(&format!("ptp4l.{key}.config"));
                }
                domain.name()?.clone()
            }
        };
        let Waiting { resource, what, time, line, nth, .. } = self.outbox.take_first()?;
        let id = EventId::new(&format_smolstr!("line-{line}.{nth}")).ok()?;
        let (node, stamped) = (self.node.clone(), Some(Stamped::from_nanos(time)));
        let evidence = match what {
            What::Said(reading) => {
                let readings = [Reading { instance, ..reading }].into();
                Evidence::Event(Event { id, node, resource, stamped, readings })
            }
            What::Seen(observed) => Evidence::Observation(Observation {
                id,
                node,
                resource,
                instance,
                stamped,
                observed,
            }),
        };
        Some(LogEvidence { evidence, line })
    }

    fn shift(&mut self, shift: i64) {
        if shift == 0 {
            return;
        }
        self.outbox.shift(shift);
        self.os_patience.shift(shift);
        for domain in self.domains.values_mut() {
            domain.shift(shift);
        }
    }

    fn limits(&self) -> Limits {
        let (offset, settle) = (self.settings.offset_ns, nanos(self.settings.settle));
        Limits { offset, settle, alone: self.alone }
    }

    /// What came of passing time before `now`, each at its own time: holdovers that ended, and ports
    /// that follow without a word about their offset.
    fn time_out(&mut self, now: i64) {
        let due = |(key, domain): (&SmolStr, &Domain)| {
            let (ended, believed) = (domain.deadline, domain.believe_port);
            let ended = ended.map(|at| (at, key.clone(), SyncState::Freerun));
            let believed = believed.map(|at| (at, key.clone(), SyncState::Locked));
            let soonest = ended.into_iter().chain(believed).min_by_key(|(at, ..)| *at);
            soonest.filter(|(at, ..)| *at <= now)
        };
        while let Some((at, key, state)) =
            self.domains.iter().filter_map(due).min_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)))
        {
            let Some(domain) = self.domains.get_mut(&key) else { return };
            let measured = match state {
                SyncState::Locked => {
                    domain.believe_port = None;
                    if domain.source != Source::Servo {
                        continue;
                    }
                    None
                }
                _ => domain.last_offset.map(Measurement::Offset),
            };
            self.enter(&key, state, measured, at, None);
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Whether a tag is the name of a configuration: `ptp4l.0.config`.
fn is_config(tag: &str) -> bool {
    matches!(tag.rsplit_once('.'), Some((_, "config" | "cfg" | "conf")))
}

/// The number that configurations of one clock share, `0` of `ts2phc.0.config`; the tag itself where it
/// is none.
fn domain_key(tag: &str) -> SmolStr {
    let number = match tag.split('.').nth(1) {
        Some(number) if is_config(tag) => number,
        _ if tag.is_empty() => "0",
        _ => tag,
    };
    SmolStr::new(&number[..number.floor_char_boundary(16)])
}
