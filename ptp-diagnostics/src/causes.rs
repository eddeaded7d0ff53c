//! The root causes, by where in the synchronisation chain they are.

pub(crate) mod clock;
pub(crate) mod gnss;
pub(crate) mod path;
pub(crate) mod publisher;
pub(crate) mod upstream;

use crate::cause::{Action, Cause, RootCause};

const fn look(action: &'static str) -> Action {
    Action { action, command: None }
}

const fn run(action: &'static str, command: &'static str) -> Action {
    Action { action, command: Some(command) }
}

/// Shared by several causes: what the daemon itself says.
const DAEMON_LOG: Action = run(
    "Read what the daemon logged at that time",
    "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
);

pub(crate) const UNKNOWN: Cause = Cause {
    root: RootCause::Unknown,
    code: "unknown",
    title: "Synchronisation fault of unknown cause",
    manual: "The evidence does not decide between causes. The incident's alternatives are ranked, \
        each with the check that would decide.\n\nShown by: anything that no other cause explains, \
        such as an overall sync-state without any word from the clocks below it.",
    decide_by: "the daemon's log at the time of the first event",
    reaches_followers: false,
    actions: &[
        DAEMON_LOG,
        run(
            "Ask the clock for its own view",
            "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET TIME_STATUS_NP' 'GET PORT_DATA_SET'",
        ),
    ],
};
