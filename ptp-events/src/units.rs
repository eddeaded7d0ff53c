//! Numbers with a unit, read from the decimal texts publishers send.

use std::fmt;
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// Why a text is not the number we need.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NumberError {
    /// Not a decimal number.
    #[error("`{0}` is not a decimal number")]
    Syntax(String),
    /// A number, but too large for the quantity.
    #[error("`{0}` is out of range")]
    Range(String),
}

/// A signed clock offset, in nanoseconds.
///
/// The sign is `ptp4l`'s "master offset": the local clock minus its reference, so positive means
/// the local clock is *ahead*.
///
/// ```
/// use ptp_events::Offset;
/// assert_eq!(Offset::from_nanos(-120).to_string(), "-120 ns");
/// ```
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Offset(i64);

impl Offset {
    /// From nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// How many whole seconds it is, to the millisecond; `None` when it is none, or no whole number.
    ///
    /// ```
    /// use ptp_events::Offset;
    /// assert_eq!(Offset::from_nanos(-37_000_000_012).whole_seconds(), Some(-37));
    /// assert_eq!(Offset::from_nanos(1_500_000_000).whole_seconds(), None);
    /// assert_eq!(Offset::from_nanos(12).whole_seconds(), None);
    /// ```
    #[must_use]
    pub const fn whole_seconds(self) -> Option<i64> {
        const SECOND: i64 = 1_000_000_000;
        const NEAR: i64 = 1_000_000;
        let nanos = self.as_nanos();
        let near = nanos.saturating_add(if nanos < 0 { -SECOND / 2 } else { SECOND / 2 }) / SECOND;
        let rest = nanos.saturating_sub(near * SECOND);
        if near != 0 && rest.saturating_abs() <= NEAR { Some(near) } else { None }
    }

    /// The distance from zero, in nanoseconds; never overflows.
    #[must_use]
    pub const fn magnitude(self) -> u64 {
        self.0.unsigned_abs()
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.0)
    }
}

/// A number in an offset's place that is not an offset (observed, see docs/protocol.md §4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Sentinel {
    /// -9999999999999999: the process that measures it is down.
    ProcessDown,
    /// 99999, 999999, 99999999 or 99999999999: GNSS, NMEA or DPLL has no solution.
    NoSolution(i64),
}

impl Sentinel {
    const PROCESS_DOWN: i64 = -9_999_999_999_999_999;

    /// The number that is sent for it.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        match self {
            Self::ProcessDown => Self::PROCESS_DOWN,
            Self::NoSolution(number) => number,
        }
    }
}

/// What stands in an offset's place: an offset, or a number that says there is none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Measurement {
    /// A measured offset. Note that the offset of a HOLDOVER is the last one before the loss.
    Offset(Offset),
    /// No measurement.
    Sentinel(Sentinel),
}

impl Measurement {
    /// Tells offsets and sentinels apart.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        match nanos {
            Sentinel::PROCESS_DOWN => Self::Sentinel(Sentinel::ProcessDown),
            99_999 | 999_999 | 99_999_999 | 99_999_999_999 => {
                Self::Sentinel(Sentinel::NoSolution(nanos))
            }
            _ => Self::Offset(Offset::from_nanos(nanos)),
        }
    }

    /// The number as it is sent.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        match self {
            Self::Offset(offset) => offset.as_nanos(),
            Self::Sentinel(sentinel) => sentinel.as_nanos(),
        }
    }

    /// The offset, unless it is a sentinel.
    #[must_use]
    pub const fn offset(self) -> Option<Offset> {
        match self {
            Self::Offset(offset) => Some(offset),
            Self::Sentinel(_) => None,
        }
    }
}

/// An announced PTP clock class (IEEE 1588-2019, 7.6.2.5; ITU-T G.8275.1, 6.4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ClockClass(pub u8);

impl fmt::Display for ClockClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The identity of a PTP clock (IEEE 1588-2019, 7.5.2.2), written as linuxptp does.
///
/// ```
/// use ptp_events::ClockIdentity;
/// let identity = ClockIdentity::parse("667126.fffe.fd4db7").expect("it is one");
/// assert_eq!(identity.to_string(), "667126.fffe.fd4db7");
/// assert_eq!(ClockIdentity::parse("667126.fffe"), None);
/// assert_eq!(ClockIdentity::parse("000000.0000.000000"), None);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClockIdentity(NonZeroU64);

impl ClockIdentity {
    /// Reads one; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (high, middle, low) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = high.len() == 6 && middle.len() == 4 && low.len() == 6;
        if !whole || parts.next().is_some() {
            return None;
        }
        let part = |text: &str| u64::from_str_radix(text, 16).ok();
        let number = part(high)? << 40 | part(middle)? << 24 | part(low)?;
        NonZeroU64::new(number).map(Self)
    }
}

impl fmt::Display for ClockIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.get();
        write!(f, "{:06x}.{:04x}.{:06x}", number >> 40, number >> 24 & 0xffff, number & 0xff_ffff)
    }
}

/// The kind of satellite fix, as u-blox receivers count it: 0 none, 1 dead reckoning, 2 2D, 3 3D,
/// 4 GNSS and dead reckoning, 5 time only.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct GpsFix(pub u8);

impl GpsFix {
    /// Whether time can be taken from it: a 3D fix or better.
    #[must_use]
    pub const fn gives_time(self) -> bool {
        self.0 >= 3
    }
}

impl fmt::Display for GpsFix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A `SyncE` quality level: an SSM code, or an enhanced one (ITU-T G.8264); 255 means none.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct QualityLevel(pub u8);

impl fmt::Display for QualityLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Reads a decimal text to the nearest integer, ties away from zero, never through floating point.
///
/// Publishers print numbers as Go does: `-7`, `99.6`, `1e+06`. The sentinel
/// -9999999999999999 has more digits than a double holds.
pub(crate) fn decimal(text: &str) -> Result<i64, NumberError> {
    if let Ok(integer) = text.parse::<i64>() {
        return Ok(integer);
    }
    let syntax = || NumberError::Syntax(text.chars().take(40).collect());
    let range = || NumberError::Range(text.chars().take(40).collect());

    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| syntax())?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return Err(syntax());
    }

    // How many of the digits stand before the point once the exponent has moved it.
    let point = i64::try_from(whole.len()).map_err(|_| range())? + i64::from(exponent);
    let digit = |at: i64| {
        let at = usize::try_from(at).ok()?;
        let byte = whole.bytes().chain(fraction.bytes()).nth(at)?;
        Some(i64::from(byte - b'0'))
    };
    let mut magnitude: i64 = 0;
    for at in 0..point {
        let next = digit(at);
        if next.is_none() && magnitude == 0 {
            break;
        }
        magnitude = magnitude
            .checked_mul(10)
            .and_then(|m| m.checked_add(next.unwrap_or(0)))
            .ok_or_else(range)?;
    }
    if digit(point).is_some_and(|first_dropped| first_dropped >= 5) {
        magnitude = magnitude.checked_add(1).ok_or_else(range)?;
    }
    Ok(if negative { -magnitude } else { magnitude })
}

/// Reads a decimal text as a number from 0 to 255.
pub(crate) fn small(text: &str) -> Result<u8, NumberError> {
    u8::try_from(decimal(text)?).map_err(|_| NumberError::Range(text.chars().take(40).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: Result<i64, &str>) {
        assert_eq!(decimal(text).map_err(|e| e.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn reads_what_go_prints() {
        check("-7", Ok(-7));
        check("99.6", Ok(100));
        check("-100.5", Ok(-101));
        check("1e+06", Ok(1_000_000));
        check("9.9999999e+07", Ok(99_999_999));
        check("5e-1", Ok(1));
        check("4e-2", Ok(0));
        check("6.000000", Ok(6));
        check("-9999999999999999", Ok(-9_999_999_999_999_999));
        check("0e999999999", Ok(0));
    }

    #[test]
    fn refuses_what_is_no_number() {
        check("", Err("`` is not a decimal number"));
        check("LOCKED", Err("`LOCKED` is not a decimal number"));
        check("1.2.3", Err("`1.2.3` is not a decimal number"));
        check("NaN", Err("`NaN` is not a decimal number"));
        check("1e99", Err("`1e99` is out of range"));
        check("99999999999999999999", Err("`99999999999999999999` is out of range"));
    }

    #[test]
    fn sentinels_are_not_offsets() {
        for nanos in [-9_999_999_999_999_999, 99_999, 99_999_999, 99_999_999_999] {
            assert_eq!(Measurement::from_nanos(nanos).offset(), None);
            assert_eq!(Measurement::from_nanos(nanos).as_nanos(), nanos);
        }
        // A real 37 s mistake between UTC and TAI stays a measurement.
        let leap = Measurement::from_nanos(37_000_000_088);
        assert_eq!(leap.offset(), Some(Offset::from_nanos(37_000_000_088)));
    }

    proptest! {
        #[test]
        fn integers_survive(n: i64) {
            prop_assert_eq!(decimal(&n.to_string()), Ok(n));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,30}") {
            let _ = decimal(&text);
        }
    }
}
