//! The event all dialects decode to.

use smallvec::SmallVec;

use crate::{
    ClockClass, ClockIdentity, EventId, GpsFix, Instance, Measurement, NodeName, Port,
    QualityLevel, Resource, Stamped, SyncState,
};

/// The readings of an event. Nearly all hold one, which then needs no memory of its own.
pub type Readings = SmallVec<[Reading; 1]>;

/// What one node said about one of its resources.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Unique per delivery; the same event sent to us twice may carry two ids.
    pub id: EventId,
    /// The node that is speaking.
    pub node: NodeName,
    /// What it speaks about.
    pub resource: Resource,
    /// When the node says it happened. For a CurrentState answer: when it was asked. `None` where the
    /// publisher left it out (CloudEvents 1.0 makes `time` optional): then its receipt counts.
    pub stamped: Option<Stamped>,
    /// One entry per instance, in the order sent; never empty.
    pub readings: Readings,
}

impl Event {
    /// Whether the publisher only said that it has no data yet.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.readings.iter().all(|r| r.instance.is_placeholder())
    }
}

/// What an event says about one instance; what it does not mention is `None`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Reading {
    /// Which clock.
    pub instance: Instance,
    /// Its state.
    pub state: Option<SyncState>,
    /// Its offset from its reference. Stale in HOLDOVER (docs/protocol.md §4).
    pub offset: Option<Measurement>,
    /// The class it announces.
    pub clock_class: Option<ClockClass>,
    /// The receiver's fix.
    pub gps_fix: Option<GpsFix>,
    /// The SSM quality level.
    pub quality: Option<QualityLevel>,
    /// The enhanced SSM quality level.
    pub extended_quality: Option<QualityLevel>,
    /// The port it is about, where that is known: a log names it, an event does not.
    pub port: Option<Port>,
    /// The master that it follows, where that is known: a log names it, an event does not.
    pub master: Option<ClockIdentity>,
}

impl Reading {
    /// A reading that says nothing yet.
    #[must_use]
    pub const fn new(instance: Instance) -> Self {
        Self {
            instance,
            state: None,
            offset: None,
            clock_class: None,
            gps_fix: None,
            quality: None,
            extended_quality: None,
            port: None,
            master: None,
        }
    }
}
