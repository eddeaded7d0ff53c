//! A cause of one's own, with title and advice: `cargo run -p ptp-examples --example own_cause`.
//!
//! A site knows that its system clocks are never more than 50 ns off while LOCKED, and what it means when one is: the
//! profile's servo was changed. A detector says when it is so, and is proof of the cause.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use ptp_diagnostics::{
    Action, Assessment, BUILT_IN, Cause, Detector, Engine, Scope, Settings, Severity, Shows, Stage,
    View, When,
};
use ptp_events::{Event, Received, Resource};

const SLOPPY_SERVO: Cause = Cause::own("sloppy-servo", "System clock kept loosely", Stage::Os)
    .with_manual("phc2sys keeps the system clock, but with a servo that lets it wander.")
    .with_decide_by("the phc2sysOpts of the profile")
    .with_actions(&[Action {
        action: "Compare the phc2sysOpts with the site's reference profile",
        command: Some("oc -n {namespace} get ptpconfig -o yaml"),
    }]);

const LOOSE_OS_CLOCK: Detector = Detector {
    code: "loose-os-clock",
    summary: "a locked system clock is further off than this site accepts",
    manual: "The system clock is LOCKED, but its last offset exceeds 50 ns.",
    scope: Scope::Clock { subjects: &[Resource::OsClock], also: &[], when: When::Always },
    shows: Shows::cause(&SLOPPY_SERVO),
    examine,
    describe: |view| match view.clock.samples().last {
        Some((_, offset)) => format!("locked, but {offset} off"),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match view.clock.samples().last {
        Some((at, offset)) if view.clock.is_locked() && offset.magnitude() > 50 => {
            let since = Received::from_nanos(at);
            Assessment::Firing { severity: Severity::Warning, since, again: None }
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
    let detectors = [BUILT_IN, &[LOOSE_OS_CLOCK]].concat();
    let mut engine = Engine::with_detectors(Settings::default(), &detectors);
    engine.handle_event(event, received);
    engine.finish(received.after(std::time::Duration::from_mins(1)));
    for incident in engine.report().incidents {
        println!("{} {}, {}", incident.severity, incident.summary, incident.verdict.as_str());
        for todo in incident.recommendations {
            println!("  {}", todo.in_one_line());
        }
    }
    Ok(())
}
