//! The states a clock or a receiver can report.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident = $wire:literal,)*) => {
        /// A synchronisation state, of a clock or of a GNSS receiver.
        ///
        /// The vocabulary is open: O-RAN.WG6.O-Cloud Notification API v04.00 lists more than any
        /// publisher sends, and publishers are newer than we are.
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(from = "SmolStr", into = "SmolStr")]
        #[non_exhaustive]
        pub enum SyncState {
            $($(#[$doc])* $variant,)*
            /// A value this version does not know, kept as it was sent.
            Other(SmolStr),
        }

        impl SyncState {
            /// Every state this version has a name for.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The state as publishers spell it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::Other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($wire => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

states! {
    /// Following nothing; time drifts freely.
    Freerun = "FREERUN",
    /// The reference is gone; time is kept by the oscillator.
    Holdover = "HOLDOVER",
    /// Following its reference.
    Locked = "LOCKED",
    /// Not following its reference (O-RAN).
    Unlocked = "UNLOCKED",
    /// The port or clock failed.
    Faulty = "FAULTY",
    /// The GNSS receiver gives time.
    Synchronized = "SYNCHRONIZED",
    /// The GNSS receiver gives no time (StarlingX).
    NotSynchronized = "NOT-SYNCHRONIZED",
    /// The GNSS receiver is searching.
    AcquiringSync = "ACQUIRING-SYNC",
    /// The antenna input is open.
    AntennaDisconnected = "ANTENNA-DISCONNECTED",
    /// The antenna input is shorted.
    AntennaShortCircuit = "ANTENNA-SHORT-CIRCUIT",
    /// The GNSS receiver is starting.
    Booting = "BOOTING",
    /// Reflections spoil the signal.
    FailureMultipath = "FAILURE-MULTIPATH",
    /// No position, so no time.
    FailureNofix = "FAILURE-NOFIX",
    /// The signal is too weak.
    FailureLowSnr = "FAILURE-LOW-SNR",
    /// The receiver's own oscillator loop failed.
    FailurePll = "FAILURE-PLL",
}

impl SyncState {
    /// Whether this says that time is right: LOCKED for a clock, SYNCHRONIZED for a receiver.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        matches!(self, Self::Locked | Self::Synchronized)
    }
}

/// Accepts every spelling: the daemon's rewrite and `StarlingX` write `_` for `-`.
impl From<&str> for SyncState {
    fn from(text: &str) -> Self {
        if let Some(state) = Self::known(text) {
            return state;
        }
        let folded = text.trim().replace('_', "-").to_ascii_uppercase();
        Self::known(&folded).unwrap_or_else(|| Self::Other(SmolStr::new(text)))
    }
}

impl From<SmolStr> for SyncState {
    fn from(text: SmolStr) -> Self {
        Self::from(text.as_str())
    }
}

impl From<SyncState> for SmolStr {
    fn from(state: SyncState) -> Self {
        match state {
            SyncState::Other(text) => text,
            known => Self::new(known.as_str()),
        }
    }
}

impl fmt::Display for SyncState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet() {
        assert_eq!(SyncState::from("ACQUIRING_SYNC"), SyncState::AcquiringSync);
        assert_eq!(SyncState::from("Locked"), SyncState::Locked);
        assert_eq!(SyncState::from("Nobody Named It"), SyncState::Other("Nobody Named It".into()));
        for state in SyncState::KNOWN {
            assert_eq!(&SyncState::from(state.as_str()), state);
        }
    }
}
