//! The best master clock algorithm chose another grandmaster.

use super::{Cause, DECISIVE, FAINT, FAIR, Reach, RootCause, STRONG, WHO_IS_GRANDMASTER, Watch, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::GrandmasterSwitch,
    code: "grandmaster-switch",
    title: "Another grandmaster was chosen",
    manual: "The best master clock algorithm chose another grandmaster.\n\nShown by: most \
        followers of a domain lose their lock within 10 s, and all are LOCKED again within 20 s; or a log of ptp4l \
        that names another best master.",
    decide_by: "grandmasterIdentity before and after (pmc GET PARENT_DATA_SET)",
    reaches_followers: true,
    stage: Stage::Segment,
    reach: Reach::Segment,
    watch: Watch::Usual,
    prior: -1.5,
    predicts: &[
        seen(S::Returned, DECISIVE + STRONG, 0.0),
        // ptp4l says which master it chose.
        seen(S::AnotherMaster, DECISIVE + STRONG, -STRONG),
        seen(S::MovedTogether, DECISIVE, -FAIR),
        seen(S::ReferenceSilent, -FAIR, 0.0),
        seen(S::OffsetFar, FAINT, 0.0),
        seen(S::Step, FAIR, 0.0),
        seen(S::NoLockEver, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::Drift, -STRONG, 0.0),
        seen(S::Noise, -STRONG, 0.0),
        seen(S::Frequent, -STRONG, 0.0),
    ],
    actions: &[WHO_IS_GRANDMASTER],
};
