//! Why something failed: what is seen of a fault, which causes can reach it, and how likely each is.
//!
//! A finding is about a stage of the chain (GNSS receiver → PTP clock → class → followers → system
//! clock → overall state). [`graph`] says along which edges a fault travels; the causes that can reach
//! the finding are the candidates. [`symptoms`] looks for what would tell them apart, and [`score`]
//! weighs it: the posterior over the rows of [`crate::causes`], each symptom counted as independent
//! evidence. A codebook of symptoms per cause is due to Kliger et al., "A coding approach to event
//! correlation" (1995); weighing them by odds to naive Bayes.

pub(crate) mod graph;
pub(crate) mod score;
pub(crate) mod symptoms;

use ptp_events::{Received, Resource, SyncState};

use crate::detectors::Shows;
use crate::model::Model;
use crate::model::node::{ClockId, NodeId};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;
use crate::model::timeline::Timeline;

/// What was found, to be explained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub code: &'static str,
    pub shows: Shows,
    pub node: NodeId,
    pub clock: Option<ClockId>,
    pub since: Received,
}

impl Subject {
    pub(crate) fn shows(&self, symptom: Symptom) -> bool {
        self.shows.symptom == Some(symptom)
    }

    /// Whether it says that a clock's time, or its reference's, has moved.
    pub(crate) fn is_of_offsets(&self) -> bool {
        self.shows.symptom.is_some_and(Symptom::is_of_offsets)
    }

    /// The stage of the chain that it is about.
    pub(crate) fn stage(&self, model: &Model) -> Stage {
        let clock = match (self.shows.stage, self.clock) {
            (Some(stage), _) => return stage,
            (None, None) => return Stage::Telemetry,
            (None, Some(clock)) => model.clock(clock),
        };
        // The system clock and the overall state flap with the PTP clock, and are in HOLDOVER only
        // because it is (docs/diagnosis.md §5), whether or not it could say so.
        let follows = matches!(clock.resource(), Resource::OsClock | Resource::SyncState);
        if follows
            && (clock.is(&SyncState::Holdover)
                || (self.shows(Symptom::Frequent) && self.ptp_flaps(model)))
        {
            return Stage::Ptp;
        }
        // Both clocks are LOCKED; only sync-state disagrees.
        if *clock.resource() == Resource::SyncState
            && self.shows(Symptom::Contradiction)
            && model.ptp_unlocked(self.node).is_none()
            && model.os_is_locked(self.node)
        {
            return Stage::Artefact;
        }
        match clock.resource() {
            Resource::Gnss => Stage::Receiver,
            Resource::ClockClass => Stage::Class,
            Resource::OsClock => Stage::Os,
            Resource::SyncState => Stage::Overall,
            Resource::SynceState | Resource::SynceQuality => Stage::Synce,
            _ => Stage::Ptp,
        }
    }

    /// The stage at which to look for its cause: what follows a PTP clock without its lock is that
    /// clock's matter.
    pub(crate) fn broken_stage(&self, model: &Model) -> Stage {
        let lost = model.ptp_unlocked(self.node);
        let unlocked = lost.is_some();
        // A system clock that was lost long before its PTP clock has a fault of its own.
        let before = lost.is_some_and(|lost| lost > self.since.after(model.settings.correlate));
        match self.stage(model) {
            Stage::Os if before => Stage::Os,
            Stage::Os | Stage::Overall if unlocked => Stage::Ptp,
            // A clock that has its lock back announces its own class for a moment longer, or for ever
            // where the event that took it back was lost.
            Stage::Class
                if unlocked
                    || model.ptp_troubled(self.node, self.since)
                    || self.clock.is_some_and(|id| model.announces_its_own_loss(self.node, id)) =>
            {
                Stage::Ptp
            }
            stage => stage,
        }
    }

    /// Whether a PTP clock of the node has changed at least half as often as is too often.
    fn ptp_flaps(&self, model: &Model) -> bool {
        let half = model.settings.state_changes / 2;
        model
            .ptp(self.node)
            .filter_map(|clock| clock.change_before(half))
            .any(|at| self.since.since(at) < model.settings.state_changes_window)
    }

    /// The PTP clock in question: the one without its lock, or else the one that changed most.
    pub(crate) fn ptp<'a>(&self, model: &'a Model) -> Option<&'a Timeline> {
        model
            .ptp(self.node)
            .find(|clock| clock.unlocked_since().is_some())
            .or_else(|| model.ptp(self.node).max_by_key(|clock| clock.changes()))
    }

    /// Since when its node is without its lock.
    pub(crate) fn lost(&self, model: &Model) -> Received {
        self.ptp(model).and_then(Timeline::unlocked_since).unwrap_or(self.since)
    }
}
