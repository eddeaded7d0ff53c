//! When a line was written, in nanoseconds since 1970, as well as the log can say.

use super::line::Bracket;

/// How far a whole second may be from the time reckoned before the reckoning is taken to be off,
/// in nanoseconds: one second of rounding and one of delay.
const TOLERANCE: i64 = 2_000_000_000;

/// Turns the several clocks of a log into one.
///
/// linuxptp prints the time since the node started; the first line with a wall clock tells what
/// that is in wall-clock time. Until then times are counted from 1970, and must be shifted after.
#[derive(Debug, Default)]
pub(super) struct Timebase {
    /// Wall clock minus monotonic clock.
    anchor: Option<i64>,
    /// The latest monotonic time seen.
    monotonic: Option<i64>,
    /// The time of the latest line.
    last: i64,
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
        self.anchor.is_some()
    }

    /// Places a line by its brackets and by the wall-clock time that stood before it.
    pub(super) fn place(&mut self, bracket: Bracket, wall: Option<i64>) -> Placed {
        if let Bracket::Monotonic(monotonic) = bracket {
            self.monotonic = Some(monotonic);
        }
        let since_start = self.monotonic.unwrap_or(0);
        let time = match (wall, bracket, self.anchor) {
            (Some(wall), _, _) => wall,
            (None, Bracket::Monotonic(monotonic), anchor) => {
                monotonic.saturating_add(anchor.unwrap_or(0))
            }
            // The same second, of which we know more.
            (None, Bracket::Epoch(epoch), Some(_))
                if epoch.saturating_sub(self.last).unsigned_abs() <= TOLERANCE.unsigned_abs() =>
            {
                epoch.max(self.last)
            }
            (None, Bracket::Epoch(epoch), _) => epoch,
        };
        let reckoned = since_start.saturating_add(self.anchor.unwrap_or(0));
        let tells = wall.is_some() || matches!(bracket, Bracket::Epoch(_));
        let off = time.saturating_sub(reckoned).unsigned_abs() > TOLERANCE.unsigned_abs();
        let mut shift = 0;
        if tells && (self.anchor.is_none() || wall.is_some() || off) {
            let anchor = time.saturating_sub(since_start);
            shift = if self.anchor.is_none() { anchor } else { 0 };
            self.anchor = Some(anchor);
        }
        self.last = time;
        Placed { time, shift }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    #[test]
    fn monotonic_times_are_anchored_by_the_nearest_wall_clock() {
        let mut base = Timebase::default();
        let mut place = |bracket, wall| {
            let Placed { time, shift } = base.place(bracket, wall);
            (time / SECOND, shift / SECOND)
        };
        let monotonic = |s: i64| Bracket::Monotonic(s * SECOND);
        let epoch = |s: i64| Bracket::Epoch(s * SECOND);
        let start = 1_795_416_000;
        assert_eq!(place(monotonic(10), None), (10, 0));
        assert_eq!(place(epoch(start + 10), None), (start + 10, start));
        assert_eq!(place(monotonic(12), None), (start + 12, 0));
        // Whole seconds do not pull time back.
        assert_eq!(place(epoch(start + 11), None), (start + 12, 0));
        // A wall clock of its own always counts.
        assert_eq!(place(monotonic(13), Some((start + 14) * SECOND)), (start + 14, 0));
        assert_eq!(place(monotonic(15), None), (start + 16, 0));
        // The node's clock was set.
        assert_eq!(place(epoch(start + 100), None), (start + 100, 0));
        assert_eq!(place(monotonic(16), None), (start + 101, 0));
    }
}
