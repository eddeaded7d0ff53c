//! What the agent is told, checked before anything is bound.

mod sources;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use ptp_diagnostics::topology::TopologyError;
use ptp_diagnostics::{Overrides, Settings, Topology};
use ptp_events::NodeName;
use ptp_events::client::Tls;
use ptp_subscriber::discovery::UrlTemplate;
use serde_json::json;

use crate::identity::{self, Identity};
use crate::secret::Secret;
use crate::sinks::{Destination, alerts_url};
use crate::store::Retention;

pub use sources::{Given, read};

/// Flags and environment variables; those of the service before this one keep their names.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// These options in TOML, as in `poll = "30s"`; variables and flags win over it
    #[arg(long, env = "PTP_AGENT_CONFIG", value_name = "FILE.toml")]
    pub config: Option<PathBuf>,

    /// A folder with agent.toml (as --config), thresholds.toml and topology.toml, each if it is there
    #[arg(long, env = "PTP_AGENT_ETC", value_name = "FOLDER")]
    pub etc: Option<PathBuf>,

    /// A publisher to subscribe to, as URL or URL=NODE (repeatable); without any, the cluster's
    #[arg(long, value_name = "URL[=NODE]")]
    pub publisher: Vec<String>,

    /// The namespace of linuxptp-daemon
    #[arg(long, env = "PTP_NAMESPACE", default_value = "openshift-ptp", value_name = "NAME")]
    pub ptp_namespace: String,

    /// Certificate authorities to trust in publishers that speak HTTPS, in PEM; otherwise the system's
    #[arg(long, env = "PTP_AGENT_PUBLISHER_CA_FILE", value_name = "FILE.pem")]
    pub publisher_ca_file: Option<PathBuf>,

    /// A publisher's URL, from {node}, {namespace} and {podIP}
    #[arg(long, env = "PTP_AGENT_PUBLISHER_URL_TEMPLATE", value_name = "TEMPLATE")]
    pub publisher_url_template: Option<String>,

    /// Where publishers post events to
    #[arg(long, env = "PTP_AGENT_LISTEN", default_value = "[::]:8080", value_name = "ADDR:PORT")]
    pub listen: SocketAddr,

    /// Port of the API
    #[arg(long, env = "MCP_INTEGRATION_PORT", default_value_t = 8081, value_name = "PORT")]
    pub port: u16,

    /// Address of the API
    #[arg(long, env = "PTP_AGENT_API_ADDRESS", default_value = "::", value_name = "ADDR")]
    pub api_address: IpAddr,

    /// URL under which publishers reach us; otherwise made from the next three
    #[arg(long, env = "PTP_AGENT_ENDPOINT", value_name = "URL")]
    pub endpoint: Option<String>,

    /// Our namespace: publishers reach us by the Service `ptp-agent` in it
    #[arg(long, env = "AGENT_NAMESPACE", value_name = "NAME")]
    pub agent_namespace: Option<String>,

    /// Our pod's address
    #[arg(long, env = "POD_IP", value_name = "ADDR")]
    pub pod_ip: Option<IpAddr>,

    /// Our node's address
    #[arg(long, env = "NODE_IP", value_name = "ADDR")]
    pub node_ip: Option<IpAddr>,

    /// The journal; without it history ends with the process
    #[arg(long, env = "PTP_AGENT_JOURNAL", value_name = "FILE")]
    pub journal: Option<PathBuf>,

    /// How long the journal keeps what it holds
    #[arg(long, env = "PTP_AGENT_JOURNAL_AGE", default_value = "7d", value_name = "DURATION", value_parser = duration)]
    pub journal_age: Duration,

    /// How large the journal may get, in MiB
    #[arg(long, env = "PTP_AGENT_JOURNAL_SIZE", default_value_t = 1024, value_name = "MIB")]
    pub journal_size: u64,

    /// Secret behind the callback URLs, at least 32 bytes; otherwise kept beside the journal
    #[arg(long, env = "PTP_AGENT_CALLBACK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub callback_secret: Option<String>,

    /// How often the current state of every clock is asked for
    #[arg(long, env = "PTP_AGENT_POLL", default_value = "60s", value_name = "DURATION", value_parser = duration)]
    pub poll: Duration,

    /// Leave our subscriptions in place when stopping
    #[arg(long, env = "PTP_AGENT_KEEP_SUBSCRIPTIONS")]
    pub keep_subscriptions: bool,

    /// Slack incoming webhook for alerts
    #[arg(long, env = "SLACK_WEBHOOK_URL", hide_env_values = true, value_name = "URL")]
    pub slack_webhook_url: Option<String>,

    /// Certificate authorities to trust in Slack's server, or the proxy before it; otherwise the system's
    #[arg(long, env = "SLACK_CA_FILE", value_name = "FILE.pem")]
    pub slack_ca_file: Option<PathBuf>,

    /// Alertmanager for alerts (repeatable)
    #[arg(long, env = "PTP_AGENT_ALERTMANAGER", value_name = "URL", value_delimiter = ',')]
    pub alertmanager: Vec<String>,

    /// Certificate authorities to trust in Alertmanagers; otherwise the system's
    #[arg(long, env = "PTP_AGENT_ALERTMANAGER_CA_FILE", value_name = "FILE.pem")]
    pub alertmanager_ca_file: Option<PathBuf>,

    /// Bearer token to show Alertmanagers, read again for every call, as it may change
    #[arg(long, env = "PTP_AGENT_ALERTMANAGER_TOKEN_FILE", value_name = "FILE")]
    pub alertmanager_token_file: Option<PathBuf>,

    /// Webhook for alerts, as CloudEvents
    #[arg(long, env = "PTP_AGENT_WEBHOOK", hide_env_values = true, value_name = "URL")]
    pub webhook: Option<String>,

    /// Certificate authorities to trust in the webhook's server; otherwise the system's
    #[arg(long, env = "PTP_AGENT_WEBHOOK_CA_FILE", value_name = "FILE.pem")]
    pub webhook_ca_file: Option<PathBuf>,

    /// Bearer token to show the webhook's server, read again for every call, as it may change
    #[arg(long, env = "PTP_AGENT_WEBHOOK_TOKEN_FILE", value_name = "FILE")]
    pub webhook_token_file: Option<PathBuf>,

    /// Secret the webhook's bodies are signed with
    #[arg(long, env = "PTP_AGENT_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub webhook_secret: Option<String>,

    /// Record alerts as Kubernetes Events on the node concerned
    #[arg(long, env = "PTP_AGENT_KUBERNETES_EVENTS")]
    pub kubernetes_events: bool,

    /// What people call the cluster: sent with every alert, in metrics and in the API
    #[arg(long, env = "PTP_AGENT_CLUSTER_NAME", value_name = "NAME")]
    pub cluster_name: Option<String>,

    /// A further label of alerts, such as `region=north` (repeatable)
    #[arg(long, env = "PTP_AGENT_LABELS", value_name = "NAME=VALUE", value_delimiter = ',')]
    pub label: Vec<String>,

    /// URL under which people reach the API, for links in alerts
    #[arg(long, env = "PTP_AGENT_EXTERNAL_URL", value_name = "URL")]
    pub external_url: Option<String>,

    /// Where alerts link to for what to do, from `{root_cause}`
    #[arg(long, env = "PTP_AGENT_RUNBOOK_URL", default_value = crate::identity::RUNBOOK, value_name = "TEMPLATE")]
    pub runbook_url: String,

    /// Bearer token for reading the API; without it everybody may
    #[arg(long, env = "PTP_AGENT_READ_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub read_token: Option<String>,

    /// Bearer token for changing things; without it nobody may
    #[arg(long, env = "PTP_AGENT_WRITE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub write_token: Option<String>,

    /// Name that MCP clients reach us by, besides localhost and the Service's (repeatable)
    #[arg(long, env = "PTP_AGENT_MCP_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub mcp_host: Vec<String>,

    /// Origin of a web page that may use MCP, such as `https://console.example.com` (repeatable)
    #[arg(long, env = "PTP_AGENT_MCP_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub mcp_origin: Vec<String>,

    /// Offer MCP clients `exec_ptp_command`: commands from a list, which only read, on nodes
    #[arg(long, env = "PTP_AGENT_MCP_EXEC")]
    pub mcp_exec: bool,

    /// Thresholds, in TOML (docs/thresholds.md)
    #[arg(long, env = "PTP_AGENT_THRESHOLDS", value_name = "FILE.toml")]
    pub thresholds: Option<PathBuf>,

    /// Who follows whom, in TOML (docs/topology.md); otherwise all nodes share one timing domain
    #[arg(long, env = "PTP_AGENT_TOPOLOGY", value_name = "FILE.toml")]
    pub topology: Option<PathBuf>,

    /// Offset threshold in nanoseconds
    #[arg(long, env = "ALERT_OFFSET_THRESHOLD", value_name = "NS")]
    pub offset_threshold: Option<u64>,

    /// States that count as a lost lock
    #[arg(long, env = "ALERT_SYNC_STATES", value_name = "STATE,…", value_delimiter = ',')]
    pub lost_states: Option<Vec<String>>,

    /// Resources that may raise alerts; all are evidence. `sync-state` includes lock-state
    #[arg(long, env = "ALERT_EVENT_TYPES", value_name = "RESOURCE,…", value_delimiter = ',')]
    pub alert_resources: Option<Vec<String>>,

    /// How long to finish what is begun after SIGTERM
    #[arg(long, env = "PTP_AGENT_GRACE", default_value = "20s", value_name = "DURATION", value_parser = duration)]
    pub grace: Duration,
}

impl Options {
    /// Takes out what is set to nothing, and puts in what the folder of `--etc` has.
    fn tidy(&mut self) {
        let options = self;
        // A variable that is set to nothing, as manifests do, is not set.
        for text in [
            &mut options.endpoint,
            &mut options.callback_secret,
            &mut options.slack_webhook_url,
            &mut options.webhook,
            &mut options.webhook_secret,
            &mut options.read_token,
            &mut options.write_token,
            &mut options.publisher_url_template,
            &mut options.agent_namespace,
            &mut options.cluster_name,
            &mut options.external_url,
        ] {
            text.take_if(|text| text.trim().is_empty());
        }
        for file in [
            &mut options.publisher_ca_file,
            &mut options.slack_ca_file,
            &mut options.alertmanager_ca_file,
            &mut options.alertmanager_token_file,
            &mut options.webhook_ca_file,
            &mut options.webhook_token_file,
            &mut options.thresholds,
            &mut options.topology,
            &mut options.journal,
        ] {
            file.take_if(|file| file.as_os_str().is_empty());
        }
        let in_etc = |name: &str| {
            let path = options.etc.as_ref()?.join(name);
            path.is_file().then_some(path)
        };
        let (thresholds_there, topology_there) =
            (in_etc("thresholds.toml"), in_etc("topology.toml"));
        options.thresholds = options.thresholds.take().or(thresholds_there);
        options.topology = options.topology.take().or(topology_there);
        options.alertmanager.retain(|url| !url.trim().is_empty());
        options.label.retain(|label| !label.trim().is_empty());
    }
}

/// How many resolved incidents, and alerts, the agent shows.
const MAX_INCIDENTS: usize = 1000;

/// Reads `60s`, `7d`, `1h30m` or ISO 8601.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let no_duration = |_| format!("`{text}` is no duration, such as 30s, 1h30m or 7d");
    let span: jiff::Span = text.parse().map_err(no_duration)?;
    let signed = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|error| error.to_string())?;
    Duration::try_from(signed).map_err(|_| "a duration must not be negative".to_owned())
}

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
    pub fn shown(&self) -> serde_json::Value {
        let publishers = match &self.publishers {
            Publishers::Fixed(list) => json!(list.iter().map(|(url, _)| url).collect::<Vec<_>>()),
            Publishers::Cluster { namespace, .. } => json!({"namespace": namespace}),
        };
        let Settings { offset_ns, loss_of_lock, lost_states, alert_resources, topology, .. } =
            &self.thresholds;
        json!({
            "publishers": publishers,
            "listen": self.listen,
            "api": self.api,
            "callback": self.callback,
            "journal": self.journal,
            "journal_age_s": self.retention.age.as_secs(),
            "journal_bytes": self.retention.bytes,
            "poll_s": self.poll.as_secs(),
            "remove_subscriptions": self.remove_subscriptions,
            "cluster": self.identity.cluster,
            "labels": self.identity.labels,
            "external_url": self.identity.external_url,
            "slack": self.slack.is_some(),
            "alertmanagers": self.alertmanagers.len(),
            "webhook": self.webhook.is_some(),
            "kubernetes_events": self.kubernetes_events,
            "read_token": self.read_token.is_some(),
            "write_token": self.write_token.is_some(),
            "mcp_exec": self.mcp_exec,
            "thresholds": {
                "offset_ns": offset_ns,
                "loss_of_lock_s": loss_of_lock.as_secs_f64(),
                "lost_states": lost_states,
                "alert_resources": alert_resources,
            },
            "timing_domains": topology.domains(),
            "grace_s": self.grace.as_secs(),
        })
    }
}

fn is_http(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn identity(options: &Options, mistakes: &mut Vec<String>) -> Identity {
    let mut labels = std::collections::BTreeMap::new();
    for text in &options.label {
        match identity::label(text) {
            Ok((name, value)) => {
                if labels.insert(name.clone(), value).is_some() {
                    mistakes.push(format!("--label: `{name}` is given twice"));
                }
            }
            Err(error) => mistakes.push(format!("--label: {error}")),
        }
    }
    if !is_http(&options.runbook_url.replace("{root_cause}", "x")) {
        mistakes.push("--runbook-url: must be an http or https URL".to_owned());
    }
    let external_url = options.external_url.as_deref();
    Identity {
        cluster: options.cluster_name.clone(),
        labels,
        external_url: external_url.map(|url| url.trim_end_matches('/').to_owned()),
        runbook_url: options.runbook_url.clone(),
    }
}

/// What each option allows, and all of them together do not.
fn combinations(options: &Options, mistakes: &mut Vec<String>) {
    let https = |url: &Option<String>| url.as_deref().is_some_and(|url| url.starts_with("https:"));
    let fixed = !options.publisher.is_empty();
    let in_cluster_or_https =
        !fixed || options.publisher.iter().any(|url| url.starts_with("https:"));
    let alertmanagers = !options.alertmanager.is_empty();
    let secure = options.alertmanager.iter().any(|url| url.starts_with("https:"));
    let keeps_secret = options.journal.is_some() || options.callback_secret.is_some();
    let api = SocketAddr::new(options.api_address, options.port);
    for (wrong, why) in [
        (
            options.slack_ca_file.is_some() && !https(&options.slack_webhook_url),
            "--slack-ca-file: needs an https URL in --slack-webhook-url",
        ),
        (
            options.alertmanager_ca_file.is_some() && !secure,
            "--alertmanager-ca-file: needs an https URL in --alertmanager",
        ),
        (
            options.alertmanager_token_file.is_some() && !alertmanagers,
            "--alertmanager-token-file: needs --alertmanager",
        ),
        (
            options.webhook_ca_file.is_some() && !https(&options.webhook),
            "--webhook-ca-file: needs an https URL in --webhook",
        ),
        (
            options.webhook_token_file.is_some() && options.webhook.is_none(),
            "--webhook-token-file: needs --webhook",
        ),
        (
            options.webhook_secret.is_some() && options.webhook.is_none(),
            "--webhook-secret: needs --webhook",
        ),
        (
            options.publisher_ca_file.is_some() && !in_cluster_or_https,
            "--publisher-ca-file: none of the URLs in --publisher is https",
        ),
        (
            options.publisher_url_template.is_some() && fixed,
            "--publisher-url-template: is for publishers found in the cluster, and --publisher names others",
        ),
        (
            options.mcp_exec && fixed,
            "--mcp-exec: needs a cluster, and --publisher says to use none",
        ),
        (
            options.keep_subscriptions && !keeps_secret,
            "--keep-subscriptions: needs --journal or --callback-secret; otherwise what is kept posts to a URL that the next start does not know",
        ),
        (
            options.listen == api && options.port != 0,
            "--port: is the port of --listen, where publishers post to",
        ),
        (
            callback(options).is_none() && !fixed,
            "--endpoint: publishers must be told where to post events; set PTP_AGENT_ENDPOINT, AGENT_NAMESPACE, POD_IP or NODE_IP",
        ),
    ] {
        if wrong {
            mistakes.push(why.to_owned());
        }
    }
    for (flag, file) in [
        ("--slack-ca-file", &options.slack_ca_file),
        ("--alertmanager-ca-file", &options.alertmanager_ca_file),
        ("--webhook-ca-file", &options.webhook_ca_file),
        ("--publisher-ca-file", &options.publisher_ca_file),
    ] {
        if let Err(error) = Tls::with_ca_file(file.clone()).builder() {
            mistakes.push(format!("{flag}: {}", crate::store::chain(&error)));
        }
    }
}

fn publishers(options: &Options, mistakes: &mut Vec<String>) -> Publishers {
    let template = match &options.publisher_url_template {
        None => UrlTemplate::default(),
        Some(text) => UrlTemplate::parse(text).unwrap_or_else(|error| {
            mistakes.push(format!("--publisher-url-template: {error}"));
            UrlTemplate::default()
        }),
    };
    if options.publisher.is_empty() {
        return Publishers::Cluster { namespace: options.ptp_namespace.clone(), template };
    }
    let mut fixed = Vec::new();
    for text in &options.publisher {
        match ptp_subscriber::discovery::publisher(text) {
            Ok(publisher) => fixed.push(publisher),
            Err(error) => mistakes.push(format!("--publisher: {}", crate::store::chain(&error))),
        }
    }
    Publishers::Fixed(fixed)
}

fn thresholds(options: &Options, mistakes: &mut Vec<String>) -> Settings {
    let mut settings = Settings::default();
    if let Some(path) = &options.thresholds {
        let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
        match read.and_then(|text| toml::from_str(&text).map_err(|error| error.to_string())) {
            Ok(read) => settings = read,
            Err(error) => mistakes.push(format!("--thresholds {}: {error}", path.display())),
        }
    }
    if let Some(path) = options.topology.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        match topology(path) {
            Ok(read) => settings.topology = read,
            Err(error) => mistakes.push(format!("--topology {}: {error}", path.display())),
        }
    }
    let overrides = Overrides {
        offset_ns: options.offset_threshold,
        lost_states: options.lost_states.clone(),
        alert_resources: options.alert_resources.clone(),
    };
    if let Err(error) = overrides.apply(&mut settings) {
        mistakes.push(format!("--alert-resources (ALERT_EVENT_TYPES): {error}"));
    }
    // What is kept in memory and shown in one piece; the journal keeps the rest.
    settings.max_incidents = settings.max_incidents.min(MAX_INCIDENTS);
    settings.namespace.clone_from(&options.ptp_namespace);
    mistakes.extend(settings.mistakes().iter().map(|mistake| format!("thresholds: {mistake}")));
    settings
}

fn topology(path: &Path) -> Result<Topology, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Topology::from_toml(&text).map_err(|error| match error {
        TopologyError::Toml { source } => source.to_string(),
        other => other.to_string(),
    })
}

/// What publishers are told, from the surest to the least sure source.
fn callback(options: &Options) -> Option<String> {
    let port = options.listen.port();
    let with_port = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => format!("http://{ip}:{port}"),
        IpAddr::V6(ip) => format!("http://[{ip}]:{port}"),
    };
    let own = options.listen.ip();
    options
        .endpoint
        .clone()
        .or_else(|| {
            let namespace = options.agent_namespace.as_deref()?;
            Some(format!("http://ptp-agent.{namespace}.svc.cluster.local:{port}"))
        })
        .or_else(|| options.pod_ip.map(with_port))
        .or_else(|| options.node_ip.map(with_port))
        .or_else(|| (!own.is_unspecified() && port != 0).then(|| with_port(own)))
}

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Every name by which MCP clients may reach us: a page that made a browser believe another name
/// is ours is refused.
fn mcp_hosts(options: &Options) -> Vec<String> {
    let mut hosts: Vec<_> = LOOPBACK.map(str::to_owned).into();
    if let Some(namespace) = &options.agent_namespace {
        let service = format!("ptp-agent.{namespace}");
        hosts.push("ptp-agent".to_owned());
        hosts.extend(["", ".svc", ".svc.cluster.local"].map(|end| format!("{service}{end}")));
    }
    hosts.extend(options.pod_ip.map(|ip| ip.to_string()));
    hosts.extend(options.mcp_host.iter().filter(|host| !host.trim().is_empty()).cloned());
    hosts
}

/// The callback for publishers on this machine.
pub(crate) fn loopback(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}
