//! What a publisher makes of a line: whose state it changes, and to what (docs/protocol.md §9).

use smol_str::{SmolStr, format_smolstr};

use super::domain::{Domain, Limits, Source, Told, clock_of};
use super::line::{Answer, Line, Message};
use super::outbox::{self, Detail, Summary, Who};
use super::process::Process;
use super::{DaemonLog, MOST_DOMAINS, nanos};
use crate::observation::{Observed, PortChange, PortState, Remark, Sample, Servo};
use crate::{
    ClockIdentity, GpsFix, Instance, Measurement, Offset, Port, Reading, Resource, Sentinel,
    SyncState,
};

/// How many thresholds a system clock may be off that phc2sys does not steer itself: a microsecond at the
/// usual one, which is what ntpd and chronyd hold against a card beside them (a judgement).
const OF_OTHERS: u64 = 10;

const CLOCK_REALTIME: Instance = Instance::from_static("CLOCK_REALTIME");

impl DaemonLog {
    pub(super) fn take(&mut self, key: &SmolStr, line: Line<'_>, time: i64) {
        self.alone = line.tag.is_empty();
        match line.message {
            Message::Port { interface, from, to, why } => {
                if from == PortState::Initializing {
                    self.begun_anew(key, time);
                }
                let Some(domain) = self.domains.get_mut(key) else { return };
                let port = interface.and_then(|name| Port::new(name).ok());
                if let Some(interface) = interface {
                    let follows =
                        [from, to].contains(&PortState::Slave) || to == PortState::Uncalibrated;
                    domain.learn(interface, follows);
                }
                if domain.port(from, to, time) {
                    if port.is_some() {
                        // What was lost is this one, whichever was named before.
                        domain.port.clone_from(&port);
                    }
                    let last = domain.last_offset.map(Measurement::Offset);
                    self.enter(key, SyncState::Holdover, last, time, None);
                }
                let change = PortChange { port, from, to, why };
                self.see_ptp(key, Observed::Port(change), time);
            }
            Message::Offset { of: "CLOCK_REALTIME", offset, servo, answer, .. } => {
                let detail = Detail { answer, ..Detail::default() };
                self.measured_os(key, servo, offset, detail, time);
            }
            Message::Offset { of, offset, servo, holdover, answer } => {
                self.measured(key, line.process, of, (servo, offset, holdover), answer, time);
            }
            Message::Summary { of, mean, worst, spread, is_size, answer } => {
                let summary = Summary { peak: Some(worst), spread, is_size };
                let detail = Detail { answer, summary: Some(summary), ..Detail::default() };
                if of == "CLOCK_REALTIME" {
                    self.measured_os(key, Servo::Locked, mean, detail, time);
                } else {
                    self.summarised(key, line.process, of, mean, detail, time);
                }
            }
            Message::Class(class) => {
                let reading = Reading { clock_class: Some(class), ..Reading::new(Instance::NODE) };
                self.outbox.say(
                    Resource::ClockClass,
                    Who::Domain(key.clone()),
                    reading,
                    time,
                    None,
                );
            }
            Message::Gnss { interface, fix, offset, servo } => {
                self.receiver(interface, fix, offset, servo, time);
            }
            Message::Dpll { interface, offset, status } => {
                let Some(domain) = self.domains.get_mut(key) else { return };
                domain.learn(interface, true);
                domain.dpll = Some(offset);
                // What a DPLL measures while it is not locked is no offset.
                if domain.source != Source::Servo && domain.state == Some(SyncState::Locked) {
                    let measured = Measurement::from_nanos(offset);
                    self.enter(key, SyncState::Locked, Some(measured), time, None);
                }
                self.see_ptp(key, Observed::Dpll(status), time);
            }
            Message::TimeOfDay { interface, available } => {
                let Some(domain) = self.domains.get_mut(key) else { return };
                domain.learn(interface, true);
                self.see_ptp(key, Observed::TimeOfDay { available }, time);
            }
            Message::Status { interface, offset, servo } => {
                let source = match line.process {
                    Process::Gm => Source::Grandmaster,
                    _ => Source::BoundaryClock,
                };
                self.counted(key, interface, source, (servo, offset), time);
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
            Message::BestMaster(master) => self.chosen(key, master, time),
            Message::Process { up } => self.process(key, line.process, up, time),
            Message::Fix { valid } => self.fixed(key, valid, time),
            Message::Wrong(offset) => {
                self.remarked(key, line.process, Remark::SystemClockWrong, time);
                let sample = outbox::sample_of(self.os.clone(), offset, Detail::default());
                self.see(key, line.process, Observed::Sample(sample), time);
            }
            Message::Remark(remark) => self.remarked(key, line.process, remark, time),
            Message::Nothing => self.see(key, line.process, Observed::Alive, time),
        }
    }

    /// The state that the daemon counts of a grandmaster or a boundary clock.
    fn counted(
        &mut self,
        key: &SmolStr,
        interface: &str,
        source: Source,
        (servo, offset): (Servo, Option<i64>),
        time: i64,
    ) {
        let Some(domain) = self.domains.get_mut(key) else { return };
        domain.learn(interface, true);
        domain.source = domain.source.max(source);
        let measured = offset.or(domain.dpll).map(Measurement::from_nanos);
        self.enter(key, status(servo), measured, time, None);
    }

    /// An offset of ptp4l or ts2phc.
    fn measured(
        &mut self,
        key: &SmolStr,
        process: Process,
        of: &str,
        (servo, offset, holdover): (Servo, Offset, bool),
        answer: Answer,
        time: i64,
    ) {
        let limits = self.limits();
        let Some(key) = &self.measured_clock(key, process, of) else { return };
        let Some(domain) = self.domains.get_mut(key) else { return };
        if !counts(domain, process, of) {
            // While UNCALIBRATED ptp4l measures, and the publisher does not listen.
            if process == Process::Ptp4l && domain.source == Source::Servo {
                let Answer { servo, frequency, delay } = answer;
                let sample = Sample {
                    state: domain.state.clone(),
                    offset,
                    peak: None,
                    spread: None,
                    is_size: false,
                    in_range: false,
                    servo,
                    frequency,
                    delay,
                };
                self.see_ptp(key, Observed::Sample(sample), time);
            }
            return;
        }
        if matches!(process, Process::Ts2phc | Process::Phc2sys) {
            domain.learn(of, true);
        }
        let state = if holdover {
            Some(SyncState::Holdover)
        } else {
            domain.measured(servo, offset, time, limits)
        };
        let detail = Detail { answer, in_range: domain.in_range, ..Detail::default() };
        if let Some(state) = state {
            self.enter(key, state, Some(Measurement::Offset(offset)), time, Some(detail));
        } else {
            // The publisher goes on with HOLDOVER, and the port is heard again.
            let (state, last) = (domain.state.clone(), domain.last_offset);
            let detail = Detail { measured: Some(offset), ..detail };
            let reading = Reading {
                state,
                offset: last.or(Some(offset)).map(Measurement::Offset),
                ..Reading::new(Instance::NODE)
            };
            self.outbox.say(
                Resource::LockState,
                Who::Domain(key.clone()),
                reading,
                time,
                Some(detail),
            );
        }
    }

    /// The clock that a process measured. ts2phc steers those of several cards, each of them one.
    fn measured_clock(&mut self, key: &SmolStr, process: Process, of: &str) -> Option<SmolStr> {
        let first = self.domains.get(key)?;
        let steers_cards = matches!(process, Process::Ts2phc | Process::Phc2sys);
        let Some(first) = first.name().filter(|_| steers_cards && !of.starts_with('/')) else {
            return Some(key.clone());
        };
        let Some(other) = Port::new(of).ok().and_then(|port| clock_of(&port)) else {
            return Some(key.clone());
        };
        if *first == other {
            return Some(key.clone());
        }
        let key = format_smolstr!("{key}/{other}");
        if !self.domains.contains_key(&key) {
            if self.domains.len() >= MOST_DOMAINS {
                return None;
            }
            self.domains.insert(key.clone(), Domain::default());
        }
        Some(key)
    }

    /// What a receiver says itself, where nobody says it for it.
    fn fixed(&mut self, key: &SmolStr, valid: bool, time: i64) {
        if !self.receivers.is_empty() || self.fix == Some(valid) {
            return;
        }
        self.fix = Some(valid);
        let state = if valid { SyncState::Synchronized } else { SyncState::FailureNofix };
        let gps_fix = Some(GpsFix(if valid { 3 } else { 0 }));
        let reading = Reading { state: Some(state), gps_fix, ..Reading::new(Instance::NODE) };
        self.outbox.say(Resource::Gnss, Who::Domain(key.clone()), reading, time, None);
    }

    /// Something seen of what a process steers.
    pub(super) fn see(&mut self, key: &SmolStr, process: Process, observed: Observed, time: i64) {
        match process {
            Process::Phc2sys | Process::Chronyd => {
                let who = Who::Instance(CLOCK_REALTIME);
                self.outbox.see(Resource::OsClock, who, observed, time);
            }
            _ => self.see_ptp(key, observed, time),
        }
    }

    fn see_ptp(&mut self, key: &SmolStr, observed: Observed, time: i64) {
        self.outbox.see(Resource::LockState, Who::Domain(key.clone()), observed, time);
    }

    /// chronyd steers the system clock while it has a source; without one nothing does.
    fn remarked(&mut self, key: &SmolStr, process: Process, remark: Remark, time: i64) {
        if remark == Remark::StartRefused {
            let observed = Observed::Process { name: process.name().into(), up: false };
            self.see(key, process, observed, time);
        }
        let state = match remark {
            Remark::NtpSourceSelected => Some(SyncState::Locked),
            Remark::NtpSourceLost => Some(SyncState::Freerun),
            _ => None,
        };
        if let Some(state) = state.filter(|_| process == Process::Chronyd) {
            self.os = Some(state.clone());
            let reading = Reading { state: Some(state), ..Reading::new(CLOCK_REALTIME) };
            self.outbox.say(Resource::OsClock, Who::Instance(CLOCK_REALTIME), reading, time, None);
            self.say_node(time);
        }
        self.see(key, process, Observed::Remark(remark), time);
    }

    /// Another best master. The publisher says nothing of it, so that only a change is worth a word.
    fn chosen(&mut self, key: &SmolStr, master: ClockIdentity, time: i64) {
        let Some(domain) = self.domains.get_mut(key) else { return };
        let before = domain.master.replace(master);
        if before.is_some_and(|before| before != master)
            && let Some(state) = domain.state.clone()
        {
            self.enter(key, state, None, time, None);
        }
    }

    /// Many offsets of ptp4l or ts2phc in one line, by their mean and the one farthest off.
    ///
    /// Neither form says in which state the servo was. ptp4l prints them while it follows, and
    /// between UNCALIBRATED and SLAVE too, which [`Domain::follows`] tells apart.
    fn summarised(
        &mut self,
        key: &SmolStr,
        process: Process,
        of: &str,
        mean: Offset,
        detail: Detail,
        time: i64,
    ) {
        let limits = self.limits();
        let Some(domain) = self.domains.get_mut(key) else { return };
        let counted = counts(domain, process, of);
        if counted && process == Process::Ts2phc {
            domain.learn(of, true);
        }
        if !counted || !domain.sums_up_its_lock(time) {
            // It was measured all the same, if not in its lock.
            let state = domain.state.clone();
            let sample = outbox::sample_of(state, mean, detail);
            self.see_ptp(key, Observed::Sample(sample), time);
            return;
        }
        let worst = detail.summary.map_or(mean, |summary| summary.excursion(mean));
        if let Some(state) = domain.measured(Servo::Locked, worst, time, limits) {
            domain.last_offset = Some(mean);
            let detail = Detail { in_range: domain.in_range, ..detail };
            self.enter(key, state, Some(Measurement::Offset(mean)), time, Some(detail));
        }
    }

    /// A PTP clock is in `state`.
    pub(super) fn enter(
        &mut self,
        key: &SmolStr,
        state: SyncState,
        offset: Option<Measurement>,
        time: i64,
        detail: Option<Detail>,
    ) {
        let Some(domain) = self.domains.get_mut(key) else { return };
        let timed = state == SyncState::Holdover && domain.source == Source::Servo;
        let deadline = match domain.deadline {
            Some(deadline) if timed => Some(deadline),
            _ => timed.then(|| time.saturating_add(nanos(self.settings.holdover_timeout))),
        };
        let stays = domain.state.as_ref() == Some(&state);
        domain.enter(&state, deadline);
        // ptp4l measures up to 16 times a second: most of it is told with the next that is.
        let measured = offset.and_then(Measurement::offset);
        if stays && domain.told.is_told(measured, domain.master, time) {
            return;
        }
        domain.told = Told { time: Some(time), master: domain.master };
        let (port, master) = (domain.port.clone(), domain.master);
        let reading =
            Reading { state: Some(state), offset, port, master, ..Reading::new(Instance::NODE) };
        self.outbox.say(Resource::LockState, Who::Domain(key.clone()), reading, time, detail);
        if !stays {
            self.say_node(time);
        }
    }

    /// The system clock's state: its own, or the PTP clock's where that is worse. A grandmaster's
    /// HOLDOVER does not count (observed): it has its oscillator for that.
    fn os_state(&mut self, servo: Servo, offset: Offset, time: i64) -> SyncState {
        let limits = self.limits();
        let judged = limits.of(&mut self.os_noise, offset);
        let within = judged.is_none_or(|limits| offset.magnitude() < limits.offset);
        self.os_in_range = self.alone && within && servo == Servo::Locked;
        let Limits { offset: limit, settle, .. } = judged.unwrap_or(limits);
        let own = if servo != Servo::Locked {
            self.os_patience.reset();
            SyncState::Freerun
        } else if judged.is_none() || offset.magnitude() < limit {
            self.os_patience.reset();
            SyncState::Locked
        } else if self.os.as_ref().is_none_or(SyncState::is_locked)
            && !self.os_patience.is_over(time, settle)
        {
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

    /// An offset of the system clock, or many of them by their mean.
    fn measured_os(
        &mut self,
        key: &SmolStr,
        servo: Servo,
        offset: Offset,
        detail: Detail,
        time: i64,
    ) {
        self.os_follows = Some(key.clone());
        // `-E ntpshm` and `free_running`: it measures, and somebody else steers.
        let measures = servo == Servo::Unlocked
            && detail.answer.frequency == Some(0)
            && offset.magnitude() < self.limits().offset.saturating_mul(OF_OTHERS);
        let servo = if measures { Servo::Locked } else { servo };
        let worst = detail.summary.map_or(offset, |summary| summary.excursion(offset));
        let state = self.os_state(servo, worst, time);
        let detail = Detail { in_range: self.os_in_range, ..detail };
        self.say_os(state, Measurement::Offset(offset), time, Some(detail));
    }

    fn say_os(&mut self, state: SyncState, offset: Measurement, time: i64, detail: Option<Detail>) {
        self.os = Some(state.clone());
        let reading =
            Reading { state: Some(state), offset: Some(offset), ..Reading::new(CLOCK_REALTIME) };
        self.outbox.say(Resource::OsClock, Who::Instance(CLOCK_REALTIME), reading, time, detail);
        self.say_node(time);
    }

    /// The node as a whole is as well as the worse of its PTP and its system clock.
    fn say_node(&mut self, time: i64) {
        let ptp = self.reference().and_then(|domain| domain.state.as_ref());
        let Some(worst) = ptp.into_iter().chain(&self.os).max_by_key(|state| badness(state)) else {
            return;
        };
        let reading = Reading { state: Some(worst.clone()), ..Reading::new(Instance::NODE) };
        self.outbox.say(Resource::SyncState, Who::Instance(Instance::NODE), reading, time, None);
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
        let Ok(port) = Port::new(interface) else { return };
        let Some(instance) = clock_of(&port) else { return };
        let lock = status(servo);
        // A fix that changes alone is not sent (observed).
        if self.receivers.get(&instance) == Some(&lock) || self.receivers.len() >= MOST_DOMAINS {
            return;
        }
        let state = match lock {
            SyncState::Locked => SyncState::Synchronized,
            _ if fix == GpsFix(0) => SyncState::FailureNofix,
            _ => SyncState::AcquiringSync,
        };
        self.receivers.insert(instance.clone(), lock);
        let reading = Reading {
            state: Some(state),
            offset: Some(Measurement::from_nanos(offset)),
            gps_fix: Some(fix),
            port: Some(port),
            ..Reading::new(Instance::NODE)
        };
        self.outbox.say(Resource::Gnss, Who::Instance(instance), reading, time, None);
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
            self.outbox.say(resource, Who::Instance(instance), reading, time, None);
        }
    }

    /// A ptp4l initialises its ports, which it does once, when it starts: a port that recovers from a fault goes
    /// on to LISTENING at once (linuxptp, port.c, `port_state_update`). One that was locked died unnoticed.
    fn begun_anew(&mut self, key: &SmolStr, time: i64) {
        let Some(domain) = self.domains.get(key) else { return };
        if domain.source == Source::Servo && domain.state == Some(SyncState::Locked) {
            let down = Measurement::Sentinel(Sentinel::ProcessDown);
            self.enter(key, SyncState::Freerun, Some(down), time, None);
            let up = Observed::Process { name: Process::Ptp4l.name().into(), up: true };
            self.see_ptp(key, up, time);
        }
    }

    /// A process was started, or ended.
    fn process(&mut self, key: &SmolStr, process: Process, up: bool, time: i64) {
        if !up {
            self.process_down(key, process, time);
        }
        if !up && process == Process::Chronyd {
            let down = Measurement::Sentinel(Sentinel::ProcessDown);
            self.say_os(SyncState::Freerun, down, time, None);
        }
        self.see(key, process, Observed::Process { name: process.name().into(), up }, time);
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
            self.enter(key, SyncState::Freerun, Some(down), time, None);
        }
        if self.os.is_some() {
            self.say_os(SyncState::Freerun, down, time, None);
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

/// Whether what a process measured of `of` decides the state of its clock.
fn counts(domain: &Domain, process: Process, of: &str) -> bool {
    domain.source == Source::Servo
        && match process {
            Process::Ptp4l => of == "master" && domain.follows(),
            // Where there is a DPLL the grandmaster's status decides; ts2phc names a receiver by its
            // device (observed).
            Process::Ts2phc => domain.dpll.is_none() && !of.starts_with('/'),
            // It steers the clock of a card from another's, or from the system clock (`-a`, `-c`).
            Process::Phc2sys => !of.starts_with('/'),
            _ => false,
        }
}
