//! What a requirement is: a row of a table.

use ptp_events::Resource;
use ptp_events::metrics::Metric;

/// A testable requirement: its number, what must hold, and how that is seen.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Requirement {
    /// `FUNC-TGM003-R1`
    pub id: &'static str,
    /// What must hold, in one sentence.
    pub must: &'static str,
    /// How it is seen.
    pub(crate) check: Check,
    /// What of it cannot be seen from what is judged.
    pub(crate) unseen: Option<&'static str>,
    /// A known gap of the implementation.
    pub(crate) known: Option<&'static str>,
    /// What else the texts say, against this: then a failure is none for certain.
    pub(crate) contested: Option<&'static str>,
}

/// The states of a clock's machine, as an event names them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Freerun,
    Locked,
    Holdover,
}

/// How a requirement is seen. What is within a second is within two for stamps of whole seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Check {
    /// It cannot be: this would show it.
    Needs(&'static str),
    /// It cannot fail.
    Always,

    // By events.
    /// A receiver that loses its fix while its clock is LOCKED sends it into HOLDOVER.
    LossHoldsOver,
    /// A clock that goes from one state to another announces one of these classes within a second; none
    /// means: any that is no loss.
    Class { from: Option<State>, to: State, classes: &'static [u8] },
    /// A class out of specification comes while the clock stays in HOLDOVER.
    StaysInHoldover { class: u8 },
    /// What is announced while the clock is in HOLDOVER is one of these classes.
    InHoldover { classes: &'static [u8] },
    /// FREERUN after HOLDOVER and class 248 come together.
    FreerunWithClass,
    /// FREERUN straight after LOCKED, of another cause than the receiver: class 248, and no word of the receiver.
    FaultElsewhere,
    /// Clocks of this kind are FREERUN at first after a start.
    BeginsIn { resource: &'static Resource },
    /// The first class after a start is 248.
    BeginsWithClass,
    /// Its first state after a start is not LOCKED.
    NoBypass,
    /// What is sent differs from what was sent before.
    EdgeOnly { resources: &'static [Resource] },
    /// What is sent has a state, an offset and the name of its clock.
    Payload,
    /// The system clock's state fits that of its PTP clock.
    OsFits,
    /// When the PTP clock goes from one state to another sync-state is the worst of it and the system clock
    /// within a second, and one of these classes is announced, if any must be.
    Overall { from: State, to: State, classes: Option<&'static [u8]> },
    /// No class is sent but 255 at first.
    NoClass,
    /// Every class that is announced is one of these.
    ClassIn { classes: &'static [u8] },
    /// sync-state is the worst of the PTP clock and the system clock, a second after either changed.
    WorstOf,
    /// SyncE quality while the clock is so.
    Quality { state: State, good: &'static [u8] },

    // By lines of a log, some held against events.
    /// The clock as a whole is LOCKED only when its parts are.
    LockedWithParts,
    /// An event comes within a second of such a line.
    EventAfter { line: Line },
    /// The first lines of processes after a start come in this order.
    Order { first: &'static str, then: &'static str },
    /// A process prints nothing before another has locked.
    Gated { process: &'static str, by: &'static str },
    /// A process that ends takes none other with it.
    EndsAlone,
    /// An outage of a process no longer than may be sends no event of this kind.
    ShortOutage { process: &'static str, resource: &'static Resource },
    /// A longer one does.
    LongOutage { process: &'static str, resource: &'static Resource },
    /// A process that ended runs again.
    RunsAgain,
    /// Figures are printed at least once a second.
    EverySecond { process: &'static str, figure: &'static str },
    /// The port that follows leaves SLAVE, and the clock holds over.
    PortLoss,
    /// A port that leaves SLAVE while the DPLL cannot hold over: FREERUN.
    IncapableIsFree,
    /// No configuration serves time.
    NothingServed,

    // By metrics.
    /// A metric is there of each of these processes.
    Exported { metric: Metric, processes: &'static [&'static str] },
    /// Every port serves.
    AllMasters,
    /// The class is always this.
    ClassIs { class: i64 },
    /// The class is the one that was sent last.
    ClassAsSent,
}

/// What a line tells that an event must tell as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Line {
    /// The state of the clock as a whole.
    Status,
    /// A class.
    Class,
    /// The receiver's fix.
    Fix,
}

impl Requirement {
    /// From what it is judged: `events`, `the log`, `events and the log`, `metrics`; or what it would take.
    #[must_use]
    pub fn judged_by(&self) -> String {
        let by = match self.check {
            Check::Needs(wants) => return format!("*not judged: needs {wants}*"),
            Check::Always => "it cannot fail",
            Check::LossHoldsOver
            | Check::Class { .. }
            | Check::InHoldover { .. }
            | Check::FreerunWithClass
            | Check::FaultElsewhere
            | Check::EdgeOnly { .. }
            | Check::Payload
            | Check::OsFits
            | Check::Overall { .. }
            | Check::NoClass
            | Check::WorstOf
            | Check::Quality { .. } => "events",
            Check::StaysInHoldover { .. } | Check::ClassIn { .. } => "events, or the log",
            Check::BeginsIn { .. }
            | Check::BeginsWithClass
            | Check::NoBypass
            | Check::LockedWithParts
            | Check::Order { .. }
            | Check::Gated { .. }
            | Check::EndsAlone
            | Check::RunsAgain
            | Check::EverySecond { .. }
            | Check::PortLoss
            | Check::IncapableIsFree
            | Check::NothingServed => "the log",
            Check::EventAfter { .. } | Check::ShortOutage { .. } | Check::LongOutage { .. } => {
                "events and the log of the same time"
            }
            Check::Exported { .. } | Check::AllMasters | Check::ClassIs { .. } => "metrics",
            Check::ClassAsSent => "metrics and events of the same time",
        };
        match self.unseen {
            Some(unseen) => format!("{by}; {unseen}"),
            None => by.to_owned(),
        }
    }

    pub(crate) const fn new(id: &'static str, must: &'static str, check: Check) -> Self {
        Self { id, must, check, unseen: None, known: None, contested: None }
    }

    /// With what cannot be seen of it.
    pub(crate) const fn but(self, unseen: &'static str) -> Self {
        Self { unseen: Some(unseen), ..self }
    }

    /// With what the texts say against it.
    pub(crate) const fn contested(self, by: &'static str) -> Self {
        Self { contested: Some(by), ..self }
    }

    /// With a gap that is known upstream.
    pub(crate) const fn known(self, gap: &'static str) -> Self {
        Self { known: Some(gap), ..self }
    }
}
