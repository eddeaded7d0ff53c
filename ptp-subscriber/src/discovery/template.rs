//! From a pod to its publisher's URL.

use std::net::IpAddr;

/// Why a text cannot be a URL template.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A name in braces that stands for nothing.
    #[error(
        "`{{{name}}}` stands for nothing; there are {{node}}, {{shortNode}}, {{namespace}} and {{podIP}}"
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// A brace without its partner.
    #[error("a `{{` is not closed")]
    Open,
}

/// A URL with `{node}`, `{shortNode}`, `{namespace}` and `{podIP}` in it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UrlTemplate(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    Text(String),
    Node,
    ShortNode,
    Namespace,
    PodIp,
}

/// The service of cloud-event-proxy (docs/protocol.md §7).
const SERVICE: &str =
    "http://ptp-event-publisher-service-{shortNode}.{namespace}.svc.cluster.local:9043";

impl Default for UrlTemplate {
    fn default() -> Self {
        Self::parse(SERVICE).unwrap_or(Self(Vec::new()))
    }
}

impl UrlTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// When a name in braces stands for nothing, or a brace is not closed.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "node" => Part::Node,
                "shortNode" => Part::ShortNode,
                "namespace" => Part::Namespace,
                "podIP" => Part::PodIp,
                name => {
                    return Err(TemplateError::Unknown { name: name.to_owned() });
                }
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The URL of a pod's publisher; `None` when it needs the pod's address and there is none yet.
    #[must_use]
    pub fn url(&self, node: &str, namespace: &str, pod_ip: Option<IpAddr>) -> Option<String> {
        let mut url = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Node => url.push_str(node),
                Part::ShortNode => url.push_str(node.split('.').next().unwrap_or(node)),
                Part::Namespace => url.push_str(namespace),
                Part::PodIp => match pod_ip? {
                    IpAddr::V4(ip) => url.push_str(&ip.to_string()),
                    IpAddr::V6(ip) => {
                        url.push('[');
                        url.push_str(&ip.to_string());
                        url.push(']');
                    }
                },
            }
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, ip: Option<&str>, expect: Option<&str>) {
        let ip = ip.map(|ip| ip.parse().unwrap());
        let template = UrlTemplate::parse(template).unwrap();
        let url = template.url("w1.lab.example.com", "openshift-ptp", ip);
        assert_eq!(url.as_deref(), expect);
    }

    #[test]
    fn urls_of_pods() {
        check(
            SERVICE,
            None,
            Some("http://ptp-event-publisher-service-w1.openshift-ptp.svc.cluster.local:9043"),
        );
        check("http://{podIP}:9043", Some("10.0.0.7"), Some("http://10.0.0.7:9043"));
        check("http://{podIP}:9043", Some("fd00::7"), Some("http://[fd00::7]:9043"));
        check("http://{podIP}:9043", None, None);
        check("http://{node}/", None, Some("http://w1.lab.example.com/"));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| UrlTemplate::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("http://{pod}"),
            "`{pod}` stands for nothing; there are {node}, {shortNode}, {namespace} and {podIP}"
        );
        assert_eq!(error("http://{node"), "a `{` is not closed");
    }
}
