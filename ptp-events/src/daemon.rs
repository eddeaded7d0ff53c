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
//! assert_eq!(said.event.stamped.to_string(), "2026-11-23T06:40:20.23Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod domain;
mod line;
mod outbox;
mod prefix;
mod timebase;

use std::collections::BTreeMap;
use std::time::Duration;

use smol_str::{SmolStr, ToSmolStr as _, format_smolstr};

use crate::{
    Event, EventId, GpsFix, Instance, Measurement, NodeName, Offset, Reading, Received, Resource,
    Sentinel, Stamped, SyncState,
};
use domain::{Domain, Limits, Patience, Source, alias};
use line::{Line, Message, Process, Servo};
use outbox::{Outbox, Waiting, Who};
use timebase::{Placed, Timebase};

/// How many configurations of one node are told apart; the daemon runs a handful.
const MOST_DOMAINS: usize = 32;

/// The longest line we look at, in bytes. The real ones have about 100.
const MAX_LINE_BYTES: usize = 4096;

const CLOCK_REALTIME: Instance = Instance::from_static("CLOCK_REALTIME");

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
}

impl Default for DaemonSettings {
    fn default() -> Self {
        Self {
            offset_ns: 100,
            holdover_timeout: Duration::from_secs(5),
            settle: Duration::ZERO,
            written: None,
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
    /// Fix and lock of each receiver, by alias.
    receivers: BTreeMap<String, SyncState>,
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
            stamped: Stamped::from_nanos(time),
            readings: vec![Reading { instance, ..reading }],
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

    /// Holdovers that ended before `now`, each at its own time.
    fn time_out(&mut self, now: i64) {
        let due = |(key, domain): (&SmolStr, &Domain)| {
            domain.deadline.filter(|deadline| *deadline <= now).map(|at| (at, key.clone()))
        };
        let mut ended: Vec<_> = self.domains.iter().filter_map(due).collect();
        ended.sort();
        for (at, key) in ended {
            let last = self.domains.get(&key).and_then(|domain| domain.last_offset);
            self.enter(&key, SyncState::Freerun, last.map(Measurement::Offset), at);
        }
    }

    fn take(&mut self, key: &SmolStr, line: Line<'_>, time: i64) {
        match line.message {
            Message::Port { interface, from, to, follows } => {
                let Some(domain) = self.domains.get_mut(key) else { return };
                if let Some(interface) = interface {
                    domain.learn(interface, follows);
                }
                if domain.port(from, to) {
                    let last = domain.last_offset.map(Measurement::Offset);
                    self.enter(key, SyncState::Holdover, last, time);
                }
            }
            Message::Offset { of: "CLOCK_REALTIME", offset, servo, .. } => {
                self.os_follows = Some(key.clone());
                let state = self.os_state(servo, offset, time);
                self.say_os(state, Measurement::Offset(offset), time);
            }
            Message::Offset { of, offset, servo, holdover } => {
                self.measured(key, line.process, of, (servo, offset, holdover), time);
            }
            Message::Class(class) => {
                let reading = Reading { clock_class: Some(class), ..Reading::new(Instance::NODE) };
                self.outbox.say(Resource::ClockClass, Who::Domain(key.clone()), reading, time);
            }
            Message::Gnss { interface, fix, offset, servo } => {
                self.receiver(interface, fix, offset, servo, time);
            }
            Message::Dpll { interface, offset } => {
                let Some(domain) = self.domains.get_mut(key) else { return };
                domain.learn(interface, true);
                domain.dpll = Some(offset);
                // What a DPLL measures while it is not locked is no offset.
                if domain.source != Source::Servo && domain.state == Some(SyncState::Locked) {
                    let measured = Measurement::from_nanos(offset);
                    self.enter(key, SyncState::Locked, Some(measured), time);
                }
            }
            Message::Status { interface, offset, servo } => {
                let Some(domain) = self.domains.get_mut(key) else { return };
                domain.learn(interface, true);
                domain.source = domain.source.max(match line.process {
                    Process::Gm => Source::Grandmaster,
                    _ => Source::BoundaryClock,
                });
                let measured = offset.or(domain.dpll).map(Measurement::from_nanos);
                self.enter(key, status(servo), measured, time);
            }
            Message::SynceState { interface, device, servo } => {
                let reading =
                    Reading { state: Some(status(servo)), ..Reading::new(Instance::NODE) };
                self.synce(Resource::SynceState, device, interface, reading, time);
            }
            Message::SynceQuality { interface, device, quality, extended } => {
                let reading = Reading {
                    quality: Some(quality),
                    extended_quality: extended,
                    ..Reading::new(Instance::NODE)
                };
                self.synce(Resource::SynceQuality, device, interface, reading, time);
            }
            Message::ProcessDown => self.process_down(key, line.process, time),
            Message::Remark => {}
        }
    }

    /// An offset of ptp4l or ts2phc.
    fn measured(
        &mut self,
        key: &SmolStr,
        process: Process,
        of: &str,
        (servo, offset, holdover): (Servo, Offset, bool),
        time: i64,
    ) {
        let limits = self.limits();
        let Some(domain) = self.domains.get_mut(key) else { return };
        let counts = domain.source == Source::Servo
            && match process {
                Process::Ptp4l => of == "master" && domain.follows(),
                // Where there is a DPLL the grandmaster's status decides (observed).
                Process::Ts2phc => domain.dpll.is_none() && !of.starts_with('/'),
                _ => false,
            };
        if !counts {
            return;
        }
        if process == Process::Ts2phc {
            domain.learn(of, true);
        }
        let state = if holdover {
            Some(SyncState::Holdover)
        } else {
            domain.measured(servo, offset, time, limits)
        };
        if let Some(state) = state {
            self.enter(key, state, Some(Measurement::Offset(offset)), time);
        }
    }

    /// A PTP clock is in `state`.
    fn enter(&mut self, key: &SmolStr, state: SyncState, offset: Option<Measurement>, time: i64) {
        let Some(domain) = self.domains.get_mut(key) else { return };
        let timed = state == SyncState::Holdover && domain.source == Source::Servo;
        let deadline = match domain.deadline {
            Some(deadline) if timed => Some(deadline),
            _ => timed.then(|| time.saturating_add(nanos(self.settings.holdover_timeout))),
        };
        domain.enter(&state, deadline);
        let reading = Reading { state: Some(state), offset, ..Reading::new(Instance::NODE) };
        self.outbox.say(Resource::LockState, Who::Domain(key.clone()), reading, time);
        self.say_node(time);
    }

    /// The system clock's state: its own, or the PTP clock's where that is worse. A grandmaster's
    /// HOLDOVER does not count (observed): it has its oscillator for that.
    fn os_state(&mut self, servo: Servo, offset: Offset, time: i64) -> SyncState {
        let Limits { offset: limit, settle } = self.limits();
        let own = if servo != Servo::Locked {
            self.os_patience.reset();
            SyncState::Freerun
        } else if offset.magnitude() < limit {
            self.os_patience.reset();
            SyncState::Locked
        } else if self.os == Some(SyncState::Locked) && !self.os_patience.is_over(time, settle) {
            SyncState::Locked
        } else {
            SyncState::Freerun
        };
        match self.reference() {
            Some(Domain { state: Some(SyncState::Freerun), .. }) => SyncState::Freerun,
            Some(Domain { state: Some(SyncState::Holdover), source, .. })
                if own == SyncState::Locked && *source != Source::Grandmaster =>
            {
                SyncState::Holdover
            }
            _ => own,
        }
    }

    fn say_os(&mut self, state: SyncState, offset: Measurement, time: i64) {
        self.os = Some(state.clone());
        let reading =
            Reading { state: Some(state), offset: Some(offset), ..Reading::new(CLOCK_REALTIME) };
        self.outbox.say(Resource::OsClock, Who::Instance(CLOCK_REALTIME), reading, time);
        self.say_node(time);
    }

    /// The node as a whole is as well as the worse of its PTP and its system clock.
    fn say_node(&mut self, time: i64) {
        let ptp = self.reference().and_then(|domain| domain.state.as_ref());
        let Some(worst) = ptp.into_iter().chain(&self.os).max_by_key(|state| badness(state)) else {
            return;
        };
        let reading = Reading { state: Some(worst.clone()), ..Reading::new(Instance::NODE) };
        self.outbox.say(Resource::SyncState, Who::Instance(Instance::NODE), reading, time);
    }

    /// The PTP clock that the system clock follows: what phc2sys names, or else the best.
    fn reference(&self) -> Option<&Domain> {
        let named = self.os_follows.as_ref().and_then(|key| self.domains.get(key));
        named.filter(|domain| domain.state.is_some()).or_else(|| {
            let known = self.domains.values().filter(|domain| domain.state.is_some());
            known.min_by_key(|domain| domain.state.as_ref().map_or(u8::MAX, badness))
        })
    }

    fn receiver(&mut self, interface: &str, fix: GpsFix, offset: i64, servo: Servo, time: i64) {
        let alias = alias(interface);
        let lock = status(servo);
        // A fix that changes alone is not sent (observed).
        if self.receivers.get(&alias) == Some(&lock) || self.receivers.len() >= MOST_DOMAINS {
            return;
        }
        let state = match lock {
            SyncState::Locked => SyncState::Synchronized,
            _ if fix == GpsFix(0) => SyncState::FailureNofix,
            _ => SyncState::AcquiringSync,
        };
        let Ok(instance) = Instance::new(&format!("{alias}/master")) else { return };
        self.receivers.insert(alias, lock);
        let reading = Reading {
            state: Some(state),
            offset: Some(Measurement::from_nanos(offset)),
            gps_fix: Some(fix),
            ..Reading::new(Instance::NODE)
        };
        self.outbox.say(Resource::Gnss, Who::Instance(instance), reading, time);
    }

    fn synce(
        &mut self,
        resource: Resource,
        device: &str,
        interface: &str,
        reading: Reading,
        time: i64,
    ) {
        if let Ok(instance) = Instance::new(&format!("{device}/{interface}")) {
            self.outbox.say(resource, Who::Instance(instance), reading, time);
        }
    }

    /// A process ended: its clock runs free, and so does the system clock (observed).
    fn process_down(&mut self, key: &SmolStr, process: Process, time: i64) {
        let down = Measurement::Sentinel(Sentinel::ProcessDown);
        let Some(domain) = self.domains.get(key) else { return };
        let steers = match process {
            Process::Ptp4l => domain.source == Source::Servo,
            Process::Ts2phc => domain.state.is_some(),
            _ => false,
        };
        if steers {
            self.enter(key, SyncState::Freerun, Some(down), time);
        }
        if self.os.is_some() {
            self.say_os(SyncState::Freerun, down, time);
        }
    }
}

/// What `s0` to `s2` stand for where the daemon itself counts them.
const fn status(servo: Servo) -> SyncState {
    match servo {
        Servo::Unlocked => SyncState::Freerun,
        Servo::Step => SyncState::Holdover,
        Servo::Locked => SyncState::Locked,
    }
}

const fn badness(state: &SyncState) -> u8 {
    match state {
        SyncState::Locked => 0,
        SyncState::Holdover => 1,
        _ => 2,
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
