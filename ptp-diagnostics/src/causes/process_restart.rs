//! A process was restarted, and its clock came back.

use super::{Cause, DAEMON_LOG, DECISIVE, STRONG, Reach, RootCause, Watch, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::ProcessRestart,
    code: "process-restart",
    title: "PTP processes restarted",
    manual: "A process of the daemon was restarted, and its clocks came back.\n\nShown by: FREERUN with the \
        offset -9999999999999999, which stands for a dead process, and LOCKED again within 30 s.",
    decide_by: "start times of ptp4l, phc2sys and ts2phc in the daemon's log",
    reaches_followers: false,
    stage: Stage::Process,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -4.0,
    // The offset of a dead process, and half a minute later that of a clock that is LOCKED.
    predicts: &[seen(S::Restarted, DECISIVE + STRONG, 0.0)],
    actions: &[DAEMON_LOG],
};
