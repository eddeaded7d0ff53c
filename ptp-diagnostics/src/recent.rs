//! The latest events of one sender, to recognise what is sent twice.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::{Received, Stamped};

/// How many are remembered, at least and at most; in between, all those of the reorder window.
const LEAST: usize = 8;
const MOST: usize = 256;

/// The latest events, by stamp and content: ids differ between deliveries of the same event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    events: VecDeque<(Received, Stamped, u64)>,
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
        if self.events.iter().any(|(_, s, c)| *s == stamped && *c == content) {
            return true;
        }
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
