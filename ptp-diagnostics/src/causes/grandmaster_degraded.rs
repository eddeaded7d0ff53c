//! A grandmaster upstream lost its own reference, and says so.

use super::{Cause, FAINT, FAIR, Reach, RootCause, STRONG, WHO_IS_GRANDMASTER, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::GrandmasterDegraded,
    code: "grandmaster-degraded",
    title: "Upstream grandmaster degraded",
    manual: "An upstream grandmaster lost its own reference and says so by its class.\n\nShown by: a \
        class change on the followers, together, while their PTP stays LOCKED; or followers that lose their lock \
        together once it runs free.\n\nTold apart by: no GNSS \
        receiver of ours is involved.",
    decide_by: "the grandmaster's own alarms, and the class in its Announce messages",
    reaches_followers: true,
    stage: Stage::Class,
    reach: Reach::Upstream,
    watch: Watch::Usual,
    prior: 0.5,
    predicts: &[
        // It serves time all the same, of a worse class (ITU-T G.8275.1 table 2).
        seen(S::PtpLocked, FAIR, 0.0),
        seen(S::ClassAlone, STRONG, -STRONG),
        seen(S::ReferenceSilent, -FAINT, 0.0),
        seen(S::LostWithMost, FAIR, 0.0),
    ],
    actions: &[
        look("Check the upstream grandmaster: its GNSS reference and its alarms"),
        WHO_IS_GRANDMASTER,
    ],
};
