//! Publishers are heard whatever others do. `cargo xtask torture` runs it at full length and shows the figures.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ptp_events::journal::Journal;
use ptp_events::recording::Origin;
use ptp_events::{Input, NodeName, Received};
use ptp_subscriber::target::PublisherName;
use ptp_subscriber::token::TokenKey;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::agent::{Agent, SECRET, agent, eventually, quiet};
use crate::event;

/// How many, unless `cargo xtask torture` asks for more.
fn many(variable: &str, usual: u32) -> u32 {
    std::env::var(variable).map_or(usual, |number| number.parse().unwrap())
}

/// A figure, for `cargo xtask torture` to find.
#[expect(clippy::print_stdout, reason = "it is what is measured")]
fn figure(name: &str, value: impl std::fmt::Display) {
    println!("figure: {name}: {value}");
}

/// What the pod may take, in MB: beyond, it is killed.
fn memory_limit_mb() -> f64 {
    let deployment = include_str!("../../../deploy/base/deployment.yaml");
    let (_, rest) = deployment.split_once("limits: {memory: ").unwrap();
    let (mebibytes, _) = rest.split_once("Mi}").unwrap();
    mebibytes.parse::<f64>().unwrap() * 1.048_576
}

/// Says how much memory the agent has, and that it is well below what the pod may take.
fn has_room(running: &Agent) {
    let (has, may) = (running.resident_mb(), memory_limit_mb());
    figure("resident memory, MB", has);
    assert!(has < may / 2.0, "{has} MB of {may} MB");
}

/// A publisher that keeps its connection, as Go's HTTP client does.
struct Post {
    stream: TcpStream,
    token: String,
    next: u32,
}

impl Post {
    fn connect(receiver: &str) -> Self {
        let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
        let stream = TcpStream::connect(receiver).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, token, next: 1 }
    }

    /// The same, once the agent knows who that is.
    fn known(receiver: &str) -> Self {
        let mut post = Self::connect(receiver);
        eventually("the agent knows the publisher", || post.is_taken().1.then_some(()));
        post
    }

    /// Posts one event; how long its answer took.
    fn post(&mut self) -> Duration {
        let (took, taken) = self.is_taken();
        assert!(taken, "an event is refused");
        took
    }

    fn is_taken(&mut self) -> (Duration, bool) {
        let body = event(self.next);
        self.next += 1;
        let (token, length) = (&self.token, body.len());
        let request = format!(
            "POST /event/{token} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let begun = Instant::now();
        self.stream.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 512];
        let read = self.stream.read(&mut answer).unwrap();
        (begun.elapsed(), answer[..read].starts_with(b"HTTP/1.1 204"))
    }

    fn median(&mut self, count: usize) -> Duration {
        let mut took: Vec<_> = (0..count).map(|_| self.post()).collect();
        took.sort_unstable();
        took[count / 2]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_that_hold_connections_keep_no_publisher_out() {
    let strangers = many("PTP_STRANGERS", 1_200);
    let dir = TempDir::new().unwrap();
    let running = tokio::task::block_in_place(|| Agent::start(&dir.path().join("journal.db")));
    let address: SocketAddr = running.receiver.parse().unwrap();
    let mut before = tokio::task::block_in_place(|| Post::known(&running.receiver));
    let mut held = Vec::new();
    for number in 0..strangers {
        let [_, _, high, low] = (number / 32).to_be_bytes();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 1, high, low], 0))).unwrap();
        held.push(socket.connect(address).await.unwrap());
    }
    let kept = tokio::task::block_in_place(|| before.median(50));
    let fresh = tokio::task::block_in_place(|| {
        let begun = Instant::now();
        Post::connect(&running.receiver).post();
        begun.elapsed()
    });
    figure("strangers that hold a connection", held.len());
    figure("median of a publisher's posts meanwhile, ms", kept.as_secs_f64() * 1e3);
    figure("a new publisher's first post meanwhile, ms", fresh.as_secs_f64() * 1e3);
    assert!(
        kept < Duration::from_millis(200) && fresh < Duration::from_secs(2),
        "{kept:?} {fresh:?}"
    );
    has_room(&running);
    drop(held);
}

#[test]
fn who_reads_the_journal_keeps_no_publisher_waiting() {
    let entries = many("PTP_ENTRIES", 20_000);
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let mut journal = Journal::open(&path).unwrap();
    let node = NodeName::new("w1").unwrap();
    let inputs: Vec<_> = (0..entries)
        .map(|number| {
            let body = event(number).into_bytes();
            (
                Received::parse("2026-11-23T06:40:30Z").unwrap(),
                Input::Event { origin: Origin::Push, node: Some(node.clone()), body },
            )
        })
        .collect();
    journal.append(inputs.iter().map(|(at, input)| (*at, input))).unwrap();
    drop(journal);
    let mut command = quiet(agent(), &path);
    command.args(["--publisher", "http://127.0.0.1:1=w1"]);
    let running = Agent::run(command);
    let mut publisher = Post::known(&running.receiver);
    let alone = publisher.median(100);
    let stop = AtomicBool::new(false);
    let meanwhile = std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = running.get("/api/v1/events?limit=1000");
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let meanwhile = publisher.median(100);
        stop.store(true, Ordering::Relaxed);
        meanwhile
    });
    figure("median of a publisher's posts alone, ms", alone.as_secs_f64() * 1e3);
    figure("the same while 16 read the journal, ms", meanwhile.as_secs_f64() * 1e3);
    has_room(&running);
    assert!(meanwhile < Duration::from_millis(250), "{meanwhile:?}, and {alone:?} alone");
    running.stop();
}

#[test]
fn sessions_nobody_uses_take_no_memory() {
    let sessions = many("PTP_SESSIONS", 500);
    let dir = TempDir::new().unwrap();
    let running = Agent::start(&dir.path().join("journal.db"));
    let before = running.resident_mb();
    let client = reqwest::blocking::Client::new();
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
    for _ in 0..sessions {
        let answer = client
            .post(format!("{}/mcp", running.url()))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(initialize)
            .send()
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    let after = running.resident_mb();
    figure("sessions that were begun", sessions);
    figure("resident memory before, MB", before);
    figure("resident memory after, MB", after);
    assert!(after < before + 60.0, "{before} MB, then {after} MB");
    has_room(&running);
    running.stop();
}
