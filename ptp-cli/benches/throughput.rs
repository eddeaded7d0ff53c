//! Decoding and diagnosing a recording, against decoding its JSON alone, in one run.
//!
//! `cargo xtask bench` makes the recording and names it in `PTP_CORPUS`.
#![expect(clippy::print_stdout, reason = "the figures are the point")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it goes wrong")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use ptp_diagnostics::{Engine, Settings};
use ptp_events::Event;
use serde::Deserialize;

/// What an event holds, decoded by `serde_json` and not interpreted: the least anybody must do.
#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded to be timed, not to be read")]
struct Plain<'a> {
    specversion: &'a str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    time: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded to be timed, not to be read")]
struct Data<'a> {
    version: &'a str,
    #[serde(borrow)]
    values: Vec<Value<'a>>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoded to be timed, not to be read")]
#[expect(clippy::struct_field_names, reason = "they are the wire's")]
struct Value<'a> {
    #[serde(rename = "ResourceAddress")]
    address: &'a str,
    data_type: &'a str,
    value_type: &'a str,
    value: &'a str,
}

const ROUNDS: usize = 9;

fn main() {
    let Ok(path) = std::env::var("PTP_CORPUS") else {
        println!("no recording named in PTP_CORPUS; `cargo xtask bench` makes one");
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();

    let mut rounds: [Vec<Duration>; 4] = Default::default();
    // In turn, so that a machine that slows down slows all of them.
    for _ in 0..ROUNDS {
        rounds[0].push(time(|| {
            for line in &lines {
                black_box(serde_json::from_slice::<Plain<'_>>(line).unwrap());
            }
        }));
        rounds[1].push(time(|| {
            for line in &lines {
                black_box(serde_json::from_slice::<serde_json::Value>(line).unwrap());
            }
        }));
        rounds[2].push(time(|| {
            for line in &lines {
                black_box(Event::from_slice(line).unwrap());
            }
        }));
        rounds[3].push(time(|| {
            let mut engine = Engine::new(Settings::default());
            for line in &lines {
                let event = Event::from_slice(line).unwrap();
                let received = event.stamped.unwrap().assume_received();
                engine.handle_event(event, received);
            }
            black_box(engine.report());
        }));
    }
    // What else the machine does only ever adds: the fastest round says most about the code.
    let best = rounds.map(|times| times.into_iter().min().unwrap());
    let names = [
        "serde_json, typed and borrowed",
        "serde_json::Value",
        "Event::from_slice",
        "decode and diagnose",
    ];
    println!(
        "{} events, {} MB, one thread, best of {ROUNDS}",
        lines.len(),
        bytes.len() / 1_000_000
    );
    for (name, time) in names.iter().zip(best) {
        let per_event = time.as_nanos() / lines.len() as u128;
        let rate = bytes.len() as f64 / 1e6 / time.as_secs_f64();
        let ratio = time.as_secs_f64() / best[0].as_secs_f64();
        println!("  {name:<32} {per_event:>6} ns/event {rate:>6.0} MB/s  ratio {ratio:.2}");
    }
}

fn time(work: impl FnOnce()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}
