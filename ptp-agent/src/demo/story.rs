//! What happens in the demo: satellites lost, a cable pulled, a rival for the system clock.

use ptp_events::Resource::{self, LockState, OsClock};
use ptp_events::SyncState::{self, Freerun, Holdover, Locked};
use ptp_events::{
    ClockClass, Event, EventId, GpsFix, Instance, Measurement, NodeName, Reading, Stamped,
};

/// One step of the story: after so long, this node says this.
pub(super) struct Step {
    pub after_ms: u64,
    pub node: &'static str,
    pub event: fn(&NodeName, Stamped) -> Event,
    pub say: Option<&'static str>,
}

pub(super) fn now() -> Stamped {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    Stamped::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
}

const LOCK: Instance = Instance::from_static("ens1fx/master");
const OS: Instance = Instance::from_static("CLOCK_REALTIME");

fn event(node: &NodeName, at: Stamped, resource: Resource, reading: Reading) -> Event {
    let id = EventId::new(&uuid::Uuid::new_v4().to_string()).expect("a UUID is an acceptable id");
    Event { id, node: node.clone(), resource, stamped: Some(at), readings: [reading].into() }
}

fn state(
    node: &NodeName,
    at: Stamped,
    resource: Resource,
    instance: Instance,
    state: SyncState,
    offset: i64,
) -> Event {
    let mut reading = Reading::new(instance);
    reading.state = Some(state);
    reading.offset = Some(Measurement::from_nanos(offset));
    event(node, at, resource, reading)
}

fn class(node: &NodeName, at: Stamped, class: u8) -> Event {
    let mut reading = Reading::new(LOCK);
    reading.clock_class = Some(ClockClass(class));
    event(node, at, Resource::ClockClass, reading)
}

fn gnss(node: &NodeName, at: Stamped, good: bool) -> Event {
    let mut reading = Reading::new(LOCK);
    reading.state = Some(if good { SyncState::Synchronized } else { SyncState::FailureNofix });
    reading.offset = Some(Measurement::from_nanos(if good { 4 } else { 99_999_999 }));
    reading.gps_fix = Some(GpsFix(if good { 3 } else { 0 }));
    event(node, at, Resource::Gnss, reading)
}

pub(super) fn healthy(node: &NodeName) -> Vec<Event> {
    let at = now();
    let mut all = vec![
        state(node, at, LockState, LOCK, Locked, 3),
        state(node, at, OsClock, OS, Locked, 7),
        class(node, at, 6),
    ];
    if node.as_str().starts_with("gm") {
        all.push(gnss(node, at, true));
    }
    all
}

pub(super) const STORY: &[Step] = &[
    Step {
        after_ms: 0,
        node: "gm-0",
        event: |n, t| gnss(n, t, false),
        say: Some("the satellites are gone from gm-0"),
    },
    Step {
        after_ms: 150,
        node: "gm-0",
        event: |n, t| state(n, t, LockState, LOCK, Holdover, 4),
        say: None,
    },
    Step { after_ms: 50, node: "gm-0", event: |n, t| class(n, t, 7), say: None },
    Step { after_ms: 20, node: "worker-0", event: |n, t| class(n, t, 7), say: None },
    Step { after_ms: 5, node: "worker-1", event: |n, t| class(n, t, 7), say: None },
    Step { after_ms: 5, node: "worker-2", event: |n, t| class(n, t, 7), say: None },
    Step { after_ms: 5, node: "worker-3", event: |n, t| class(n, t, 7), say: None },
    Step {
        after_ms: 6000,
        node: "worker-1",
        event: |n, t| state(n, t, LockState, LOCK, Holdover, -12),
        say: Some("somebody pulls the cable of worker-1"),
    },
    Step {
        after_ms: 400,
        node: "worker-1",
        event: |n, t| state(n, t, OsClock, OS, Holdover, 9),
        say: None,
    },
    Step { after_ms: 200, node: "worker-1", event: |n, t| class(n, t, 248), say: None },
    Step {
        after_ms: 5000,
        node: "worker-3",
        event: |n, t| state(n, t, OsClock, OS, Freerun, -450),
        say: Some("chronyd starts to fight phc2sys on worker-3"),
    },
    Step {
        after_ms: 4000,
        node: "worker-1",
        event: |n, t| state(n, t, LockState, LOCK, Freerun, -12),
        say: None,
    },
    Step {
        after_ms: 300,
        node: "worker-1",
        event: |n, t| state(n, t, OsClock, OS, Freerun, 11),
        say: None,
    },
    Step {
        after_ms: 12_000,
        node: "gm-0",
        event: |n, t| gnss(n, t, true),
        say: Some("the sky clears over gm-0"),
    },
    Step {
        after_ms: 800,
        node: "gm-0",
        event: |n, t| state(n, t, LockState, LOCK, Locked, 2),
        say: None,
    },
    Step { after_ms: 100, node: "gm-0", event: |n, t| class(n, t, 6), say: None },
    Step { after_ms: 20, node: "worker-0", event: |n, t| class(n, t, 6), say: None },
    Step { after_ms: 5, node: "worker-2", event: |n, t| class(n, t, 6), say: None },
    Step { after_ms: 5, node: "worker-3", event: |n, t| class(n, t, 6), say: None },
    Step {
        after_ms: 2000,
        node: "worker-1",
        event: |n, t| state(n, t, LockState, LOCK, Locked, 60),
        say: Some("the cable is back"),
    },
    Step { after_ms: 200, node: "worker-1", event: |n, t| class(n, t, 6), say: None },
    Step {
        after_ms: 600,
        node: "worker-1",
        event: |n, t| state(n, t, OsClock, OS, Locked, 31),
        say: None,
    },
    Step {
        after_ms: 2000,
        node: "worker-3",
        event: |n, t| state(n, t, OsClock, OS, Locked, -20),
        say: Some("chronyd is stopped"),
    },
];
