//! Recording from live publishers, and playing back to a live subscriber.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

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
