//! linuxptp's programs, and the time that they print in brackets.

/// The time in a line's brackets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bracket {
    /// Since the node started, in nanoseconds: what linuxptp itself prints.
    Monotonic(i64),
    /// Since 1970, in nanoseconds but whole seconds: what the daemon adds itself.
    Epoch(i64),
    /// None, or the number of a process.
    None,
}

/// Who wrote the line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Process {
    Ptp4l,
    Phc2sys,
    Ts2phc,
    Gnss,
    Dpll,
    Gm,
    Tbc,
    Synce4l,
    Chronyd,
}

impl Process {
    const ALL: [(&'static str, Self); 9] = [
        ("ptp4l", Self::Ptp4l),
        ("phc2sys", Self::Phc2sys),
        ("ts2phc", Self::Ts2phc),
        ("gnss", Self::Gnss),
        ("dpll", Self::Dpll),
        ("GM", Self::Gm),
        ("T-BC", Self::Tbc),
        ("synce4l", Self::Synce4l),
        ("chronyd", Self::Chronyd),
    ];

    /// The process whose name `text` ends with, as a word of its own, and where that begins.
    pub(super) fn at_end_of(text: &str) -> Option<(Self, usize)> {
        let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.');
        let begin = text.bytes().rposition(|b| !part(&b)).map_or(0, |at| at + 1);
        Some((Self::named(text.get(begin..)?)?, begin))
    }

    pub(super) fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, process)| *process)
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, process)| *process == self).map_or("", |(name, _)| name)
    }
}
