//! A grandmaster's class goes back and forth.

use super::{Cause, DAEMON_LOG, DECISIVE, FAINT, RECEIVER, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::GrandmasterUnstable,
    code: "grandmaster-unstable",
    title: "Grandmaster unstable",
    manual: "A grandmaster announces a worse class and a good one in turn, each for too short to be an outage: \
        a receiver at the edge of its fix, a DPLL that loses its lock for moments, or limits that are too tight.\n\n\
        Shown by: a class that got worse more than ten times within an hour.\n\nTold apart by: an outage lasts, and \
        goes through the holdover classes. Every change makes followers compare masters anew (ITU-T G.8275.1, 6.3). A \
        boundary clock passes the class of its master on: of several nodes that say so, look at the one nearest to \
        the receiver.",
    decide_by: "the times of CLOCK_CLASS_CHANGE in the grandmaster's log beside those of its receiver and DPLL",
    reaches_followers: true,
    stage: Stage::Class,
    reach: Reach::Here,
    watch: Watch::Long,
    // Rare enough to be no alternative to anything else.
    prior: -4.0,
    predicts: &[
        seen(S::ClassFlaps, DECISIVE + STRONG, 0.0),
        // Its clock keeps its lock all the while.
        seen(S::PtpLocked, FAINT, 0.0),
        seen(S::ReferenceSilent, -DECISIVE, 0.0),
    ],
    actions: &[
        DAEMON_LOG,
        RECEIVER,
        run("See what the DPLL does", "{exec} cat /sys/class/net/{interface}/device/dpll_0_state"),
        look("Compare MaxInSpecOffset and LocalMaxHoldoverOffSet with what the clock does in a second"),
    ],
};
