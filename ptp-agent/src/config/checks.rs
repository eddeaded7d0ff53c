//! What the options must be, each and together; every mistake is one line that names the flag.

use std::net::SocketAddr;
use std::path::Path;

use ptp_diagnostics::topology::TopologyError;
use ptp_diagnostics::{Overrides, Settings, Topology};
use ptp_events::NodeName;
use ptp_events::client::Tls;
use ptp_sinks::{self, Identity};
use ptp_subscriber::discovery::UrlTemplate;

use super::{Options, Publishers, callback};

/// How many resolved incidents, and alerts, the agent shows.
const MAX_INCIDENTS: usize = 1000;

/// The fewest characters of a token: 64 bits, written in hexadecimal.
const SHORTEST_TOKEN: usize = 16;

pub(super) fn is_http(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

pub(super) fn identity(options: &Options, mistakes: &mut Vec<String>) -> Identity {
    let mut labels = std::collections::BTreeMap::new();
    for text in &options.label {
        match ptp_sinks::parse_label(text) {
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
pub(super) fn combinations(options: &Options, mistakes: &mut Vec<String>) {
    let is_https = |url: &str| reqwest::Url::parse(url).is_ok_and(|url| url.scheme() == "https");
    // Of a URL that is none that is said already.
    let https =
        |url: &Option<String>| url.as_deref().is_some_and(|url| !is_http(url) || is_https(url));
    let fixed = !options.publisher.is_empty();
    let in_cluster_or_https = !fixed || options.publisher.iter().any(|url| is_https(url));
    let alertmanagers = !options.alertmanager.is_empty();
    let secure = options.alertmanager.iter().any(|url| is_https(url));
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
            options.mcp_exec && options.read_token.is_none(),
            "--mcp-exec: needs --read-token, or whoever reaches the API may run commands on nodes",
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
    for (flag, token) in
        [("--read-token", &options.read_token), ("--write-token", &options.write_token)]
    {
        if token.as_ref().is_some_and(|token| token.len() < SHORTEST_TOKEN) {
            mistakes.push(format!(
                "{flag}: has fewer than {SHORTEST_TOKEN} characters and can be guessed; \
                 `openssl rand -hex 32` makes one"
            ));
        }
    }
}

/// What the files and folders must be that are named.
pub(super) fn files(options: &Options, mistakes: &mut Vec<String>) {
    for (flag, file) in [
        ("--slack-ca-file", &options.slack_ca_file),
        ("--alertmanager-ca-file", &options.alertmanager_ca_file),
        ("--webhook-ca-file", &options.webhook_ca_file),
        ("--publisher-ca-file", &options.publisher_ca_file),
    ] {
        if let Err(error) = Tls::with_ca_file(file.clone()).builder() {
            mistakes.push(format!("{flag}: {}", ptp_events::chain(&error)));
        }
    }
    for (flag, file) in [
        ("--alertmanager-token-file", &options.alertmanager_token_file),
        ("--webhook-token-file", &options.webhook_token_file),
    ] {
        if let Some(Err(error)) = file.as_deref().map(ptp_sinks::read_token) {
            mistakes.push(format!("{flag}: {}", ptp_events::chain(&error)));
        }
    }
    if let Some(journal) = &options.journal {
        let folder = journal.parent().filter(|folder| !folder.as_os_str().is_empty());
        if journal.is_dir() {
            mistakes.push(format!("--journal: `{}` is a folder", journal.display()));
        } else if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            mistakes.push(format!("--journal: there is no folder `{}`", folder.display()));
        }
    }
}

pub(super) fn publishers(options: &Options, mistakes: &mut Vec<String>) -> Publishers {
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
            Ok((url, node)) => {
                let twice = |(other, named): &(String, Option<NodeName>)| {
                    *other == url || (node.is_some() && *named == node)
                };
                if fixed.iter().any(twice) {
                    mistakes.push("--publisher: a URL or a node is named twice".to_owned());
                }
                fixed.push((url, node));
            }
            Err(error) => mistakes.push(format!("--publisher: {}", ptp_events::chain(&error))),
        }
    }
    Publishers::Fixed(fixed)
}

pub(super) fn thresholds(options: &Options, mistakes: &mut Vec<String>) -> Settings {
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
        mistakes.push(error);
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
