//! Another way to the master is lost, and time is kept.

use super::{Cause, LINK, PORT, PROOF, Reach, RootCause, STRONG, Watch, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::RedundancyLost,
    code: "redundancy-lost",
    title: "Redundancy lost",
    manual: "One of several ports or ways to a master is lost, and the clock keeps its lock by another one. Nothing is wrong with the time; the next fault is an outage.\n\nShown by: a port that was SLAVE or PASSIVE is FAULTY or LISTENING while another is SLAVE.",
    decide_by: "the link of the port that is lost",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::RedundancyLost, PROOF, 0.0),
        seen(S::ReferenceSilent, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        LINK,
        PORT,
    ],
};
