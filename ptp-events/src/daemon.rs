//! The log of linuxptp-daemon, as the events a publisher would have made of it.
//!
//! `cloud-event-proxy` knows nothing but these lines: it reads them from a socket and publishes
//! what changes. [`DaemonLog`] draws the same conclusions (docs/protocol.md §9), so that a log can
//! be diagnosed where nobody kept the events. It adds what the publisher keeps to itself: offsets,
//! at most one a second for each clock.
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
//!     log.handle_line(LogLine { number, text, received: None });
//! }
//! let said = log.poll_event().ok_or("nothing")?;
//! assert_eq!(said.event.readings[0].state, Some(SyncState::Locked));
//! assert_eq!(said.event.readings[0].instance.as_str(), "ens1fx/master");
//! assert_eq!(said.event.stamped.unwrap().to_string(), "2026-11-23T06:40:20.23Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod domain;
mod line;
mod outbox;
mod prefix;
mod rules;
mod timebase;

use std::collections::BTreeMap;
use std::time::Duration;

use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

use crate::{
    Event, EventId, Instance, Measurement, NodeName, Reading, Received, Stamped, SyncState,
};
use domain::{Domain, Limits, Patience, Source};
use line::Line;
use outbox::{Outbox, Waiting, Who};
use timebase::{Placed, Timebase};

/// How many configurations of one node are told apart; the daemon runs a handful.
const MOST_DOMAINS: usize = 32;

/// The longest line we look at, in bytes. The real ones have about 100.
pub(crate) const MAX_LINE_BYTES: usize = 4096;

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

/// An event made of a line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogEvent {
    /// What the publisher would have said.
    pub event: Event,
    /// The line it is made of, counted from 1.
    pub line: u64,
}

/// Makes events of the lines of one node's daemon.
///
/// Lines go in with [`Self::handle_line`], events come out of [`Self::poll_event`]. An event waits
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
    /// The lock of each receiver.
    receivers: BTreeMap<Instance, SyncState>,
    outbox: Outbox,
    understood: u64,
    ignored: u64,
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
            receivers: BTreeMap::new(),
            outbox: Outbox::default(),
            understood: 0,
            ignored: 0,
            finished: false,
        }
    }

    /// An empty log of a pod's daemon, read by the same settings; `first` when no other is known.
    #[must_use]
    pub fn of_pod(&self, pod: NodeName, first: bool) -> Self {
        let node = if first && self.settings.name_is_sure { self.node.clone() } else { pod };
        Self::new(node, self.settings.clone())
    }

    /// Whose log it is.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        &self.node
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

    /// Whether some line told the time of day. If none did, times count from 1970.
    #[must_use]
    pub const fn has_wall_clock(&self) -> bool {
        self.timebase.is_anchored()
    }

    /// Takes one line.
    pub fn handle_line(&mut self, line: LogLine<'_>) -> LineKind {
        if line.text.len() > MAX_LINE_BYTES {
            return LineKind::Foreign;
        }
        let (wall, text) = prefix::strip(line.text, self.settings.written);
        let Some(parsed) = Line::parse(text) else {
            if line::is_daemons(text) {
                self.ignored += 1;
                return LineKind::Ignored;
            }
            return LineKind::Foreign;
        };
        self.understood += 1;
        self.outbox.at_line(line.number);
        let wall = line.received.or(wall).map(Received::as_nanos);
        let Placed { time, shift } = self.timebase.place(parsed.bracket, wall);
        self.shift(shift);
        self.time_out(time);
        let key = domain_key(parsed.config);
        if self.domains.contains_key(&key) || self.domains.len() < MOST_DOMAINS {
            self.domains.entry(key.clone()).or_default();
            self.take(&key, parsed, time);
        }
        LineKind::Understood
    }

    /// No line follows: what waits goes out with what is known.
    pub const fn finish(&mut self) {
        self.finished = true;
    }

    /// Whether [`Self::finish`] was called.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// The next event, in the order of the lines.
    pub fn poll_event(&mut self) -> Option<LogEvent> {
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
        let Waiting { resource, reading, time, line, nth, .. } = self.outbox.take_first()?;
        let id = EventId::new(&format_smolstr!("line-{line}.{nth}")).ok()?;
        let event = Event {
            id,
            node: self.node.clone(),
            resource,
            stamped: Some(Stamped::from_nanos(time)),
            readings: [Reading { instance, ..reading }].into(),
        };
        Some(LogEvent { event, line })
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
        Limits { offset: self.settings.offset_ns, settle: nanos(self.settings.settle) }
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
            self.enter(&key, state, measured, at);
        }
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The number that configurations of one clock share: `0` of `ts2phc.0.config`.
fn domain_key(config: &str) -> SmolStr {
    let number = config.split('.').nth(1).unwrap_or(config);
    number.chars().take(8).collect::<String>().to_smolstr()
}
