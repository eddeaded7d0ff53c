//! The agent's own clock, which may be wrong as any other.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ptp_events::{ReceiveClock, Received};
use ptp_store::{Replayed, Store};
use tokio::sync::watch;

use crate::config::Config;
use crate::engine_task::Snapshot;
use crate::health::Health;

/// The condition that says that the host's clock is not what it should be.
const HOST: &str = "clock";
/// The condition that says that our clock is not that of the nodes.
const NODES: &str = "clock-of-the-agent";
/// How far it may be from what most nodes agree on: events take less than this (docs/protocol.md §3).
const OFF: Duration = Duration::from_secs(2);

/// Our clock: the wall clock as it was at the start, going on evenly.
///
/// The host's clock is under diagnosis too: when it is stepped, timers must neither stop nor all
/// run out at once. It never goes back behind what the journal holds.
pub(crate) fn start(
    config: &Config,
    latest: Option<Received>,
    Replayed { left_out, .. }: Replayed,
    health: &Health,
) -> ReceiveClock {
    let wall = config.now.unwrap_or_else(wall);
    let base = latest.map_or(wall, |latest| latest.max(wall));
    let gap = latest.map_or(Duration::ZERO, |latest| wall.since(latest));
    if base.since(wall) > Duration::from_secs(1) {
        health.set(HOST, "the host's clock is behind what the journal holds; its times are used");
    } else if left_out > 0 {
        let why = format!(
            "{left_out} entries of the journal are of a time that has not come yet: the host's clock was \
             wrong then, or is behind now; they are left out"
        );
        health.set_degraded(HOST, &why);
    } else if gap > config.retention.age {
        let days = gap.as_secs() / 86_400;
        let why = format!(
            "the host's clock is {days} days after the last entry of the journal; old entries are kept \
             until a publisher's clock agrees"
        );
        health.set_degraded(HOST, &why);
    }
    let begun = std::time::Instant::now();
    ReceiveClock::new(move || base.after(begun.elapsed()))
}

/// What the host's clock says.
pub(crate) fn wall() -> Received {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    Received::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// Says when our clock differs from that of the nodes, and no more once a publisher's clock agrees.
pub(crate) async fn watch(
    mut snapshot: watch::Receiver<Arc<Snapshot>>,
    store: Store,
    health: Health,
) {
    let was_unsure = !store.counts().clock_agrees.load(Ordering::Relaxed);
    while snapshot.changed().await.is_ok() {
        if was_unsure && store.counts().clock_agrees.load(Ordering::Relaxed) {
            health.clear(HOST);
        }
        let own = snapshot.borrow_and_update().counts.own_skew_ns.unwrap_or_default();
        if own.unsigned_abs() > u64::try_from(OFF.as_nanos()).unwrap_or(u64::MAX) {
            health.set_degraded(NODES, &differs(own));
        } else {
            health.clear(NODES);
        }
    }
}

/// `own` is how far we are ahead, in nanoseconds.
fn differs(own: i64) -> String {
    let seconds = own.unsigned_abs() as f64 / 1e9;
    let side = if own > 0 { "ahead of" } else { "behind" };
    format!(
        "the host's clock is {seconds:.1} s {side} that of most nodes; times in reports are ours, and no \
         node is accused of it"
    )
}
