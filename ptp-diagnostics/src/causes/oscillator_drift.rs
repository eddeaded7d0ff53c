//! The oscillator of a node drifts faster than its servo follows.

use super::{Cause, DECISIVE, FAINT, FAIR, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::OscillatorDrift,
    code: "oscillator-drift",
    title: "Oscillator drift",
    manual: "The oscillator ages, or follows the temperature, faster than its servo follows.\n\nShown by: a \
        steady trend of the offset while LOCKED, away from zero.",
    decide_by: "the servo's frequency correction against temperature over a day",
    reaches_followers: false,
    stage: Stage::Ptp,
    reach: Reach::Here,
    watch: Watch::Long,
    prior: -1.0,
    predicts: &[
        seen(S::Drift, DECISIVE, 0.0),
        seen(S::Trend, STRONG, -FAIR),
        seen(S::OffsetNear, FAINT, 0.0),
        seen(S::OffsetFar, -FAIR, 0.0),
        seen(S::ReferenceSilent, -DECISIVE, 0.0),
        // Where it ends: it crosses the threshold, and its servo takes it back.
        seen(S::Hugging, -FAINT, 0.0),
        seen(S::Frequent, -FAINT, 0.0),
        seen(S::Flapping, -FAINT, 0.0),
        seen(S::Step, -STRONG, 0.0),
        seen(S::Noise, -STRONG, 0.0),
        seen(S::AnotherMaster, -STRONG, 0.0),
        seen(S::Returned, -DECISIVE, 0.0),
        seen(S::MovedTogether, -STRONG, 0.0),
        seen(S::NoLockEver, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::ClassAlone, -STRONG, 0.0),
    ],
    actions: &[
        look("Check the card's temperature and airflow"),
        run(
            "Watch the frequency correction",
            "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
        ),
    ],
};
