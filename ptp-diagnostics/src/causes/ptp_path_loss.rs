//! A node no longer receives its master.

use super::{Cause, DAEMON_LOG, DECISIVE, FAINT, FAIR, LINK, PORT, PROOF, Reach, RootCause, STRONG, Watch, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PtpPathLoss,
    code: "ptp-path-loss",
    title: "PTP path lost",
    manual: "One node no longer hears its master: its link, port, VLAN or ptp4l.\n\nShown by: HOLDOVER \
        (class 7 or 135), then FREERUN (class 248), on one node.\n\nTold apart by: the other nodes of the \
        domain stay LOCKED. When only one node is known, a lost grandmaster looks the same.",
    decide_by: "whether other followers of the same grandmaster are still LOCKED, and the port's link state",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: 1.2,
    predicts: &[
        // announceReceiptTimeout and no other master: the port leaves SLAVE (IEEE 1588-2019, 9.2.6.12).
        seen(S::ReferenceSilent, STRONG, -STRONG),
        seen(S::SilentForLong, FAIR, 0.0),
        seen(S::OthersLocked, FAINT, 0.0),
        // A port whose messages no longer come has no offsets to print.
        seen(S::Unmeasured, DECISIVE, 0.0),
        seen(S::Heard, -FAIR, 0.0),
        // FAULT_DETECTED: the link of its own port is down (linuxptp, port.c).
        seen(S::PortFault, DECISIVE, 0.0),
        // The driver made the port faulty, and the link is up.
        seen(S::TimestampsMissed, -PROOF, 0.0),
        seen(S::PtpLocked, -FAIR, 0.0),
        seen(S::LostWithMost, -STRONG, 0.0),
        seen(S::LostWithSome, -STRONG, 0.0),
        seen(S::Flapping, -STRONG, 0.0),
        seen(S::Frequent, -FAIR, 0.0),
        seen(S::AtThreshold, -FAIR, 0.0),
        seen(S::Step, -STRONG, 0.0),
        seen(S::Drift, -STRONG, 0.0),
        seen(S::Noise, -STRONG, 0.0),
        seen(S::Hugging, -STRONG, 0.0),
        seen(S::HighOffset, -FAIR, 0.0),
        seen(S::AnotherMaster, -STRONG, 0.0),
        seen(S::Returned, -DECISIVE, 0.0),
        seen(S::NoLockSinceStart, -FAINT, 0.0),
        seen(S::NeverLocked, -FAINT, 0.0),
        seen(S::ProcessDown, -DECISIVE, 0.0),
        seen(S::ClassAlone, -FAIR, 0.0),
    ],
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
