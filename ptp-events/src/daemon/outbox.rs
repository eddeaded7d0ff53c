//! What was said, and what is worth saying: changes at once, measurements once a second.

use std::collections::{BTreeMap, VecDeque};

use smol_str::SmolStr;

use crate::{Instance, Reading, Resource};

/// A clock is told of at most this often while nothing changes, in nanoseconds: trends need
/// samples, and ptp4l prints up to 16 a second.
const SAMPLE_EVERY: i64 = 1_000_000_000;

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

/// Something said, not yet an event.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) who: Who,
    pub(super) resource: Resource,
    pub(super) reading: Reading,
    pub(super) time: i64,
    /// The line it was made of, counted from 1, and how many the line made before.
    pub(super) line: u64,
    pub(super) nth: u8,
}

/// Keeps what was said last of each clock, and what waits to be handed out.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    said: BTreeMap<(Resource, Who), (Reading, i64)>,
    waiting: VecDeque<Waiting>,
    line: u64,
    nth: u8,
}

impl Outbox {
    /// What is said from here on is said by `line`.
    pub(super) const fn at_line(&mut self, line: u64) {
        self.line = line;
        self.nth = 0;
    }

    /// Says `reading` of a clock at `time`, if it is a change, or a measurement that is due.
    pub(super) fn say(&mut self, resource: Resource, who: Who, reading: Reading, time: i64) {
        let key = (resource, who);
        let known = self.said.len();
        match self.said.get_mut(&key) {
            Some((last, at)) => {
                let same = without_offset(last) == without_offset(&reading)
                    && !follows_another(last, &reading);
                let due = reading.offset.is_some_and(|m| m.offset().is_some())
                    && time.saturating_sub(*at) >= SAMPLE_EVERY;
                if same && !due {
                    return;
                }
                (*last, *at) = (reading.clone(), time);
            }
            None if known >= MOST_CLOCKS => return,
            None => {
                self.said.insert(key.clone(), (reading.clone(), time));
            }
        }
        let (resource, who) = key;
        self.waiting.push_back(Waiting {
            who,
            resource,
            reading,
            time,
            line: self.line,
            nth: self.nth,
        });
        self.nth = self.nth.saturating_add(1);
    }

    /// Moves every time by `shift`: they were counted from another zero.
    pub(super) fn shift(&mut self, shift: i64) {
        for waiting in &mut self.waiting {
            waiting.time = waiting.time.saturating_add(shift);
        }
        for (_, at) in self.said.values_mut() {
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

fn without_offset(reading: &Reading) -> Reading {
    Reading { offset: None, port: None, master: None, ..reading.clone() }
}

/// Whether its master is known to be another than before.
fn follows_another(before: &Reading, now: &Reading) -> bool {
    before.master.is_some_and(|before| now.master.is_some_and(|now| now != before))
}
