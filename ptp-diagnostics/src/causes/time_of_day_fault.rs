//! A grandmaster does not know which second its pulse belongs to.

use super::{Cause, FAINT, FAIR, PROOF, RECEIVER, Reach, RootCause, STRONG, Watch, look, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::TimeOfDayFault,
    code: "time-of-day-fault",
    title: "No valid time of day",
    manual: "A grandmaster does not know which second its pulse belongs to: the receiver's sentences (NMEA, UBX) are missing, late, damaged, or fall on the wrong side of the pulse, or the file of leap seconds is out of date.\n\nShown by: `nmea_status 0`; `ignoring invalid master time stamp`, stale or damaged sentences in the log of ts2phc; single offsets of exactly one second. Small offsets of phc2sys say nothing then: it follows a clock that nothing sets.\n\nTold apart by: a leap second or a wrong timescale comes once and stays.",
    decide_by: "what the serial port gives: a sentence a second, within the second of its pulse, with a right checksum (cat the device; ubxtool)",
    reaches_followers: true,
    stage: Stage::TimeOfDay,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -7.0,
    predicts: &[
        seen(S::TimeOfDayLost, PROOF, 0.0),
        seen(S::OneSecond, PROOF + STRONG, 0.0),
        seen(S::WholeSeconds, FAIR, 0.0),
        seen(S::CountsFrom1970, -STRONG, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
        seen(S::ReferenceSilent, -FAINT, 0.0),
    ],
    actions: &[
        RECEIVER,
        run("See what ts2phc says of its sentences", "oc -n {namespace} logs --since=10m {pod} -c linuxptp-daemon-container | grep -E 'nmea|invalid|checksum|leap'"),
        look("Check the receiver's serial port (ts2phc.nmea_serialport), its baud rate, and that only one program reads it"),
        look("Renew the leap second file (leapfile of ts2phc) from IERS or NIST when it is past its expiry"),
        look("Where the sentence comes late, set ts2phc.nmea_delay or the pulse's polarity and width as the card's manual says"),
    ],
};
