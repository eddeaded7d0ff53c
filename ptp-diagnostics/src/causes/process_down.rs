//! A process of linuxptp died and did not come back.

use super::{Cause, DAEMON_LOG, DECISIVE, Reach, RootCause, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::ProcessDown,
    code: "process-down",
    title: "A linuxptp process is down",
    manual: "ptp4l, phc2sys or ts2phc ended, and was not running again within half a minute; nothing \
        disciplines its clock.\n\nShown by: the offset that the publisher puts for a process that is down \
        (-9999999999999999), or PTP_PROCESS_STATUS 0 in the log.\n\nTold apart by: a lost path leaves the \
        process running; a restart is over within seconds.",
    decide_by: "whether the process runs: `ps` in the daemon's container",
    reaches_followers: false,
    stage: Stage::Process,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -1.0,
    // The daemon says so itself.
    predicts: &[seen(S::ProcessDown, DECISIVE, -DECISIVE)],
    actions: &[
        run("See which processes run", "{exec} ps -eo pid,lstart,args"),
        DAEMON_LOG,
        look("When it ends again and again, read the line before its end: a missing device, a wrong option"),
    ],
};
