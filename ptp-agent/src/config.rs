//! What the agent is told, checked before anything is bound.

mod checks;
mod names;
mod options;
mod sources;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ptp_api::{ConfigReport, PublishersReport, Secret, ThresholdsReport};
use ptp_diagnostics::Settings;
use ptp_events::client::Tls;
use ptp_events::{NodeName, Received};
use ptp_sinks::{Destination, Identity, alerts_url};
use ptp_store::Retention;
use ptp_subscriber::discovery::UrlTemplate;

pub(crate) use names::loopback;
pub use options::Options;
pub use sources::{Given, read};

use checks::{combinations, files, identity, is_http, publishers, thresholds};
use names::{LOOPBACK, callback, mcp_hosts};

/// Where publishers are found.
#[derive(Clone, Debug)]
pub enum Publishers {
    /// At these URLs, on these nodes if that is known.
    Fixed(Vec<(String, Option<NodeName>)>),
    /// Behind the daemon's pods.
    Cluster {
        /// The daemon's namespace.
        namespace: String,
        /// From a pod to its URL.
        template: UrlTemplate,
    },
}

/// What the agent is told, without contradictions.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where publishers are found.
    pub publishers: Publishers,
    /// Where publishers post to.
    pub listen: SocketAddr,
    /// Where the API is.
    pub api: SocketAddr,
    /// What publishers are told to post to; `None` is `listen`, once its port is known.
    pub callback: Option<String>,
    /// Where inputs are kept.
    pub journal: Option<PathBuf>,
    /// For how long.
    pub retention: Retention,
    /// What time it is when the agent starts; `None` is what the host's clock says.
    pub now: Option<Received>,
    /// Behind the callback URLs.
    pub callback_secret: Option<Secret>,
    /// How often the current state is asked for.
    pub poll: Duration,
    /// Whether subscriptions are removed when stopping.
    pub remove_subscriptions: bool,
    /// Whom to trust in publishers.
    pub publisher_tls: Tls,
    /// Slack's webhook.
    pub slack: Option<Destination>,
    /// Alertmanagers.
    pub alertmanagers: Vec<Destination>,
    /// A webhook, and what its bodies are signed with.
    pub webhook: Option<(Destination, Option<Secret>)>,
    /// Which cluster this is, and where people find more.
    pub identity: Identity,
    /// Whether alerts are recorded as Kubernetes Events.
    pub kubernetes_events: bool,
    /// Who may read.
    pub read_token: Option<Secret>,
    /// Who may change things.
    pub write_token: Option<Secret>,
    /// Names that MCP clients reach us by.
    pub mcp_hosts: Vec<String>,
    /// Origins of web pages that may use MCP.
    pub mcp_origins: Vec<String>,
    /// Whether MCP clients may run commands on nodes, from a list.
    pub mcp_exec: bool,
    /// The engine's thresholds.
    pub thresholds: Settings,
    /// How long stopping may take.
    pub grace: Duration,
}

/// Everything that is wrong with the configuration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the configuration cannot work:\n  {}", mistakes.join("\n  "))]
pub struct ConfigError {
    /// One line each, naming the flag.
    pub mistakes: Vec<String>,
}

impl Config {
    /// Checks everything, and tells of all mistakes at once.
    ///
    /// # Errors
    /// With every mistake.
    pub fn new(mut options: Options) -> Result<Self, ConfigError> {
        options.tidy();
        let mut mistakes = Vec::new();
        let thresholds = thresholds(&options, &mut mistakes);
        let publishers = publishers(&options, &mut mistakes);
        for (flag, url) in [
            ("--endpoint", &options.endpoint),
            ("--slack-webhook-url", &options.slack_webhook_url),
            ("--webhook", &options.webhook),
            ("--external-url", &options.external_url),
        ] {
            if url.as_deref().is_some_and(|url| !is_http(url)) {
                mistakes.push(format!("{flag}: must be an http or https URL"));
            }
        }
        for url in options.alertmanager.iter().filter(|url| !is_http(url)) {
            // It may hold a password.
            let host = url.rsplit('@').next().unwrap_or_default();
            mistakes.push(format!("--alertmanager: `{host}` must be an http or https URL"));
        }
        if options.callback_secret.as_deref().is_some_and(|secret| secret.len() < 32) {
            mistakes.push("--callback-secret: needs at least 32 bytes".to_owned());
        }
        if options.poll < Duration::from_secs(1) {
            mistakes.push("--poll: must be at least 1s".to_owned());
        }
        if options.journal_size == 0 {
            mistakes.push("--journal-size: must be at least 1".to_owned());
        }
        let identity = identity(&options, &mut mistakes);
        combinations(&options, &mut mistakes);
        files(&options, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(ConfigError { mistakes });
        }
        let callback = callback(&options);
        let mcp_hosts = mcp_hosts(&options);
        let secret = |text: Option<String>| text.map(Secret::from);
        Ok(Self {
            publishers,
            listen: options.listen,
            api: SocketAddr::new(options.api_address, options.port),
            callback,
            journal: options.journal,
            now: None,
            retention: Retention {
                age: options.journal_age,
                bytes: options.journal_size.saturating_mul(1 << 20),
            },
            callback_secret: secret(options.callback_secret),
            poll: options.poll,
            remove_subscriptions: !options.keep_subscriptions,
            publisher_tls: Tls::with_ca_file(options.publisher_ca_file),
            slack: secret(options.slack_webhook_url)
                .map(|url| Destination::new(url, Tls::with_ca_file(options.slack_ca_file), None)),
            alertmanagers: options
                .alertmanager
                .iter()
                .map(|url| {
                    let tls = Tls::with_ca_file(options.alertmanager_ca_file.clone());
                    let token = options.alertmanager_token_file.clone();
                    Destination::new(Secret::from(alerts_url(url)), tls, token)
                })
                .collect(),
            webhook: secret(options.webhook).map(|url| {
                let tls = Tls::with_ca_file(options.webhook_ca_file);
                let destination = Destination::new(url, tls, options.webhook_token_file);
                (destination, secret(options.webhook_secret))
            }),
            identity,
            kubernetes_events: options.kubernetes_events,
            read_token: secret(options.read_token),
            write_token: secret(options.write_token),
            mcp_hosts,
            mcp_origins: options.mcp_origin,
            mcp_exec: options.mcp_exec,
            thresholds,
            grace: options.grace,
        })
    }
}

impl Config {
    /// For publishers on this machine, on ports that the system chooses, telling nobody.
    #[must_use]
    pub fn local(publishers: Vec<(String, Option<NodeName>)>, journal: Option<PathBuf>) -> Self {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            publishers: Publishers::Fixed(publishers),
            listen: local,
            api: local,
            callback: None,
            journal,
            now: None,
            retention: Retention::default(),
            callback_secret: None,
            poll: Duration::from_mins(1),
            remove_subscriptions: true,
            publisher_tls: Tls::platform(),
            identity: Identity::default(),
            slack: None,
            alertmanagers: Vec::new(),
            webhook: None,
            kubernetes_events: false,
            read_token: None,
            write_token: None,
            mcp_hosts: LOOPBACK.map(str::to_owned).into(),
            mcp_origins: Vec::new(),
            mcp_exec: false,
            thresholds: Settings::default(),
            grace: Duration::from_secs(5),
        }
    }

    /// The configuration as it may be shown: of secrets only whether they are set.
    #[must_use]
    pub fn shown(&self) -> ConfigReport {
        let publishers = match &self.publishers {
            Publishers::Fixed(list) => {
                PublishersReport::Fixed(list.iter().map(|(url, _)| url.clone()).collect())
            }
            Publishers::Cluster { namespace, .. } => {
                PublishersReport::Cluster { namespace: namespace.clone() }
            }
        };
        let Settings { offset_ns, loss_of_lock, lost_states, alert_resources, topology, .. } =
            &self.thresholds;
        ConfigReport {
            publishers,
            listen: self.listen.to_string(),
            api: self.api.to_string(),
            callback: self.callback.clone(),
            journal: self.journal.clone(),
            journal_age_s: self.retention.age.as_secs(),
            journal_bytes: self.retention.bytes,
            poll_s: self.poll.as_secs(),
            remove_subscriptions: self.remove_subscriptions,
            cluster: self.identity.cluster.clone(),
            labels: self.identity.labels.clone(),
            external_url: self.identity.external_url.clone(),
            slack: self.slack.is_some(),
            alertmanagers: self.alertmanagers.len(),
            webhook: self.webhook.is_some(),
            kubernetes_events: self.kubernetes_events,
            read_token: self.read_token.is_some(),
            write_token: self.write_token.is_some(),
            mcp_exec: self.mcp_exec,
            thresholds: ThresholdsReport {
                offset_ns: *offset_ns,
                loss_of_lock_s: loss_of_lock.as_secs_f64(),
                lost_states: lost_states.clone(),
                alert_resources: alert_resources.clone(),
            },
            timing_domains: topology.domains(),
            grace_s: self.grace.as_secs(),
        }
    }
}
