//! The pulse that steers a clock is missing or not where a second begins.

use super::{Cause, DAEMON_LOG, FAIR, PROOF, RECEIVER, Reach, RootCause, STRONG, Watch, look, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PpsFault,
    code: "pps-fault",
    title: "1PPS missing or wrong",
    manual: "The pulse per second that steers a grandmaster's clock is missing, or comes where no second begins: a receiver without lock that gives pulses all the same, a wrong input or polarity, a cable, reflections, several pulses a second.\n\nShown by: offsets of ts2phc that are a millisecond off and more from one pulse to the next; `pps_status 0` while the clock is said to be LOCKED. Followers are misled by it.\n\nTold apart by: exact seconds are the time of day's fault; a drift is the oscillator's.",
    decide_by: "the pulse itself on an oscilloscope or a second receiver, and the receiver's own accuracy estimate (tAcc)",
    reaches_followers: true,
    stage: Stage::Dpll,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::PulseFault, PROOF, 0.0),
        seen(S::OneSecond, -STRONG, 0.0),
        seen(S::DpllUnlocked, -FAIR, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        RECEIVER,
        look("Check the cable and the input of the pulse, and that the receiver gives none before it has a fix (CFG-TP)"),
        DAEMON_LOG,
    ],
};
