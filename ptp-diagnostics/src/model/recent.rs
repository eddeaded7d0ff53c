//! The latest events of one sender, to recognise what is sent twice.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::{Received, Stamped};

/// How many are remembered, at least and at most; in between, all those of the reorder window.
const LEAST: usize = 8;
const MOST: usize = 256;

/// The latest events, by stamp and content: ids differ between deliveries of the same event.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    events: VecDeque<(Received, Stamped, u64)>,
    /// The latest stamp among them; what is stamped later is new without a look at them.
    latest: Stamped,
}

impl Default for Recent {
    fn default() -> Self {
        Self { events: VecDeque::new(), latest: Stamped::from_nanos(i64::MIN) }
    }
}

impl Recent {
    /// Whether an event was seen before; it is remembered if not.
    pub(crate) fn is_repeated(
        &mut self,
        received: Received,
        stamped: Stamped,
        content: u64,
        window: Duration,
    ) -> bool {
        let same = |(_, s, c): &(Received, Stamped, u64)| *s == stamped && *c == content;
        if stamped <= self.latest && self.events.iter().any(same) {
            return true;
        }
        self.latest = self.latest.max(stamped);
        let outdated = |(at, ..): &(Received, Stamped, u64)| received.since(*at) > window;
        while self.events.len() >= MOST
            || (self.events.len() >= LEAST && self.events.front().is_some_and(outdated))
        {
            self.events.pop_front();
        }
        self.events.push_back((received, stamped, content));
        false
    }
}
