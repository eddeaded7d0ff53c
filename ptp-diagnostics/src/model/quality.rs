//! How good `SyncE` quality levels are (ITU-T G.8264 table 11-7, options I and II).

use ptp_events::QualityLevel;

/// How far from a primary reference a quality level is: 0 is traceable to one.
pub(crate) const fn rank(quality: QualityLevel) -> u8 {
    match quality.0 {
        // QL-PRS (option II), QL-PRC (option I).
        1 | 2 => 0,
        // QL-STU: not known, but synchronised.
        0 => 1,
        // QL-SSU-A, QL-TNC; QL-ST2.
        4 | 7 => 2,
        // QL-SSU-B.
        8 => 3,
        // QL-ST3, QL-SEC, QL-SMC, QL-ST3E.
        10..=13 => 4,
        // QL-DNU, QL-DUS, and what nobody has named.
        _ => 5,
    }
}
