//! Time arrives at a node, but not steadily.

use super::{Cause, DECISIVE, FAINT, FAIR, LINK, PROOF, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PtpPathUnstable,
    code: "ptp-path-unstable",
    title: "PTP path unstable",
    manual: "Time arrives, but not steadily: congestion, packet delay variation, a flapping link, a \
        neighbour without PTP support.\n\nShown by: frequent state changes, or several successive large \
        offsets with short losses of lock, on one node or on several behind one switch.",
    decide_by: "link counters and the spread of the path delay over some minutes",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Long,
    prior: -0.3,
    predicts: &[
        seen(S::Frequent, STRONG, 0.0),
        seen(S::Flapping, STRONG, 0.0),
        seen(S::Noise, DECISIVE, 0.0),
        seen(S::RoguePeer, PROOF, 0.0),
        seen(S::RolledOver, -DECISIVE, 0.0),
        seen(S::SilentFlaps, FAIR, 0.0),
        seen(S::FarFlaps, FAINT, 0.0),
        seen(S::AtThreshold, -FAIR, 0.0),
        seen(S::ReferenceSilent, -FAINT, 0.0),
        seen(S::SilentForLong, -DECISIVE, 0.0),
        seen(S::LostWithMost, -FAIR, 0.0),
        seen(S::LostWithSome, -FAIR, 0.0),
        seen(S::OffsetNear, -FAINT, 0.0),
        seen(S::Step, -DECISIVE, 0.0),
        seen(S::Drift, -DECISIVE, 0.0),
        seen(S::Hugging, -STRONG, 0.0),
        seen(S::NoLockEver, -FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::AnotherMaster, -STRONG, 0.0),
        seen(S::Returned, -STRONG, 0.0),
        seen(S::ClassAlone, -STRONG, 0.0),
    ],
    actions: &[
        LINK,
        run(
            "Watch offset and path delay for a minute",
            "oc -n {namespace} logs --since=2m {pod} -c linuxptp-daemon-container",
        ),
        look(
            "Check the switches on the path for congestion, PTP support and priority of PTP traffic",
        ),
    ],
};
