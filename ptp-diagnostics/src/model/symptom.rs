//! What can be seen of a fault.

/// Something that is so or not so of a fault, if it can be seen at all.
///
/// How each is looked for is said in `causality/symptoms.rs`; what it says for or against a cause, in
/// the rows of the causes.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Symptom {
    /// The receiver says that its antenna is disconnected or shorted.
    AntennaAlarm,
    /// The receiver says that it has failed, or is booting.
    ReceiverAlarm,
    /// The receiver is alive and has no fix.
    NoFix,
    /// The receiver says that it gives time.
    ReceiverWell,
    /// The node lost its lock by way of HOLDOVER: nothing was heard of its master.
    ReferenceSilent,
    /// The same, and it has lasted for longer than any settling or flap does.
    SilentForLong,
    /// It lost its lock to an offset far over its threshold.
    OffsetFar,
    /// It lost its lock to an offset about its threshold.
    OffsetNear,
    /// Its offsets have been drifting.
    Trend,
    /// Its offsets wander slowly.
    Wander,
    /// Most of the domain lost its lock with it.
    LostWithMost,
    /// Several nodes behind one segment lost their reference with it.
    LostWithSome,
    /// Most of those that lost their lock together hear a time that has moved.
    MovedTogether,
    /// Other nodes of its domain are LOCKED.
    OthersLocked,
    /// It turned to another master.
    AnotherMaster,
    /// It lost its lock again and again within `relock`, and not because its servo rings.
    Flapping,
    /// Its losses of lock are such as a threshold makes that is too tight.
    AtThreshold,
    /// Some of its losses of lock came without an offset.
    SilentFlaps,
    /// Several of them came with offsets far over the threshold.
    FarFlaps,
    /// A process died.
    ProcessDown,
    /// It was seen to start, and was not LOCKED since.
    NoLockSinceStart,
    /// It was never LOCKED.
    NoLockEver,
    /// Its class is worse than it should be, though its PTP clock is LOCKED and was.
    ClassAlone,
    /// Its PTP clock is LOCKED.
    PtpLocked,
    /// Its system clock is LOCKED.
    OsLocked,
    /// The offset stepped by whole seconds, or by the difference of two timescales.
    WholeSeconds,

    /// A detector found a step of the offset that stays.
    Step,
    /// A detector found a drift.
    Drift,
    /// A detector found noise.
    Noise,
    /// A detector found losses of lock hardly over the threshold.
    Hugging,
    /// A detector found offsets over the threshold.
    HighOffset,
    /// A detector found too many changes of state.
    Frequent,
    /// A detector found that the announced class gets worse again and again.
    ClassFlaps,
    /// A detector found that all who lost their lock together came back together.
    Returned,
    /// A detector found that a clock was never LOCKED.
    NeverLocked,
    /// A detector found that a node's clock is seconds off.
    Skewed,
    /// A detector found that a node's states contradict each other.
    Contradiction,
    /// A detector found that a process came and went.
    Restarted,
    /// A grandmaster has no usable time of day.
    TimeOfDayLost,
    /// It was one second off, again and again, or against a pulse.
    OneSecond,
    /// A DPLL has no lock, and its clock is said to be LOCKED.
    DpllUnlocked,
    /// The pulse that steers a clock is missing or off.
    PulseFault,
    /// The driver gave no timestamp of messages.
    TimestampsMissed,
    /// The servo steers as far as it can, and the clock is off.
    Saturated,
    /// The offset is decades: one side counts from 1970.
    CountsFrom1970,
    /// Something else moves the clock.
    Contended,
    /// A system clock runs away, and phc2sys corrects nothing.
    Unsteered,
    /// An offset was a power of two: a counter of the card overflowed, or was put together wrongly.
    RolledOver,
    /// More than one peer answers on a link.
    RoguePeer,
    /// ptp4l says that it cannot do what it is configured for.
    ConfigurationRefused,
    /// ptp4l doubts the timescale of its master.
    TimescaleDoubted,
    /// The clock is no longer measured, and said to be LOCKED.
    Unmeasured,
    /// The best master goes back and forth.
    MastersAlternate,
    /// Another way to the master is lost.
    RedundancyLost,
    /// The measured delay of the path is below nothing.
    NegativeDelay,
    /// A clock without its lock is measured again.
    Heard,
    /// The port that it followed by became faulty itself: its link is down.
    PortFault,
    /// Offset and path delay are exactly nothing.
    NothingMeasured,
    /// A detector recognised a known bug of the publisher.
    Artefact,
}

impl Symptom {
    /// All of them.
    const ALL: &[Self] = &[
        Self::AntennaAlarm,
        Self::ReceiverAlarm,
        Self::NoFix,
        Self::ReceiverWell,
        Self::ReferenceSilent,
        Self::SilentForLong,
        Self::OffsetFar,
        Self::OffsetNear,
        Self::Trend,
        Self::Wander,
        Self::LostWithMost,
        Self::LostWithSome,
        Self::MovedTogether,
        Self::OthersLocked,
        Self::AnotherMaster,
        Self::Flapping,
        Self::AtThreshold,
        Self::SilentFlaps,
        Self::FarFlaps,
        Self::ProcessDown,
        Self::NoLockSinceStart,
        Self::NoLockEver,
        Self::ClassAlone,
        Self::PtpLocked,
        Self::OsLocked,
        Self::WholeSeconds,
        Self::Step,
        Self::Drift,
        Self::Noise,
        Self::Hugging,
        Self::HighOffset,
        Self::Frequent,
        Self::ClassFlaps,
        Self::Returned,
        Self::NeverLocked,
        Self::Skewed,
        Self::Contradiction,
        Self::Restarted,
        Self::TimeOfDayLost,
        Self::OneSecond,
        Self::DpllUnlocked,
        Self::PulseFault,
        Self::TimestampsMissed,
        Self::Saturated,
        Self::CountsFrom1970,
        Self::Contended,
        Self::Unsteered,
        Self::RolledOver,
        Self::RoguePeer,
        Self::ConfigurationRefused,
        Self::TimescaleDoubted,
        Self::Unmeasured,
        Self::MastersAlternate,
        Self::RedundancyLost,
        Self::NegativeDelay,
        Self::Heard,
        Self::PortFault,
        Self::NothingMeasured,
        Self::Artefact,
    ];

    /// Whether it is the state of something, of which the latest counts, rather than a thing that
    /// happened, which stays.
    const fn is_state(self) -> bool {
        matches!(
            self,
            Self::OthersLocked
                | Self::ReceiverWell
                | Self::PtpLocked
                | Self::OsLocked
                | Self::NoLockEver
                | Self::NoLockSinceStart
                | Self::ProcessDown
                | Self::AtThreshold
                | Self::Wander
                | Self::Trend
                | Self::Heard
                | Self::Unmeasured
                | Self::PortFault
        )
    }

    /// Whether it says that a clock's time, or its reference's, has moved.
    pub(crate) const fn is_of_offsets(self) -> bool {
        matches!(
            self,
            Self::Step
                | Self::Drift
                | Self::Noise
                | Self::Hugging
                | Self::HighOffset
                | Self::Frequent
                | Self::Returned
        )
    }
}

/// Each has a bit, and all are listed.
const _: () =
    assert!(Symptom::ALL.len() <= 64 && Symptom::Artefact as usize + 1 == Symptom::ALL.len());

/// Those that are states, a bit each.
const STATES: u64 = {
    let mut states = 0;
    let mut at = 0;
    while at < Symptom::ALL.len() {
        if Symptom::ALL[at].is_state() {
            states |= 1 << Symptom::ALL[at] as u64;
        }
        at += 1;
    }
    states
};

/// Which symptoms are so, and which are not so although they could have been seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Symptoms {
    present: u64,
    absent: u64,
}

impl Symptoms {
    /// Notes what was looked for; `None` when it could not be seen.
    pub(crate) const fn note(&mut self, symptom: Symptom, seen: Option<bool>) {
        let bit = 1 << symptom as u64;
        match seen {
            Some(true) => self.present |= bit,
            Some(false) => self.absent |= bit,
            None => {}
        }
    }

    /// Whether it is so; `None` when it could not be seen.
    pub(crate) const fn get(self, symptom: Symptom) -> Option<bool> {
        let bit = 1 << symptom as u64;
        if self.present & bit != 0 {
            Some(true)
        } else if self.absent & bit != 0 {
            Some(false)
        } else {
            None
        }
    }

    /// These, and what was seen before: what happened stays, of a state the latest counts.
    pub(crate) const fn and(self, before: Self) -> Self {
        let known_anew = STATES & (self.present | self.absent);
        let present = self.present | (before.present & !known_anew);
        Self { present, absent: (self.absent | before.absent) & !present }
    }
}
