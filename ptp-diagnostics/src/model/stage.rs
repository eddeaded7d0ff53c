//! The chain along which time, and its faults, travel.

/// An incident keeps a bit for each.
const _: () = assert!(Stage::COUNT <= 16);

/// A link of the chain: what a fault breaks first, and what a finding is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Stage {
    /// A GNSS receiver.
    Receiver,
    /// A grandmaster or switch that several nodes share.
    Segment,
    /// The path from a node to its master.
    Path,
    /// A process: ptp4l, phc2sys, ts2phc.
    Process,
    /// The time of day: which second it is.
    TimeOfDay,
    /// A card's DPLL and the pulse that it is steered by.
    Dpll,
    /// A PTP clock.
    Ptp,
    /// The clock class that a node announces.
    Class,
    /// The system clock.
    Os,
    /// The overall state of a node.
    Overall,
    /// Synchronous Ethernet.
    Synce,
    /// The publisher: what tells us, not what keeps time.
    Telemetry,
    /// What the publisher says and is not so.
    Artefact,
}

impl Stage {
    /// All of them, in the order of the chain.
    pub(crate) const ALL: &[Self] = &[
        Self::Receiver,
        Self::Segment,
        Self::Path,
        Self::Process,
        Self::TimeOfDay,
        Self::Dpll,
        Self::Ptp,
        Self::Class,
        Self::Os,
        Self::Overall,
        Self::Synce,
        Self::Telemetry,
        Self::Artefact,
    ];
    /// How many there are.
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Whether a fault here takes from a node what its master gives it, so that others may share it.
    pub(crate) const fn is_of_master(self) -> bool {
        matches!(self, Self::Path | Self::Process)
    }
}
