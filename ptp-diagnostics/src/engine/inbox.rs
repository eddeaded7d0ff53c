//! Puts evidence back into time order before anything else sees it.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, VecDeque};

use ptp_events::Received;
use ptp_events::observation::Evidence;

/// How much is held back at most; past it the oldest go on early.
const MAX_HELD: usize = 100_000;

/// Something waiting for its turn.
#[derive(Debug)]
struct Waiting {
    received: Received,
    evidence: Evidence,
}

/// By receive time. Equal times are put in an order that depends on the content alone, so that
/// the same events give the same diagnosis however they were shuffled; the id comes last, because
/// it differs between deliveries of the same event.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.received.cmp(&other.received).then_with(|| {
            let (a, b) = (&self.evidence, &other.evidence);
            a.stamped()
                .cmp(&b.stamped())
                .then_with(|| a.node().cmp(b.node()))
                .then_with(|| a.resource().cmp(b.resource()))
                .then_with(|| match (a, b) {
                    (Evidence::Event(a), Evidence::Event(b)) => {
                        a.readings.cmp(&b.readings).then_with(|| a.id.cmp(&b.id))
                    }
                    (Evidence::Observation(a), Evidence::Observation(b)) => {
                        (&a.instance, &a.observed)
                            .cmp(&(&b.instance, &b.observed))
                            .then_with(|| a.id.cmp(&b.id))
                    }
                    (Evidence::Event(_), Evidence::Observation(_)) => Ordering::Less,
                    (Evidence::Observation(_), Evidence::Event(_)) => Ordering::Greater,
                })
        })
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

/// Evidence in time order.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Those that came in order: the usual case, without a heap's cost.
    ordered: VecDeque<Waiting>,
    /// Those that did not.
    late: BinaryHeap<Reverse<Waiting>>,
}

impl Inbox {
    pub(crate) fn push(&mut self, received: Received, evidence: Evidence) {
        let waiting = Waiting { received, evidence };
        if self.ordered.back().is_none_or(|back| *back <= waiting) {
            self.ordered.push_back(waiting);
        } else {
            self.late.push(Reverse(waiting));
        }
    }

    /// The next, if it was received at or before `until`, or too many are held.
    #[inline]
    pub(crate) fn pop(&mut self, until: Received) -> Option<(Received, Evidence)> {
        if !self.late.is_empty() {
            return self.pop_with_late(until);
        }
        let received = self.ordered.front()?.received;
        if received > until && self.ordered.len() <= MAX_HELD {
            return None;
        }
        self.ordered.pop_front().map(|waiting| (received, waiting.evidence))
    }

    /// The same where some came out of order.
    fn pop_with_late(&mut self, until: Received) -> Option<(Received, Evidence)> {
        let Reverse(late) = self.late.peek()?;
        let late_first = self.ordered.front().is_none_or(|ordered| late < ordered);
        let next = if late_first { late.received } else { self.ordered.front()?.received };
        if next > until && self.ordered.len() + self.late.len() <= MAX_HELD {
            return None;
        }
        let waiting = if late_first { self.late.pop()?.0 } else { self.ordered.pop_front()? };
        Some((next, waiting.evidence))
    }
}
