//! What PTP clock classes mean (IEEE 1588-2019 table 4; ITU-T G.8275.1 table 2; docs/diagnosis.md §6).

use ptp_events::ClockClass;

/// Locked to a primary reference.
pub(crate) const LOCKED: ClockClass = ClockClass(6);

/// How far from a primary reference a class is: 0 is locked to one.
///
/// 255 only says that a clock cannot be a master, so it compares as equal to nothing worse.
pub(crate) const fn rank(class: ClockClass) -> u8 {
    match class.0 {
        0..=6 | 13 => 0,
        7 | 14 => 1,
        135 => 2,
        52 | 140 => 3,
        58 | 150 => 4,
        160 | 165 => 5,
        187 | 193 => 6,
        _ => 7,
    }
}

/// Whether time of this class comes from a reference, now or until lately.
pub(crate) const fn is_traceable(class: ClockClass) -> bool {
    rank(class) == 0
}

/// Whether the class itself says that time is out of specification.
pub(crate) const fn is_out_of_spec(class: ClockClass) -> bool {
    rank(class) >= 3 && class.0 != 255
}

/// Whether the class itself says that a reference was lost, whatever was normal before.
pub(crate) const fn is_holdover(class: ClockClass) -> bool {
    matches!(class.0, 7 | 14 | 135 | 140 | 150 | 160 | 165)
}

/// Whether the class is one that only a T-GM announces of itself, when its own reference is gone
/// (ITU-T G.8275.1 table 2).
pub(crate) const fn is_grandmasters_holdover(class: ClockClass) -> bool {
    matches!(class.0, 7 | 140 | 150 | 160)
}

/// Whether a master of this class has no reference and holds none: it runs free.
pub(crate) const fn is_free_running(class: ClockClass) -> bool {
    rank(class) >= 6 && class.0 != 255
}

/// Whether a boundary clock announces this class when its own reference is gone.
pub(crate) const fn is_boundary_holdover(class: ClockClass) -> bool {
    matches!(class.0, 135 | 165 | 248)
}

/// Whether a clock that can announce `normal` should not announce `class`.
///
/// 248 says nothing about a clock of which nothing better is known, and 255 never does.
pub(crate) fn is_degraded(class: ClockClass, normal: Option<ClockClass>) -> bool {
    class.0 != 255
        && (is_holdover(class) || normal.is_some_and(|normal| rank(class) > rank(normal)))
}

/// A class in words.
pub(crate) const fn meaning(class: ClockClass) -> &'static str {
    match class.0 {
        6 | 13 => "locked to a primary reference",
        7 | 14 => "T-GM in holdover, within specification",
        135 => "T-BC in holdover, within specification",
        140 => "T-GM in holdover, out of specification (category 1)",
        150 => "T-GM in holdover, out of specification (category 2)",
        160 => "T-GM in holdover, out of specification (category 3)",
        165 => "T-BC in holdover, out of specification",
        52 | 58 | 187 | 193 => "degraded, a legacy 1588 class",
        248 => "free-running, or default",
        255 => "slave-only",
        _ => "not assigned by the telecom profiles",
    }
}
