//! A GNSS receiver: what it says while it has a fix, loses it and searches.

use ptp_events::SyncState;

use crate::random::Random;

/// What receivers report as an offset without a fix (docs/protocol.md §4).
const NO_SOLUTION: i64 = 99_999_999;

/// What the receiver reports.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GnssReading {
    pub(crate) state: SyncState,
    pub(crate) fix: u8,
    pub(crate) offset_ns: i64,
}

/// A receiver.
#[derive(Clone, Debug)]
pub(crate) struct Receiver {
    /// Seconds until it has a fix again; `None` while it has one.
    searching: Option<u32>,
    /// Whether this model says that it is searching, once it sees satellites.
    announces_search: bool,
    /// 3 or, for a timing receiver that has surveyed its position, 5.
    best_fix: u8,
    reading: GnssReading,
}

impl Receiver {
    pub(crate) fn draw(cold: bool, random: &mut Random) -> Self {
        let best_fix = random.pick(&[3, 3, 5]);
        let announces_search = random.chance(0.4);
        // A cold start takes half a minute with open sky, some minutes without.
        let searching = cold.then(|| random.whole(25, 240));
        Self {
            searching,
            announces_search,
            best_fix,
            reading: GnssReading { state: SyncState::Synchronized, fix: best_fix, offset_ns: 0 },
        }
    }

    pub(crate) const fn gives_time(&self) -> bool {
        self.searching.is_none()
    }

    pub(crate) const fn reading(&self) -> &GnssReading {
        &self.reading
    }

    /// One second passes; `trouble` is what it says of whatever keeps it from a fix.
    pub(crate) fn step(&mut self, trouble: Option<&SyncState>, random: &mut Random) {
        if let Some(state) = trouble {
            // A hot start once the signal is back (u-blox F9T: 2 s), plus checks of the solution.
            self.searching = Some(self.searching.unwrap_or_else(|| random.whole(4, 40)));
            self.report(state.clone(), 0, NO_SOLUTION);
            return;
        }
        if let Some(left @ 1..) = self.searching {
            self.searching = Some(left - 1);
            if self.announces_search && left < 10 {
                self.report(SyncState::AcquiringSync, 2, NO_SOLUTION);
            } else {
                self.report(SyncState::FailureNofix, 0, NO_SOLUTION);
            }
        } else {
            self.searching = None;
            #[expect(clippy::cast_possible_truncation, reason = "a few ns")]
            let offset_ns = (4.0 * random.normal()).round() as i64;
            self.report(SyncState::Synchronized, self.best_fix, offset_ns);
        }
    }

    fn report(&mut self, state: SyncState, fix: u8, offset_ns: i64) {
        self.reading = GnssReading { state, fix, offset_ns };
    }
}
