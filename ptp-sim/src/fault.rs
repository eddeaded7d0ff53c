//! What can go wrong, when and where.

use jiff::SignedDuration;
use ptp_events::{NodeName, SyncState};
use serde::{Deserialize, Serialize};

use crate::truth::RootCause;

/// What a fault does, physically.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub enum Effect {
    /// The receiver sees too few satellites; `state` is what it says then.
    GnssSignalLoss {
        /// Such as FAILURE-NOFIX, FAILURE-LOW-SNR.
        #[serde(default = "no_fix")]
        state: SyncState,
    },
    /// The antenna's cable is cut, or short-circuited.
    GnssAntennaFault {
        /// Short instead of open.
        #[serde(default)]
        short: bool,
    },
    /// The receiver fails itself: its oscillator loop, or it boots on and on.
    GnssReceiverFault {
        /// Restarts for ever instead of losing its loop.
        #[serde(default)]
        boots: bool,
    },
    /// The node's own link, port or VLAN.
    PathLoss {},
    /// The switch that the nodes share.
    UpstreamLoss {},
    /// The link goes down and comes back, again and again.
    FlappingLink {},
    /// Followers of the named grandmaster turn to another, whose time differs.
    GrandmasterSwitch {
        /// By how much, in ns.
        step_ns: f64,
        /// Whether followers report their own class while they select.
        #[serde(default)]
        reselects: bool,
    },
    /// `phc2sys` is gone.
    OsClockCrash {},
    /// `phc2sys` runs but corrects nothing.
    OsClockAdrift {
        /// How fast the system clock leaves, in ns/s.
        ns_per_s: f64,
    },
    /// Another time daemon keeps setting the system clock.
    OsClockRival {
        /// How far, in ns.
        jump_ns: f64,
        /// How often.
        every: SignedDuration,
    },
    /// The system clock is off by whole seconds while `phc2sys` is content.
    ClockSkew {
        /// By how much, in s.
        seconds: f64,
    },
    /// The path to and the path back come to differ.
    Asymmetry {
        /// Half the difference: what the clock is then off by, in ns.
        ns: f64,
    },
    /// The oscillator's oven fails: its frequency drifts, and ever faster.
    ///
    /// A slow servo lags behind by the drift over its integral gain, so its offset grows steadily;
    /// a fast one follows, and only its holdover suffers.
    OscillatorDrift {
        /// By how much the drift grows per hour, in ppb per hour.
        ppb_per_h2: f64,
    },
    /// Packet delay comes to vary more.
    Noise {
        /// How many times as much, in the end.
        factor: f64,
        /// How long it takes to get there.
        #[serde(default)]
        grows_over: SignedDuration,
    },
    /// The path's delay goes up and down, as with the load of the day.
    Wander {
        /// Amplitude in ns.
        ns: f64,
        /// How long one turn takes.
        period: SignedDuration,
    },
    /// The publisher's threshold is set to this.
    ThresholdTooTight {
        /// In ns.
        ns: u32,
    },
    /// `ptp4l` and `phc2sys` end and are started again.
    ProcessRestart {
        /// The whole pod, and so the publisher too.
        #[serde(default)]
        pod: bool,
    },
    /// The publisher neither sends nor answers.
    PublisherSilence {},
    /// The publisher is restarted: nothing is wrong with time.
    PublisherRestart {},
    /// The `SyncE` reference is gone.
    SynceLoss {},
    /// Configured wrong from the start.
    Misconfiguration {
        /// How.
        mistake: Mistake,
    },
    /// One bad measurement: nothing is wrong with time.
    SampleSpike {
        /// By how much, in ns.
        ns: f64,
    },
}

/// What is configured wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mistake {
    /// Another PTP domain: no grandmaster is ever heard.
    Domain,
    /// UTC for TAI: 37 s off, and not allowed to step (observed, docs/protocol.md §4).
    UtcOffset,
}

fn no_fix() -> SyncState {
    SyncState::FailureNofix
}

impl Effect {
    /// What an engineer would call it, unless it is no fault at all.
    pub(crate) const fn root_cause(&self) -> Option<RootCause> {
        Some(match self {
            Self::GnssSignalLoss { .. } => RootCause::GnssSignalLoss,
            Self::GnssAntennaFault { .. } => RootCause::GnssAntennaFault,
            Self::GnssReceiverFault { .. } => RootCause::GnssReceiverFault,
            Self::PathLoss {} => RootCause::PtpPathLoss,
            Self::UpstreamLoss {} => RootCause::UpstreamLoss,
            Self::FlappingLink {} | Self::Noise { .. } => RootCause::PtpPathUnstable,
            Self::GrandmasterSwitch { .. } => RootCause::GrandmasterSwitch,
            Self::OsClockCrash {} => RootCause::ProcessDown,
            // A system clock seconds off is phc2sys or a rival daemon, whatever it says itself.
            Self::OsClockAdrift { .. } | Self::OsClockRival { .. } | Self::ClockSkew { .. } => {
                RootCause::OsClockFault
            }
            Self::Asymmetry { .. } => RootCause::PathAsymmetry,
            Self::OscillatorDrift { .. } => RootCause::OscillatorDrift,
            Self::Wander { .. } | Self::ThresholdTooTight { .. } => {
                RootCause::OffsetThresholdHugging
            }
            Self::ProcessRestart { .. } => RootCause::ProcessRestart,
            Self::PublisherSilence {} => RootCause::TelemetryGap,
            Self::SynceLoss {} => RootCause::SynceDegraded,
            Self::Misconfiguration { mistake: Mistake::UtcOffset } => RootCause::TimescaleMismatch,
            Self::Misconfiguration { .. } => RootCause::Misconfiguration,
            Self::PublisherRestart {} | Self::SampleSpike { .. } => return None,
        })
    }

    /// Whether it is over as soon as it has happened, although its effect stays.
    pub(crate) const fn is_momentary(&self) -> bool {
        matches!(self, Self::GrandmasterSwitch { .. })
    }

    /// Whether those who follow the node feel it.
    pub(crate) const fn spreads(&self) -> bool {
        matches!(
            self,
            Self::GnssSignalLoss { .. }
                | Self::GnssAntennaFault { .. }
                | Self::GnssReceiverFault { .. }
                | Self::PathLoss {}
                | Self::UpstreamLoss {}
                | Self::FlappingLink {}
                | Self::GrandmasterSwitch { .. }
                | Self::Asymmetry { .. }
                | Self::OscillatorDrift { .. }
        )
    }

    /// Whether the clock is left to its oscillator, so that its time error grows.
    pub(crate) const fn leaves_holdover(&self) -> bool {
        matches!(
            self,
            Self::GnssSignalLoss { .. }
                | Self::GnssAntennaFault { .. }
                | Self::GnssReceiverFault { .. }
                | Self::PathLoss {}
                | Self::UpstreamLoss {}
        )
    }

    /// Whether the nodes notice it one after the other: announce and sync messages time out after
    /// up to 3 s (ITU-T G.8275.1: 3 × 1/8 s; linuxptp's default: 3 × 1 s).
    pub(crate) const fn is_noticed_late(&self) -> bool {
        matches!(self, Self::PathLoss {} | Self::UpstreamLoss {} | Self::GrandmasterSwitch { .. })
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// What it does.
    #[serde(flatten)]
    pub effect: Effect,
    /// Where it sits.
    pub nodes: Vec<NodeName>,
    /// How long after the start of the scenario it begins.
    pub start: SignedDuration,
    /// How long it lasts; to the end and beyond when absent.
    pub length: Option<SignedDuration>,
}

/// As written in TOML.
#[derive(Deserialize)]
pub(crate) struct RawFault {
    pub(crate) nodes: Vec<NodeName>,
    #[serde(default)]
    pub(crate) start: SignedDuration,
    pub(crate) length: Option<SignedDuration>,
    /// Refuses unknown keys: it is given all that the fields above leave.
    #[serde(flatten)]
    pub(crate) effect: Effect,
}

impl From<RawFault> for Fault {
    fn from(raw: RawFault) -> Self {
        Self { effect: raw.effect, nodes: raw.nodes, start: raw.start, length: raw.length }
    }
}
