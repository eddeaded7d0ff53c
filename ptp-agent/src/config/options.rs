//! Flags and environment variables, declared once: help and the check of a file come from here.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ptp_events::deployment::NAMESPACE;

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
    #[arg(long, env = "PTP_NAMESPACE", default_value = NAMESPACE, value_name = "NAME")]
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
    #[arg(long, env = "PTP_AGENT_JOURNAL_AGE", default_value = "7d", value_name = "DURATION", value_parser = ptp_events::length)]
    pub journal_age: Duration,

    /// How large the journal may get, in MiB
    #[arg(long, env = "PTP_AGENT_JOURNAL_SIZE", default_value_t = 1024, value_name = "MIB")]
    pub journal_size: u64,

    /// Secret behind the callback URLs, at least 32 bytes; otherwise kept beside the journal
    #[arg(long, env = "PTP_AGENT_CALLBACK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub callback_secret: Option<String>,

    /// How often the current state of every clock is asked for
    #[arg(long, env = "PTP_AGENT_POLL", default_value = "60s", value_name = "DURATION", value_parser = ptp_events::length)]
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
    #[arg(long, env = "PTP_AGENT_RUNBOOK_URL", default_value = ptp_sinks::RUNBOOK, value_name = "TEMPLATE")]
    pub runbook_url: String,

    /// Bearer token for reading the API; without it everybody may
    #[arg(long, env = "PTP_AGENT_READ_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub read_token: Option<String>,

    /// Bearer token for changing things; without it nobody may
    #[arg(long, env = "PTP_AGENT_WRITE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub write_token: Option<String>,

    /// Name that clients reach us by, besides localhost, the Service's and that of --external-url (repeatable)
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
    #[arg(long, env = "PTP_AGENT_GRACE", default_value = "20s", value_name = "DURATION", value_parser = ptp_events::length)]
    pub grace: Duration,
}

impl Options {
    /// Takes out what is set to nothing, and puts in what the folder of `--etc` has.
    pub(super) fn tidy(&mut self) {
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
