//! The antenna of a GNSS receiver is open or shorted.

use super::{Cause, DECISIVE, FAIR, RECEIVER, Reach, RootCause, STRONG, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::GnssAntennaFault,
    code: "gnss-antenna-fault",
    title: "GNSS antenna fault",
    manual: "The antenna input of the GNSS receiver is open or shorted.\n\nShown by: the GNSS states \
        ANTENNA-DISCONNECTED and ANTENNA-SHORT-CIRCUIT, reported by the publisher. \
        cloud-event-proxy never sends these by itself, so without them this is only inferred.",
    decide_by: "the receiver's antenna status (ubxtool -p MON-RF): OPEN or SHORT",
    reaches_followers: true,
    stage: Stage::Receiver,
    reach: Reach::Grandmaster,
    watch: Watch::Usual,
    prior: -2.0,
    // The receiver measures the current of its antenna feed: nothing else says so.
    predicts: &[
        // The grandmaster goes into HOLDOVER (ITU-T G.8275.1, appendix V).
        seen(S::ReferenceSilent, FAIR, 0.0),
        seen(S::AntennaAlarm, DECISIVE, -FAIR),
        seen(S::ReceiverAlarm, -STRONG, 0.0),
        seen(S::ReceiverWell, -DECISIVE, 0.0),
    ],
    actions: &[
        look(
            "Check the antenna, its cable, surge arrester and splitter; measure the antenna feed (3.3 or 5 V)",
        ),
        RECEIVER,
    ],
};
