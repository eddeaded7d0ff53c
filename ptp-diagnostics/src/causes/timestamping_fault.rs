//! The driver or the card does not give the timestamps of messages.

use super::{Cause, DECISIVE, PROOF, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::TimestampingFault,
    code: "timestamping-fault",
    title: "Timestamps missing or wrong",
    manual: "ptp4l sends a message and gets no transmit timestamp from the driver in time, or receives messages without one. The port goes to FAULTY and begins anew after `fault_reset_interval`.\n\nShown by: `timed out while polling for tx timestamp`; `received SYNC without timestamp`; a path delay below zero; an offset of 2^27 or 2^33 ns, of a counter that overflowed.\n\nTold apart by: the link is up and messages arrive; a lost path prints no such line.",
    decide_by: "the driver's counters (ethtool -S: tx_hwtstamp_timeouts, tx_hwtstamp_skipped) and its version",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::TimestampsMissed, PROOF, 0.0),
        seen(S::NegativeDelay, DECISIVE, 0.0),
        seen(S::RolledOver, PROOF, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::CountsFrom1970, -STRONG, 0.0),
    ],
    actions: &[
        run("Count the timestamps that were missed", "{exec} ethtool -S {interface} | grep -i hwtstamp"),
        look("Raise tx_timestamp_timeout (ptp4l.conf) to 50 ms or more, and try again"),
        look("Update the driver and firmware of the card; let nobody else use hardware timestamps on it"),
    ],
};
