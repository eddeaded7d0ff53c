//! An alert reaches its sink once, whatever becomes of the agent meanwhile.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ptp_subscriber::target::PublisherName;
use ptp_subscriber::token::TokenKey;
use tempfile::TempDir;

use crate::agent::{Agent, SECRET, agent, eventually, quiet};
use crate::event;

/// How often it is tried; `PTP_KILLS=100` is what docs/operations.md tells of.
const KILLS: u32 = 6;

/// A webhook that is away at first.
#[derive(Default)]
struct Hook {
    is_back: AtomicBool,
    refused: AtomicU32,
    /// How often each incident's status was taken.
    taken: Mutex<BTreeMap<(String, String), u32>>,
}

impl Hook {
    fn start() -> (Arc<Self>, String) {
        let hook = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let serving = Arc::clone(&hook);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serving.answer(stream.unwrap());
            }
        });
        (hook, url)
    }

    /// One request to a connection.
    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        // The agent was killed in the middle of it.
        if reader.read_exact(&mut body).is_err() || length == 0 {
            return;
        }
        let status = if self.is_back.load(Ordering::Relaxed) {
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let alert = &body["data"]["alert"];
            let field = |name: &str| alert[name].as_str().unwrap().to_owned();
            let key = (field("incident"), field("status"));
            // The publisher is not there at all, which is told too.
            if field("root_cause") == "telemetry-gap" {
                return Self::say(&mut stream, "204 No Content");
            }
            *self.taken.lock().unwrap().entry(key).or_default() += 1;
            "204 No Content"
        } else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            "503 Service Unavailable"
        };
        Self::say(&mut stream, status);
    }

    fn say(stream: &mut TcpStream, status: &str) {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        // Whoever asked may be gone.
        let _ = stream.write_all(answer.as_bytes());
    }
}

#[test]
fn an_alert_is_told_once_however_the_agent_ends() {
    let kills = std::env::var("PTP_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    println!("figure: ends of the agent around an alert: {kills}");
    for kill in 0..kills {
        let dir = TempDir::new().unwrap();
        let (hook, url) = Hook::start();
        std::fs::write(dir.path().join("thresholds.toml"), "loss-of-lock = \"1s\"\n").unwrap();
        let start = || {
            let mut command = quiet(agent(), &dir.path().join("journal.db"));
            command
                .args(["--publisher", "http://127.0.0.1:1=w1", "--webhook", &url, "--thresholds"])
                .arg(dir.path().join("thresholds.toml"));
            Agent::run(command)
        };
        let mut running = start();
        let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
        let post = format!("http://{}/event/{token}", running.receiver);
        let client = reqwest::blocking::Client::new();
        let freerun = event(2).replace("LOCKED", "FREERUN");
        for body in [event(1), freerun] {
            eventually("an event is accepted", || {
                let sent = client.post(&post).body(body.clone()).send();
                sent.is_ok_and(|answer| answer.status() == 204).then_some(())
            });
        }
        // Before the alert is raised, while it is, and while it is tried again.
        std::thread::sleep(Duration::from_millis(u64::from(kill * 2_500 / kills)));
        if kill % 2 == 0 {
            running.child.kill().unwrap();
            running.child.wait().unwrap();
            drop(running);
        } else {
            running.stop();
        }
        hook.is_back.store(true, Ordering::Relaxed);
        let again = start();
        let begun = Instant::now();
        eventually("an alert", || (!hook.taken.lock().unwrap().is_empty()).then_some(()));
        let took = begun.elapsed();
        // Nothing more comes.
        std::thread::sleep(Duration::from_millis(300));
        again.stop();
        let taken = hook.taken.lock().unwrap();
        let told: Vec<_> = taken.iter().filter(|((_, status), _)| status == "opened").collect();
        assert!(told.len() == 1 && told.iter().all(|(_, count)| **count == 1), "{kill}: {taken:?}");
        assert!(took < Duration::from_secs(10), "{kill}: after {took:?}");
    }
}
