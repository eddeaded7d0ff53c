//! A GNSS receiver has no fix.

use super::{Cause, DAEMON_LOG, DECISIVE, FAIR, RECEIVER, Reach, RootCause, STRONG, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
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
    stage: Stage::Receiver,
    reach: Reach::Grandmaster,
    watch: Watch::Usual,
    // The commonest of the three: jamming, obstruction, a splitter. A judgement.
    prior: 0.0,
    predicts: &[
        // The grandmaster goes into HOLDOVER (ITU-T G.8275.1, appendix V).
        seen(S::ReferenceSilent, FAIR, 0.0),
        seen(S::NoFix, STRONG, 0.0),
        seen(S::AntennaAlarm, -DECISIVE, 0.0),
        seen(S::ReceiverAlarm, -STRONG, 0.0),
        seen(S::ReceiverWell, -DECISIVE, 0.0),
    ],
    actions: &[
        look(
            "Check the antenna feed and its view of the sky; look for jamming if other sites are hit as well",
        ),
        RECEIVER,
        DAEMON_LOG,
    ],
};
