//! `ptp-report/v1`: what is written is what the published schema says, and reads back as it was.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::path::Path;

use ptp_diagnostics::{Engine, Report, Settings};
use ptp_events::NodeName;
use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::recording::Reader;
use serde_json::Value;

fn diagnosed(recording: &[u8]) -> Report {
    let settings = Settings { curve_points: 60, ..Settings::default() };
    let mut engine = Engine::new(settings);
    let log = DaemonLog::new(NodeName::new("n1").unwrap(), DaemonSettings::default());
    for recorded in Reader::with_daemon(recording, log).flatten() {
        let at = recorded.time();
        engine.handle_evidence(recorded.evidence, at);
    }
    engine.report()
}

#[test]
fn every_recordings_report_fits_the_published_schema_and_reads_back() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema = std::fs::read(top.join("docs/ptp-report-v1.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let mut incidents = 0;
    for file in std::fs::read_dir(top.join("recordings")).unwrap() {
        let path = file.unwrap().path();
        let name = path.display().to_string();
        let report = serde_json::to_value(diagnosed(&std::fs::read(&path).unwrap())).unwrap();
        ptp_tests::fits(&name, &schema, &report);
        let again: Report = serde_json::from_value(report.clone()).unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), report, "{name}");
        incidents += report["incidents"].as_array().unwrap().len();
    }
    assert!(incidents > 10, "only {incidents}");
}
