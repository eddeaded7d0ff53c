//! A file, decoded and diagnosed: `cargo run -p ptp-examples --example diagnose_file [FILE]`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use ptp_diagnostics::{Engine, Settings};
use ptp_events::recording::Reader;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).unwrap_or("recordings/gnss_loss.jsonl".to_owned());
    let file = std::io::BufReader::new(std::fs::File::open(file)?);
    let mut engine = Engine::new(Settings::default());
    for recorded in Reader::new(file) {
        let recorded = recorded?;
        let at = recorded.time();
        engine.handle_evidence(recorded.evidence, at);
    }
    engine.end(std::time::Duration::from_mins(1));
    for incident in engine.report().incidents {
        println!("{} {} ({})", incident.severity, incident.summary, incident.root_cause);
    }
    Ok(())
}
