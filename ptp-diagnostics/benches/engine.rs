//! What an event costs the engine: for few and many nodes, and for short and long histories.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it goes wrong")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ptp_diagnostics::{Engine, Settings};
use ptp_events::{
    Event, EventId, Instance, Measurement, NodeName, Reading, Received, Resource, Stamped,
    SyncState,
};

/// Events of `nodes` nodes, 1 ms apart, sampled in turn; one in a thousand is a HOLDOVER.
fn events(count: u32, nodes: u32) -> Vec<(Event, Received)> {
    let names: Vec<_> = (0..nodes)
        .map(|n| NodeName::new(&format!("worker-{n}.ran.example.com")).unwrap())
        .collect();
    let lock = Instance::new("ens1fx/master").unwrap();
    let os = Instance::new("CLOCK_REALTIME").unwrap();
    (0..count)
        .map(|n| {
            let odd = n / nodes % 2 == 1;
            let mut reading = Reading::new(if odd { os.clone() } else { lock.clone() });
            let holdover = n % 1000 == 999;
            reading.state = Some(if holdover { SyncState::Holdover } else { SyncState::Locked });
            reading.offset = Some(Measurement::from_nanos(i64::from(n * 7919 % 81) - 40));
            let nanos = 1_795_392_000_000_000_000 + i64::from(n) * 1_000_000;
            let event = Event {
                id: EventId::new("5f519ae8-7787-4862-986f-8edf2dfc3688").unwrap(),
                node: names[(n % nodes) as usize].clone(),
                resource: if odd { Resource::OsClock } else { Resource::LockState },
                stamped: Some(Stamped::from_nanos(nanos)),
                readings: [reading].into(),
            };
            (event, Received::from_nanos(nanos))
        })
        .collect()
}

/// How long an event of cloud-event-proxy is, as JSON.
const EVENT_BYTES: u64 = 497;

fn diagnose(c: &mut Criterion) {
    let mut group = c.benchmark_group("diagnose");
    group.sample_size(10);
    let sizes: [(u32, u32); 6] = [
        (10_000, 1),
        (10_000, 100),
        (10_000, 10_000),
        (1_000_000, 1),
        (1_000_000, 100),
        (1_000_000, 10_000),
    ];
    for (count, nodes) in sizes {
        // The same few events over and over, under new stamps: a million of them would measure how
        // fast memory is read, not what the engine does.
        let templates = events(10_000.max(nodes * 2), nodes);
        let bytes = EVENT_BYTES * u64::from(count);
        group.throughput(Throughput::ElementsAndBytes { elements: u64::from(count), bytes });
        group.bench_function(BenchmarkId::new(format!("{nodes} nodes"), count), |b| {
            b.iter(|| {
                let mut engine = Engine::new(Settings::default());
                for (n, (event, _)) in (0..count).zip(templates.iter().cycle()) {
                    let nanos = 1_795_392_000_000_000_000 + i64::from(n) * 1_000_000;
                    let event =
                        Event { stamped: Some(Stamped::from_nanos(nanos)), ..event.clone() };
                    engine.handle_event(event, Received::from_nanos(nanos));
                }
                // Those of the last two seconds are held back for others that are late: a fifth of
                // a short history.
                if let Some(latest) = engine.latest() {
                    engine.finish(latest);
                }
                black_box(engine)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, diagnose);
criterion_main!(benches);
