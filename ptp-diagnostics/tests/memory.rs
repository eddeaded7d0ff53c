//! What a clock costs in memory, however long it is watched.
//!
//! One test only: the allocator counts for the whole process.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::time::Duration;

use peak_alloc::PeakAlloc;
use ptp_diagnostics::{Engine, Settings};
use ptp_events::{
    Event, EventId, Instance, Measurement, NodeName, Reading, Received, Resource, Stamped,
    SyncState,
};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// The bound on one clock, what its node, its detectors and its incidents need included, in bytes.
///
/// Stated in ARCHITECTURE.md.
const MOST_PER_CLOCK: usize = 32 << 10;

/// Ten seconds of a clock's life. Every four hours it flaps, drifts, is measured in holdover and
/// says what nobody knows; then it is well for long enough that its incident is over. It comes late
/// and says the same again: whatever makes something be remembered.
fn event(node: &NodeName, n: u64) -> (Event, Received) {
    // Knuth's multiplier spreads successive numbers; the upper bits are the good ones.
    let chance = n.wrapping_mul(6_364_136_223_846_793_005) >> 33;
    let mut reading = Reading::new(Instance::new("ens1fx/master").unwrap());
    let phase = n % 1_500;
    let state = match phase {
        0..40 => SyncState::Holdover,
        40..80 if chance.is_multiple_of(3) => {
            SyncState::from(format!("NOBODY-KNOWS-{}", chance % 7).as_str())
        }
        40..80 => SyncState::Freerun,
        80..120 if chance.is_multiple_of(5) => SyncState::Freerun,
        _ => SyncState::Locked,
    };
    reading.state = Some(state);
    let noise = i64::try_from(chance % 41).unwrap() - 20;
    let trouble = if phase < 120 { 9 * i64::try_from(phase).unwrap() } else { 0 };
    let offset = noise + trouble;
    reading.offset = Some(Measurement::from_nanos(offset));
    let late = if chance.is_multiple_of(11) { 1_500 } else { 0 };
    let begin = Received::from_nanos(1_795_392_000_000_000_000);
    let received = begin.after(Duration::from_secs(10 * n));
    let stamped = received.before(Duration::from_millis(late));
    let event = Event {
        // As long as the ids that publishers draw.
        id: EventId::new(&format!("5f519ae8-7787-4862-986f-{n:012x}")).unwrap(),
        node: node.clone(),
        resource: Resource::LockState,
        stamped: Some(Stamped::from_nanos(stamped.as_nanos())),
        readings: [reading].into(),
    };
    (event, received)
}

/// What an engine holds after so many events of each of so many clocks, in bytes.
fn held(clocks: u32, events: u64) -> usize {
    let before = HEAP.current_usage();
    // What is kept of incidents is bounded by itself, and not per clock.
    let settings = Settings { max_incidents: 4, ..Settings::default() };
    let mut engine = Engine::new(settings);
    let names: Vec<_> = (0..clocks).map(|c| NodeName::new(&format!("worker-{c}"))).collect();
    let names: Vec<_> = names.into_iter().map(Result::unwrap).collect();
    for n in 0..events {
        for node in &names {
            let (event, received) = event(node, n);
            engine.handle_event(event, received);
        }
        while engine.poll_change().is_some() {}
    }
    drop(names);
    HEAP.current_usage().saturating_sub(before)
}

#[test]
fn a_clock_holds_as_much_after_a_million_events_as_after_ten_thousand() {
    let early = held(1, 10_000);
    let late = held(1, 1_000_000);
    println!("figure: bytes that an engine holds after 10^4 events: {early}");
    println!("figure: the same after 10^6, four months of a clock: {late}");
    assert!(late <= early + early / 10, "{early} bytes after 10^4 events, {late} after 10^6");

    let (few, many) = (held(1, 3_000), held(101, 3_000));
    let each = (many - few) / 100;
    println!("figure: bytes for each clock more: {each}");
    assert!(each <= MOST_PER_CLOCK, "{each} bytes per clock");
}
