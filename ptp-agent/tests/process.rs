//! The program itself: killed, stopped, misconfigured.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ptp_events::journal::{Input, Journal};
use ptp_subscriber::target::PublisherName;
use ptp_subscriber::token::TokenKey;
use tempfile::TempDir;

const SECRET: &str = "a secret that is for tests only, really";

fn agent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ptp-agent"));
    command.env_clear();
    command
}

/// A running agent with one publisher that never answers, and where it receives events.
struct Agent {
    child: Child,
    receiver: String,
    api: String,
    log: BufReader<std::process::ChildStderr>,
}

impl Agent {
    #[expect(clippy::zombie_processes, reason = "each test waits for it; a failed one ends anyway")]
    fn start(journal: &Path) -> Self {
        let mut child = agent()
            .args(["--listen", "127.0.0.1:0", "--api-address", "127.0.0.1", "--port", "0"])
            .args(["--publisher", "http://127.0.0.1:1=w1", "--callback-secret", SECRET])
            .args(["--grace", "5s", "--journal"])
            .arg(journal)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the agent ended early");
            if let Some(fields) = line.split_once("\"receiver\":\"").map(|(_, rest)| rest) {
                let receiver = fields.split('"').next().unwrap().to_owned();
                let api = line.split_once("\"api\":\"").unwrap().1.split('"').next().unwrap();
                let api = api.to_owned();
                return Self { child, receiver, api, log };
            }
        }
    }
}

fn event(id: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e{id}","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30.{id:09}Z","data":{{"version":"1.0","values":[{{"ResourceAddress":"/cluster/node/w1/ens1fx/master","data_type":"notification","value_type":"enumeration","value":"LOCKED"}}]}}}}"#
    )
}

/// Posts events over one connection until it breaks; returns the ids answered with 204.
fn post(receiver: &str, first: u32) -> Vec<u32> {
    let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
    let mut stream = TcpStream::connect(receiver).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut acknowledged = Vec::new();
    for id in first.. {
        let body = event(id);
        let head = format!(
            "POST /event/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            break;
        }
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => answer.push(byte[0]),
                _ => return acknowledged,
            }
        }
        if answer.starts_with(b"HTTP/1.1 204") {
            acknowledged.push(id);
        }
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let mut acknowledged = HashSet::new();
    for round in 0..20u32 {
        let mut agent = Agent::start(&path);
        let posting: Vec<_> = (0..4)
            .map(|thread| {
                let receiver = agent.receiver.clone();
                std::thread::spawn(move || post(&receiver, round * 1_000_000 + thread * 100_000))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30 + u64::from(round) * 7));
        agent.child.kill().unwrap();
        agent.child.wait().unwrap();
        for thread in posting {
            acknowledged.extend(thread.join().unwrap());
        }
    }
    assert!(acknowledged.len() > 200, "only {} events in 20 rounds", acknowledged.len());
    let journal = Journal::open_read_only(&path).unwrap();
    let mut kept = HashSet::new();
    let mut seq = 0;
    loop {
        let entries = journal.after(seq, 10_000).unwrap();
        let Some(last) = entries.last() else { break };
        seq = last.seq;
        for entry in entries {
            if let Input::Event { .. } = entry.input {
                let event = entry.input.event().unwrap().unwrap();
                kept.insert(event.id.to_string()[1..].parse::<u32>().unwrap());
            }
        }
    }
    let missing: Vec<_> = acknowledged.difference(&kept).collect();
    assert!(missing.is_empty(), "{} of {} missing", missing.len(), acknowledged.len());
}

#[test]
fn sigterm_ends_it_in_order() {
    let dir = TempDir::new().unwrap();
    let mut agent = Agent::start(&dir.path().join("journal.db"));
    let healthy = reqwest::blocking::get(format!("http://{}/livez", agent.api)).unwrap();
    assert_eq!(healthy.status().as_u16(), 200);
    let begun = Instant::now();
    let id = agent.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = agent.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(begun.elapsed() < Duration::from_secs(8));
    let mut rest = String::new();
    agent.log.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"stopped\""), "{rest}");
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret_is() {
    let output = agent()
        .args(["check-config"])
        .env("SLACK_WEBHOOK_URL", "hooks.slack.example/T000/very-secret")
        .env("ALERT_EVENT_TYPES", "sync-state,nonsense")
        .env("ALERT_OFFSET_THRESHOLD", "0")
        .env("PTP_AGENT_CALLBACK_SECRET", "short-secret")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr.contains("very-secret") && !stderr.contains("short-secret"), "{stderr}");
    insta::assert_snapshot!(stderr, @"
    error: the configuration cannot work:
      --alert-resources (ALERT_EVENT_TYPES): no such resource: nonsense; there are gnss-sync-status, lock-state, clock-class, os-clock-sync-state, sync-state, synce-lock-state, synce-clock-quality
      thresholds: `offset-ns` must be at least 1
      --slack-webhook-url: must be an http or https URL
      --callback-secret: needs at least 32 bytes
    ");
}

#[test]
fn a_good_configuration_works() {
    let output = agent().arg("check-config").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "the configuration works\n");
    assert!(output.status.success());
}

#[test]
fn no_text_from_outside_forges_a_line_of_the_log() {
    let dir = TempDir::new().unwrap();
    let mut agent = Agent::start(&dir.path().join("journal.db"));
    let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
    let forged = event(1).replace("LOCKED", "x\\n{\\\"level\\\":\\\"ERROR\\\",\\\"forged\\\":1}");
    let url = format!("http://{}/event/{token}", agent.receiver);
    let client = reqwest::blocking::Client::new();
    // The publisher is let in a moment after the receiver serves.
    let taken = (0..100).any(|_| {
        let answer = client.post(&url).body(forged.clone()).send().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        answer.status().as_u16() == 204
    });
    assert!(taken);
    let id = agent.child.id().to_string();
    Command::new("kill").args(["-TERM", &id]).status().unwrap();
    agent.child.wait().unwrap();
    for line in agent.log.lines() {
        let line = line.unwrap();
        let json: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert!(json.get("forged").is_none());
    }
}
