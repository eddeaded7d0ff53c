//! What tools answered when somebody asked them, pasted or logged in a loop: pmc, chronyc, ethtool, ubxtool, and
//! the DPLL's file in debugfs.
//!
//! An answer tells how things are at one moment. It stands in lines of `key value` behind a heading that says what
//! was asked (docs/protocol.md §14 has where each was read).

use smol_str::SmolStr;

use super::line::{Answer, Line, Message, number_of};
use super::process::{Bracket, Process};
use super::{DaemonLog, LineKind, LogLine};
use crate::observation::{Dpll, Observed, PortEvent, PortState, Remark, Servo};
use crate::units::{decimal, small};
use crate::{ClockClass, ClockIdentity, GpsFix, Offset, SyncState};

/// How many ports of one clock are told apart.
const MOST_PORTS: usize = 16;

/// What the lines that follow are an answer to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Asked {
    #[default]
    Nothing,
    /// A data set of this port (pmc(8)).
    DataSet { port: u16 },
    /// `chronyc sources`; whether one of them is selected.
    Sources { selected: bool },
    /// The lock of a DPLL: `EEC` for frequency, `PPS` for phase (ice, `cgu` in debugfs).
    Dpll { is_phase: bool },
}

/// What an answer says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Told<'a> {
    /// A port is in this state, and was in that when it was asked before.
    Port {
        before: Option<PortState>,
        now: PortState,
    },
    /// What ptp4l, chronyd or a receiver would have printed of it.
    Line(Process, Message<'a>),
    Dpll(Dpll),
}

/// What was answered so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    asked: Asked,
    /// Whether anybody asked at all.
    is_used: bool,
    ports: Vec<(u16, PortState)>,
    /// The frequency lock of a DPLL, until its phase lock is told.
    frequency: i8,
}

impl Answers {
    /// Takes a line that is no process's. What it tells, and whether it is part of an answer at all.
    pub(super) fn handle_line<'a>(&mut self, line: &'a str) -> (Option<Told<'a>>, bool) {
        if let Some(asked) = heading(line) {
            let before = self.finish();
            (self.asked, self.is_used) = (asked, true);
            return (before, true);
        }
        let told = match self.asked {
            Asked::Nothing => alone(line),
            Asked::DataSet { port } => self.data_set(line, port).or_else(|| alone(line)),
            Asked::Sources { selected } => {
                let name = line.trim_start();
                let is_source = name.starts_with(['^', '#', '=']);
                if is_source {
                    let selected = selected || name[1..].starts_with('*');
                    self.asked = Asked::Sources { selected };
                    return (None, true);
                }
                // The line that ends the list may be an answer itself.
                let list = self.finish();
                return (alone(line).or(list), true);
            }
            Asked::Dpll { is_phase } => self.lock(line, is_phase),
        };
        self.is_used |= told.is_some();
        (told, told.is_some())
    }

    /// Whether there were any: then other lines may tell when.
    pub(super) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// How a servo is that steers by what these ports hear; `None` of one that does not follow.
    fn servo(&self) -> Option<Servo> {
        let is = |state| self.ports.iter().any(|(_, port)| *port == state);
        match () {
            () if is(PortState::Slave) || self.ports.is_empty() => Some(Servo::Locked),
            () if is(PortState::Uncalibrated) => Some(Servo::Unlocked),
            () => None,
        }
    }

    /// Whether no port of the clock hears a master, or is one.
    pub(super) fn is_deaf(&self) -> bool {
        use PortState as S;
        let deaf = |(_, state): &(u16, PortState)| {
            matches!(state, S::Listening | S::Faulty | S::Disabled | S::Uncalibrated)
        };
        !self.ports.is_empty() && self.ports.iter().all(deaf)
    }

    /// A field of a data set, as pmc prints it (linuxptp, pmc.c).
    fn data_set<'a>(&mut self, line: &'a str, port: u16) -> Option<Told<'a>> {
        let mut words = line.split_ascii_whitespace().rev();
        let (value, key) = (words.next()?, words.next()?);
        let number = || decimal(number_of(value)).ok();
        let message = match key {
            "portState" => {
                let now = PortState::parse(value)?;
                let known = self.ports.iter_mut().find(|(known, _)| *known == port);
                let before = known.map(|(_, state)| std::mem::replace(state, now));
                if before.is_none() && self.ports.len() < MOST_PORTS {
                    self.ports.push((port, now));
                }
                return Some(Told::Port { before, now });
            }
            "offsetFromMaster" | "master_offset" => Message::Offset {
                of: "master",
                offset: Offset::from_nanos(number()?),
                servo: self.servo()?,
                holdover: false,
                answer: Answer::default(),
            },
            "grandmasterIdentity" | "gmIdentity" => {
                Message::BestMaster(ClockIdentity::parse(value)?)
            }
            // A grandmaster's own, or the one that is heard.
            "gm.ClockClass" => Message::Class(ClockClass(small(value).ok()?)),
            _ => return None,
        };
        Some(Told::Line(Process::Ptp4l, message))
    }

    /// `Status: locked_ho_acq` (ice, `ice_get_dpll_state`; the same words in the DPLL netlink family).
    fn lock(&mut self, line: &str, is_phase: bool) -> Option<Told<'static>> {
        let (key, value) = line.split_once(':')?;
        let status = match (key.trim(), value.trim()) {
            ("Status", "invalid") => 0,
            ("Status", "freerun" | "unlocked") => 1,
            ("Status", "locked") => 2,
            ("Status", "locked_ho_acq" | "locked-ho-acq") => 3,
            ("Status", "holdover") => 4,
            _ => return None,
        };
        self.asked = Asked::Nothing;
        if !is_phase {
            self.frequency = status;
            return None;
        }
        Some(Told::Dpll(Dpll { frequency: self.frequency, phase: status, pps: None }))
    }

    /// The list of sources is complete.
    pub(super) fn finish(&mut self) -> Option<Told<'static>> {
        let Asked::Sources { selected } = std::mem::take(&mut self.asked) else { return None };
        let remark = if selected { Remark::NtpSourceSelected } else { Remark::NtpSourceLost };
        Some(Told::Line(Process::Chronyd, Message::Remark(remark)))
    }
}

/// What the lines that follow are an answer to, where this one says it.
fn heading(line: &str) -> Option<Asked> {
    if line.contains(" RESPONSE MANAGEMENT ") {
        // `507c6f.fffe.30fb18-1 seq 0 RESPONSE MANAGEMENT PORT_DATA_SET`
        let mut words = line.split_ascii_whitespace();
        let source = words.by_ref().take_while(|word| *word != "seq").last()?;
        return Some(Asked::DataSet { port: source.rsplit_once('-')?.1.parse().ok()? });
    }
    if line.contains("MS Name/IP address") {
        return Some(Asked::Sources { selected: false });
    }
    match line.trim() {
        "EEC DPLL:" => Some(Asked::Dpll { is_phase: false }),
        "PPS DPLL:" => Some(Asked::Dpll { is_phase: true }),
        _ => None,
    }
}

/// A line that tells whose answer it is itself.
fn alone(line: &str) -> Option<Told<'_>> {
    let synchronised = |leap: &str| match leap.trim() {
        "Normal" | "Insert second" | "Delete second" => Some(Remark::NtpSourceSelected),
        "Not synchronised" => Some(Remark::NtpSourceLost),
        _ => None,
    };
    // `chronyc tracking`, and with `-c` fourteen fields of which the last is the same (chronyc(1)).
    let chrony = match line.split_once(':') {
        Some((key, value)) if key.trim_end().ends_with("Leap status") => synchronised(value),
        _ if line.bytes().filter(|byte| *byte == b',').count() == 13 => {
            line.rsplit_once(',').and_then(|(_, leap)| synchronised(leap))
        }
        _ => None,
    };
    if let Some(remark) = chrony {
        return Some(Told::Line(Process::Chronyd, Message::Remark(remark)));
    }
    // `ubxtool -p NAV-STATUS` (u-blox protocol, UBX-NAV-STATUS).
    if let Some((before, rest)) = line.split_once(" gpsFix ")
        && before.contains("iTOW")
    {
        let fix = GpsFix(small(rest.split_ascii_whitespace().next()?).ok()?);
        return Some(Told::Line(Process::Ts2phc, Message::Fix { valid: fix.gives_time() }));
    }
    // `ethtool -T`
    let (key, value) = line.split_once(": ")?;
    if key.trim_end().ends_with("PTP Hardware Clock") && value.trim() == "none" {
        let remark = Message::Remark(Remark::TimestampingUnsupported);
        return Some(Told::Line(Process::Ptp4l, remark));
    }
    None
}

impl DaemonLog {
    /// Takes a line of another program: an answer, or the only one that tells the time of day.
    pub(crate) fn handle_foreign(&mut self, line: LogLine<'_>) -> LineKind {
        let (told, is_part) = self.answers.handle_line(line.text);
        let wall = if !self.timebase.is_anchored() || self.answers.is_used() {
            let end = line.text.floor_char_boundary(super::FOREIGN_BYTES);
            line.written.or(super::before::read(&line.text[..end], self.settings.written).wall)
        } else {
            None
        };
        if let Some(wall) = wall
            && let Some(placed) = self.timebase.place(Bracket::None, Some(wall.as_nanos()), None)
        {
            self.shift(placed.shift);
        }
        match told {
            Some(told) => {
                self.outbox.at_line(line.number);
                self.answered(told)
            }
            None if is_part => LineKind::Understood,
            None => LineKind::Foreign,
        }
    }

    /// Takes in an answer, at the time of the latest line that tells one, or else when the log was written.
    pub(super) fn answered(&mut self, told: Told<'_>) -> LineKind {
        let written = self.settings.written.map(crate::Received::as_nanos);
        let placed = self.timebase.place(Bracket::None, None, None);
        let Some(placed) = placed.or_else(|| self.timebase.place(Bracket::None, written, None))
        else {
            return LineKind::Ignored;
        };
        let time = placed.time;
        self.understood += 1;
        self.time_out(time);
        let key = self.domains.keys().next().cloned().unwrap_or_else(|| SmolStr::new_static("0"));
        self.domains.entry(key.clone()).or_default();
        let line = |process, message| Line { process, bracket: Bracket::None, tag: "", message };
        match told {
            Told::Port { before, now } => {
                // Of a port that follows when it is first asked for, the change was before.
                let from = before.or((now == PortState::Slave).then_some(PortState::Uncalibrated));
                if let Some(from) = from.filter(|from| *from != now) {
                    let why = PortEvent::Other;
                    let message = Message::Port { interface: None, from, to: now, why };
                    self.take(&key, line(Process::Ptp4l, message), time);
                }
                let is_unknown = self.domains.get(&key).is_some_and(|of| of.state.is_none());
                if is_unknown && self.answers.is_deaf() {
                    self.enter(&key, SyncState::Freerun, None, time, None);
                }
            }
            Told::Line(process, message) => self.take(&key, line(process, message), time),
            Told::Dpll(dpll) => self.see(&key, Process::Dpll, Observed::Dpll(dpll), time),
        }
        if self.outbox.is_quiet(time) {
            self.see(&key, Process::Ptp4l, Observed::Alive, time);
        }
        LineKind::Understood
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn what_tools_answer() {
        let mut table = String::new();
        let mut answers = Answers::default();
        for line in include_str!("testdata/answers.txt").lines() {
            let (told, is_part) = answers.handle_line(line);
            if let Some(told) = told {
                writeln!(table, "{}: {told:?}", line.trim()).unwrap();
            } else if is_part {
                writeln!(table, "{}: …", line.trim()).unwrap();
            }
        }
        writeln!(table, "at the end: {:?}", answers.finish()).unwrap();
        insta::assert_snapshot!(table);
    }
}
