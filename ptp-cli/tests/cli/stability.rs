//! `diagnose --stability`: what the clocks say of themselves, or why that says nothing.

use std::fs;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::{run, shown};

/// Two hours of a grandmaster and a follower that are asked every 20 s.
const SCENARIO: &str = r#"
length = "2h"
poll-every = "20s"
[[node]]
name = "gm-0"
role = "grandmaster"
[[node]]
name = "worker-0"
role = "follower"
parent = "gm-0"
"#;

fn recording(dir: &TempDir) -> String {
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("two.toml"), SCENARIO).unwrap();
    let output = run(&["simulate", "--scenario", &path("two.toml"), "-o", &path("two.jsonl")]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    path("two.jsonl")
}

#[test]
fn every_format_shows_it() {
    let dir = TempDir::new().unwrap();
    let file = recording(&dir);
    for format in ["human", "markdown", "ndjson"] {
        let output = run(&["diagnose", "--stability", "--format", format, &file]);
        let shown = shown(&output).replace(&dir.path().display().to_string(), "DIR");
        assert_snapshot!(format!("stability_{format}"), shown);
    }
}

/// A log has an offset a second: what G.8273.2 filters can be filtered.
#[test]
fn a_log_is_measured_through_the_filter() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("two.toml"), SCENARIO.replace("2h", "30m")).unwrap();
    let log = path("two.log");
    let output = run(&["simulate", "--scenario", &path("two.toml"), "--log", "full", "-o", &log]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    for format in ["human", "markdown"] {
        let output = run(&["diagnose", "--stability", "--format", format, &log]);
        let shown = shown(&output).replace(&dir.path().display().to_string(), "DIR");
        assert_snapshot!(format!("stability_log_{format}"), shown);
    }
}

#[test]
fn json_gains_one_field_and_only_when_asked() {
    let dir = TempDir::new().unwrap();
    let file = recording(&dir);
    let report = |args: &[&str]| -> serde_json::Value {
        serde_json::from_slice(&run(&[&["diagnose", "--format", "json"], args].concat()).stdout)
            .unwrap()
    };
    let mut with = report(&["--stability", &file]);
    let stability = with.as_object_mut().unwrap().remove("stability").unwrap();
    assert_eq!(with, report(&[&file]));
    let of_one = report(&["--stability", "--node", "worker-0", &file]);
    let nodes = of_one["stability"].as_array().unwrap().iter().map(|clock| &clock["node"]);
    assert!(nodes.eq(["worker-0", "worker-0"].iter()));
    assert_eq!(stability.as_array().unwrap().len(), 4);
}

#[test]
fn a_recording_of_changes_alone_is_refused() {
    let output = run(&["diagnose", "--stability", "recordings/gm_lock.jsonl"]);
    assert_snapshot!("stability_refused", shown(&output));
}
