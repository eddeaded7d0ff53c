//! No sequence of events panics the engine, whatever their stamps and order.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use ptp_diagnostics::{Engine, Settings};
use ptp_events::recording::Reader;

fuzz_target!(|bytes: &[u8]| {
    let mut engine = Engine::new(Settings::default());
    for recorded in Reader::new(bytes).flatten() {
        let time = recorded.time();
        engine.handle_evidence(recorded.evidence, time);
    }
    if let Some(latest) = engine.latest() {
        engine.finish(latest.after(Duration::from_secs(1000)));
    }
    assert!(engine.report().incidents.len() <= 100_000);
});
