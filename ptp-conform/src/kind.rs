//! Kinds of clocks, as ITU-T G.8275.1 has them.

use serde::Serialize;

/// What part a node plays.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockKind {
    /// A grandmaster, which has a receiver.
    TGm,
    /// A boundary clock.
    TBc,
    /// A slave, which serves nobody.
    TTsc,
}

impl ClockKind {
    /// As it is written on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TGm => "t-gm",
            Self::TBc => "t-bc",
            Self::TTsc => "t-tsc",
        }
    }
}
