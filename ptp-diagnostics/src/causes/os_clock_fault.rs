//! The system clock does not follow the PTP clock.

use super::{Cause, DAEMON_LOG, DECISIVE, FAINT, FAIR, PROOF, Reach, RootCause, STRONG, Watch, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::OsClockFault,
    code: "os-clock-fault",
    title: "System clock not synchronised",
    manual: "The PTP clock is well and the system clock does not follow it: phc2sys is stuck or gone, or \
        another daemon steers the same clock.\n\nShown by: CLOCK_REALTIME not LOCKED while the node's PTP \
        clock is LOCKED.\n\nTold apart by: PTP is LOCKED; otherwise look upstream.",
    decide_by: "whether phc2sys runs, and whether chronyd or ntpd does as well",
    reaches_followers: false,
    stage: Stage::Os,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: 0.5,
    predicts: &[
        // phc2sys takes the time from the PTP clock: when that is LOCKED, the fault lies behind it.
        seen(S::PtpLocked, STRONG, -DECISIVE),
        seen(S::Unsteered, PROOF, 0.0),
        seen(S::OsLocked, -STRONG, 0.0),
        seen(S::Skewed, STRONG, 0.0),
        seen(S::NoLockSinceStart, -FAINT, 0.0),
        seen(S::Contradiction, -FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        run(
            "Look for a rival time daemon on the host",
            "oc debug node/{node} -- chroot /host systemctl status chronyd ntpd",
        ),
        run("Look at phc2sys", "{exec} pgrep -a phc2sys"),
        DAEMON_LOG,
    ],
};
