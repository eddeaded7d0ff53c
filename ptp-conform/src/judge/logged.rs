//! What lines of a log show, alone or beside events.

use std::time::Duration;

use ptp_events::observation::{Dpll, PortEvent, PortState, PrintedLine, Servo};
use ptp_events::{Received, Resource};

use super::sent::{changes, class_at, state_at};
use super::{DOWNTIME, Tally, at_once};
use crate::record::{Logged, Record, gives_time};
use crate::requirement::{Line, State};

const NO_LOG: &str = "the daemon's log through such a change";
const NO_START: &str = "the daemon's log from the start of its processes on";
const NO_PROCESS: &str = "the daemon's log through the end of a process (PTP_PROCESS_STATUS)";
const BOTH: &str = "events and the daemon's log of the same time";

/// How soon a start must have shown what it comes to.
const START: Duration = Duration::from_mins(10);
/// How far apart the first lines of a start are at most, for them to be of one start.
const ONE_START: Duration = Duration::from_mins(5);
/// How soon a process must run again.
const AGAIN: Duration = Duration::from_mins(1);
/// What is printed every second may be late by half of one.
const LATE_NS: i64 = 1_500_000_000;
/// What comes less often than this was left out of the log (`logReduce`).
const REDUCED_NS: i64 = 5_000_000_000;

fn status(servo: Servo) -> State {
    match servo {
        Servo::Unlocked => State::Freerun,
        Servo::Step => State::Holdover,
        Servo::Locked => State::Locked,
    }
}

/// The latest line until a time that `pick` takes.
fn latest<T>(record: &Record, at: Received, pick: impl Fn(&Logged) -> Option<T>) -> Option<T> {
    let end = record.logged.partition_point(|line| line.at <= at);
    record.logged[..end].iter().rev().find_map(pick)
}

pub(super) fn status_at(record: &Record, at: Received) -> Option<State> {
    latest(record, at, |line| match line.what {
        PrintedLine::Status(servo) => Some(status(servo)),
        _ => None,
    })
}

fn dpll_at(record: &Record, at: Received) -> Option<Dpll> {
    latest(record, at, |line| match line.what {
        PrintedLine::Dpll(dpll) => Some(dpll),
        _ => None,
    })
}

/// Whether the log and the events are of the same time.
fn is_told_at(record: &Record, resource: &Resource, at: Received) -> bool {
    let mut of = record.sent.iter().filter(|sent| sent.resource == *resource).map(|sent| sent.at);
    let first = of.next();
    first.is_some_and(|first| first <= at) && record.sent.last().is_some_and(|last| last.at >= at)
}

pub(super) fn stays_in_holdover(record: &Record, wanted: u8) -> Tally {
    let mut tally = Tally::wanting("a holdover that goes out of specification");
    for line in &record.logged {
        if !matches!(line.what, PrintedLine::Class(class) if class.0 == wanted) {
            continue;
        }
        let Some(state) = status_at(record, at_once(line.at)) else { continue };
        tally.note(state == State::Holdover, line.at, &line.line, || {
            format!("class {wanted}, and the clock's status is {}", state.as_str())
        });
    }
    tally
}

/// When linuxptp started: a port that initialises, or a process that is said to run.
fn starts(record: &Record) -> Vec<Received> {
    let mut starts: Vec<Received> = Vec::new();
    for line in &record.logged {
        let is_start = match &line.what {
            PrintedLine::Port(change) => change.from == PortState::Initializing,
            PrintedLine::Process { up } => *up,
            _ => false,
        };
        if is_start && starts.last().is_none_or(|last| line.at.since(*last) > ONE_START) {
            starts.push(line.at);
        }
    }
    starts
}

pub(super) fn begins_in(record: &Record, resource: &Resource) -> Tally {
    let mut tally = Tally::wanting(NO_START);
    for start in starts(record) {
        let within = |at: Received| at >= start && at <= start.after(START);
        let sent = record.sent.iter().find(|sent| {
            sent.resource == *resource
                && within(sent.at)
                && sent.state.as_ref().and_then(State::of).is_some()
        });
        if let Some(sent) = sent {
            let state = sent.state.as_ref().and_then(State::of);
            tally.note(state == Some(State::Freerun), sent.at, &sent.id, || {
                format!("the first state after a start is {}", state.map_or("none", State::as_str))
            });
            continue;
        }
        let first = record
            .logged
            .iter()
            .find(|line| within(line.at) && matches!(line.what, PrintedLine::Status(_)));
        if let Some(Logged { at, line, what: PrintedLine::Status(servo), .. }) = first {
            tally.note(*servo == Servo::Unlocked, *at, line, || {
                format!("the first status after a start is {}", status(*servo).as_str())
            });
        }
    }
    tally
}

pub(super) fn no_bypass(record: &Record) -> Tally {
    let mut tally = begins_in(record, &Resource::LockState);
    tally.failures.retain(|failure| failure.says.ends_with("LOCKED"));
    tally
}

pub(super) fn begins_with_class(record: &Record) -> Tally {
    let mut tally = begins_in(record, &Resource::LockState);
    for start in starts(record) {
        let first = record.logged.iter().find_map(|line| match line.what {
            PrintedLine::Class(class) if line.at >= start && line.at <= start.after(START) => {
                Some((line, class.0))
            }
            _ => None,
        });
        if let Some((line, class)) = first {
            tally.note(class == 248, line.at, &line.line, || {
                format!("the first class after a start is {class}")
            });
        }
    }
    tally
}

pub(super) fn locked_with_parts(record: &Record) -> Tally {
    let mut tally = Tally::wanting("the daemon's log (T-GM-STATUS, T-BC-STATUS) through a lock");
    for line in &record.logged {
        if line.what != PrintedLine::Status(Servo::Locked) {
            continue;
        }
        let fix = latest(record, line.at, |line| match line.what {
            PrintedLine::Gnss { fix, servo } => Some(gives_time(fix, servo)),
            _ => None,
        });
        let dpll = dpll_at(record, line.at).and_then(Dpll::is_locked);
        let servo = latest(record, line.at, |line| match line.what {
            PrintedLine::Offset { servo, .. } if line.process == "ts2phc" => Some(servo),
            _ => None,
        });
        let parts = [
            ("the receiver has no fix", fix),
            ("the DPLL is not locked", dpll),
            ("ts2phc is not locked", servo.map(|servo| servo == Servo::Locked)),
        ];
        if parts.iter().all(|(_, well)| well.is_none()) {
            continue;
        }
        let wrong = parts.iter().find(|(_, well)| *well == Some(false));
        tally.note(wrong.is_none(), line.at, &line.line, || {
            format!("the status is LOCKED, and {}", wrong.map_or("", |(what, _)| what))
        });
    }
    tally
}

pub(super) fn event_after(record: &Record, wanted: Line) -> Tally {
    let mut tally = Tally::wanting(BOTH);
    let mut before: Option<&PrintedLine> = None;
    for line in &record.logged {
        let fix = |what: &PrintedLine| match what {
            PrintedLine::Gnss { fix, servo } => Some(gives_time(*fix, *servo)),
            _ => None,
        };
        let (resource, is_it) = match (&line.what, wanted) {
            (PrintedLine::Status(_), Line::Status) => (Resource::LockState, true),
            (PrintedLine::Class(_), Line::Class) => (Resource::ClockClass, true),
            (what, Line::Fix) => (Resource::Gnss, fix(what).is_some()),
            _ => (Resource::LockState, false),
        };
        if !is_it {
            continue;
        }
        let Some(earlier) = before.replace(&line.what) else { continue };
        let until = at_once(line.at);
        if (wanted == Line::Fix && fix(earlier) == fix(&line.what))
            || !is_told_at(record, &resource, line.at)
        {
            continue;
        }
        match &line.what {
            PrintedLine::Status(servo) => {
                let wanted = status(*servo);
                let told = state_at(record, &resource, until);
                tally.note(told == Some(wanted), line.at, &line.line, || {
                    let told = told.map_or("nothing", State::as_str);
                    format!("the status is {}, and a second later {told} was sent", wanted.as_str())
                });
            }
            PrintedLine::Class(class) => {
                let told = class_at(record, until);
                tally.note(told == Some(class.0), line.at, &line.line, || {
                    let told =
                        told.map_or_else(|| "nothing".to_owned(), |class| format!("class {class}"));
                    format!("the class is {class}, and a second later {told} was sent")
                });
            }
            _ => {
                let near =
                    |at: Received| at >= line.at.before(Duration::from_secs(1)) && at <= until;
                let told =
                    record.sent.iter().any(|sent| sent.resource == resource && near(sent.at));
                tally.note(told, line.at, &line.line, || {
                    "the fix changes, and nothing is sent".to_owned()
                });
            }
        }
    }
    tally
}

/// The first line of a process, whatever its configuration.
fn began<'a>(record: &'a Record, process: &str) -> Option<(Received, &'a str)> {
    let of = record.began.iter().filter(|((name, _), _)| name == process);
    of.map(|(_, (at, line))| (*at, line.as_str())).min()
}

pub(super) fn order(record: &Record, first: &str, then: &str) -> Tally {
    let mut tally = Tally::wanting(NO_START);
    let (Some((a, _)), Some((b, line)), Some(start)) =
        (began(record, first), began(record, then), starts(record).first().copied())
    else {
        return tally;
    };
    // A log that begins in the middle holds the start of neither.
    if start.since(a.min(b)) <= ONE_START && a.max(b).since(start) <= ONE_START {
        tally.note(a <= b, b, line, || format!("{then} begins before {first}"));
    }
    tally
}

pub(super) fn gated(record: &Record, process: &str, by: &str) -> Tally {
    let mut tally = Tally::wanting(NO_START);
    let Some((began, line)) = began(record, process) else { return tally };
    if starts(record).first().is_none_or(|start| *start > began.after(ONE_START)) {
        return tally;
    }
    let locked = record.logged.iter().find(|line| {
        line.process == by
            && match &line.what {
                PrintedLine::Offset { servo, .. } => *servo == Servo::Locked,
                PrintedLine::Port(change) => change.why == PortEvent::MasterSelected,
                _ => false,
            }
    });
    if let Some(locked) = locked {
        tally.note(locked.at <= began, began, line, || {
            format!("{process} begins before {by} is locked")
        });
    }
    tally
}

/// When processes were down, and until when.
fn outages<'a>(record: &'a Record, process: &str) -> Vec<(&'a Logged, Option<Received>)> {
    let mut outages: Vec<(&Logged, Option<Received>)> = Vec::new();
    for line in record.logged.iter().filter(|line| line.process == process) {
        match line.what {
            PrintedLine::Process { up: false } => outages.push((line, None)),
            PrintedLine::Process { up: true } => {
                if let Some((_, until @ None)) = outages.last_mut() {
                    *until = Some(line.at);
                }
            }
            _ => {}
        }
    }
    outages
}

fn processes(record: &Record) -> Vec<&str> {
    let mut names: Vec<&str> = record.began.keys().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    names
}

pub(super) fn ends_alone(record: &Record) -> Tally {
    let mut tally = Tally::wanting(NO_PROCESS);
    let all: Vec<_> =
        processes(record).into_iter().flat_map(|name| outages(record, name)).collect();
    for (down, _) in &all {
        let near =
            |at: Received| at.since(down.at).max(down.at.since(at)) <= Duration::from_secs(2);
        let with: Vec<&str> = all
            .iter()
            .filter(|(other, _)| other.process != down.process && near(other.at))
            .map(|(other, _)| other.process.as_str())
            .collect();
        // All of them end when the daemon does, or its configuration changes.
        if with.len() < 2 {
            tally.note(with.is_empty(), down.at, &down.line, || {
                format!("{} ends, and {} with it", down.process, with.join(", "))
            });
        }
    }
    tally
}

pub(super) fn short_outage(record: &Record, process: &str, resource: &Resource) -> Tally {
    let mut tally = Tally::wanting("events and the log through a short outage of the process");
    for (down, until) in outages(record, process) {
        let Some(until) = until.filter(|until| until.since(down.at) <= DOWNTIME) else { continue };
        if !is_told_at(record, resource, down.at) {
            continue;
        }
        let span = down.at..=at_once(until);
        let mut sent = changes(record, resource).into_iter();
        let told = sent.find(|change| change.from.is_some() && span.contains(&change.sent.at));
        tally.note(told.is_none(), down.at, &down.line, || {
            let to = told.map_or("", |change| change.to.as_str());
            format!("{process} is down for less than 5 s, and {to} is sent")
        });
    }
    tally
}

pub(super) fn long_outage(record: &Record, process: &str, resource: &Resource) -> Tally {
    let mut tally = Tally::wanting("events and the log through a long outage of the process");
    for (down, until) in outages(record, process) {
        let end = until.or(record.last).unwrap_or(down.at);
        if end.since(down.at) <= DOWNTIME * 2 || !is_told_at(record, resource, end) {
            continue;
        }
        let span = down.at..=end;
        let sent = record.sent.iter().filter(|sent| sent.may_be_change());
        let told =
            sent.filter(|sent| sent.resource == *resource).any(|sent| span.contains(&sent.at));
        tally.note(told, down.at, &down.line, || {
            format!("{process} is down for longer than 10 s, and no {} is sent", resource.name())
        });
    }
    tally
}

pub(super) fn runs_again(record: &Record) -> Tally {
    let mut tally = Tally::wanting(NO_PROCESS);
    for process in processes(record) {
        for (down, until) in outages(record, process) {
            let end = until.or(record.last).unwrap_or(down.at);
            if until.is_none() && end.since(down.at) <= AGAIN {
                continue;
            }
            let again = until.is_some_and(|until| until.since(down.at) <= AGAIN);
            tally.note(again, down.at, &down.line, || {
                format!("{process} ends, and does not run again")
            });
        }
    }
    tally
}

pub(super) fn every_second(record: &Record, process: &str, figure: &'static str) -> Tally {
    let mut tally = Tally::wanting("the daemon's log, not reduced");
    let Some(cadence) = record.cadences.get(&(process.to_owned(), figure)) else { return tally };
    let span = cadence.last.as_nanos().saturating_sub(cadence.first.as_nanos());
    let count = i64::try_from(cadence.count).unwrap_or(i64::MAX);
    if count < 10 || span / count > REDUCED_NS {
        return tally;
    }
    let (gap, at) = cadence.longest;
    tally.note(gap <= LATE_NS, at, process, || {
        format!("{process} prints nothing for {:.1} s", gap as f64 / 1e9)
    });
    tally.seen = usize::try_from(count).unwrap_or(usize::MAX);
    tally
}

/// What becomes of a clock whose port leaves SLAVE; `capable` when its DPLL can hold over.
pub(super) fn port_loss(record: &Record, capable: bool) -> Tally {
    let mut tally = Tally::wanting(NO_LOG);
    for line in &record.logged {
        let PrintedLine::Port(change) = &line.what else { continue };
        if change.from != PortState::Slave
            || matches!(change.to, PortState::Slave | PortState::Passive)
        {
            continue;
        }
        let holds = dpll_at(record, line.at).map(|dpll| dpll.frequency == 3 && dpll.phase == 3);
        if holds.unwrap_or(capable) != capable {
            continue;
        }
        let after = line.at.after(Duration::from_secs(3));
        let before = line.at.before(Duration::from_secs(1));
        let state =
            |at| status_at(record, at).or_else(|| state_at(record, &Resource::LockState, at));
        let (Some(State::Locked), Some(came)) = (state(before), state(after)) else { continue };
        let right = if capable { State::Holdover } else { State::Freerun };
        // Whether it can hold is not known: then both are right.
        let held = came == right || (holds.is_none() && came != State::Locked);
        tally.note(held, line.at, &line.line, || {
            format!("the port leaves SLAVE, and the clock is {} 3 s later", came.as_str())
        });
    }
    tally
}

pub(super) fn nothing_served(record: &Record) -> Tally {
    let mut tally = Tally::wanting("the log of ptp4l");
    for line in &record.logged {
        if let PrintedLine::Port(change) = &line.what {
            let serves = matches!(change.to, PortState::Master | PortState::GrandMaster);
            tally.note(!serves, line.at, &line.line, || "a port serves time".to_owned());
        }
    }
    tally
}
