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
    pub(crate) fn peek(&self, until: Received) -> Option<(Received, &Evidence)> {
        let next = if self.late.is_empty() { self.ordered.front()? } else { self.earlier()? };
        let too_many = self.ordered.len() + self.late.len() > MAX_HELD;
        (next.received <= until || too_many).then_some((next.received, &next.evidence))
    }

    /// Forgets the one that [`Self::peek`] shows.
    #[inline]
    pub(crate) fn drop_first(&mut self) {
        if self.late.is_empty() || !self.late_is_first() {
            self.ordered.pop_front();
        } else {
            self.late.pop();
        }
    }

    /// The earlier of those in order and those that were late.
    fn earlier(&self) -> Option<&Waiting> {
        if self.late_is_first() {
            self.late.peek().map(|late| &late.0)
        } else {
            self.ordered.front()
        }
    }

    fn late_is_first(&self) -> bool {
        match (self.late.peek(), self.ordered.front()) {
            (Some(Reverse(late)), Some(ordered)) => late < ordered,
            (late, _) => late.is_some(),
        }
    }
}
