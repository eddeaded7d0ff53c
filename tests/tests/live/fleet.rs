//! A few publishers, an agent, and a way to wait for what must come.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use ptp_agent::app::{App, Running};
use ptp_agent::config::Config;
use ptp_api::Secret;
use ptp_diagnostics::Settings;
use ptp_diagnostics::report::Report;
use ptp_events::client::Tls;
use ptp_events::publisher::{Options, Publisher};
use ptp_events::{
    Event, EventId, Instance, Measurement, NodeName, Reading, Resource, Stamped, SyncState,
};
use ptp_sinks::Destination;
use serde_json::Value;

pub(crate) fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// What the clients of a test trust and speak TLS with; ours are made by `ptp_events::client::Tls`.
fn with_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client for a test's own requests.
pub(crate) fn http() -> reqwest::Client {
    with_tls();
    reqwest::Client::new()
}

/// A destination of alerts without TLS or a token.
pub(crate) fn to(url: &str) -> Destination {
    Destination::new(Secret::new(url), Tls::platform(), None)
}

pub(crate) async fn publisher(name: &str) -> Publisher {
    with_tls();
    let node = NodeName::new(name).unwrap();
    let publisher = Publisher::bind(local(), node, Options::default()).await.unwrap();
    publisher.remember(&lock(name, SyncState::Locked, 3));
    publisher.remember(&os(name, SyncState::Locked, 5));
    publisher
}

pub(crate) fn config(publishers: &[&Publisher], journal: &Path) -> Config {
    let list = publishers.iter().map(|p| (p.url(), Some(p.node().clone()))).collect();
    Config { thresholds: quick(), ..Config::local(list, Some(journal.to_owned())) }
}

/// Thresholds in tenths of what they are, so that a test need not wait for long.
pub(crate) fn quick() -> Settings {
    Settings {
        loss_of_lock: Duration::from_secs(1),
        holdover: Duration::from_millis(300),
        resolve: Duration::from_secs(1),
        reopen: Duration::from_secs(1),
        ..Settings::default()
    }
}

/// A running agent and where its API is.
pub(crate) struct Agent {
    pub running: Running,
    pub receiver: SocketAddr,
    pub api: SocketAddr,
}

impl Agent {
    pub(crate) async fn start(config: Config) -> Self {
        let app = App::bind(config).await.unwrap();
        let (receiver, api) = (app.receiver_addr().unwrap(), app.api_addr().unwrap());
        Self { running: app.start().await.unwrap(), receiver, api }
    }

    pub(crate) fn report(&self) -> Report {
        self.running.engine.snapshot.borrow().report.clone()
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let answer = http().get(format!("http://{}{path}", self.api)).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(20), what, found).await
}

/// Waits for as long as that until `found` finds something.
pub(crate) async fn within<T>(
    patience: Duration,
    what: &str,
    mut found: impl FnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(begun.elapsed() < patience, "this never came: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether tests shall take the time that what they test takes in a cluster.
pub(crate) fn full_length() -> bool {
    std::env::var_os("PTP_TESTS_FULL_LENGTH").is_some_and(|value| value == "1")
}

/// Waits until everything is subscribed to and was asked for once: an answer that says what was
/// before a test's first event would overtake it.
pub(crate) async fn subscribed(publishers: &[&Publisher]) {
    let all = Resource::ALL.len();
    eventually("subscriptions and answers to everything", || {
        let done = |p: &&Publisher| p.subscriptions().len() >= all && p.asked() >= all as u64;
        publishers.iter().all(done).then_some(())
    })
    .await;
}

static IDS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

fn event(
    node: &str,
    resource: Resource,
    instance: &'static str,
    state: SyncState,
    ns: i64,
) -> Event {
    let id = IDS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let mut reading = Reading::new(Instance::from_static(instance));
    reading.state = Some(state);
    reading.offset = Some(Measurement::from_nanos(ns));
    Event {
        id: EventId::new(&format!("test-{id}")).unwrap(),
        node: NodeName::new(node).unwrap(),
        resource,
        stamped: Some(Stamped::from_nanos(i64::try_from(since).unwrap())),
        readings: [reading].into(),
    }
}

pub(crate) fn lock(node: &str, state: SyncState, ns: i64) -> Event {
    event(node, Resource::LockState, "ens1fx/master", state, ns)
}

pub(crate) fn os(node: &str, state: SyncState, ns: i64) -> Event {
    event(node, Resource::OsClock, "CLOCK_REALTIME", state, ns)
}
