//! Root causes at the satellite receiver.

use super::{DAEMON_LOG, look, run};
use crate::cause::{Action, Cause, RootCause};

const RECEIVER: Action = run(
    "See what the receiver sees (satellites, signal, antenna status)",
    "{exec} ubxtool -p NAV-STATUS -p NAV-SAT -p MON-RF -w 3",
);

pub(crate) const ANTENNA_FAULT: Cause = Cause {
    root: RootCause::GnssAntennaFault,
    code: "gnss-antenna-fault",
    title: "GNSS antenna fault",
    manual: "The antenna input of the GNSS receiver is open or shorted.\n\nShown by: the GNSS states \
        ANTENNA-DISCONNECTED and ANTENNA-SHORT-CIRCUIT, reported by the publisher. \
        cloud-event-proxy never sends these by itself, so without them this is only inferred.",
    decide_by: "the receiver's antenna status (ubxtool -p MON-RF): OPEN or SHORT",
    reaches_followers: true,
    actions: &[
        look(
            "Check the antenna, its cable, surge arrester and splitter; measure the antenna feed (3.3 or 5 V)",
        ),
        RECEIVER,
    ],
};

pub(crate) const SIGNAL_LOSS: Cause = Cause {
    root: RootCause::GnssSignalLoss,
    code: "gnss-signal-loss",
    title: "GNSS signal lost",
    manual: "The receiver gives no time because there is no usable satellite signal.\n\nShown by: \
        FAILURE-NOFIX, FAILURE-LOW-SNR, FAILURE-MULTIPATH or ACQUIRING-SYNC, or gpsFix below 3; then, \
        on the same node, HOLDOVER, class 7, class 140 when holdover leaves its specification, FREERUN \
        and class 248. Followers keep their lock and pass on the class.\n\nTold apart by: the GNSS \
        event comes first, on the same node. Where publishers send no GNSS events, HOLDOVER with a \
        T-GM's class (7, 140, 150, 160; ITU-T G.8275.1 table 2) of its own says that the reference is \
        gone, and not which part of it.",
    decide_by: "the receiver's satellite list (ubxtool -p NAV-SAT): no satellite, or none above 30 dBHz",
    reaches_followers: true,
    actions: &[
        look(
            "Check the antenna feed and its view of the sky; look for jamming if other sites are hit as well",
        ),
        RECEIVER,
        DAEMON_LOG,
    ],
};

pub(crate) const RECEIVER_FAULT: Cause = Cause {
    root: RootCause::GnssReceiverFault,
    code: "gnss-receiver-fault",
    title: "GNSS receiver fault",
    manual: "The receiver, or the loop that follows it, failed although a signal may be there.\n\nShown \
        by: FAILURE-PLL; BOOTING that lasts; or a grandmaster's clock in HOLDOVER or FREERUN while its \
        receiver reports SYNCHRONIZED.",
    decide_by: "DPLL and ts2phc lines of the daemon's log: a good fix with an unlocked DPLL",
    reaches_followers: true,
    actions: &[
        RECEIVER,
        DAEMON_LOG,
        run("Look at the card's DPLL", "{exec} cat /sys/class/net/{interface}/device/dpll_0_state"),
        look(
            "Update the receiver's firmware, or exchange the card, if it does not come back by itself",
        ),
    ],
};
