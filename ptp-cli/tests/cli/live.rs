//! Recording from live publishers, and playing back to a live subscriber.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::{run, top};

#[test]
fn what_is_replayed_can_be_recorded_and_diagnosed_again() {
    let dir = TempDir::new().unwrap();
    let recording = dir.path().join("again.jsonl").display().to_string();
    let program = assert_cmd::cargo::cargo_bin!("ptp-cli");
    let mut replay = Command::new(program)
        .current_dir(top())
        .args(["replay", "--speed", "2", "recordings/gm_lock.jsonl", "recordings/gnss_loss.jsonl"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(replay.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (node, url) = line.trim().split_once(' ').unwrap();
    assert_eq!(node, "gmnode");
    let recorded = run(&["record", "--duration", "5s", "-o", &recording, url]);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    assert!(replay.wait().unwrap().success());
    let output = run(&["diagnose", "--format", "json", &recording]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["incidents"][0]["root_cause"], "gnss-signal-loss");
    assert_eq!(report["incidents"].as_array().unwrap().len(), 1);
}

const OUTAGE: &str = r#"
    length = "100s"
    [[node]]
    name = "gm-0"
    role = "grandmaster"
    [[node]]
    name = "worker-0"
    role = "follower"
    parent = "gm-0"
    [[fault]]
    kind = "gnss-signal-loss"
    nodes = ["gm-0"]
    start = "25s"
"#;

/// Serves a scenario ten times as fast; returns what it prints.
fn serve(dir: &TempDir) -> (Child, BufReader<ChildStdout>) {
    let scenario = dir.path().join("outage.toml");
    std::fs::write(&scenario, OUTAGE).unwrap();
    let mut served = Command::new(assert_cmd::cargo::cargo_bin!("ptp-cli"))
        .args(["simulate", "--serve", "--speed", "10", "--scenario"])
        .arg(scenario)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(served.stdout.take().unwrap());
    (served, out)
}

#[test]
fn what_is_simulated_can_be_subscribed_to_recorded_and_diagnosed() {
    let dir = TempDir::new().unwrap();
    let recording = dir.path().join("served.jsonl").display().to_string();
    let (mut served, out) = serve(&dir);
    let lines: Vec<String> = out.lines().take(3).map(Result::unwrap).collect();
    let [(gm, gm_url), (worker, worker_url)] =
        [&lines[0], &lines[1]].map(|line| line.split_once(' ').unwrap());
    assert_eq!((gm, worker), ("gm-0", "worker-0"));
    assert_eq!(lines[2], "truth: gnss-signal-loss at gm-0 from 25 s");
    let recorded = run(&["record", "--duration", "9s", "-o", &recording, gm_url, worker_url]);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    assert!(served.wait().unwrap().success());
    let output = run(&["diagnose", "--format", "json", &recording]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let incidents = report["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["root_cause"], "gnss-signal-loss");
    assert_eq!(incidents[0]["origin_nodes"], serde_json::json!(["gm-0"]));
    assert_eq!(report["nodes"].as_array().unwrap().len(), 2);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_serving() {
    let dir = TempDir::new().unwrap();
    let (mut served, mut out) = serve(&dir);
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let interrupted = Command::new("kill").args(["-INT", &served.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    assert_eq!(served.wait().unwrap().code(), Some(0));
}
