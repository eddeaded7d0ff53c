//! What the receiver answers, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ptp_events::client::Tls;
use ptp_events::server::{Delivery, Limits, Refusal, Rejection, Sink, receiver, serve};
use ptp_events::{ReceiveClock, Received};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const EVENT: &str = r#"{"id":"1","source":"/sync/sync-status/sync-state","type":"event.sync.sync-status.synchronization-state-change","time":"2026-11-23T06:40:30Z","data":{"values":[{"ResourceAddress":"/cluster/node/n/sync/sync-status/sync-state","data_type":"notification","value":"LOCKED"}]}}"#;

/// Refuses by token.
#[derive(Default)]
struct Picky {
    taken: AtomicUsize,
    rejected: AtomicUsize,
}

impl Sink for Picky {
    async fn take(&self, delivery: Delivery) -> Result<(), Refusal> {
        match delivery.token.as_deref() {
            Some("busy") => Err(Refusal::Busy),
            Some("full-disk") => Err(Refusal::CannotStore),
            Some("stranger") => Err(Refusal::UnknownToken),
            Some("liar") => Err(Refusal::WrongNode),
            Some("asleep") => std::future::pending().await,
            _ => {
                self.taken.fetch_add(delivery.events.len(), Ordering::Relaxed);
                Ok(())
            }
        }
    }

    fn rejected(&self, _: &Rejection) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }
}

async fn start(limits: Limits) -> (Arc<Picky>, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let sink = Arc::new(Picky::default());
    let clock = ReceiveClock::new(|| Received::from_nanos(0));
    let router = receiver(Arc::clone(&sink), clock);
    tokio::spawn(serve(listener, router, limits, std::future::pending()));
    (sink, addr)
}

async fn post(url: String, body: impl Into<reqwest::Body>) -> (u16, String, String) {
    let http = Tls::platform().builder().unwrap().no_proxy().build().unwrap();
    let answer = http.post(url).body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type");
    let kind = kind.map_or(String::new(), |kind| kind.to_str().unwrap().to_owned());
    (status, kind, answer.text().await.unwrap())
}

#[tokio::test]
async fn the_table_of_answers() {
    let (sink, addr) = start(Limits::default()).await;
    let placeholder = EVENT.replace("n/sync/sync-status/sync-state\"", "n/ptp-not-set\"");
    let large = " ".repeat((1 << 20) + 1);
    // As StarlingX sends them.
    let two = format!("[{EVENT},\n {EVENT}]");
    let one_bad = format!("[{EVENT},{{}}]");
    let many = format!("[{}]", [EVENT; 257].join(","));
    let table = [
        ("/event", EVENT, 204),
        ("/event/0a1b", EVENT, 204),
        ("/event", "", 204),
        ("/event", " \n", 204),
        ("/event", &placeholder, 204),
        ("/event", &two, 204),
        ("/event", " [] ", 204),
        ("/event", &one_bad, 400),
        ("/event", &many, 400),
        ("/event", "[[]]", 400),
        ("/event", "[", 400),
        ("/event", "hello", 400),
        ("/event", "{}", 400),
        ("/event", "\u{0}", 400),
        ("/event", &large, 413),
        ("/event/busy", EVENT, 503),
        ("/event/full-disk", EVENT, 503),
        ("/event/stranger", EVENT, 404),
        ("/event/liar", EVENT, 403),
        ("/event/liar", &two, 403),
    ];
    for (path, body, expect) in table {
        let (status, kind, text) = post(format!("http://{addr}{path}"), body.to_owned()).await;
        assert_eq!(status, expect, "{path} {text}");
        if status == 204 {
            assert_eq!(text, "");
        } else {
            assert_eq!(kind, "application/problem+json", "{path}");
            let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(problem["status"], expect);
            assert!(!problem["detail"].as_str().unwrap().is_empty());
        }
    }
    assert_eq!(sink.taken.load(Ordering::Relaxed), 5);
    assert_eq!(sink.rejected.load(Ordering::Relaxed), 13);
    let long = format!("http://{addr}/event/{}", "x".repeat(200));
    assert_eq!(post(long, EVENT).await.0, 404);
}

#[tokio::test]
async fn a_sink_that_hangs_is_answered_for_before_the_publisher_gives_up() {
    let (_sink, addr) = start(Limits::default()).await;
    let began = Instant::now();
    let (status, _, _) = post(format!("http://{addr}/event/asleep"), EVENT).await;
    assert_eq!(status, 503);
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// Half of them stop in the headers, half in the body, and some go on byte by byte.
#[tokio::test]
async fn two_hundred_half_sent_requests_are_closed() {
    let limits = Limits { request: Duration::from_millis(300), ..Limits::default() };
    let (sink, addr) = start(limits).await;
    let mut clients = JoinSet::new();
    for number in 0..200 {
        clients.spawn(async move {
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let half = match number % 3 {
                0 => "POST /event HTTP/1.1\r\nHost: a\r\nContent-".to_owned(),
                1 => format!(
                    "POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{{",
                    EVENT.len()
                ),
                _ => String::new(),
            };
            stream.write_all(half.as_bytes()).await.unwrap();
            let (mut read, mut write) = stream.into_split();
            let drip = tokio::spawn(async move {
                while number % 10 == 0 && write.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                write
            });
            let mut rest = Vec::new();
            // An error is a closed connection too.
            let _ = read.read_to_end(&mut rest).await;
            drip.abort();
        });
    }
    let closed = async { while clients.join_next().await.is_some() {} };
    let closed = tokio::time::timeout(Duration::from_secs(10), closed).await;
    assert!(closed.is_ok(), "connections are still open");
    let (status, _, _) = post(format!("http://{addr}/event"), EVENT).await;
    assert_eq!(status, 204);
    assert_eq!(sink.taken.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_is_kept_between_events_and_further_ones_wait() {
    let limits = Limits {
        connections: 1,
        request: Duration::from_millis(200),
        idle: Duration::from_millis(700),
        ..Limits::default()
    };
    let (_sink, addr) = start(limits).await;
    let request = format!(
        "POST /event HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{EVENT}",
        EVENT.len()
    );
    let mut first = TcpStream::connect(addr).await.unwrap();
    let mut answer = [0; 512];
    for _ in 0..2 {
        first.write_all(request.as_bytes()).await.unwrap();
        let read = first.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 204 "));
        // Longer than a request may take: this is the time between two.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let mut second = TcpStream::connect(addr).await.unwrap();
    second.write_all(request.as_bytes()).await.unwrap();
    let wait = tokio::time::timeout(Duration::from_millis(100), second.read(&mut answer)).await;
    assert!(wait.is_err(), "the place is taken");
    drop(first);
    let read = second.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 204 "));
}

#[tokio::test]
async fn stopping_lets_a_running_request_finish() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let clock = ReceiveClock::new(|| Received::from_nanos(0));
    let router = receiver(Arc::new(Picky::default()), clock);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, router, Limits::default(), async {
        let _ = stopped.await;
    }));
    let running = tokio::spawn(post(format!("http://{addr}/event/asleep"), EVENT));
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    assert_eq!(running.await.unwrap().0, 503);
    serving.await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_head_that_never_ends_is_refused() {
    let (_sink, addr) = start(Limits::default()).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!("POST /event HTTP/1.1\r\nX: {}", "x".repeat(64 << 10));
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Reset or closed: the rest of what was sent is thrown away.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431 "));
}

/// One that takes its answers keeps its connection for as long as they go on, and one that does not loses it.
#[tokio::test]
async fn a_stream_lives_as_long_as_its_client_and_one_that_is_not_read_is_closed() {
    use axum::body::{Body, Bytes};
    use axum::routing::get;
    let ticks = || async {
        let ticks = futures_util::stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (n < 15).then_some((Ok::<_, std::io::Error>(Bytes::from_static(b"tick\n")), n + 1))
        });
        Body::from_stream(ticks)
    };
    let flood = || async { vec![b'x'; 64 << 20] };
    let router = axum::Router::new().route("/ticks", get(ticks)).route("/flood", get(flood));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (request, idle) = (Duration::from_millis(300), Duration::from_millis(400));
    let limits = Limits { request, idle, stranger_idle: idle, ..Limits::default() };
    tokio::spawn(serve(listener, router, limits, std::future::pending()));
    let ask = |path: &'static str| async move {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let mut read = String::new();
    let _ = ask("/ticks").await.read_to_string(&mut read).await;
    assert_eq!(read.matches("tick").count(), 15, "1.5 s, and 0.4 s may pass between two");
    let mut unread = ask("/flood").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut got = Vec::new();
    let _ = unread.read_to_end(&mut got).await;
    assert!(got.len() < 64 << 20, "it was cut off after 0.3 s");
}

/// Only who has shown a token keeps a connection that is idle.
#[tokio::test]
async fn strangers_are_closed_sooner_than_those_who_showed_a_token() {
    let limits = Limits { stranger_idle: Duration::from_millis(200), ..Limits::default() };
    let (_sink, addr) = start(limits).await;
    let mut answer = [0; 512];
    for (path, stays) in [("/event/known", true), ("/event", false)] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{EVENT}",
            EVENT.len()
        );
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let read = stream.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 204 "), "{path}");
        let more = tokio::time::timeout(Duration::from_millis(600), stream.read(&mut answer)).await;
        assert_eq!(more.is_err(), stays, "{path}");
    }
}
