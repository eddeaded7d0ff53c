//! A running subscriber to test, and patience.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ptp_events::publisher::{Options, Publisher};
use ptp_events::server::{Limits, Refusal, receiver, serve};
use ptp_events::{Event, NodeName, ReceiveClock, Received};
use ptp_subscriber::directory::{Directory, Untokened};
use ptp_subscriber::driver::{self, Observation, Settings};
use ptp_subscriber::gate::{Accepted, Gate, Intake};
use ptp_subscriber::reconcile::{Backoff, Pace};
use ptp_subscriber::target::Target;
use ptp_subscriber::token::TokenKey;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Waits until `condition` holds, and not a moment longer.
#[track_caller]
pub(crate) fn eventually(
    what: &'static str,
    mut condition: impl FnMut() -> bool,
) -> impl Future<Output = ()> {
    let place = std::panic::Location::caller();
    async move {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < Duration::from_secs(10), "{place}: still waiting: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) fn node(name: &str) -> NodeName {
    NodeName::new(name).unwrap()
}

pub(crate) async fn publisher(name: &str) -> Publisher {
    publisher_with(name, Options::default()).await
}

pub(crate) async fn publisher_with(name: &str, options: Options) -> Publisher {
    Publisher::bind("127.0.0.1:0", node(name), options).await.unwrap()
}

pub(crate) fn lock_state(node: &str, state: &str) -> Event {
    let text = format!(
        r#"{{"id":"1","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30.5Z","data":{{"values":[
            {{"ResourceAddress":"/cluster/node/{node}/ens1fx/master","data_type":"notification","value":"{state}"}},
            {{"ResourceAddress":"/cluster/node/{node}/ens1fx/master","data_type":"metric","value":"-3"}}]}}}}"#
    );
    Event::from_slice(text.as_bytes()).unwrap()
}

/// Puts accepted events into a channel.
pub(crate) struct Queue(mpsc::UnboundedSender<Accepted>);

impl Intake for Queue {
    async fn take(&self, accepted: Vec<Accepted>) -> Result<(), Refusal> {
        accepted.into_iter().try_for_each(|one| self.0.send(one).map_err(|_| Refusal::Busy))
    }
}

/// Everything an agent has between its sockets and its engine.
pub(crate) struct Subscriber {
    pub(crate) targets: watch::Sender<Vec<Target>>,
    pub(crate) gate: Arc<Gate<Queue>>,
    pub(crate) directory: Directory,
    pub(crate) callback_base: String,
    accepted: mpsc::UnboundedReceiver<Accepted>,
    observed: mpsc::Receiver<Observation>,
    stop: CancellationToken,
    driving: JoinHandle<()>,
    pub(crate) all_accepted: Vec<Accepted>,
    pub(crate) all_observed: Vec<Observation>,
}

/// As in a cluster, only faster.
fn quick(settings: &mut Settings) {
    settings.pace = Pace {
        check: Duration::from_millis(100),
        pull: Duration::from_millis(200),
        backoff: Backoff { first: Duration::from_millis(20), most: Duration::from_millis(100) },
        ..Pace::default()
    };
}

impl Subscriber {
    pub(crate) async fn start(targets: Vec<Target>) -> Self {
        Self::start_with(targets, quick).await
    }

    pub(crate) async fn start_with(
        targets: Vec<Target>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback_base = format!("http://{}", listener.local_addr().unwrap());
        let key = TokenKey::new(&[7; 32]).unwrap();
        let directory = Directory::new(key, Untokened::Refuse);
        let (accepting, accepted) = mpsc::unbounded_channel();
        let gate = Arc::new(Gate::new(directory.clone(), Queue(accepting)));
        let clock = ReceiveClock::new(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            Received::from_nanos(i64::try_from(now.as_nanos()).unwrap())
        });
        let stop = CancellationToken::new();
        let router = receiver(Arc::clone(&gate), clock.clone());
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(serve(listener, router, Limits::default(), stopped));

        let mut settings = Settings::new(&callback_base);
        change(&mut settings);
        let (sender, receiver) = watch::channel(targets);
        let (observing, observed) = mpsc::channel(1024);
        let driving =
            driver::run(receiver, settings, directory.clone(), clock, observing, stop.clone());
        let driving = tokio::spawn(async move { driving.await.unwrap() });
        Self {
            targets: sender,
            gate,
            directory,
            callback_base,
            accepted,
            observed,
            stop,
            driving,
            all_accepted: Vec::new(),
            all_observed: Vec::new(),
        }
    }

    /// Looks at what has come in so far.
    pub(crate) fn drain(&mut self) -> &mut Self {
        while let Ok(accepted) = self.accepted.try_recv() {
            self.all_accepted.push(accepted);
        }
        while let Ok(observation) = self.observed.try_recv() {
            self.all_observed.push(observation);
        }
        self
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.driving.await.unwrap();
    }
}

pub(crate) fn target(publisher: &Publisher, node: Option<&str>) -> Target {
    let node = node.map(|node| NodeName::new(node).unwrap());
    ptp_subscriber::discovery::fixed([(publisher.url(), node)]).borrow()[0].clone()
}
