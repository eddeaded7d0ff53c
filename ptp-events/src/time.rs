//! Two clocks that must never be confused: the node's and ours.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not a time.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// Not RFC 3339; most often the zone is missing.
    #[error("`{text}` is not an RFC 3339 time with a zone, such as 2026-11-23T06:40:30.5Z")]
    Syntax {
        /// What was there, shortened.
        text: String,
        /// What the parser said.
        source: jiff::Error,
    },
    /// Outside 1677-09-21 … 2262-04-11, the range of 64 bits of nanoseconds.
    #[error("`{text}` is outside the years 1678 to 2261")]
    Range {
        /// What was there.
        text: String,
    },
}

/// Nanoseconds since 1970-01-01T00:00:00Z, as both clocks count them.
fn parse(text: &str) -> Result<i64, TimeError> {
    if let Some(timestamp) = parse_plain(text.as_bytes())
        && let Ok(nanos) = i64::try_from(timestamp.as_nanosecond())
    {
        return Ok(nanos);
    }
    let parsed = text.parse::<Timestamp>().or_else(|error| match mend_fraction(text) {
        Some(mended) => mended.parse::<Timestamp>(),
        None => Err(error),
    });
    let timestamp = parsed
        .map_err(|source| TimeError::Syntax { text: text.chars().take(40).collect(), source })?;
    i64::try_from(timestamp.as_nanosecond()).map_err(|_| TimeError::Range { text: text.to_owned() })
}

/// Reads `2026-11-23T06:40:30.999362012Z`, as nearly every publisher writes a time (docs/protocol.md §1),
/// in a third of the time that the full grammar takes; `None` for whatever is written otherwise.
fn parse_plain(text: &[u8]) -> Option<Timestamp> {
    let (seconds, rest) = text.split_first_chunk::<19>()?;
    let separators = [seconds[4], seconds[7], seconds[10], seconds[13], seconds[16]];
    if separators != *b"--T::" {
        return None;
    }
    let nanosecond = match rest {
        b"Z" => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => {
            let missing = u32::try_from(9 - fraction.len()).ok()?;
            number(fraction)? * 10_i32.pow(missing)
        }
        _ => return None,
    };
    let two = |at: usize| number(&seconds[at..at + 2]).and_then(|n| i8::try_from(n).ok());
    let year = i16::try_from(number(&seconds[..4])?).ok()?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let civil = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    Offset::UTC.to_timestamp(civil).ok()
}

/// Nine decimal digits at most; `None` when one of them is none.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0'))
    })
}

/// Puts back the point StarlingX forgets: `…:22:33868726Z` is 33.868726 s (docs/protocol.md §6).
fn mend_fraction(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let seconds_end = "2024-11-15T15:22:33".len();
    let point_missing = bytes.get(seconds_end).is_some_and(u8::is_ascii_digit)
        && bytes.get(seconds_end - 3) == Some(&b':');
    (point_missing && text.is_ascii())
        .then(|| format!("{}.{}", &text[..seconds_end], &text[seconds_end..]))
}

fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}

macro_rules! clock_reading {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(i64);

        impl $name {
            /// From nanoseconds since 1970-01-01T00:00:00Z.
            #[must_use]
            pub const fn from_nanos(nanos: i64) -> Self {
                Self(nanos)
            }

            /// In nanoseconds since 1970-01-01T00:00:00Z.
            #[must_use]
            pub const fn as_nanos(self) -> i64 {
                self.0
            }

            /// Reads an RFC 3339 time with a zone.
            ///
            /// # Errors
            /// When the text is something else, or lies outside 64 bits of nanoseconds.
            pub fn parse(text: &str) -> Result<Self, TimeError> {
                parse(text).map(Self)
            }

            /// The time later by `duration`; saturates at the end of time.
            #[must_use]
            pub fn after(self, duration: Duration) -> Self {
                Self(self.0.saturating_add(nanos(duration)))
            }

            /// The time earlier by `duration`; saturates at the beginning of time.
            #[must_use]
            pub fn before(self, duration: Duration) -> Self {
                Self(self.0.saturating_sub(nanos(duration)))
            }

            /// How long it has been since `earlier`; zero when `earlier` is later.
            #[must_use]
            pub fn since(self, earlier: Self) -> Duration {
                let nanos = self.0.saturating_sub(earlier.0);
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
            }
        }

        /// RFC 3339 in UTC with as many digits of a second as it needs.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&timestamp(self.0), f)
            }
        }

        impl From<$name> for Timestamp {
            fn from(time: $name) -> Self {
                timestamp(time.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

clock_reading! {
    /// When the *node* says an event happened, read from the node's own OS clock.
    ///
    /// That clock is the thing under diagnosis: it may step, run ahead or stop. Compare stamps of
    /// one node with each other only; between nodes, order events by [`Received`].
    Stamped
}

clock_reading! {
    /// When *we* received something, by the receiver's clock.
    ///
    /// There is no subtraction between [`Stamped`] and `Received`: their difference mixes the
    /// node's error, the network's delay and our own error.
    Received
}

impl Stamped {
    /// Takes the node's word for when we would have received this.
    ///
    /// For recordings that hold no receive time; the median delivery takes 1.5 ms (observed, see
    /// docs/protocol.md §3).
    #[must_use]
    pub const fn assume_received(self) -> Received {
        Received(self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = match Stamped::parse(text) {
            Ok(stamped) => stamped.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(got, expect);
    }

    #[test]
    fn reads_every_publishers_times() {
        check("2026-11-23T06:41:21.2694105Z", "2026-11-23T06:41:21.2694105Z");
        check("2026-11-23T06:41:21Z", "2026-11-23T06:41:21Z");
        check("2026-11-23T08:41:21+02:00", "2026-11-23T06:41:21Z");
        check("2024-11-15T15:22:33868726Z", "2024-11-15T15:22:33.868726Z");
    }

    #[test]
    fn a_time_without_zone_is_refused() {
        check(
            "2026-11-23T06:41:21",
            "error: `2026-11-23T06:41:21` is not an RFC 3339 time with a zone, such as \
             2026-11-23T06:40:30.5Z",
        );
        check(
            "9999-01-01T00:00:00Z",
            "error: `9999-01-01T00:00:00Z` is outside the years 1678 to 2261",
        );
    }

    proptest! {
        /// What is read the quick way is what the full grammar says, and nothing else is.
        #[test]
        fn the_quick_way_agrees_with_the_grammar(
            text in r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{0,10})?Z?"
        ) {
            if let Some(quick) = parse_plain(text.as_bytes()) {
                prop_assert_eq!(quick, text.parse::<Timestamp>().unwrap());
            } else {
                prop_assert!(
                    text.parse::<Timestamp>().is_err() || text.contains(":60"),
                    "{} is not read the quick way", text
                );
            }
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Received::from_nanos(i64::MAX);
        assert_eq!(end.after(Duration::from_secs(1)), end);
        assert_eq!(Received::from_nanos(5).since(end), Duration::ZERO);
    }
}
