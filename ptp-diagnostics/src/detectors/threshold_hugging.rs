//! A clock left LOCKED and came back `hugging` (default 3) times within half an hour, each time
//! with an offset that is hardly over its publisher's threshold.
//!
//! Severity: WARNING. Clears when half an hour has passed without so many.
//!
//! Three patterns count. Offsets that leave the lock and come back to it on the same side, hardly over
//! one value and hardly below it: the level sits at the threshold. Offsets well below `offset-ns` that still end the lock: the publisher's
//! threshold is set inside the clock's normal noise. Or offsets that wander smoothly and touch the
//! threshold with their peaks, as with the load of the day. Noise that has grown, and a link that
//! goes down (HOLDOVER), do not count: these are no matter of configuration.

use std::time::Duration;

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

/// Within which time crossings count.
const WINDOW: Duration = Duration::from_mins(30);

pub(super) const DETECTOR: Detector = Detector {
    code: "threshold-hugging",
    summary: "offsets sit at the publisher's threshold",
    manual: include_str!("threshold_hugging.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Hugging),
    examine,
    describe: |view| {
        let crossings = view.clock.crossings(view.now.before(WINDOW), view.settings);
        format!(
            "lost its lock {} times at offsets of {} to {} ns",
            crossings.count, crossings.least, crossings.most
        )
    },
};

fn examine(view: &View<'_>) -> Assessment {
    // Facts are only walked when the clock's state is new, or while it fires.
    if view.clock.changes() < 2 * u64::from(view.settings.hugging) || view.is_settling() {
        return Assessment::Quiet;
    }
    let crossings = view.clock.crossings(view.now.before(WINDOW), view.settings);
    if crossings.count < view.settings.hugging
        || crossings.others > 0
        || !view.is_judged_from(crossings.first)
    {
        return Assessment::Quiet;
    }
    if crossings.hug(view.settings.offset_ns, view.clock.trace()) {
        let since = view.firing.unwrap_or(crossings.first);
        let again = Some(crossings.last.after(WINDOW));
        return Assessment::Firing { severity: Severity::Warning, since, again };
    }
    Assessment::Quiet
}
