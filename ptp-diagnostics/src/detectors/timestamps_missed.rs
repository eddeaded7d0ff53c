//! ptp4l did not get the timestamp of a message it sent, or received: again and again within ten minutes, or
//! so that a port became FAULTY. Or the path delay that it measures is below zero in ten samples and more: the
//! timestamps are wrong. Or an offset was a power of two nanoseconds, from 2^24 on: a counter of the card
//! overflowed, or the driver put its halves together wrongly.
//!
//! Severity: WARNING; CRITICAL while the clock is not LOCKED. Clears ten minutes after the last.
//!
//! It is the driver, the card or its queue that did not give it in time (`tx_timestamp_timeout`, ptp4l(8)),
//! not the path. It takes a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "timestamps-missed",
    summary: "messages were sent or received without timestamps",
    manual: include_str!("timestamps_missed.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Path).and(Symptom::TimestampsMissed),
    examine,
    describe: |view| {
        let missed = seen::timestamps_missed(view.clock, view.now);
        match (missed, seen::rolled_over(view.clock, view.now)) {
            (Some(_), _) => "no transmit timestamp, or a message without one".to_owned(),
            (None, Some((_, power))) => format!("an offset of 2^{power} ns: a counter overflowed"),
            (None, None) => "the measured path delay is below zero".to_owned(),
        }
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let missed = seen::timestamps_missed(view.clock, view.now);
    let rolled = || seen::rolled_over(view.clock, view.now).map(|(at, _)| at);
    let Some(since) = missed.or_else(rolled).or_else(|| seen::negative_delay(view.clock)) else {
        return Assessment::Quiet;
    };
    let lost = view.clock.unlocked_since().is_some();
    Assessment::Firing {
        severity: if lost { Severity::Critical } else { Severity::Warning },
        since: view.firing.unwrap_or(since),
        again: Some(view.now.after(seen::OF_LATE)),
    }
}
