//! A publisher's threshold is too tight for the clock.

use super::{Cause, DECISIVE, FAINT, FAIR, Reach, RootCause, STRONG, Watch, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::OffsetThresholdHugging,
    code: "offset-threshold-hugging",
    title: "Threshold too tight",
    manual: "The publisher's threshold lies inside the clock's normal noise.\n\nShown by: offsets within \
        20 % of the threshold, and state changes that coincide with crossings.",
    decide_by: "the spread of the offset over an hour against maxOffsetThreshold",
    reaches_followers: false,
    stage: Stage::Ptp,
    reach: Reach::Here,
    watch: Watch::Long,
    prior: -1.0,
    predicts: &[
        seen(S::Hugging, DECISIVE, 0.0),
        seen(S::AtThreshold, STRONG + FAIR, 0.0),
        seen(S::OffsetNear, FAIR, 0.0),
        seen(S::Wander, FAINT, 0.0),
        seen(S::OffsetFar, -STRONG, 0.0),
        seen(S::Trend, -FAINT, 0.0),
        seen(S::ReferenceSilent, -DECISIVE, 0.0),
        seen(S::Step, -DECISIVE, 0.0),
        seen(S::Drift, -DECISIVE, 0.0),
        seen(S::Noise, -STRONG, 0.0),
        seen(S::Returned, -DECISIVE, 0.0),
        seen(S::MovedTogether, -STRONG, 0.0),
        seen(S::NoLockEver, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::ClassAlone, -STRONG, 0.0),
    ],
    actions: &[run(
        "Compare ptpClockThreshold with what the clock does",
        "oc -n {namespace} get ptpconfig -o yaml",
    )],
};
