//! What a root cause is: its name, its manual page, and what to do about it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::causes;

/// Everything the project knows about one root cause, in one place.
#[derive(Debug)]
pub struct Cause {
    /// Which one.
    pub root: RootCause,
    /// Stable, kebab-case; part of the public contract.
    pub code: &'static str,
    /// A headline, to be followed by "on NODE".
    pub title: &'static str,
    /// The manual page, in Markdown: what happened, what shows it, what tells it apart.
    pub manual: &'static str,
    /// What decides between this and another cause: a check a person can make.
    pub decide_by: &'static str,
    /// Whether followers of the same timing domain may suffer from it.
    pub reaches_followers: bool,
    /// What to do, in order.
    pub actions: &'static [Action],
}

/// Something to do.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// In words.
    pub action: &'static str,
    /// As a command: `{node}` and `{interface}` stand for the names, `{exec}` for
    /// `oc exec … --` into the daemon of the node, `{since}` for five minutes before it began.
    pub command: Option<&'static str>,
}

macro_rules! root_causes {
    ($($variant:ident => $row:path,)*) => {
        /// Why an incident happened. Nearer to the root comes first: what a clock suffers from is
        /// explained by the first cause that applies.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum RootCause {
            $(#[doc = concat!("See `ptp-cli explain` for ", stringify!($variant), ".")] $variant,)*
        }

        impl RootCause {
            /// Every root cause.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// What is known about it.
            #[must_use]
            pub const fn cause(self) -> &'static Cause {
                match self {
                    $(Self::$variant => &$row,)*
                }
            }
        }
    };
}

root_causes! {
    GnssAntennaFault => causes::gnss::ANTENNA_FAULT,
    GnssReceiverFault => causes::gnss::RECEIVER_FAULT,
    GnssSignalLoss => causes::gnss::SIGNAL_LOSS,
    UpstreamLoss => causes::upstream::UPSTREAM_LOSS,
    GrandmasterDegraded => causes::upstream::GRANDMASTER_DEGRADED,
    GrandmasterSwitch => causes::upstream::GRANDMASTER_SWITCH,
    Misconfiguration => causes::path::MISCONFIGURATION,
    PtpPathUnstable => causes::path::UNSTABLE,
    PtpPathLoss => causes::path::LOSS,
    PathAsymmetry => causes::path::ASYMMETRY,
    OscillatorDrift => causes::clock::OSCILLATOR_DRIFT,
    OffsetThresholdHugging => causes::clock::THRESHOLD_HUGGING,
    ProcessRestart => causes::clock::PROCESS_RESTART,
    OsClockFault => causes::clock::OS_CLOCK_FAULT,
    SynceDegraded => causes::clock::SYNCE_DEGRADED,
    PublisherArtefact => causes::publisher::ARTEFACT,
    TelemetryGap => causes::publisher::TELEMETRY_GAP,
    Unknown => causes::UNKNOWN,
}

impl RootCause {
    /// As it is written in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.cause().code
    }
}

impl fmt::Display for RootCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for RootCause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
