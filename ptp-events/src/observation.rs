//! What was seen at first hand, beyond what a publisher says of it.
//!
//! A publisher tells states. A log tells how a servo steers, what became of a port and why, and what a
//! process complains of. [`Evidence`] is either; [`Evidence::published`] is what a publisher would say.

use smol_str::SmolStr;

use crate::{
    ClockClass, Event, EventId, GpsFix, Instance, Measurement, NodeName, Offset, Port, Reading,
    Resource, Stamped, SyncState,
};

/// What is known of a node's clocks, whoever told it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Evidence {
    /// A publisher's word, or what one would have said.
    Event(Event),
    /// Seen at first hand.
    Observation(Observation),
}

/// Something seen of one clock of a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Observation {
    /// Where it is from: `line-12.0` of a log.
    pub id: EventId,
    /// The node.
    pub node: NodeName,
    /// The kind of the clock, as events name it.
    pub resource: Resource,
    /// The clock, as events name it.
    pub instance: Instance,
    /// When it was so, as far as the source tells.
    pub stamped: Option<Stamped>,
    /// What was seen.
    pub observed: Observed,
}

/// What can be seen at first hand.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Observed {
    /// An offset, and how the servo answers it.
    Sample(Sample),
    /// A port changed its state.
    Port(PortChange),
    /// A DPLL's state.
    Dpll(Dpll),
    /// Whether a receiver's time of day (NMEA) is there.
    TimeOfDay {
        /// `nmea_status 1`
        available: bool,
    },
    /// A process was started or ended.
    Process {
        /// `ptp4l`, `phc2sys`, `ts2phc`
        name: SmolStr,
        /// Whether it runs.
        up: bool,
    },
    /// A process said something that is known to mean something.
    Remark(Remark),
    /// A process goes on printing, and nothing of what it prints is told otherwise.
    Alive,
    /// What one line of a log says, before anything follows from it; only where that was asked for
    /// ([`crate::daemon::DaemonSettings::verbatim`]).
    Printed(Printed),
}

/// A line of a log, and who printed it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Printed {
    /// `ptp4l`, `phc2sys`, `ts2phc`, `GM`, `T-BC`, `dpll`, `gnss`, `synce4l` …
    pub process: SmolStr,
    /// The number of its configuration: `0` of `ptp4l.0.config`; empty where the line names none.
    pub config: SmolStr,
    /// What it says.
    pub line: PrintedLine,
}

/// What a line of a log says (docs/protocol.md §10).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PrintedLine {
    /// `T-GM-STATUS s2`, `T-BC-STATUS s1`: the state of the clock as a whole; [`Servo::Step`] is holdover.
    Status(Servo),
    /// `CLOCK_CLASS_CHANGE 6.000000`
    Class(ClockClass),
    /// `gnss_status 3 … s2`
    Gnss {
        /// The receiver's fix.
        fix: GpsFix,
        /// Its state.
        servo: Servo,
    },
    /// `frequency_status 3 … phase_status 3 …`
    Dpll(Dpll),
    /// A port changed its state.
    Port(PortChange),
    /// `PTP_PROCESS_STATUS:0`
    Process {
        /// Whether it runs.
        up: bool,
    },
    /// An offset, and the state of the servo that steers by it.
    Offset {
        /// From the reference, or the mean of several.
        offset: Offset,
        /// The servo's state.
        servo: Servo,
    },
    /// Any other line.
    Other,
}

/// An offset and what came with it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Sample {
    /// The clock's state by the publisher's rules (docs/protocol.md §9); `None` where it has none yet.
    pub state: Option<SyncState>,
    /// The offset from the reference; of several, their mean, or the mean of their sizes.
    pub offset: Offset,
    /// Of several, the one farthest off.
    pub peak: Option<Offset>,
    /// Of several, how far they spread, in nanoseconds: their standard deviation, or where the offset is
    /// their root mean square, that.
    pub spread: Option<u64>,
    /// Whether the offset is the root mean square of several, and has no sign.
    pub is_size: bool,
    /// Whether it is no more than the noise of a servo that is locked, where nobody has set a threshold.
    pub in_range: bool,
    /// The servo's state, where it is told.
    pub servo: Option<Servo>,
    /// The frequency correction, in parts per billion.
    pub frequency: Option<i64>,
    /// The delay of the path, or of reading the clock, in nanoseconds.
    pub delay: Option<i64>,
}

/// What a servo says of itself. The daemon counts the states of GNSS, DPLL and grandmaster alike,
/// but there [`Self::Step`] stands for holdover.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Servo {
    /// `s0`
    Unlocked,
    /// `s1`
    Step,
    /// `s2`, `s3`
    Locked,
}

/// A port's state (IEEE 1588-2019, 9.2.5).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(missing_docs, reason = "the standard's own names")]
pub enum PortState {
    Initializing,
    Faulty,
    Disabled,
    Listening,
    PreMaster,
    Master,
    GrandMaster,
    Passive,
    Uncalibrated,
    Slave,
}

impl PortState {
    /// As linuxptp prints it (`ps_str`, port.c and util.c).
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "INITIALIZING" => Self::Initializing,
            "FAULTY" => Self::Faulty,
            "DISABLED" => Self::Disabled,
            "LISTENING" => Self::Listening,
            "PRE_MASTER" => Self::PreMaster,
            "MASTER" => Self::Master,
            "GRAND_MASTER" => Self::GrandMaster,
            "PASSIVE" => Self::Passive,
            "UNCALIBRATED" => Self::Uncalibrated,
            "SLAVE" => Self::Slave,
            _ => return None,
        })
    }

    /// As linuxptp prints it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initializing => "INITIALIZING",
            Self::Faulty => "FAULTY",
            Self::Disabled => "DISABLED",
            Self::Listening => "LISTENING",
            Self::PreMaster => "PRE_MASTER",
            Self::Master => "MASTER",
            Self::GrandMaster => "GRAND_MASTER",
            Self::Passive => "PASSIVE",
            Self::Uncalibrated => "UNCALIBRATED",
            Self::Slave => "SLAVE",
        }
    }
}

/// A port's change of state.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct PortChange {
    /// Its interface, where the line names it.
    pub port: Option<Port>,
    /// What it was in.
    pub from: PortState,
    /// What it is in now.
    pub to: PortState,
    /// What made it change.
    pub why: PortEvent,
}

/// What makes a port change (linuxptp, `ev_str`, util.c).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum PortEvent {
    /// `FAULT_DETECTED`: the link is down, or a message could not be sent or stamped.
    Fault,
    /// `ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES`: no master is heard any more.
    AnnounceTimeout,
    /// `SYNCHRONIZATION_FAULT`: the servo jumped.
    SynchronizationFault,
    /// `MASTER_CLOCK_SELECTED`: the servo is locked.
    MasterSelected,
    /// `RS_SLAVE`, `RS_MASTER` …: the best master clock algorithm decided.
    Decided,
    /// Any other.
    Other,
}

impl PortEvent {
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "FAULT_DETECTED" => Self::Fault,
            "ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES" => Self::AnnounceTimeout,
            "SYNCHRONIZATION_FAULT" => Self::SynchronizationFault,
            "MASTER_CLOCK_SELECTED" => Self::MasterSelected,
            word if word.starts_with("RS_") => Self::Decided,
            _ => Self::Other,
        }
    }
}

/// What the daemon says of a DPLL: −1 unknown, 0 invalid, 1 freerun, 2 locked, 3 locked with holdover
/// acquired, 4 holdover (docs/protocol.md §10).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub struct Dpll {
    /// The frequency lock.
    pub frequency: i8,
    /// The phase lock.
    pub phase: i8,
    /// Whether its input has a pulse per second; `None` where it is not told.
    pub pps: Option<bool>,
}

impl Dpll {
    /// Whether it follows its reference; `None` when it does not know.
    #[must_use]
    pub const fn is_locked(self) -> Option<bool> {
        match (self.frequency, self.phase) {
            (2 | 3, 2 | 3) => Some(true),
            (1 | 4, _) | (_, 1 | 4) => Some(false),
            _ => None,
        }
    }
}

/// What a process complains of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Remark {
    /// ptp4l sent a message, and the driver gave no timestamp of it.
    TxTimestampMissed,
    /// ptp4l received a message without a timestamp.
    RxTimestampMissing,
    /// The clock check found that something else moves the clock.
    ClockJumped,
    /// ts2phc has a pulse and no valid time of day for it.
    TimeOfDayInvalid,
    /// A receiver's sentence is older than it may be.
    SentenceStale,
    /// A receiver sends no sentence, or cannot be read.
    SentenceMissing,
    /// A receiver's sentence is damaged.
    SentenceCorrupt,
    /// The table of leap seconds is out of date.
    LeapTableExpired,
    /// ptp4l found no master and took itself.
    OwnClockSelected,
    /// phc2sys waits for ptp4l to be synchronised, or to answer.
    WaitsForPtp,
    /// chronyd selected a source: it steers the system clock.
    NtpSourceSelected,
    /// chronyd has no source that it could select.
    NtpSourceLost,
    /// chronyd found the system clock off.
    SystemClockWrong,
    /// A clock could not be adjusted or read.
    ClockRefused,
    /// An interface cannot stamp messages as it was told to.
    TimestampingUnsupported,
    /// The master does not keep the PTP timescale.
    ArbitraryTimescale,
    /// The UTC offset that the master announces is below the one that is known.
    UtcOffsetDoubted,
    /// More than one peer answers a request for the delay of the link.
    RoguePeer,
    /// A port is configured for another part than the one it would have to play.
    RoleRefused,
    /// ptp4l could not begin: it ends at once.
    StartRefused,
    /// ts2phc passes over pulses.
    PulseSkipped,
}

impl Remark {
    /// What it means, in a few words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TxTimestampMissed => "no transmit timestamp",
            Self::RxTimestampMissing => "a message without a timestamp",
            Self::ClockJumped => "the clock was moved by somebody else",
            Self::TimeOfDayInvalid => "a pulse without a valid time of day",
            Self::SentenceStale => "the receiver's sentence is stale",
            Self::SentenceMissing => "the receiver sends no sentence",
            Self::SentenceCorrupt => "the receiver's sentence is damaged",
            Self::LeapTableExpired => "the leap second table is out of date",
            Self::OwnClockSelected => "no master; selected its own clock",
            Self::WaitsForPtp => "waits for ptp4l",
            Self::NtpSourceSelected => "chronyd selected a source",
            Self::NtpSourceLost => "chronyd has no selectable source",
            Self::SystemClockWrong => "chronyd found the system clock wrong",
            Self::ClockRefused => "a clock could not be adjusted",
            Self::TimestampingUnsupported => "the interface cannot stamp as configured",
            Self::ArbitraryTimescale => "the master does not keep PTP time",
            Self::UtcOffsetDoubted => "the UTC offset of the master is below the one that is known",
            Self::RoguePeer => "more than one peer answers on the link",
            Self::RoleRefused => "no master is heard, and the port may only be a slave",
            Self::StartRefused => "ptp4l could not begin",
            Self::PulseSkipped => "ts2phc passes over pulses",
        }
    }
}

impl Evidence {
    /// Whose it is.
    #[must_use]
    pub const fn node(&self) -> &NodeName {
        match self {
            Self::Event(event) => &event.node,
            Self::Observation(seen) => &seen.node,
        }
    }

    /// Says that it is of another node.
    pub fn set_node(&mut self, node: NodeName) {
        match self {
            Self::Event(event) => event.node = node,
            Self::Observation(seen) => seen.node = node,
        }
    }

    /// Its resource.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        match self {
            Self::Event(event) => &event.resource,
            Self::Observation(seen) => &seen.resource,
        }
    }

    /// When it was so, as far as it says.
    #[must_use]
    pub const fn stamped(&self) -> Option<Stamped> {
        match self {
            Self::Event(event) => event.stamped,
            Self::Observation(seen) => seen.stamped,
        }
    }

    /// The event, if it is one.
    #[must_use]
    pub const fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Observation(_) => None,
        }
    }

    /// What a publisher would say of it, if it would say anything: an event as it is, an offset with
    /// the state that it leaves.
    #[must_use]
    pub fn published(self) -> Option<Event> {
        let Observation { id, node, resource, instance, stamped, observed } = match self {
            Self::Event(event) => return Some(event),
            Self::Observation(seen) => seen,
        };
        let Observed::Sample(sample) = observed else { return None };
        sample.state.as_ref()?;
        let reading = sample.reading(instance);
        Some(Event { id, node, resource, stamped, readings: [reading].into() })
    }
}

impl Sample {
    /// The state and the offset of it.
    #[must_use]
    pub fn reading(self, instance: Instance) -> Reading {
        let mut reading = Reading::new(instance);
        reading.state = self.state;
        reading.offset = Some(Measurement::Offset(self.offset));
        reading
    }
}

impl From<Event> for Evidence {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}
