//! What a detector is: a question asked of one clock, and its answer.

use std::time::Duration;

use ptp_events::{Received, Resource};

use super::View;
use crate::Severity;
use crate::causes::{Cause, OwnCause};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;
use crate::model::timeline::Timeline;

/// A question asked of a clock whenever something about it, or its node, may have changed.
///
/// A detector holds no state: what must be remembered is in the [`crate::Timeline`], and whether it fires
/// already is in the [`View`]. Add your own with [`crate::Engine::with_detectors`].
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// Stable, kebab-case; part of the public contract.
    pub code: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The manual page, in Markdown.
    pub manual: &'static str,
    /// What it is asked about.
    pub scope: Scope,
    /// What its finding is evidence of.
    pub shows: Shows,
    /// Answers. Same view, same answer.
    pub examine: fn(&View<'_>) -> Assessment,
    /// Says in one line what was found, when it fires.
    pub describe: fn(&View<'_>) -> String,
}

/// What a detector is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Scope {
    /// Each clock of `subjects`, whenever an event speaks of it, or one changes what a clock of
    /// `also` on the same node said.
    Clock {
        /// The clocks it is asked about.
        subjects: &'static [Resource],
        /// Further resources of the node whose changes may change the answer.
        also: &'static [Resource],
        /// What must be so of the clock for it to find anything.
        when: When,
    },
    /// Each node as a whole, when a time it named has come, and on events while it fires or has
    /// named no time. The view's clock is the first that was heard of.
    Node,
}

/// What must be so of a clock for a detector to find anything. Otherwise an event about the clock costs
/// nothing; a detector that fires is asked in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum When {
    /// Nothing.
    Always,
    /// More is known of the clock than what is published: it is one of a log, or of metrics.
    FirstHand,
    /// Its state is known, and not LOCKED.
    Unlocked,
    /// It has never been LOCKED.
    NeverLocked,
}

impl When {
    /// How many there are.
    pub(crate) const COUNT: usize = 4;

    /// Whether it is so of a clock.
    pub(crate) fn is_so(self, clock: &Timeline) -> bool {
        match self {
            Self::Always => true,
            Self::FirstHand => clock.first_hand().is_some(),
            Self::Unlocked => clock.unlocked_since().is_some(),
            Self::NeverLocked => clock.last_locked().is_none(),
        }
    }
}

/// What a finding is evidence of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shows {
    /// The stage of the chain that it is about; `None` when that is the stage of its clock.
    pub stage: Option<Stage>,
    /// What it says of the fault, beyond that there is one.
    pub symptom: Option<Symptom>,
    /// A cause of the program's own that it is proof of.
    pub cause: Option<OwnCause>,
}

impl Shows {
    /// The state of the clock it is about, and nothing more.
    pub const STATE: Self = Self { stage: None, symptom: None, cause: None };

    /// A symptom at the clock it is about.
    #[must_use]
    pub const fn symptom(symptom: Symptom) -> Self {
        Self { symptom: Some(symptom), ..Self::STATE }
    }

    /// That a cause of the program's own is there: see [`Cause::own`].
    #[must_use]
    pub const fn cause(cause: &'static Cause) -> Self {
        let own = OwnCause::new(cause);
        Self { stage: Some(cause.stage), cause: Some(own), ..Self::STATE }
    }

    /// The same, with a symptom.
    #[must_use]
    pub const fn and(self, symptom: Symptom) -> Self {
        Self { symptom: Some(symptom), ..self }
    }

    /// Something about another stage than its clock's.
    #[must_use]
    pub const fn stage(stage: Stage) -> Self {
        Self { stage: Some(stage), ..Self::STATE }
    }
}

/// A detector's answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Assessment {
    /// There is nothing to find.
    Quiet,
    /// Nothing yet; ask again at this time even if nothing happens.
    Wait(Received),
    /// It is so.
    Firing {
        /// How bad.
        severity: Severity,
        /// Since when it is so, not since when we know.
        since: Received,
        /// When to ask again even if nothing happens.
        again: Option<Received>,
    },
}

impl Assessment {
    /// Fires once `since` is `hold` ago, and waits until then.
    pub fn after(view: &View<'_>, since: Received, hold: Duration, severity: Severity) -> Self {
        let due = since.after(hold);
        if view.now < due { Self::Wait(due) } else { Self::Firing { severity, since, again: None } }
    }
}
