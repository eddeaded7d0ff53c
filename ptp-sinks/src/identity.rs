//! Which cluster the agent speaks for, and where people find more about what it says.

use std::collections::BTreeMap;

use ptp_diagnostics::RootCause;

/// Where the manual pages of root causes are unless said otherwise.
pub const RUNBOOK: &str =
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/diagnostics.md#{root_cause}");

/// Labels that the agent sets itself.
const RESERVED: [&str; 14] = [
    "alertname",
    "clock",
    "cluster",
    "incident",
    "job",
    "kind",
    "le",
    "node",
    "outcome",
    "root_cause",
    "severity",
    "sink",
    "state",
    "version",
];

/// Who speaks: sent along with every alert, and shown by the API and in metrics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// What people call the cluster.
    pub cluster: Option<String>,
    /// Further labels, by name.
    pub labels: BTreeMap<String, String>,
    /// Where people reach the API, without a slash at the end.
    pub external_url: Option<String>,
    /// From a root cause, in place of `{root_cause}`, to its manual page.
    pub runbook_url: String,
}

impl Default for Identity {
    fn default() -> Self {
        let runbook_url = RUNBOOK.to_owned();
        Self { cluster: None, labels: BTreeMap::new(), external_url: None, runbook_url }
    }
}

impl Identity {
    /// All labels, that of the cluster first.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        let cluster = self.cluster.as_deref().map(|name| ("cluster", name));
        cluster.into_iter().chain(self.labels.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Where people can look at an incident, if the API can be reached from outside.
    #[must_use]
    pub fn incident_url(&self, incident: &str) -> Option<String> {
        let base = self.external_url.as_deref()?;
        Some(format!("{base}/incidents/{incident}"))
    }

    /// The manual page of a root cause.
    #[must_use]
    pub fn runbook_url(&self, cause: RootCause) -> String {
        self.runbook_url.replace("{root_cause}", cause.code())
    }
}

/// Takes `NAME=VALUE` apart.
///
/// # Errors
/// When Prometheus would not take the name (`[a-zA-Z_][a-zA-Z0-9_]*`, no `__` in front), or the
/// agent uses it itself.
pub fn parse_label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("`{text}` must be NAME=VALUE, such as region=north"))?;
    let (name, value) = (name.trim(), value.trim());
    let mut letters = name.bytes();
    let first = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !first || !rest || name.starts_with("__") {
        return Err(format!("`{name}` must be letters, digits and `_`, and begin with a letter"));
    }
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is a label that the agent sets itself"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_prometheus_takes() {
        assert_eq!(parse_label("region=north=1"), Ok(("region".to_owned(), "north=1".to_owned())));
        for text in ["region", "=x", "9a=x", "a-b=x", "__a=x", "severity=x"] {
            assert!(parse_label(text).is_err(), "{text}");
        }
    }

    #[test]
    fn links_lead_to_the_incident_and_to_the_manual() {
        let mut identity = Identity::default();
        assert_eq!(identity.incident_url("a1"), None);
        identity.external_url = Some("https://ptp.example".to_owned());
        let url = identity.incident_url("a1");
        assert_eq!(url.as_deref(), Some("https://ptp.example/incidents/a1"));
        let page = identity.runbook_url(RootCause::PtpPathLoss);
        assert!(page.ends_with("/docs/diagnostics.md#ptp-path-loss"), "{page}");
    }
}
