//! From a configuration to a running agent, and back down again.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use ptp_api::{Client, Delivery, Secret, Silence};
use ptp_events::server::{Limits, receiver, serve};
use ptp_events::{Input, Received};
use ptp_sinks::{
    Alertmanager, Destination, Identity, KubernetesEvents, Message, Named, Silences, Sink, Slack,
    Telling, ToldLog, Webhook, dispatch,
};
use ptp_store::{Opened, Replayed, Store, Undelivered};
use ptp_subscriber::directory::{Directory, Untokened};
use ptp_subscriber::discovery::kubernetes;
use ptp_subscriber::driver;
use ptp_subscriber::gate::Gate;
use ptp_subscriber::token::TokenKey;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::{Access, Api, Metrics, named, router, unguarded};
use crate::config::{Config, Publishers, loopback};
use crate::discovery::{client, follow, tell_missing_right};
use crate::engine_task::{EngineTask, Recalled};
use crate::health::Health;
use crate::host::SinkHost;
use crate::intake::{ToStore, watch as watch_seen};
use crate::mcp;
use crate::own_clock;
use crate::receiving::{Receiving, raise_file_limit};
use ptp_mcp::{Cluster, Context, HttpOptions};

/// How many observations of the driver may wait to be stored.
const SEEN: usize = 4096;

/// An agent that has bound its ports and read its journal.
#[derive(Debug)]
pub struct App {
    config: Config,
    receiver: TcpListener,
    api: TcpListener,
    secret: Secret,
    opened: Opened,
    recalled: Recalled,
}

impl App {
    /// Binds the ports and reads the journal back.
    ///
    /// # Errors
    /// When a port cannot be bound.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        raise_file_limit();
        let receiver = listen(config.listen).await.context("cannot receive events")?;
        let api = listen(config.api).await.context("cannot serve the API")?;
        let journal = config.journal.clone();
        let now = config.now.unwrap_or_else(own_clock::wall);
        let thresholds = config.thresholds.clone();
        let (opened, recalled) = tokio::task::spawn_blocking(move || {
            let mut opened = Opened::open(journal.as_deref());
            let recalled = Recalled::from(&mut opened, thresholds, now);
            (opened, recalled)
        })
        .await?;
        if let Some(trouble) = opened.trouble.as_ref().or(recalled.trouble.as_ref()) {
            tracing::error!(trouble, "the journal cannot be used as it is");
        }
        let Replayed { inputs, left_out } = recalled.replayed;
        tracing::info!(inputs, left_out, "read the journal back");
        let secret = match &config.callback_secret {
            Some(secret) => secret.clone(),
            None => kept_secret(config.journal.as_deref())?,
        };
        Ok(Self { config, receiver, api, secret, opened, recalled })
    }

    /// Where publishers post to.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn receiver_addr(&self) -> std::io::Result<SocketAddr> {
        self.receiver.local_addr()
    }

    /// Where the API is.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn api_addr(&self) -> std::io::Result<SocketAddr> {
        self.api.local_addr()
    }

    /// Starts everything.
    ///
    /// # Errors
    /// When publishers cannot be told where to post, or HTTP cannot be set up.
    pub async fn start(self) -> anyhow::Result<Running> {
        let callback = callback(&self.config, self.receiver.local_addr()?.port())?;
        let Self {
            config,
            receiver: receiver_socket,
            api: api_socket,
            secret,
            mut opened,
            recalled,
        } = self;
        let health = Health::default();
        if let Some(trouble) = opened.trouble.as_ref().or(recalled.trouble.as_ref()) {
            health.set("journal-history", trouble);
        }
        let clock = own_clock::start(&config, recalled.latest, recalled.replayed, &health);
        let latest = recalled.latest;
        let Before { silences, silenced, firing, undelivered, told } =
            Before::read(&mut opened, &recalled, clock.stamp());
        let was_running = recalled.latest.is_some();
        let (store, given, writer) =
            opened.start(config.journal.clone(), config.retention.clone(), clock.clone(), latest);
        let (engine, alerts, thinking) = recalled.start(store.clone(), given);

        let mut tasks = JoinSet::new();
        let stop = Stops::default();
        let diagnosing = tokio::spawn(thinking);
        if was_running {
            store.give(Input::Resumed).await?;
        }

        let key = TokenKey::new(secret.expose().as_bytes())?;
        let directory = Directory::new(key, Untokened::Refuse);
        let gate = Arc::new(Gate::new(directory.clone(), ToStore { store: store.clone() }));
        let limits = Limits { drain: config.grace / 4, ..Limits::default() };
        let events = receiver(Arc::clone(&gate), clock.clone());
        let receiving =
            Receiving::start(receiver_socket, events, limits.drain, stop.receiving.clone())?;

        tasks.spawn(own_clock::watch(engine.snapshot.clone(), store.clone(), health.clone()));
        tasks.spawn(tell_missing_right(config.kubernetes_events, health.clone()));
        let identity = Arc::new(config.identity.clone());
        let sinks = sinks(&config, &identity, &firing).await?;
        let counts = sinks.iter().map(|sink| (sink.name.clone(), sink.status.clone())).collect();
        let told = ToldLog::new(told, clock.stamp());
        let telling = Telling {
            silences: silences.clone(),
            silenced,
            undelivered,
            store: store.clone(),
            clock: clock.clone(),
            host: Arc::new(SinkHost { snapshot: engine.snapshot.clone(), health: health.clone() }),
            grace: config.grace / 2,
            told: told.clone(),
        };
        tasks.spawn(dispatch(alerts, sinks, telling, stop.telling.clone()));

        let api = Api {
            engine: engine.clone(),
            store: store.clone(),
            silences,
            health: health.clone(),
            metrics: Arc::new(Metrics::new(
                engine.clone(),
                store.clone(),
                Arc::clone(&gate),
                counts,
                health.clone(),
                &identity,
            )),
            identity,
            gate,
            config: Arc::new(config.shown()),
            access: Access { read: config.read_token.clone(), write: config.write_token.clone() },
            told,
        };
        let client = client(&config.publishers).await?;
        let port = api_socket.local_addr()?.port();
        let routes = routes(&config, port, api, &secret, client.clone(), &stop, &mut tasks);
        tasks.spawn(serve(api_socket, routes, limits, stop.serving.clone().cancelled_owned()));

        let leave = stop.subscribing.clone();
        let publishers = &config.publishers;
        let targets =
            follow(publishers, client, &engine, &store, &health, &mut tasks, leave.clone())?;
        let (seen, observations) = mpsc::channel(SEEN);
        let settings = subscribing(&config, &callback);
        let driving = tokio::spawn(driver::run(targets, settings, directory, clock, seen, leave));
        tasks.spawn(watch_seen(observations, store.clone(), health.clone(), callback.clone()));
        health.set_ready(true);
        Ok(Running {
            engine,
            store,
            health,
            grace: config.grace,
            stop,
            tasks,
            receiving,
            driving,
            diagnosing,
            writer,
        })
    }
}

/// Where publishers post events.
fn callback(config: &Config, port: u16) -> anyhow::Result<String> {
    match &config.callback {
        Some(callback) => Ok(callback.clone()),
        None if matches!(config.publishers, Publishers::Fixed(_)) => Ok(loopback(port)),
        None => anyhow::bail!(
            "publishers must be told where to post events: set PTP_AGENT_ENDPOINT, \
             AGENT_NAMESPACE, POD_IP or NODE_IP"
        ),
    }
}

/// The API, and MCP beside it.
fn routes(
    config: &Config,
    port: u16,
    api: Api,
    callback_secret: &Secret,
    client: Option<kube::Client>,
    stop: &Stops,
    tasks: &mut JoinSet<()>,
) -> axum::Router {
    let context = context(config, &api, callback_secret, client, stop);
    tasks.spawn(mcp::follow_engine(api.engine.clone(), Arc::clone(&context)));
    let hosts = config.mcp_hosts.clone();
    let origins = config.mcp_origins.iter().cloned().chain(own_origins(&hosts, port)).collect();
    let access = api.access.clone();
    let options = HttpOptions { hosts: hosts.clone(), origins };
    let tools = mcp::routes(context, access.clone(), options);
    named(router(api).merge(tools), &access, &hosts)
}

/// The origins of what we serve ourselves, by each name we are reached by.
fn own_origins(hosts: &[String], port: u16) -> impl Iterator<Item = String> {
    hosts.iter().map(move |host| match host.parse::<std::net::Ipv6Addr>() {
        Ok(address) => format!("http://[{address}]:{port}"),
        Err(_) => format!("http://{host}:{port}"),
    })
}

/// What MCP clients can reach, and must never be shown.
fn context(
    config: &Config,
    api: &Api,
    callback_secret: &Secret,
    client: Option<kube::Client>,
    stop: &Stops,
) -> Arc<Context> {
    let client_of_api = Client::new(Arc::new(mcp::Here(unguarded(api.clone()))));
    let mut context = Context::new(Some(client_of_api));
    if let (Some(client), Publishers::Cluster { namespace, .. }) = (client, &config.publishers) {
        context.cluster = Some(Cluster::new(client, namespace));
    }
    context.may_run_commands = config.mcp_exec;
    context.thresholds = config.thresholds.clone();
    context.shutdown = stop.telling.clone();
    let key = config.webhook.iter().filter_map(|(_, key)| key.as_ref());
    let webhook = config.webhook.iter().map(|(destination, _)| destination);
    let sinks = config.slack.iter().chain(&config.alertmanagers).chain(webhook);
    let urls = sinks.map(Destination::url);
    let tokens = [&config.read_token, &config.write_token].into_iter().flatten();
    context.secrets = tokens.chain(key).chain(urls).chain([callback_secret]).cloned().collect();
    Arc::new(context)
}

fn subscribing(config: &Config, callback: &str) -> driver::Settings {
    let mut settings = driver::Settings::new(callback);
    settings.remove_on_stop = config.remove_subscriptions;
    settings.leave_within = config.grace / 2;
    settings.pace.pull = config.poll;
    settings.tls = config.publisher_tls.clone();
    settings
}

/// What was so when the last process stopped, as far as people are told.
struct Before {
    /// The silences still in force.
    silences: Silences,
    /// What fires and nobody was told of, because of a silence.
    silenced: Vec<Message>,
    /// What fires and people were told of.
    firing: Vec<Message>,
    /// What sinks have not taken yet.
    undelivered: Vec<Undelivered>,
    /// What became of the latest alerts.
    told: Vec<Delivery>,
}

impl Before {
    fn read(opened: &mut Opened, recalled: &Recalled, now: Received) -> Self {
        let stored = opened.silences().unwrap_or_default();
        let (silenced, firing) = recalled.firing().into_iter().partition(|message| {
            recalled.latest.is_some_and(|stopped| was_silenced(message, &stored, stopped))
        });
        let undelivered = opened.undelivered().unwrap_or_default();
        let told = opened.deliveries().unwrap_or_default();
        Self { silences: silences(stored, now), silenced, firing, undelivered, told }
    }
}

/// Whether nobody was told of what fires, because of a silence that went on when the last process
/// stopped.
fn was_silenced(message: &Message, silences: &[Silence], stopped: Received) -> bool {
    let alert = &message.alert;
    let of = |silence: &Silence| silence.until > stopped && silence.covers(alert, alert.timestamp);
    silences.iter().any(of)
}

/// The silences still in force.
fn silences(stored: Vec<Silence>, now: Received) -> Silences {
    let silences = Silences::default();
    for silence in stored {
        let _ = silence.until > now && silences.put(silence, now);
    }
    silences
}

async fn listen(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(addr).await.with_context(|| format!("cannot bind {addr}"))
}

/// The secret behind the callback URLs: kept beside the journal, so that they outlive a restart.
fn kept_secret(journal: Option<&Path>) -> anyhow::Result<Secret> {
    let path = journal.map(|journal| journal.with_extension("callback-secret"));
    if let Some(path) = &path
        && let Ok(text) = std::fs::read_to_string(path)
        && text.trim().len() >= 32
    {
        return Ok(Secret::new(text.trim()));
    }
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let [high, low] = [&bytes[..16], &bytes[16..]]
        .map(|half| half.iter().fold(0u128, |number, byte| number << 8 | u128::from(*byte)));
    let text = format!("{high:032x}{low:032x}");
    if let Some(path) = &path
        && let Err(error) = write_private(path, &text)
    {
        tracing::warn!(%error, "cannot keep the callback secret; URLs change with a restart");
    }
    Ok(Secret::from(text))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// Every sink that the configuration names.
///
/// # Errors
/// When Kubernetes Events are wanted and there is no cluster.
pub async fn sinks(
    config: &Config,
    identity: &Arc<Identity>,
    firing: &[Message],
) -> anyhow::Result<Vec<Named>> {
    let mut sinks = Vec::new();
    let mut add = |name: &str, sink| sinks.push(Named::new(name.to_owned(), sink));
    let identity = || Arc::clone(identity);
    if let Some(destination) = &config.slack {
        add("slack", Sink::Slack(Slack::new(destination.clone(), identity())));
    }
    for (number, destination) in config.alertmanagers.iter().enumerate() {
        let mut alertmanager = Alertmanager::new(destination.clone(), identity());
        // It forgets what is not repeated, and what fires has not ended because we restarted.
        for message in firing {
            alertmanager.remember(message);
        }
        add(&format!("alertmanager-{number}"), Sink::Alertmanager(alertmanager));
    }
    if let Some((destination, secret)) = &config.webhook {
        let webhook = Webhook::new(destination.clone(), secret.clone(), identity());
        add("webhook", Sink::Webhook(webhook));
    }
    if config.kubernetes_events {
        let client =
            kubernetes::client().await.context("cannot find the cluster to record events in")?;
        add("kubernetes", Sink::Kubernetes(KubernetesEvents::new(client)));
    }
    Ok(sinks)
}

/// Stopping goes in steps: first nobody new is let in, last the journal is closed.
#[derive(Clone, Debug, Default)]
struct Stops {
    subscribing: CancellationToken,
    receiving: CancellationToken,
    telling: CancellationToken,
    serving: CancellationToken,
}

/// A running agent.
#[derive(Debug)]
pub struct Running {
    /// Snapshots and notifications.
    pub engine: EngineTask,
    /// What is kept.
    pub store: Store,
    /// How the agent itself is.
    pub health: Health,
    grace: Duration,
    stop: Stops,
    tasks: JoinSet<()>,
    receiving: Receiving,
    driving: tokio::task::JoinHandle<Result<(), ptp_events::client::TlsError>>,
    diagnosing: tokio::task::JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Running {
    /// Returns when a part ended that never should, with its name: the process had better end too.
    pub async fn broken(&mut self) -> &'static str {
        tokio::select! {
            _ = &mut self.diagnosing => "the engine",
            _ = &mut self.driving => "the subscriber",
            () = self.receiving.gone() => "the receiver",
        }
    }

    /// Stops in order: leaves the publishers, lets requests and alerts finish, closes the journal.
    /// Returns whether all of it was done within the grace.
    pub async fn stop(self) -> bool {
        let Self { store, health, grace, stop, mut tasks, receiving, .. } = self;
        let (driving, diagnosing, writer) = (self.driving, self.diagnosing, self.writer);
        health.set_ready(false);
        let drained = async {
            stop.subscribing.cancel();
            let _ = driving.await;
            stop.receiving.cancel();
            receiving.ended().await;
            // What was let in is written and diagnosed, then what came of it is told.
            store.close();
            let _ = diagnosing.await;
            stop.telling.cancel();
            stop.serving.cancel();
            while tasks.join_next().await.is_some() {}
            // Whatever was told, and what was not, is recorded by now.
            store.finish();
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        };
        tokio::time::timeout(grace, drained).await.is_ok()
    }
}
