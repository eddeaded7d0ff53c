//! Root causes between a node and its master.

use super::{DAEMON_LOG, look, run};
use crate::cause::{Action, Cause, RootCause};

const PORT: Action = run(
    "Ask ptp4l for the state of its ports",
    "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET PORT_DATA_SET' 'GET PORT_STATS_NP'",
);

const LINK: Action = run("Check the link: up, speed, errors", "{exec} ethtool -S {interface}");

pub(crate) const LOSS: Cause = Cause {
    root: RootCause::PtpPathLoss,
    code: "ptp-path-loss",
    title: "PTP path lost",
    manual: "One node no longer hears its master: its link, port, VLAN or ptp4l.\n\nShown by: HOLDOVER \
        (class 7 or 135), then FREERUN (class 248), on one node.\n\nTold apart by: the other nodes of the \
        domain stay LOCKED. When only one node is known, a lost grandmaster looks the same.",
    decide_by: "whether other followers of the same grandmaster are still LOCKED, and the port's link state",
    reaches_followers: false,
    actions: &[
        LINK,
        PORT,
        run(
            "See whether PTP messages arrive at all",
            "{exec} tcpdump -c 20 -i {interface} 'ether proto 0x88f7 or udp port 319 or udp port 320'",
        ),
        DAEMON_LOG,
    ],
};

pub(crate) const UNSTABLE: Cause = Cause {
    root: RootCause::PtpPathUnstable,
    code: "ptp-path-unstable",
    title: "PTP path unstable",
    manual: "Time arrives, but not steadily: congestion, packet delay variation, a flapping link, a \
        neighbour without PTP support.\n\nShown by: frequent state changes, or several successive large \
        offsets with short losses of lock, on one node or on several behind one switch.",
    decide_by: "link counters and the spread of the path delay over some minutes",
    reaches_followers: false,
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

pub(crate) const ASYMMETRY: Cause = Cause {
    root: RootCause::PathAsymmetry,
    code: "path-asymmetry",
    title: "Path asymmetry",
    manual: "The two directions of the path differ by more than before: a new route, another \
        transceiver, a fibre exchanged in one direction.\n\nShown by: a step in the offset that stays, \
        while LOCKED. PTP itself cannot see an asymmetry; half of it becomes time error.",
    decide_by: "a comparison with an independent reference (GNSS, 1PPS) before and after",
    reaches_followers: false,
    actions: &[
        look("Ask what changed on the path at that time: routes, transceivers, patching"),
        PORT,
    ],
};

pub(crate) const MISCONFIGURATION: Cause = Cause {
    root: RootCause::Misconfiguration,
    code: "misconfiguration",
    title: "Never synchronised",
    manual: "The node cannot synchronise with the configuration it has: wrong domain, profile, \
        transport, interface or VLAN.\n\nShown by: a clock that was never LOCKED since it started.",
    decide_by: "domainNumber, transport and VLAN of the node against those of its master",
    reaches_followers: false,
    actions: &[
        run("Read the configuration the node runs", "{exec} sh -c 'cat /var/run/ptp4l.*.config'"),
        run("See which profiles match the node", "oc -n {namespace} get ptpconfig -o yaml"),
        PORT,
    ],
};
