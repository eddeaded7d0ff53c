//! What was said, and what is worth saying: changes at once, measurements once a second.

use std::collections::{BTreeMap, VecDeque};

use smol_str::SmolStr;

use super::line::Answer;
use crate::observation::{Observed, Printed, Remark, Sample};
use crate::{Instance, Measurement, Offset, Reading, Resource, SyncState};

/// A clock is told of at most this often while nothing changes, in nanoseconds: trends need
/// samples, and ptp4l prints up to 16 a second.
pub(super) const SAMPLE_EVERY: i64 = 1_000_000_000;

/// An offset of this size is told however soon it comes: a single one says something, in nanoseconds.
pub(super) const FAR_NS: u64 = 1_000_000;

/// What stays the same is told again this often, in nanoseconds: it shows that it lasts.
const REPEAT_EVERY: i64 = 10_000_000_000;

/// How many events wait for what only later lines tell: the time, the interface.
const MOST_WAITING: usize = 4096;

/// How many clocks of one node are told apart; a node has a few ports on a few cards.
const MOST_CLOCKS: usize = 256;

/// Which clock is meant.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Who {
    /// The PTP clock of a configuration, by its number; what it is called may come later.
    Domain(SmolStr),
    Instance(Instance),
}

/// What is told of a clock.
#[derive(Debug)]
pub(super) enum What {
    /// What a publisher would say, of a change.
    Said(Reading),
    /// What it would not.
    Seen(Observed),
}

/// What a line tells of several offsets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summary {
    /// The one farthest off.
    pub(super) peak: Option<Offset>,
    /// Their standard deviation, or their root mean square.
    pub(super) spread: Option<u64>,
    /// Whether the mean that is told is the root mean square.
    pub(super) is_size: bool,
}

impl Summary {
    /// How far off all but a few were: one bad one in many is none (docs/protocol.md §5).
    pub(super) fn excursion(self, mean: Offset) -> Offset {
        let most = match (self.spread, self.is_size) {
            (Some(spread), false) => mean.magnitude().saturating_add(spread.saturating_mul(2)),
            (Some(rms), true) => rms.saturating_mul(2),
            (None, _) => u64::MAX,
        };
        let worst = self.peak.unwrap_or(mean).magnitude().min(most);
        Offset::from_nanos(i64::try_from(worst).unwrap_or(i64::MAX))
    }
}

/// What was measured beside an offset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Detail {
    pub(super) answer: Answer,
    /// What is known of several offsets beyond their mean.
    pub(super) summary: Option<Summary>,
    /// The offset that was measured, where a publisher goes on naming the last one in its place.
    pub(super) measured: Option<Offset>,
    /// Whether it is in range of the clock's own noise, where nobody has set a threshold.
    pub(super) in_range: bool,
}

/// Something told, not yet an event.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) who: Who,
    pub(super) resource: Resource,
    pub(super) what: What,
    pub(super) time: i64,
    /// The line it was made of, counted from 1, and how many the line made before.
    pub(super) line: u64,
    pub(super) nth: u8,
}

/// Keeps what was said last of each clock, and what waits to be handed out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    said: BTreeMap<(Resource, Who), (Reading, i64)>,
    seen: BTreeMap<(Resource, Who, Kind), (Observed, i64)>,
    waiting: VecDeque<Waiting>,
    line: u64,
    nth: u8,
    /// When something was last told.
    last: i64,
}

impl Outbox {
    /// What is said from here on is said by `line`.
    pub(super) const fn at_line(&mut self, line: u64) {
        self.line = line;
        self.nth = 0;
    }

    /// Says `reading` of a clock at `time`, if it is a change, or a measurement that is due.
    pub(super) fn say(
        &mut self,
        resource: Resource,
        who: Who,
        reading: Reading,
        time: i64,
        detail: Option<Detail>,
    ) {
        let key = (resource, who);
        let known = self.said.len();
        let what;
        match self.said.get_mut(&key) {
            Some((last, at)) => {
                let same =
                    is_same_but_for_offset(last, &reading) && !follows_another(last, &reading);
                let measured = reading.offset.and_then(Measurement::offset);
                let due = measured.is_some_and(|offset| {
                    time.saturating_sub(*at) >= SAMPLE_EVERY || offset.magnitude() >= FAR_NS
                });
                if same && !due {
                    return;
                }
                let sample = detail.filter(|_| same).and_then(|detail| sample(&reading, detail));
                what = match sample {
                    Some(sample) => What::Seen(Observed::Sample(sample)),
                    None => What::Said(reading.clone()),
                };
                (*last, *at) = (reading, time);
            }
            None if known >= MOST_CLOCKS => return,
            None => {
                what = What::Said(reading.clone());
                self.said.insert(key.clone(), (reading, time));
            }
        }
        let (resource, who) = key;
        self.push(resource, who, what, time);
    }

    /// Tells what was seen of a clock, if it is news, or has gone on for a while.
    pub(super) fn see(&mut self, resource: Resource, who: Who, observed: Observed, time: i64) {
        let known = self.seen.len();
        let key = (resource.clone(), who.clone(), kind(&observed));
        match self.seen.get_mut(&key) {
            Some((last, at)) => {
                let always = matches!(observed, Observed::Port(_) | Observed::Process { .. });
                let every = match observed {
                    Observed::Sample(_) => SAMPLE_EVERY,
                    _ => REPEAT_EVERY,
                };
                let due = time.saturating_sub(*at) >= every;
                let same = *last == observed || matches!(observed, Observed::Sample(_));
                if same && !due && !always {
                    return;
                }
                (*last, *at) = (observed.clone(), time);
            }
            None if known >= MOST_CLOCKS => return,
            None => {
                self.seen.insert(key, (observed.clone(), time));
            }
        }
        self.push(resource, who, What::Seen(observed), time);
    }

    /// Tells a line as it is.
    pub(super) fn print(&mut self, printed: Printed, time: i64) {
        let who = Who::Instance(Instance::NODE);
        self.push(Resource::SyncState, who, What::Seen(Observed::Printed(printed)), time);
    }

    /// Whether nothing has been told for so long that it is worth a word that time passes.
    pub(super) const fn is_quiet(&self, time: i64) -> bool {
        time.saturating_sub(self.last) >= REPEAT_EVERY
    }

    fn push(&mut self, resource: Resource, who: Who, what: What, time: i64) {
        self.last = time;
        self.waiting.push_back(Waiting {
            who,
            resource,
            what,
            time,
            line: self.line,
            nth: self.nth,
        });
        self.nth = self.nth.saturating_add(1);
    }

    /// Moves every time by `shift`: they were counted from another zero.
    pub(super) fn shift(&mut self, shift: i64) {
        self.last = self.last.saturating_add(shift);
        for waiting in &mut self.waiting {
            waiting.time = waiting.time.saturating_add(shift);
        }
        let said = self.said.values_mut().map(|(_, at)| at);
        for at in said.chain(self.seen.values_mut().map(|(_, at)| at)) {
            *at = at.saturating_add(shift);
        }
    }

    /// Whether so many wait that the first must go as it is.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() > MOST_WAITING
    }

    pub(super) fn first(&self) -> Option<&Waiting> {
        self.waiting.front()
    }

    pub(super) fn take_first(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }
}

/// Whether two readings say the same, but for what was measured, by which port, and from which master.
fn is_same_but_for_offset(a: &Reading, b: &Reading) -> bool {
    let Reading {
        instance,
        state,
        offset: _,
        clock_class,
        gps_fix,
        quality,
        extended_quality,
        port: _,
        master: _,
    } = a;
    (instance, state, clock_class, gps_fix, quality, extended_quality)
        == (&b.instance, &b.state, &b.clock_class, &b.gps_fix, &b.quality, &b.extended_quality)
}

/// Whether its master is known to be another than before.
fn follows_another(before: &Reading, now: &Reading) -> bool {
    before.master.is_some_and(|before| now.master.is_some_and(|now| now != before))
}

/// What is told apart of one clock: each complaint and each process, and the rest by its kind.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Kind {
    Of(&'static str),
    Process(SmolStr),
    Remark(Remark),
}

fn kind(observed: &Observed) -> Kind {
    match observed {
        Observed::Sample(_) => Kind::Of("sample"),
        Observed::Port(_) => Kind::Of("port"),
        Observed::Dpll(_) => Kind::Of("dpll"),
        Observed::TimeOfDay { .. } => Kind::Of("time of day"),
        Observed::Alive => Kind::Of("alive"),
        Observed::Process { name, .. } => Kind::Process(name.clone()),
        Observed::Remark(remark) => Kind::Remark(*remark),
        Observed::Printed(_) => Kind::Of("printed"),
    }
}

/// A measured offset with what came with it; `None` where the reading holds none.
fn sample(reading: &Reading, detail: Detail) -> Option<Sample> {
    let said = reading.offset.and_then(Measurement::offset);
    Some(sample_of(reading.state.clone(), detail.measured.or(said)?, detail))
}

/// A measured offset of a clock in such a state, with what came with it.
pub(super) fn sample_of(state: Option<SyncState>, offset: Offset, detail: Detail) -> Sample {
    let Detail { answer, summary, in_range, .. } = detail;
    let Summary { peak, spread, is_size } = summary.unwrap_or_default();
    Sample {
        in_range,
        state,
        offset,
        peak,
        spread,
        is_size,
        servo: answer.servo,
        frequency: answer.frequency,
        delay: answer.delay,
    }
}
