//! A running agent, asked from outside.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::{command, run};

/// Answers one request with this, and hands out what was asked.
fn agent(status: &str, body: &Value) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..read]).into_owned()
    });
    (url, asked)
}

#[test]
fn what_fires_is_listed_and_is_the_exit_code() {
    let report = run(&["diagnose", "--format", "json", "recordings/gnss_loss.jsonl"]).stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    let (url, asked) = agent("200 OK", &json!({"items": report["incidents"]}));
    let output = run(&["incidents", "--agent", &url, "--token", "secret-of-the-test"]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("GNSS signal lost on gmnode (gnss-signal-loss), firing"), "{told}");
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("GET /api/v1/incidents?status=firing&limit=1000 HTTP/1.1"),
        "{asked}"
    );
    assert!(asked.contains("authorization: Bearer secret-of-the-test"), "{asked}");
}

#[test]
fn who_is_not_let_in_is_told_how() {
    let (url, _asked) = agent("401 Unauthorized", &json!({"detail": "this needs a token"}));
    let output = run(&["nodes", "--agent", &url]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("this needs a token (--token, PTP_AGENT_TOKEN)"), "{told}");
}

#[test]
fn an_agent_that_is_not_there_is_named() {
    let output = command(&["silence", "list"]).env("PTP_AGENT_URL", "http://127.0.0.1:1").output();
    let told = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(told.contains("cannot reach the agent at http://127.0.0.1:1"), "{told}");
}

#[test]
fn a_silence_is_asked_for_as_it_is_meant() {
    let made = json!({
        "id": "1", "node": "w1", "from": "2026-11-23T06:40:30Z", "until": "2026-11-23T08:40:30Z",
        "comment": "NIC firmware", "created_by": "me", "warnings": ["no node `w1` is known"],
    });
    let (url, asked) = agent("201 Created", &made);
    let output = run(&[
        "silence",
        "add",
        "--agent",
        &url,
        "--node",
        "w1",
        "--duration",
        "2h",
        "--comment",
        "NIC firmware",
        "--by",
        "me",
    ]);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("warning: no node `w1` is known"), "{warned}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("1  everything on w1, 2026-11-23 06:40:30.000 UTC to "), "{told}");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("POST /api/v1/silences HTTP/1.1"), "{asked}");
}
