//! Something else moves a clock that a servo steers.

use super::{Cause, PROOF, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PhcContention,
    code: "phc-contention",
    title: "Two services steer one clock",
    manual: "Two services steer the same clock and undo each other's work: chronyd, ntpd or timemaster beside phc2sys, a second phc2sys, two ptp4l on one card.\n\nShown by: linuxptp's clock check (`clockcheck: clock jumped …`, `running faster than expected`); a correction that alternates.\n\nTold apart by: a path that jitters moves no clock.",
    decide_by: "which processes on the host call clock_adjtime (ps, systemctl; chronyc tracking)",
    reaches_followers: false,
    stage: Stage::Process,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::Contended, PROOF, 0.0),
        // The check finds what a wrong timestamp does, too.
        seen(S::RolledOver, -PROOF, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        run("Look for rivals on the host", "oc debug node/{node} -- chroot /host bash -c 'systemctl is-active chronyd ntpd timemaster; pgrep -a phc2sys'"),
        look("Leave each clock to one service; mask the others"),
    ],
};
