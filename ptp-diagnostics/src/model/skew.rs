//! How far a node's own clock is from ours: the one place where the two are compared.

use std::time::Duration;

use ptp_events::{Received, Stamped};

/// When we received something minus when the node says it happened, in nanoseconds.
///
/// The latency, the node's clock error and our own clock error, all in one: which is why the two
/// kinds of time have no subtraction, and why this is only ever compared with what is usual.
pub(crate) const fn skew(received: Received, stamped: Stamped) -> i64 {
    received.as_nanos().saturating_sub(stamped.as_nanos())
}

/// What all nodes' skews have in common: latency, and the error of our own clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UsualSkew {
    nanos: i64,
    taken: Option<Received>,
    nodes: usize,
    /// How many nodes have told a time at all.
    heard: usize,
}

/// How often it is looked at anew.
const EVERY: Duration = Duration::from_mins(1);

impl UsualSkew {
    /// Notes that one more node has told a time.
    pub(crate) const fn hear_another(&mut self) {
        self.heard += 1;
    }

    /// The median over all nodes that have told a time; of two, what the one nearer to our clock has, which
    /// makes a majority with it. `None` for a single node.
    pub(crate) fn get(
        &mut self,
        at: Received,
        skews: &(impl Iterator<Item = i64> + Clone),
    ) -> Option<i64> {
        let latest = || skews.clone();
        match self.heard {
            0 | 1 => return None,
            2 => return latest().min_by_key(|nanos| nanos.unsigned_abs()),
            _ => {}
        }
        let old = self.taken.is_none_or(|taken| at.since(taken) >= EVERY);
        if old || self.heard >= 2 * self.nodes {
            let mut latest: Vec<i64> = latest().collect();
            let middle = latest.len() / 2;
            self.nanos = *latest.select_nth_unstable(middle).1;
            self.taken = Some(at);
            self.nodes = self.heard;
        }
        Some(self.nanos)
    }

    /// What three nodes or more have in common: then it is our own clock that is off.
    pub(crate) const fn own(&self) -> Option<i64> {
        if self.nodes >= 3 { Some(self.nanos) } else { None }
    }
}

/// How many events in a row must be off.
const IN_A_ROW: usize = 5;

/// The skews of a node beyond what is usual, of late.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Skew {
    /// The latest, as it is; `None` of a node that has told no time yet.
    pub latest: Option<i64>,
    /// The first ever: what the others are compared with when there are no other nodes.
    first: Option<i64>,
    beyond: [i64; IN_A_ROW],
    since: Option<Received>,
}

impl Skew {
    /// Takes the latest one, of which `usual` is everybody's.
    pub(crate) fn push(&mut self, at: Received, usual: Option<i64>, limit: i64) {
        let Some(latest) = self.latest else { return };
        let first = *self.first.get_or_insert(latest);
        let beyond = latest.saturating_sub(usual.unwrap_or(first));
        self.beyond.rotate_left(1);
        self.beyond[IN_A_ROW - 1] = beyond;
        if beyond.saturating_abs() <= limit {
            self.since = None;
        } else {
            self.since.get_or_insert(at);
        }
    }

    /// Since when, and by how many nanoseconds in the middle, all of the latest events were off by
    /// more than `limit` to the same side.
    pub(crate) fn beyond(&self, limit: i64) -> Option<(Received, i64)> {
        let since = self.since?;
        let all = |side: i64| self.beyond.iter().all(|nanos| nanos.saturating_mul(side) > limit);
        if !(all(1) || all(-1)) {
            return None;
        }
        let mut sorted = self.beyond;
        sorted.sort_unstable();
        Some((since, sorted[IN_A_ROW / 2]))
    }
}
