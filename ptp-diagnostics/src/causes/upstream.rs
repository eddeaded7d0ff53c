//! Root causes upstream of several nodes.

use super::{look, run};
use crate::cause::{Action, Cause, RootCause};

const WHO_IS_GRANDMASTER: Action = run(
    "Ask a follower which grandmaster it has, and of what class",
    "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET PARENT_DATA_SET' 'GET TIME_PROPERTIES_DATA_SET'",
);

pub(crate) const UPSTREAM_LOSS: Cause = Cause {
    root: RootCause::UpstreamLoss,
    code: "upstream-loss",
    title: "Grandmaster or shared path lost",
    manual: "A grandmaster, or a switch that many nodes share, cannot be reached.\n\nShown by: at least \
        three nodes, and at least half of a timing domain, lose lock within 10 s; or the references of at \
        least three fall silent within 3 s, which does not happen by chance.\n\nTold apart by: none \
        of them has a cause of its own, and no grandmaster of ours reports one.",
    decide_by: "whether Announce messages arrive at the first switch (its PTP status, or a capture)",
    reaches_followers: true,
    actions: &[
        look("Check the grandmaster and the switches between it and the affected nodes"),
        WHO_IS_GRANDMASTER,
        run(
            "See whether PTP messages arrive at all",
            "{exec} tcpdump -c 20 -i {interface} 'ether proto 0x88f7 or udp port 319 or udp port 320'",
        ),
    ],
};

pub(crate) const GRANDMASTER_DEGRADED: Cause = Cause {
    root: RootCause::GrandmasterDegraded,
    code: "grandmaster-degraded",
    title: "Upstream grandmaster degraded",
    manual: "An upstream grandmaster lost its own reference and says so by its class.\n\nShown by: a \
        class change on the followers, together, while their PTP stays LOCKED.\n\nTold apart by: no GNSS \
        receiver of ours is involved.",
    decide_by: "the grandmaster's own alarms, and the class in its Announce messages",
    reaches_followers: true,
    actions: &[
        look("Check the upstream grandmaster: its GNSS reference and its alarms"),
        WHO_IS_GRANDMASTER,
    ],
};

pub(crate) const GRANDMASTER_SWITCH: Cause = Cause {
    root: RootCause::GrandmasterSwitch,
    code: "grandmaster-switch",
    title: "Another grandmaster was chosen",
    manual: "The best master clock algorithm chose another grandmaster.\n\nShown by: a short transient or \
        class change on every follower of a domain within 5 s, all recovered.",
    decide_by: "grandmasterIdentity before and after (pmc GET PARENT_DATA_SET)",
    reaches_followers: true,
    actions: &[WHO_IS_GRANDMASTER],
};
