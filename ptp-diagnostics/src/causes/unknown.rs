//! The evidence does not decide.

use super::{Cause, DAEMON_LOG, Reach, RootCause, Watch, run};
use crate::model::stage::Stage;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::Unknown,
    code: "unknown",
    title: "Synchronisation fault of unknown cause",
    manual: "The evidence does not decide between causes. The incident's alternatives are ranked, \
        each with the check that would decide.\n\nShown by: anything that no other cause explains, \
        such as an overall sync-state without any word from the clocks below it.",
    decide_by: "the daemon's log at the time of the first event",
    reaches_followers: false,
    // Mostly it is about the PTP clock, and then it is between the node and its master.
    stage: Stage::Path,
    reach: Reach::Unnamed,
    watch: Watch::Usual,
    prior: -0.7,
    predicts: &[],
    actions: &[
        DAEMON_LOG,
        run(
            "Ask the clock for its own view",
            "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET TIME_STATUS_NP' 'GET PORT_DATA_SET'",
        ),
    ],
};
