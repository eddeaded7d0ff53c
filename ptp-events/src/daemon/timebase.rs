//! When a line was written, in nanoseconds since 1970, as well as the log can say.
//!
//! Where lines carry both, the time in brackets tells the order and the distances, and the wall clock
//! only when that was: it may be set, and whoever writes lines down may be late.

use super::process::Bracket;

/// How far two clocks may differ before one of them was set, in nanoseconds: one second of rounding
/// and one of delay.
const TOLERANCE: u64 = 2_000_000_000;

/// How far apart lines of one run of the node are at most, in nanoseconds: between others the node may
/// have been restarted, and then only the wall clock tells.
const ONE_RUN: i64 = 600_000_000_000;

/// Before the year 2000, in nanoseconds, a wall clock was not set yet.
const UNSET_BEFORE: i64 = 946_684_800_000_000_000;

/// Turns the several clocks of a log into one.
///
/// linuxptp prints the time since the node started; the first line with a wall clock tells what
/// that is in wall-clock time. Until then times are counted from 1970, and must be shifted after.
#[derive(Debug, Default)]
pub(super) struct Timebase {
    /// What to add to a monotonic time.
    anchor: Option<i64>,
    /// The latest monotonic time seen.
    monotonic: Option<i64>,
    /// What to take off a wall-clock time: how far it was set since it told ours.
    set_by: i64,
    /// The time of the latest line.
    last: Option<i64>,
    /// A wall-clock time was seen, and no monotonic one yet.
    wall_only: bool,
    jumps: u64,
}

/// When a line was written, and what it changes about the lines before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Placed {
    pub(super) time: i64,
    /// To add to every time given out so far.
    pub(super) shift: i64,
}

impl Timebase {
    /// Whether times are wall-clock times.
    pub(super) const fn is_anchored(&self) -> bool {
        self.anchor.is_some() || self.wall_only
    }

    /// How often the wall clock was set while lines were written.
    pub(super) const fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Places a line by its brackets, by the wall-clock time that stood before it, or by when it was
    /// `received`, which goes before both. `None` when nothing tells.
    pub(super) fn place(
        &mut self,
        bracket: Bracket,
        wall: Option<i64>,
        received: Option<i64>,
    ) -> Option<Placed> {
        let placed = match (received, bracket) {
            (Some(received), Bracket::Monotonic(monotonic)) => {
                self.monotonic = Some(monotonic);
                self.anchored_at(received, monotonic)
            }
            (Some(received), _) => self.at_wall(received),
            (None, Bracket::Monotonic(monotonic)) => self.at_monotonic(monotonic, wall),
            (None, Bracket::Epoch(epoch)) => match wall {
                Some(wall) => self.at_wall(wall.saturating_sub(self.set_by)),
                None => self.at_epoch(epoch),
            },
            (None, Bracket::None) => match (wall, self.last) {
                (Some(wall), _) => self.at_wall(wall.saturating_sub(self.set_by)),
                (None, last) => Placed { time: last?, shift: 0 },
            },
        };
        self.last = Some(placed.time);
        Some(placed)
    }

    fn at_monotonic(&mut self, monotonic: i64, wall: Option<i64>) -> Placed {
        let before = self.monotonic.replace(monotonic);
        let anchor = match (self.anchor, self.last) {
            (Some(anchor), _) => anchor,
            // A line before told the time of day.
            (None, Some(last)) if self.wall_only => {
                return self.anchored_at(wall.unwrap_or(last), monotonic);
            }
            (None, _) => match wall {
                Some(wall) => return self.anchored_at(wall, monotonic),
                None => return Placed { time: monotonic, shift: 0 },
            },
        };
        let passed = before.map_or(0, |before| monotonic.saturating_sub(before));
        let reckoned = monotonic.saturating_add(anchor);
        let one_run = passed <= ONE_RUN;
        let restarted = passed < 0 && passed.unsigned_abs() > TOLERANCE;
        let Some(wall) = wall else {
            // The node was restarted; how long that took nobody wrote down.
            let time = if restarted { self.last.unwrap_or(reckoned) } else { reckoned };
            self.anchor = Some(time.saturating_sub(monotonic));
            return Placed { time, shift: 0 };
        };
        let off = wall.saturating_sub(self.set_by).saturating_sub(reckoned);
        if off.unsigned_abs() <= TOLERANCE {
            return Placed { time: reckoned, shift: 0 };
        }
        // A clock that stands still tells nothing.
        let stands = passed == 0;
        let unset = reckoned < UNSET_BEFORE && wall >= UNSET_BEFORE;
        if one_run && !stands && !restarted && !unset {
            self.set_by = self.set_by.saturating_add(off);
            self.jumps += 1;
            return Placed { time: reckoned, shift: 0 };
        }
        self.set_by = 0;
        self.anchored_at(wall, monotonic)
    }

    fn anchored_at(&mut self, time: i64, monotonic: i64) -> Placed {
        let anchor = time.saturating_sub(monotonic);
        let shift = if self.is_anchored() { 0 } else { anchor };
        self.anchor = Some(anchor);
        self.wall_only = false;
        Placed { time, shift }
    }

    /// A line that only says what time it is.
    fn at_wall(&mut self, time: i64) -> Placed {
        match (self.anchor, self.monotonic) {
            (None, Some(monotonic)) => self.anchored_at(time, monotonic),
            (None, None) => {
                self.wall_only = true;
                Placed { time, shift: 0 }
            }
            (Some(_), _) => Placed { time, shift: 0 },
        }
    }

    /// The same in whole seconds.
    fn at_epoch(&mut self, epoch: i64) -> Placed {
        let Some(last) = self.last.filter(|_| self.is_anchored()) else {
            return self.at_wall(epoch);
        };
        let off = epoch.saturating_sub(self.set_by).saturating_sub(last);
        if off.unsigned_abs() <= TOLERANCE {
            // The same second, of which we know more.
            return Placed { time: last.saturating_add(off.max(0)), shift: 0 };
        }
        match self.monotonic {
            Some(monotonic) => {
                self.set_by = 0;
                self.anchored_at(epoch, monotonic)
            }
            None => Placed { time: epoch, shift: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const START: i64 = 1_795_416_000;

    fn monotonic(s: i64) -> Bracket {
        Bracket::Monotonic(s * SECOND)
    }

    fn epoch(s: i64) -> Bracket {
        Bracket::Epoch(s * SECOND)
    }

    /// Its brackets, what stands before it, and when it is placed and what that shifts, in seconds.
    type Line = (Bracket, Option<i64>, Option<(i64, i64)>);

    #[track_caller]
    fn check(lines: &[Line]) {
        let mut base = Timebase::default();
        for (nth, (bracket, wall, expect)) in lines.iter().enumerate() {
            let placed = base.place(*bracket, wall.map(|wall| wall * SECOND), None);
            let got = placed.map(|placed| (placed.time / SECOND, placed.shift / SECOND));
            assert_eq!(got, *expect, "line {nth}");
        }
    }

    #[test]
    fn monotonic_times_are_anchored_by_the_nearest_wall_clock() {
        check(&[
            (Bracket::None, None, None),
            (monotonic(10), None, Some((10, 0))),
            (epoch(START + 10), None, Some((START + 10, START))),
            (monotonic(12), None, Some((START + 12, 0))),
            // Whole seconds do not pull time back.
            (epoch(START + 11), None, Some((START + 12, 0))),
            // Whoever wrote it down was late.
            (monotonic(13), Some(START + 14), Some((START + 13, 0))),
            (monotonic(15), None, Some((START + 15, 0))),
            (Bracket::None, None, Some((START + 15, 0))),
            // The node's clock was set.
            (epoch(START + 100), None, Some((START + 100, 0))),
            (monotonic(16), None, Some((START + 101, 0))),
        ]);
    }

    #[test]
    fn a_wall_clock_that_is_set_moves_nothing() {
        check(&[
            (monotonic(10), Some(START), Some((START, START - 10))),
            (monotonic(20), Some(START - 3600 + 10), Some((START + 10, 0))),
            (monotonic(30), Some(START - 3600 + 20), Some((START + 20, 0))),
            (Bracket::None, Some(START - 3600 + 21), Some((START + 21, 0))),
            // A restart of the node.
            (monotonic(5), Some(START + 200), Some((START + 200, 0))),
            // A clock that was not set when the node started.
            (monotonic(2), Some(3), Some((3, 0))),
            (monotonic(4), Some(START + 400), Some((START + 400, 0))),
        ]);
    }

    #[test]
    fn a_line_of_another_program_tells_the_time_of_day() {
        check(&[
            (Bracket::None, Some(START), Some((START, 0))),
            (monotonic(10), None, Some((START, 0))),
            (monotonic(11), None, Some((START + 1, 0))),
        ]);
    }
}
