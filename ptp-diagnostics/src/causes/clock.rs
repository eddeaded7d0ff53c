//! Root causes in the node's own clocks and processes.

use super::{DAEMON_LOG, look, run};
use crate::cause::{Cause, RootCause};

pub(crate) const OSCILLATOR_DRIFT: Cause = Cause {
    root: RootCause::OscillatorDrift,
    code: "oscillator-drift",
    title: "Oscillator drift",
    manual: "The oscillator ages, follows the temperature, or never learned to hold over.\n\nShown by: a \
        steady trend of the offset while LOCKED, or a holdover that ends much sooner than its model.",
    decide_by: "the servo's frequency correction against temperature over a day",
    reaches_followers: false,
    actions: &[
        look("Check the card's temperature and airflow"),
        run(
            "Watch the frequency correction",
            "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
        ),
    ],
};

pub(crate) const THRESHOLD_HUGGING: Cause = Cause {
    root: RootCause::OffsetThresholdHugging,
    code: "offset-threshold-hugging",
    title: "Threshold too tight",
    manual: "The publisher's threshold lies inside the clock's normal noise.\n\nShown by: offsets within \
        20 % of the threshold, and state changes that coincide with crossings.",
    decide_by: "the spread of the offset over an hour against maxOffsetThreshold",
    reaches_followers: false,
    actions: &[run(
        "Compare ptpClockThreshold with what the clock does",
        "oc -n {namespace} get ptpconfig -o yaml",
    )],
};

pub(crate) const PROCESS_RESTART: Cause = Cause {
    root: RootCause::ProcessRestart,
    code: "process-restart",
    title: "PTP processes restarted",
    manual: "A process of the daemon was restarted, and its clocks came back.\n\nShown by: FREERUN with the \
        offset -9999999999999999, which stands for a dead process, and LOCKED again within 30 s.",
    decide_by: "start times of ptp4l, phc2sys and ts2phc in the daemon's log",
    reaches_followers: false,
    actions: &[DAEMON_LOG],
};

pub(crate) const OS_CLOCK_FAULT: Cause = Cause {
    root: RootCause::OsClockFault,
    code: "os-clock-fault",
    title: "System clock not synchronised",
    manual: "The PTP clock is well and the system clock does not follow it: phc2sys is stuck or gone, or \
        another daemon steers the same clock.\n\nShown by: CLOCK_REALTIME not LOCKED while the node's PTP \
        clock is LOCKED.\n\nTold apart by: PTP is LOCKED; otherwise look upstream.",
    decide_by: "whether phc2sys runs, and whether chronyd or ntpd does as well",
    reaches_followers: false,
    actions: &[
        run(
            "Look for a rival time daemon on the host",
            "oc debug node/{node} -- chroot /host systemctl status chronyd ntpd",
        ),
        run("Look at phc2sys", "{exec} pgrep -a phc2sys"),
        DAEMON_LOG,
    ],
};

pub(crate) const SYNCE_DEGRADED: Cause = Cause {
    root: RootCause::SynceDegraded,
    code: "synce-degraded",
    title: "SyncE degraded",
    manual: "The frequency reference on the line is lost or got worse.\n\nShown by: SyncE findings alone, \
        with PTP well.",
    decide_by: "the quality level the neighbour sends (ESMC)",
    reaches_followers: false,
    actions: &[
        look("Check the SyncE neighbour: its quality level and its own reference"),
        run(
            "See which quality levels arrive",
            "oc -n {namespace} logs --since-time={since} {pod} -c linuxptp-daemon-container",
        ),
    ],
};
