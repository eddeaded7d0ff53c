//! A GNSS receiver failed.

use super::{Cause, DAEMON_LOG, DECISIVE, FAINT, FAIR, RECEIVER, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::GnssReceiverFault,
    code: "gnss-receiver-fault",
    title: "GNSS receiver fault",
    manual: "The receiver, or the loop that follows it, failed although a signal may be there.\n\nShown \
        by: FAILURE-PLL; BOOTING that lasts; or a grandmaster's clock in HOLDOVER or FREERUN while its \
        receiver reports SYNCHRONIZED.",
    decide_by: "DPLL and ts2phc lines of the daemon's log: a good fix with an unlocked DPLL",
    reaches_followers: true,
    stage: Stage::Receiver,
    reach: Reach::Grandmaster,
    watch: Watch::Usual,
    prior: -1.5,
    predicts: &[
        // The grandmaster goes into HOLDOVER (ITU-T G.8275.1, appendix V).
        seen(S::ReferenceSilent, FAIR, 0.0),
        seen(S::ReceiverAlarm, DECISIVE, -FAINT),
        seen(S::AntennaAlarm, -STRONG, 0.0),
        // A grandmaster lost its lock although its receiver gives time: what lies between them.
        seen(S::ReceiverWell, FAINT, 0.0),
    ],
    actions: &[
        RECEIVER,
        DAEMON_LOG,
        run("Look at the card's DPLL", "{exec} cat /sys/class/net/{interface}/device/dpll_0_state"),
        look(
            "Update the receiver's firmware, or exchange the card, if it does not come back by itself",
        ),
    ],
};
