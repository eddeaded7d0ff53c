//! A servo steers as far as it can, and the clock is still off.

use super::{Cause, DAEMON_LOG, FAIR, PROOF, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::ServoSaturated,
    code: "servo-saturated",
    title: "Servo at its limit",
    manual: "The frequency correction stands at its limit, and the offset does not go to zero: the clock cannot be steered that far. Its oscillator is broken or of the wrong frequency, the driver counts wrongly, or `max_frequency` is too small; or the offset is so large that it takes very long, and the servo may not step (`step_threshold` 0).\n\nShown by: the same `freq` in line after line, while the offset grows or falls slowly.\n\nTold apart by: the path delay stays as it was.",
    decide_by: "whether the offset goes away at all, and the limit that the driver tells (phc_ctl DEVICE caps: maximum frequency adjustment)",
    reaches_followers: false,
    stage: Stage::Ptp,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::Saturated, PROOF, 0.0),
        seen(S::WholeSeconds, -PROOF, 0.0),
        seen(S::CountsFrom1970, -PROOF, 0.0),
        seen(S::Contended, -FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        run("Ask what the clock can be steered by", "{exec} phc_ctl {interface} caps"),
        look("Restart ptp4l with first_step_threshold or step_threshold set, so that it may step; if the offset comes back, it is the card or its driver"),
        DAEMON_LOG,
    ],
};
