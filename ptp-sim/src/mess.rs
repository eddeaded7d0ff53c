//! How recordings are spoilt on their way: events twice, late, never.

use ptp_events::recording::Origin;
use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::said::Said;

/// Which events the recorder got at all.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kept {
    /// Pushes and answers to polls.
    #[default]
    Both,
    /// Answers to polls only, as when the publisher cannot reach the recorder.
    Polls,
    /// Pushes only, as when nobody polls.
    Pushes,
}

/// How one copy of an event arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// How long the publisher takes, in ns; those behind it wait.
    pub(crate) after: i64,
    /// How much later still it is received, in ns; those behind it overtake.
    pub(crate) late: i64,
}

/// How a recording is spoilt. The default spoils nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Mess {
    /// The share of events that come twice, under two ids.
    pub duplicates: f64,
    /// The share of events that come up to 2 s late, behind later ones.
    pub late: f64,
    /// The share of events that never come.
    pub missing: f64,
    /// How many publishers are restarted during the scenario.
    pub publisher_restarts: u32,
    /// Which events came at all.
    pub kept: Kept,
}

impl Mess {
    /// What a seed chooses: nothing three times out of five, else one or two things.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut mess = Self::default();
        if random.chance(0.6) {
            return mess;
        }
        for _ in 0..random.whole(1, 2) {
            match random.whole(0, 4) {
                0 => mess.duplicates = random.between(0.02, 0.3),
                1 => mess.late = random.between(0.02, 0.2),
                2 => mess.missing = random.between(0.005, 0.05),
                3 => mess.publisher_restarts = random.whole(1, 3),
                _ => mess.kept = Kept::Pushes,
            }
        }
        mess
    }

    pub(crate) fn is_sound(&self) -> bool {
        [self.duplicates, self.late, self.missing].iter().all(|share| (0.0..=1.0).contains(share))
    }

    /// In words, for the label.
    pub(crate) fn describe(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (share, what) in
            [(self.duplicates, "twice"), (self.late, "late"), (self.missing, "missing")]
        {
            if share > 0.0 {
                words.push(format!("{:.1} % of the events {what}", share * 100.0));
            }
        }
        match self.kept {
            Kept::Both => {}
            Kept::Polls => words.push("polls only".to_owned()),
            Kept::Pushes => words.push("pushes only".to_owned()),
        }
        words
    }

    /// How each copy of `said` arrives; empty when it never does.
    pub(crate) fn deliveries(&self, said: &Said, random: &mut Random) -> Vec<Arrival> {
        let kept = match self.kept {
            Kept::Both => true,
            Kept::Polls => said.origin == Origin::Pull,
            Kept::Pushes => said.origin != Origin::Pull,
        };
        if !kept || random.chance(self.missing) {
            return Vec::new();
        }
        let mut arrival = Arrival { after: latency(random), late: 0 };
        if random.chance(self.late) {
            arrival.late = nanos(random.between(0.05, 1.95) * 1e9);
        }
        let mut deliveries = vec![arrival];
        if random.chance(self.duplicates) {
            deliveries.push(arrival);
        }
        deliveries
    }
}

/// 1.5 ms in the median (observed, docs/protocol.md §3), at most the publisher's timeout of 2 s.
fn latency(random: &mut Random) -> i64 {
    nanos(random.delay(1.5e6).min(2e9))
}

#[expect(clippy::cast_possible_truncation, reason = "at most 4e9")]
fn nanos(ns: f64) -> i64 {
    ns as i64
}
