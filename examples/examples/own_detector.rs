//! Adding a detector of one's own: `cargo run -p ptp-examples --example own_detector`.
//!
//! A site may know that its OS clocks are never more than 50 ns off while locked, and want to hear
//! when one is. Nothing in the library has to change for that.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use ptp_diagnostics::{
    Assessment, BUILT_IN, Detector, Engine, Scope, Settings, Severity, View, When,
};
use ptp_events::{Event, Received, Resource};

const SLOPPY_OS_CLOCK: Detector = Detector {
    code: "sloppy-os-clock",
    summary: "a locked system clock is further off than this site accepts",
    manual: "The system clock is LOCKED, but its last offset exceeds 50 ns.",
    scope: Scope::Clock { subjects: &[Resource::OsClock], also: &[], when: When::Always },
    shows: ptp_diagnostics::Shows::STATE,
    examine,
    describe: |view| match view.clock.samples().last {
        Some((_, offset)) => format!("locked, but {offset} off"),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match view.clock.samples().last {
        Some((at, offset)) if view.clock.is_locked() && offset.magnitude() > 50 => {
            Assessment::Firing {
                severity: Severity::Warning,
                since: Received::from_nanos(at),
                again: None,
            }
        }
        _ => Assessment::Quiet,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let body = br#"{"specversion":"1.0","id":"1","source":"/sync/sync-status/os-clock-sync-state",
        "type":"event.sync.sync-status.os-clock-sync-state-change","time":"2026-11-23T06:40:30Z",
        "data":{"version":"1.0","values":[
        {"ResourceAddress":"/cluster/node/worker-1/CLOCK_REALTIME","data_type":"notification",
         "value_type":"enumeration","value":"LOCKED"},
        {"ResourceAddress":"/cluster/node/worker-1/CLOCK_REALTIME","data_type":"metric",
         "value_type":"decimal64.3","value":"73"}]}}"#;
    let event = Event::from_slice(body)?;
    let received = event.stamped.ok_or("the event has no time")?.assume_received();

    let detectors = [BUILT_IN, &[SLOPPY_OS_CLOCK]].concat();
    let mut engine = Engine::with_detectors(Settings::default(), &detectors);
    engine.handle_event(event, received);
    engine.finish(received.after(std::time::Duration::from_mins(1)));
    for finding in engine.report().incidents.iter().flat_map(|incident| &incident.findings) {
        println!("{} {}: {}", finding.node, finding.code, finding.says);
    }
    Ok(())
}
