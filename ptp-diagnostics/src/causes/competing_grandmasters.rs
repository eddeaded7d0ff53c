//! The best master goes back and forth between two.

use super::{Cause, FAIR, PROOF, Reach, RootCause, STRONG, WHO_IS_GRANDMASTER, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::CompetingGrandmasters,
    code: "competing-grandmasters",
    title: "Grandmasters compete",
    manual: "The best master algorithm goes back and forth between masters: two announce the same quality, or one of them comes and goes. Every turn moves the time by what they differ.\n\nShown by: `selected best master clock` A, B, A, B in the log of ptp4l.\n\nTold apart by: a switch that stays is one switch.",
    decide_by: "priority1, priority2, localPriority and clockQuality of both masters",
    reaches_followers: false,
    stage: Stage::Segment,
    reach: Reach::Here,
    watch: Watch::Long,
    prior: -7.0,
    predicts: &[
        seen(S::MastersAlternate, PROOF, 0.0),
        seen(S::AnotherMaster, FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        WHO_IS_GRANDMASTER,
        look("Give the masters different priority2 (or localPriority in G.8275.1); look at the link of the one that goes"),
    ],
};
