//! A card's DPLL is not locked, and its clock is announced as if it were.

use super::{Cause, DAEMON_LOG, FAIR, PROOF, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::DpllFault,
    code: "dpll-fault",
    title: "DPLL not locked",
    manual: "A card's DPLL does not follow its reference, and the clock that it steers is announced as LOCKED, with a class that says so: everybody downstream trusts a clock that runs free.\n\nShown by: `frequency_status` or `phase_status` 1 (unlocked) or 4 (holdover) while the clock is LOCKED or its class 6.\n\nTold apart by: where clock and class say HOLDOVER too, look at the receiver.",
    decide_by: "the state of the DPLL and its pins (ynl dpll, or the files of the ice driver)",
    reaches_followers: true,
    stage: Stage::Dpll,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::DpllUnlocked, PROOF, 0.0),
        seen(S::PulseFault, -FAIR, 0.0),
        seen(S::NoFix, -STRONG, 0.0),
        seen(S::AntennaAlarm, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[
        run("Read the state of the DPLLs", "{exec} bash -c 'cat /sys/class/net/{interface}/device/dpll_*_state'"),
        look("Check which pins are connected and their priorities; the reference of the first priority must be valid"),
        DAEMON_LOG,
    ],
};
