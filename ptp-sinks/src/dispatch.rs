//! Who hears of what, and again until it was heard.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ptp_api::{Delivery, DeliveryOutcome};
use ptp_diagnostics::report::AlertStatus;
use ptp_events::ReceiveClock;
use ptp_store::{Record, Store, Undelivered};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::outbox::Mailbox;
use crate::told::delivery;
use crate::{Host, Message, Named, Silences, SinkError, SinkStatus, ToldLog, alertmanager};

/// How long the first pause between tries is; each further one is twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How often it is looked whether a silence has ended.
const SILENCES_EVERY: Duration = Duration::from_secs(10);
/// How many silenced incidents are remembered for when their silence ends.
const MAX_SILENCED: usize = 10_000;

/// What telling people needs besides the alerts and the sinks.
pub struct Telling {
    /// The silences in force.
    pub silences: Silences,
    /// What fires and was not told before the last restart, because of a silence.
    pub silenced: Vec<Message>,
    /// The time that silences are held against.
    pub clock: ReceiveClock,
    /// Whoever runs the sinks.
    pub host: Arc<dyn Host>,
    /// What sinks were not told before the last restart.
    pub undelivered: Vec<Undelivered>,
    /// Where what is not told yet is kept.
    pub store: Store,
    /// How long sinks may take to finish.
    pub grace: Duration,
    /// Where it is noted what became of each alert.
    pub told: ToldLog,
}

/// Hands every alert to every sink until `stop`; then what has been raised by then, and lets the
/// sinks finish, within the grace.
pub async fn dispatch(
    mut alerts: mpsc::Receiver<Message>,
    sinks: Vec<Named>,
    telling: Telling,
    stop: CancellationToken,
) {
    let Telling { silences, silenced, undelivered, store, clock, host, grace, told } = telling;
    let keeper = Keeper::new(store);
    let mut tasks = JoinSet::new();
    let mut queues = Vec::new();
    for sink in sinks {
        let mailbox = Arc::new(Mailbox::default());
        queues.push((Arc::clone(&mailbox), sink.name.clone(), Arc::clone(&sink.status)));
        told.add_sink(&sink.name, Arc::clone(&sink.status), Arc::clone(&mailbox));
        let (host, keeper) = (Arc::clone(&host), keeper.clone());
        let (told, clock) = (told.clone(), clock.clone());
        tasks.spawn(Worker { sink, mailbox, keeper, host, told, clock }.run());
    }
    for undelivered in undelivered {
        keeper.hand_again(undelivered, &queues);
    }
    let silenced = silenced.into_iter().map(|message| (message.alert.incident.clone(), message));
    let silenced = silenced.collect();
    let mut dispatcher = Dispatcher { queues, keeper, silences, clock, silenced, told };
    let mut look = tokio::time::interval(SILENCES_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            message = alerts.recv() => match message {
                Some(message) => dispatcher.handle(message),
                None => break,
            },
            _ = look.tick() => dispatcher.look_at_silences(),
        }
    }
    while let Ok(message) = alerts.try_recv() {
        dispatcher.handle(message);
    }
    let boxes: Vec<_> = dispatcher.queues.into_iter().map(|(mailbox, ..)| mailbox).collect();
    for mailbox in &boxes {
        mailbox.close();
    }
    let drained = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, drained).await.is_err() {
        let incidents: usize = boxes.iter().map(|mailbox| mailbox.waiting()).sum();
        tracing::warn!(
            incidents,
            "alerts could not be delivered in time; the journal keeps them for the next start"
        );
    }
}

/// A sink's mailbox, its name, and what it has done.
type Queue = (Arc<Mailbox>, String, Arc<SinkStatus>);

/// Keeps what is not told yet, so that no restart forgets it.
#[derive(Clone)]
struct Keeper {
    store: Store,
    /// Held from a change of a mailbox until it is recorded: otherwise a later change could be recorded before.
    order: Arc<Mutex<()>>,
}

impl Keeper {
    fn new(store: Store) -> Self {
        Self { store, order: Arc::default() }
    }

    fn in_order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, record: Record) {
        if let Err(error) = self.store.record(record) {
            tracing::warn!(%error, "cannot keep what is to be told; a restart may forget it");
        }
    }

    /// What the journal was told last time waits again.
    fn hand_again(&self, undelivered: Undelivered, queues: &[Queue]) {
        let Undelivered { sink, incident, messages } = undelivered;
        let Some((mailbox, ..)) = queues.iter().find(|(_, name, _)| *name == sink) else {
            tracing::warn!(sink, incident, "an alert waited for a sink that there is no more");
            return self.keep(Record::Undelivered(Undelivered { sink, incident, messages: None }));
        };
        match serde_json::from_str::<Vec<Message>>(&messages.unwrap_or_default()) {
            Ok(messages) => messages.into_iter().for_each(|message| drop(mailbox.put(message))),
            Err(error) => {
                tracing::error!(%error, sink, incident, "cannot read what was to be told");
            }
        }
    }
}

fn undelivered(sink: &str, incident: &str, waiting: &[Message]) -> Undelivered {
    let messages = serde_json::to_string(waiting).ok().filter(|_| !waiting.is_empty());
    Undelivered { sink: sink.to_owned(), incident: incident.to_owned(), messages }
}

/// Decides who hears of what.
struct Dispatcher {
    queues: Vec<Queue>,
    keeper: Keeper,
    silences: Silences,
    clock: ReceiveClock,
    /// Incidents nobody was told of because of a silence, and what they would have been told.
    silenced: BTreeMap<String, Message>,
    told: ToldLog,
}

impl Dispatcher {
    fn handle(&mut self, message: Message) {
        let alert = &message.alert;
        tracing::info!(
            incident = alert.incident,
            status = alert.status.as_str(),
            severity = alert.severity.as_str(),
            root_cause = alert.root_cause.code(),
            nodes = alert.affected_nodes.len(),
            "alert"
        );
        let handed = (alert.incident.clone(), alert.status.as_str().to_owned(), alert.timestamp);
        let keeper = self.keeper.clone();
        let _order = keeper.in_order();
        let waiting = self.hand_out(message);
        self.keeper.keep(Record::Handed { alert: handed, waiting });
    }

    fn note(&self, delivery: Delivery) {
        self.keeper.keep(Record::Delivery(Box::new(delivery.clone())));
        self.told.note(delivery);
    }

    /// What waits for each sink then; nothing where nobody is told.
    fn hand_out(&mut self, message: Message) -> Vec<Undelivered> {
        let alert = &message.alert;
        if alert.status == AlertStatus::Resolved {
            // `resolved` is sent only if `opened` was.
            let told = self.silenced.remove(&alert.incident).is_none();
            return if told { self.send(&message) } else { Vec::new() };
        }
        let now = self.clock.stamp();
        if let Some(silence) = self.silences.covering(alert, now) {
            tracing::info!(incident = alert.incident, silence, "silenced");
            let silenced = DeliveryOutcome::Silenced;
            self.note(delivery(&message, None, Some(silence), silenced, now));
            if alert.status == AlertStatus::Opened && self.silenced.len() < MAX_SILENCED
                || self.silenced.contains_key(&alert.incident)
            {
                self.silenced.insert(alert.incident.clone(), message);
            }
            return Vec::new();
        }
        self.silenced.remove(&alert.incident);
        self.send(&message)
    }

    /// Tells of what goes on although its silence has ended.
    fn look_at_silences(&mut self) {
        let now = self.clock.stamp();
        let over = |message: &Message| self.silences.covering(&message.alert, now).is_none();
        let ended: Vec<_> =
            self.silenced.iter().filter(|(_, m)| over(m)).map(|(id, _)| id.clone()).collect();
        for id in ended {
            if let Some(message) = self.silenced.remove(&id) {
                let _order = self.keeper.in_order();
                for waiting in self.send(&message) {
                    self.keeper.keep(Record::Undelivered(waiting));
                }
            }
        }
    }

    fn send(&self, message: &Message) -> Vec<Undelivered> {
        let mut kept = Vec::new();
        for (queue, sink, status) in &self.queues {
            let (dropped, waiting) = queue.put(message.clone());
            if let Some(incident) = dropped {
                status.dropped.fetch_add(1, Ordering::Relaxed);
                tracing::error!(
                    sink,
                    incident,
                    "too many incidents wait for a sink; one is dropped"
                );
                kept.push(undelivered(sink, &incident, &[]));
            }
            kept.push(undelivered(sink, &message.alert.incident, &waiting));
        }
        kept
    }
}

/// Delivers to one sink, one alert after the other, each until it was taken.
struct Worker {
    sink: Named,
    mailbox: Arc<Mailbox>,
    keeper: Keeper,
    host: Arc<dyn Host>,
    told: ToldLog,
    clock: ReceiveClock,
}

impl Worker {
    async fn run(mut self) {
        let mut refresh = tokio::time::interval(alertmanager::REPEAT);
        let mut pause = FIRST_PAUSE;
        loop {
            let message = tokio::select! {
                message = self.mailbox.next() => message,
                _ = refresh.tick() => {
                    if let Some(outcome) = self.sink.sink.refresh(&*self.host).await {
                        self.note(&outcome.map(drop));
                    }
                    continue;
                }
            };
            let Some(message) = message else { return };
            let outcome = self.sink.sink.deliver(&message).await.map(drop);
            self.note(&outcome);
            let status = &self.sink.status;
            match outcome {
                Ok(()) => {
                    status.delivered.fetch_add(1, Ordering::Relaxed);
                    pause = FIRST_PAUSE;
                    self.settle(&message, DeliveryOutcome::Delivered);
                }
                Err(error @ SinkError::Refused { .. }) => {
                    let (sink, why) = (&self.sink.name, ptp_events::chain(&error));
                    let incident = &message.alert.incident;
                    tracing::error!(sink, why, incident, "an alert is refused");
                    status.failed.fetch_add(1, Ordering::Relaxed);
                    pause = FIRST_PAUSE;
                    self.settle(&message, DeliveryOutcome::Refused);
                }
                Err(error) => {
                    self.mailbox.put_back(message);
                    let asked = match error {
                        SinkError::Later { after, .. } => after,
                        _ => None,
                    };
                    tokio::time::sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
            }
        }
    }

    /// Nothing of a message is left to be told.
    fn settle(&self, message: &Message, outcome: DeliveryOutcome) {
        let now = self.clock.stamp();
        let delivery = delivery(message, Some(&self.sink.name), None, outcome, now);
        self.keeper.keep(Record::Delivery(Box::new(delivery.clone())));
        self.told.note(delivery);
        let incident = &message.alert.incident;
        let _order = self.keeper.in_order();
        let waiting = self.mailbox.settle(incident);
        let left = undelivered(&self.sink.name, incident, &waiting);
        self.keeper.keep(Record::Undelivered(left));
    }

    /// Says at once that a sink fails, and when it is well again: whoever waits for an alert that
    /// does not come must be able to learn why.
    fn note(&self, outcome: &Result<(), SinkError>) {
        let sink = &self.sink.name;
        match outcome {
            Ok(()) => {
                if self.sink.status.failing.swap(false, Ordering::Relaxed) {
                    self.host.sink_works(sink);
                    tracing::info!(sink, "a sink takes alerts again");
                }
            }
            Err(error) => {
                let why = ptp_events::chain(error);
                if !self.sink.status.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(sink, why, "a sink does not take alerts; they are tried again");
                }
                self.host.sink_fails(sink, &why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use axum::Router;
    use axum::extract::State;
    use axum::http::StatusCode;
    use axum::routing::post;
    use ptp_diagnostics::report::Report;
    use ptp_events::Received;
    use ptp_events::client::Tls;

    use super::*;
    use crate::{Destination, Sink, Webhook};
    use ptp_api::Secret;
    use ptp_store::{Opened, Retention};

    /// Runs a sink, and shows it to nobody.
    struct Nobody;

    impl Host for Nobody {
        fn known(&self) -> Arc<dyn AsRef<Report> + Send + Sync> {
            unreachable!("a webhook repeats nothing")
        }

        fn sink_works(&self, _: &str) {}

        fn sink_fails(&self, _: &str, _: &str) {}
    }

    /// Whether it is away, how often it was asked then, and what it took otherwise.
    type Server = Arc<(AtomicBool, Mutex<u32>, Mutex<Vec<String>>)>;

    async fn take(
        State(server): State<Server>,
        body: String,
    ) -> (StatusCode, [(&'static str, &'static str); 1]) {
        let (away, refused, taken) = &*server;
        let status = if away.load(Ordering::Relaxed) {
            *refused.lock().unwrap() += 1;
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let incident = body["data"]["alert"]["incident"].as_str().unwrap();
            let status = body["data"]["alert"]["status"].as_str().unwrap();
            taken.lock().unwrap().push(format!("{incident} {status}"));
            StatusCode::NO_CONTENT
        };
        (status, [("retry-after", "0")])
    }

    async fn until(what: impl Fn() -> bool) {
        while !what() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn worker(url: &str, mailbox: &Arc<Mailbox>) -> Worker {
        let tls = Tls::with_ca_file(None);
        let destination = Destination::new(Secret::new(url), tls, None);
        let webhook = Webhook::new(destination, None, Arc::default());
        let at = Received::from_nanos(0);
        let clock = ReceiveClock::new(|| Received::from_nanos(0));
        let (store, ..) = Opened::open(None).start(None, Retention::default(), clock, None);
        Worker {
            sink: Named::new("webhook".to_owned(), Sink::Webhook(webhook)),
            mailbox: Arc::clone(mailbox),
            keeper: Keeper::new(store),
            host: Arc::new(Nobody),
            told: ToldLog::new(Vec::new(), at),
            clock: ReceiveClock::new(|| Received::from_nanos(0)),
        }
    }

    /// More tries and more incidents than anything was bounded by before.
    #[tokio::test]
    async fn an_outage_loses_no_incident_and_tells_none_twice() {
        let server = Server::default();
        server.0.store(true, Ordering::Relaxed);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&server));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        let mailbox = Arc::new(Mailbox::default());
        let worker = worker(&url, &mailbox);
        let status = Arc::clone(&worker.sink.status);
        let running = tokio::spawn(worker.run());
        let put = |incident: u32, status| {
            let mut message = crate::test_alert::message(Received::from_nanos(0));
            let alert = Arc::make_mut(&mut message.alert);
            (alert.incident, alert.status) = (format!("{incident:03}"), status);
            assert_eq!(mailbox.put(message).0, None);
        };
        for incident in 0..400 {
            put(incident, AlertStatus::Opened);
        }
        until(|| *server.1.lock().unwrap() > 30).await;
        for incident in 0..400 {
            put(incident, AlertStatus::Escalated);
        }
        put(7, AlertStatus::Resolved);
        server.0.store(false, Ordering::Relaxed);
        mailbox.close();
        running.await.unwrap();

        let mut wanted: Vec<_> = (0..400).map(|incident| format!("{incident:03} opened")).collect();
        wanted.insert(8, "007 resolved".to_owned());
        // One that was on its way when it escalated arrives as it was, and then escalates.
        let taken = server.2.lock().unwrap().clone();
        if taken.last().is_some_and(|last| last == "000 escalated") {
            wanted.push("000 escalated".to_owned());
        }
        assert_eq!(taken, wanted);
        assert_eq!(status.delivered.load(Ordering::Relaxed), wanted.len() as u64);
        assert_eq!(status.failed.load(Ordering::Relaxed), 0);
    }
}
