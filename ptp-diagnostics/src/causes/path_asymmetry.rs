//! The two directions of a path differ by more than before.

use super::{Cause, DECISIVE, FAINT, FAIR, PORT, Reach, RootCause, STRONG, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PathAsymmetry,
    code: "path-asymmetry",
    title: "Path asymmetry",
    manual: "The two directions of the path differ by more than before: a new route, another \
        transceiver, a fibre exchanged in one direction.\n\nShown by: a step in the offset that stays, \
        while LOCKED. PTP itself cannot see an asymmetry; half of it becomes time error.",
    decide_by: "a comparison with an independent reference (GNSS, 1PPS) before and after",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Long,
    prior: -0.5,
    predicts: &[
        seen(S::Step, DECISIVE, 0.0),
        seen(S::OffsetFar, FAIR, 0.0),
        seen(S::ReferenceSilent, -DECISIVE, 0.0),
        seen(S::Frequent, -FAINT, 0.0),
        seen(S::Flapping, -FAINT, 0.0),
        seen(S::AtThreshold, -FAINT, 0.0),
        seen(S::Drift, -FAINT, 0.0),
        seen(S::Noise, -FAINT, 0.0),
        seen(S::Hugging, -FAINT, 0.0),
        seen(S::MovedTogether, -STRONG, 0.0),
        seen(S::AnotherMaster, -STRONG, 0.0),
        seen(S::Returned, -DECISIVE, 0.0),
        seen(S::NoLockEver, -FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::ClassAlone, -STRONG, 0.0),
    ],
    actions: &[
        look("Ask what changed on the path at that time: routes, transceivers, patching"),
        PORT,
    ],
};
