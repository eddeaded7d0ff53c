//! Two clocks keep time in different timescales, or a whole number of seconds apart.

use super::{Cause, DECISIVE, FAIR, PROOF, Reach, RootCause, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::TimescaleMismatch,
    code: "timescale-mismatch",
    title: "Clocks keep different timescales",
    manual: "A clock keeps TAI where UTC is meant, or the other way round: 37 s apart since 2017 (IERS \
        Bulletin C); or a leap second is missing or counted twice.\n\nShown by: a node's time or offset that \
        jumps by whole seconds, to the millisecond, and stays; offsets of decades, where one side counts from 1970.\n\nTold apart by: no path, servo or \
        oscillator moves a clock by exactly whole seconds.",
    decide_by: "currentUtcOffset and currentUtcOffsetValid (pmc GET TIME_PROPERTIES_DATA_SET), and phc2sys -O",
    reaches_followers: false,
    stage: Stage::TimeOfDay,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -1.5,
    predicts: &[
        seen(S::WholeSeconds, PROOF, -FAIR),
        seen(S::CountsFrom1970, PROOF + FAIR, 0.0),
        seen(S::TimescaleDoubted, DECISIVE, 0.0),
        // A leap second comes once, and stays.
        seen(S::OneSecond, -PROOF, 0.0),
        seen(S::ReferenceSilent, -DECISIVE, 0.0),
    ],
    actions: &[
        run(
            "Ask ptp4l for the UTC offset that it was told",
            "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET TIME_PROPERTIES_DATA_SET'",
        ),
        run("Compare the system clock with the PTP clock", "{exec} phc_ctl {interface} cmp"),
        look("Where the offset is decades, one clock was never set: phc_ctl DEVICE set, or phc2sys -a -rr, before ptp4l; and see that nothing sets it back"),
        look("Check the leap second file (leapfile of ts2phc) and -O of phc2sys; chronyd must not step the same clock"),
    ],
};
