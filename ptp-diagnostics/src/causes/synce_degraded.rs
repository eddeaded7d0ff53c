//! The frequency over Synchronous Ethernet is lost or of worse quality.

use super::{Cause, Reach, RootCause, Watch, look, run};
use crate::model::stage::Stage;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::SynceDegraded,
    code: "synce-degraded",
    title: "SyncE degraded",
    manual: "The frequency reference on the line is lost or got worse.\n\nShown by: SyncE findings alone, \
        with PTP well.",
    decide_by: "the quality level the neighbour sends (ESMC)",
    reaches_followers: false,
    stage: Stage::Synce,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: 2.0,
    predicts: &[],
    actions: &[
        look("Check the SyncE neighbour: its quality level and its own reference"),
        run(
            "See which quality levels arrive",
            "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
        ),
    ],
};
