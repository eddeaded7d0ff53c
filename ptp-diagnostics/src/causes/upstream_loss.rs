//! A grandmaster, or a path that many nodes share, is lost.

use super::{Cause, DECISIVE, FAINT, FAIR, Reach, RootCause, STRONG, WHO_IS_GRANDMASTER, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::UpstreamLoss,
    code: "upstream-loss",
    title: "Grandmaster or shared path lost",
    manual: "A grandmaster, or a switch that many nodes share, cannot be reached.\n\nShown by: at least \
        three nodes, and at least half of a timing domain, lose lock within 10 s; or the references of at \
        least three fall silent within 3 s, which does not happen by chance.\n\nTold apart by: none \
        of them has a cause of its own, and no grandmaster of ours reports one.",
    decide_by: "whether Announce messages arrive at the first switch (its PTP status, or a capture)",
    reaches_followers: true,
    stage: Stage::Segment,
    reach: Reach::Segment,
    watch: Watch::Usual,
    prior: -0.7,
    predicts: &[
        seen(S::Heard, -FAIR, 0.0),
        // Its own link is down, whatever became of the grandmaster's.
        seen(S::PortFault, -DECISIVE, 0.0),
        seen(S::ReferenceSilent, STRONG, -STRONG),
        seen(S::SilentForLong, FAIR, 0.0),
        seen(S::LostWithMost, DECISIVE, 0.0),
        // Three references that fall silent within three seconds do not by chance.
        seen(S::LostWithSome, DECISIVE, 0.0),
        // Of the nodes behind one grandmaster the others would have lost it too.
        seen(S::OthersLocked, -STRONG, 0.0),
        seen(S::MovedTogether, -DECISIVE, 0.0),
        seen(S::Flapping, -STRONG, 0.0),
        seen(S::Frequent, -FAIR, 0.0),
        seen(S::AnotherMaster, -STRONG, 0.0),
        seen(S::Returned, -STRONG, 0.0),
        seen(S::ProcessDown, -FAIR, 0.0),
        seen(S::NoLockEver, -FAIR, 0.0),
        seen(S::PtpLocked, -FAINT, 0.0),
    ],
    actions: &[
        look("Check the grandmaster and the switches between it and the affected nodes"),
        WHO_IS_GRANDMASTER,
        run(
            "See whether PTP messages arrive at all",
            "{exec} tcpdump -c 20 -i {interface} 'ether proto 0x88f7 or udp port 319 or udp port 320'",
        ),
    ],
};
