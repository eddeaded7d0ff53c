//! ptp4l says again and again that a peer answers whom it did not ask: more than one answers on the link.
//!
//! Severity: WARNING; CRITICAL while the clock is not LOCKED. Clears ten minutes after the last.
//!
//! The delay of a link is measured with the one peer at its other end (IEEE 1588-2019, 11.4). A switch without
//! PTP support passes the requests on, and several answer; ptp4l makes the port FAULTY, and begins anew after
//! `fault_badpeernet_interval`, 16 s (ptp4l(8)). It takes a log.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "rogue-peer",
    summary: "more than one peer answers on a link",
    manual: include_str!("rogue_peer.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Path).and(Symptom::RoguePeer),
    examine,
    describe: |_| "more than one peer answers requests for the delay of the link".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    let Some(since) = seen::rogue_peer(view.clock, view.now) else {
        return Assessment::Quiet;
    };
    let lost = view.clock.unlocked_since().is_some();
    Assessment::Firing {
        severity: if lost { Severity::Critical } else { Severity::Warning },
        since: view.firing.unwrap_or(since),
        again: Some(view.now.after(seen::OF_LATE)),
    }
}
