//! Receive times: handed in, and made strictly increasing.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::Received;

/// Gives out receive times, each later than the one before.
///
/// The time itself comes from the function it is made of; when that stands still or steps back,
/// receive times go on by one nanosecond each, so that the order in which we received things is
/// never lost. Clones share the order.
#[derive(Clone)]
pub struct ReceiveClock {
    now: Arc<dyn Fn() -> Received + Send + Sync>,
    last: Arc<AtomicI64>,
}

impl ReceiveClock {
    /// A clock that reads the time with `now`.
    pub fn new(now: impl Fn() -> Received + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), last: Arc::new(AtomicI64::new(i64::MIN)) }
    }

    /// The receive time of something that has just arrived.
    #[must_use]
    pub fn stamp(&self) -> Received {
        let now = (self.now)().as_nanos();
        let next = |last: i64| now.max(last.saturating_add(1));
        let (Ok(last) | Err(last)) =
            self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        Received::from_nanos(next(last))
    }
}

impl fmt::Debug for ReceiveClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveClock").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_still_orders() {
        let clock = ReceiveClock::new(|| Received::from_nanos(5));
        let stamps = [(); 3].map(|()| clock.clone().stamp().as_nanos());
        assert_eq!(stamps, [5, 6, 7]);
    }
}
