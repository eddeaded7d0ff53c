//! The root causes: one file each, which says everything the project knows about it.
//!
//! A cause is a row of data: where it breaks the chain, what it predicts, how that is told, what to do.
//! Nothing outside its file knows it by name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

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
    /// What it breaks first.
    pub stage: Stage,
    /// Where it is looked for, when something is found on a node.
    pub(crate) reach: Reach,
    /// How long it is watched before it is over, and may come back.
    pub(crate) watch: Watch,
    /// How common it is, as a log odds against a cause that nobody knows.
    pub(crate) prior: f32,
    /// What is seen of it.
    pub(crate) predicts: &'static [Predicts],
    /// What to do, in order.
    pub actions: &'static [Action],
}

impl Cause {
    /// A cause of a program's own, on the node where it is found; to be shown by a detector with
    /// [`Shows::cause`](crate::Shows::cause). `code` is kebab-case and none of those that are built in, `title` a
    /// headline to be followed by "on NODE", `stage` what it breaks first.
    #[must_use]
    pub const fn own(code: &'static str, title: &'static str, stage: Stage) -> Self {
        Self {
            root: RootCause::Unknown,
            code,
            title,
            manual: title,
            decide_by: "what its detector says",
            reaches_followers: false,
            stage,
            reach: Reach::Here,
            watch: Watch::Usual,
            prior: 0.0,
            predicts: &[],
            actions: &[],
        }
    }

    /// The same with a manual page, in Markdown.
    #[must_use]
    pub const fn with_manual(self, manual: &'static str) -> Self {
        Self { manual, ..self }
    }

    /// The same with what decides between it and another cause.
    #[must_use]
    pub const fn with_decide_by(self, decide_by: &'static str) -> Self {
        Self { decide_by, ..self }
    }

    /// The same with what to do, in order.
    #[must_use]
    pub const fn with_actions(self, actions: &'static [Action]) -> Self {
        Self { actions, ..self }
    }
}

/// A cause of a program's own. Two are the same when their codes are.
#[derive(Clone, Copy)]
pub struct OwnCause(&'static Cause);

impl OwnCause {
    /// This cause.
    #[must_use]
    pub const fn new(cause: &'static Cause) -> Self {
        Self(cause)
    }

    /// What is known about it.
    #[must_use]
    pub const fn cause(self) -> &'static Cause {
        self.0
    }

    /// The same as any root cause.
    #[must_use]
    pub const fn root(self) -> RootCause {
        RootCause::Own(self)
    }
}

impl fmt::Debug for OwnCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code)
    }
}

impl PartialEq for OwnCause {
    fn eq(&self, other: &Self) -> bool {
        self.0.code == other.0.code
    }
}

impl Eq for OwnCause {}

impl std::hash::Hash for OwnCause {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.code.hash(state);
    }
}

impl Ord for OwnCause {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.code.cmp(other.0.code)
    }
}

impl PartialOrd for OwnCause {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
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

/// Where a cause is looked for, when something is found on a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Reach {
    /// On the node itself.
    Here,
    /// On a grandmaster of ours: the node itself, or one in trouble that it may follow.
    Grandmaster,
    /// On a grandmaster that is not ours, of which the node only tells.
    Upstream,
    /// On what it shares with the nodes that lost their lock with it.
    Segment,
    /// On the node itself, whatever was found: none of the causes that have a name.
    Unnamed,
}

/// How long a cause is watched before it is over, and how long it may come back as the same incident.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Watch {
    /// For `resolve`, and `reopen`.
    Usual,
    /// What is told by the shape of offsets over minutes comes back: for `reopen`, and an hour, in which
    /// a slow servo follows and overshoots.
    Long,
}

/// What a symptom says for or against a cause, as the logarithm of a likelihood ratio.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predicts {
    pub symptom: Symptom,
    /// When it is so.
    pub present: f32,
    /// When it is not, though it could have been seen.
    pub absent: f32,
}

const fn seen(symptom: Symptom, present: f32, absent: f32) -> Predicts {
    Predicts { symptom, present, absent }
}

// How strongly a symptom speaks, by Jeffreys' grades of evidence (Theory of Probability, appendix B):
// the first two within "barely worth mentioning" and "substantial", then "strong" and "decisive".

/// Twice as likely.
const FAINT: f32 = 0.7;
/// Five times as likely.
const FAIR: f32 = 1.6;
/// Twenty times.
const STRONG: f32 = 3.0;
/// Four hundred times.
const DECISIVE: f32 = 6.0;
/// A line that says so itself, or a number that nothing else gives.
pub(crate) const PROOF: f32 = 3.0 * DECISIVE;

macro_rules! root_causes {
    ($($variant:ident => $module:ident,)*) => {
        $(mod $module;)*

        /// Why an incident happened; nearer to the root of the chain comes first.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum RootCause {
            $(#[doc = concat!("See `ptp-cli explain` for ", stringify!($variant), ".")] $variant,)*
            /// One that a program added: see [`Cause::own`].
            Own(OwnCause),
        }

        impl RootCause {
            /// Every root cause that is built in.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// What is known about it.
            #[must_use]
            pub const fn cause(self) -> &'static Cause {
                match self {
                    $(Self::$variant => &$module::CAUSE,)*
                    Self::Own(OwnCause(cause)) => cause,
                }
            }
        }
    };
}

root_causes! {
    GnssAntennaFault => gnss_antenna_fault,
    GnssReceiverFault => gnss_receiver_fault,
    GnssSignalLoss => gnss_signal_loss,
    UpstreamLoss => upstream_loss,
    GrandmasterDegraded => grandmaster_degraded,
    GrandmasterUnstable => grandmaster_unstable,
    GrandmasterSwitch => grandmaster_switch,
    CompetingGrandmasters => competing_grandmasters,
    TimeOfDayFault => time_of_day_fault,
    PpsFault => pps_fault,
    DpllFault => dpll_fault,
    TimestampingFault => timestamping_fault,
    ServoSaturated => servo_saturated,
    PhcContention => phc_contention,
    Misconfiguration => misconfiguration,
    TimescaleMismatch => timescale_mismatch,
    PtpPathUnstable => ptp_path_unstable,
    PtpPathLoss => ptp_path_loss,
    PathAsymmetry => path_asymmetry,
    OscillatorDrift => oscillator_drift,
    OffsetThresholdHugging => offset_threshold_hugging,
    ProcessDown => process_down,
    ProcessRestart => process_restart,
    RedundancyLost => redundancy_lost,
    OsClockFault => os_clock_fault,
    SynceDegraded => synce_degraded,
    PublisherArtefact => publisher_artefact,
    TelemetryGap => telemetry_gap,
    Unknown => unknown,
}

impl RootCause {
    /// As it is written in reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.cause().code
    }

    /// The root cause of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cause| cause.code() == code)
    }
}

/// The one of which nothing is known.
impl Default for RootCause {
    fn default() -> Self {
        Self::Unknown
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

/// By its code; one that a newer version wrote is [`RootCause::Unknown`].
impl<'de> Deserialize<'de> for RootCause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Self::from_code(&code).unwrap_or_default())
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RootCause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RootCause".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let codes: Vec<_> = Self::ALL.iter().map(|cause| cause.code()).collect();
        schemars::json_schema!({"type": "string", "description": "Why: the code of a root cause", "examples": codes})
    }
}

const fn look(action: &'static str) -> Action {
    Action { action, command: None }
}

const fn run(action: &'static str, command: &'static str) -> Action {
    Action { action, command: Some(command) }
}

/// What `{exec}` in a command stands for: a command in the container that runs linuxptp.
pub(crate) const EXEC: &str = "oc -n {namespace} exec {pod} -c linuxptp-daemon-container --";

// What several causes advise.

const DAEMON_LOG: Action = run(
    "Read what the daemon logged at that time",
    "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
);

const RECEIVER: Action = run(
    "See what the receiver sees (satellites, signal, antenna status)",
    "{exec} ubxtool -p NAV-STATUS -p NAV-SAT -p MON-RF -w 3",
);

const PORT: Action = run(
    "Ask ptp4l for the state of its ports",
    "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET PORT_DATA_SET' 'GET PORT_STATS_NP'",
);

const LINK: Action = run("Check the link: up, speed, errors", "{exec} ethtool -S {interface}");

const WHO_IS_GRANDMASTER: Action = run(
    "Ask a follower which grandmaster it has, and of what class",
    "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET PARENT_DATA_SET' 'GET TIME_PROPERTIES_DATA_SET'",
);
