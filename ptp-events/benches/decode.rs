//! How long one event takes to decode, against `serde_json` and the CloudEvents SDK alone.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it goes wrong")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ptp_events::Event;

const LOCK: &[u8] = br#"{"specversion":"1.0","id":"5f519ae8-7787-4862-986f-8edf2dfc3688","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30.999362012Z","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/node1/ens1fx/master","data_type":"notification","value_type":"enumeration","value":"HOLDOVER"},{"ResourceAddress":"/cluster/node/node1/ens1fx/master","data_type":"metric","value_type":"decimal64.3","value":"4"}]}}"#;

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Bytes(LOCK.len() as u64));
    group.bench_function("ptp-events", |b| b.iter(|| Event::from_slice(black_box(LOCK)).unwrap()));
    group.bench_function("serde_json value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(LOCK)).unwrap());
    });
    group.bench_function("cloudevents-sdk", |b| {
        b.iter(|| serde_json::from_slice::<cloudevents::Event>(black_box(LOCK)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
