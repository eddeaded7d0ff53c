//! No file that people may hand in panics what reads and diagnoses it, or keeps it busy for ever: logs of
//! linuxptp in any wrapper, events in any dress, metrics in any form, compressed or not.
#![no_main]

use std::io::Read;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ptp_diagnostics::{Engine, Settings};
use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::metrics::History;
use ptp_events::recording::{Reader, decompress};
use ptp_events::{NodeName, Received, Stamped};

/// How much of a bomb is read.
const MOST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut engine = Engine::new(Settings { offset_ns: 100, ..Settings::default() });
    let settings = DaemonSettings {
        written: Some(Received::from_nanos(1_795_392_000_000_000_000)),
        settle: Duration::from_secs(1),
        ..DaemonSettings::default()
    };
    let Ok(node) = NodeName::new("n1") else { return };
    if let Ok(input) = decompress(bytes) {
        let reader = Reader::with_daemon(input.take(MOST), DaemonLog::new(node, settings));
        for recorded in reader.take(100_000).flatten() {
            let time = recorded.time();
            engine.handle_evidence(recorded.evidence, time);
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let _ = History::looks_like(&text);
    if let Ok(history) = History::parse(&text) {
        let mut all = History::default();
        all.extend(history, Stamped::from_nanos(0));
        let _ = all.interval();
        for (at, evidence) in all.into_evidence() {
            engine.handle_evidence(evidence, at.assume_received());
        }
    }
    engine.end(Duration::from_secs(1000));
    assert!(engine.report().incidents.len() <= 100_000);
});
