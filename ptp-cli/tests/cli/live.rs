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
    // Whole, so that a failure under load says what else was found.
    let causes: Vec<_> = report["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|incident| format!("{}: {}", incident["root_cause"], incident["summary"]))
        .collect();
    assert_eq!(causes, [r#""gnss-signal-loss": "GNSS signal lost on gmnode""#]);
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

/// A publisher on this machine that says something, and its URL.
async fn talker() -> (ptp_events::publisher::Publisher, String) {
    use ptp_events::publisher::{Options, Publisher};
    let node = ptp_events::NodeName::new("gmnode").unwrap();
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let publisher = Publisher::bind(local, node, Options::default()).await.unwrap();
    let text = std::fs::read_to_string(top().join("recordings/initial_locked.jsonl")).unwrap();
    for line in text.lines() {
        let line = line.replace("/cluster/node/node1", "/cluster/node/gmnode");
        if let Ok(event) = ptp_events::Event::from_slice(line.as_bytes()) {
            publisher.remember(&event);
        }
    }
    let url = publisher.url();
    (publisher, url)
}

/// Lines come out as events come in, and an interrupt ends it within a second with nothing lost and
/// nothing left behind.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn recording_to_a_pipe_streams_and_ends_when_asked_to() {
    for signal in ["-INT", "-TERM"] {
        let (mut publisher, url) = talker().await;
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ptp-cli"))
            .args(["record", &format!("{url}=gmnode")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        assert!(first.contains("\"received\"") && first.contains("gmnode"), "{first}");
        while publisher.subscriptions().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let asked = std::time::Instant::now();
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(asked.elapsed() < std::time::Duration::from_secs(1), "{:?}", asked.elapsed());
        assert!(publisher.subscriptions().is_empty(), "{signal} left subscriptions behind");
        // Whatever is cut, no line is.
        assert!(out.lines().all(|line| line.unwrap().ends_with("}}")));
        publisher.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_over_tls_trusts_whom_it_is_told_to() {
    use crate::tls::{Authority, front};
    let dir = TempDir::new().unwrap();
    let (mut publisher, url) = talker().await;
    let behind = url.trim_start_matches("http://").parse().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let ca = ours.file(dir.path(), "ca.pem").display().to_string();
    for (authority, until, says) in [
        (&ours, 2099, None),
        (&theirs, 2099, Some("UnknownIssuer")),
        (&ours, 2021, Some("expired")),
    ] {
        let url = format!("https://{}", front(authority, until, behind).await);
        let args = ["record", "--ca-file", &ca, "--duration", "2s", &url].map(str::to_owned);
        let output = tokio::task::spawn_blocking(move || {
            run(&args.iter().map(String::as_str).collect::<Vec<_>>())
        });
        let output = output.await.unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match says {
            None => assert!(!output.stdout.is_empty(), "{stderr}"),
            Some(says) => {
                assert!(output.stdout.is_empty(), "nothing is taken from a stranger");
                assert!(stderr.contains(says), "{stderr}");
            }
        }
    }
    publisher.stop().await;
}

/// What was read is diagnosed when somebody has seen enough.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_reading_with_a_diagnosis() {
    use std::io::{Read as _, Write as _};
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("ptp-cli"))
        .args(["diagnose", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let events = std::fs::read(top().join("recordings/gnss_loss.jsonl")).unwrap();
    stdin.write_all(&events).unwrap();
    // A pipe that stays open, as that of `oc logs -f`; it is read within a moment.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let asked = std::time::Instant::now();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.wait().unwrap();
    assert!(asked.elapsed() < std::time::Duration::from_secs(1), "{:?}", asked.elapsed());
    let report: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["input"]["events"], 9);
    drop(stdin);
}
