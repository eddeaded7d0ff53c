//! The agent's own HTTP API, asked from within or over the network.
//!
//! Tools know nothing the API does not say, so that a laptop with `PTP_AGENT_URL` sees what `/mcp`
//! on the agent sees.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use ptp_events::client::{CertificateProblem, Tls, TlsError};
use reqwest::{Method, Url};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::secret::Secret;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 32 << 20;
/// How long a remote agent may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the API is.
#[derive(Clone, Debug)]
pub enum Source {
    /// In this process; whoever reaches us was let in already.
    Here(Router),
    /// Elsewhere.
    There(Remote),
    /// There is none: only the cluster is asked.
    Nowhere,
}

/// An agent elsewhere.
#[derive(Clone, Debug)]
pub struct Remote {
    http: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

/// What to set where that helps.
fn hint(problem: &CertificateProblem) -> &'static str {
    match problem {
        CertificateProblem::UnknownAuthority => " (PTP_AGENT_CA_FILE, --agent-ca-file)",
        _ => "",
    }
}

/// Why the agent did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The URL cannot be used.
    #[error("`{url}` is not an http or https URL; set PTP_AGENT_URL to that of the agent's API")]
    Url {
        /// What was given.
        url: String,
    },
    /// HTTP cannot be set up.
    #[error(transparent)]
    Http(#[from] TlsError),
    /// The agent's certificate is not to be trusted.
    #[error("the agent at {url} cannot be trusted: {problem}{}", hint(problem))]
    Certificate {
        /// Where it was expected.
        url: String,
        /// What is wrong with it.
        problem: CertificateProblem,
    },
    /// No agent was named.
    #[error("no agent is configured; set PTP_AGENT_URL to the URL of its API")]
    Nowhere,
    /// Nobody answered.
    #[error("the agent at {url} does not answer; is PTP_AGENT_URL right, is its port forwarded?")]
    Unreachable {
        /// Where it was expected.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The agent refused.
    #[error("{detail}")]
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The answer is not what the API gives.
    #[error("the agent's answer cannot be read; is that its API?")]
    Unreadable,
}

impl Remote {
    /// The agent whose API is at `url`, to be shown this token, trusted as `tls` says.
    ///
    /// # Errors
    /// When the URL is none, or the CA file cannot be used.
    pub fn new(url: &str, token: Option<Secret>, tls: &Tls) -> Result<Self, SourceError> {
        let bad = || SourceError::Url { url: url.to_owned() };
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(bad)?;
        let http = tls.builder()?.connect_timeout(Duration::from_secs(5)).build();
        let http = http.map_err(|source| TlsError::Setup { source })?;
        Ok(Self { http, url, token })
    }

    fn request(&self, method: Method, target: &Url) -> reqwest::RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(target.path());
        url.set_query(target.query());
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// The stream of changes.
    pub(super) async fn stream(&self) -> Result<reqwest::Response, reqwest::Error> {
        let target = target(&["api", "v1", "stream"], &[]);
        self.request(Method::GET, &target).send().await?.error_for_status()
    }

    async fn ask(&self, method: Method, target: &Url, body: Option<&Value>) -> Asked {
        let mut request = self.request(method, target).timeout(PATIENCE);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let url = || self.url.origin().ascii_serialization();
        let unreachable = |source: reqwest::Error| match CertificateProblem::behind(&source) {
            Some(problem) => SourceError::Certificate { url: url(), problem },
            None => SourceError::Unreachable { url: url(), source: source.without_url() },
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(SourceError::Unreadable);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, bytes))
    }
}

type Asked = Result<(u16, Vec<u8>), SourceError>;

/// A path and its query, with everything escaped that must be.
fn target(path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = Url::parse("http://agent").expect("a URL known when the program is written");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

impl Source {
    /// Whether there is an agent.
    #[must_use]
    pub const fn is_somewhere(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// GET.
    ///
    /// # Errors
    /// When there is no answer, or not the one asked for.
    pub async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Value, SourceError> {
        self.ask(Method::GET, &target(path, query), None).await
    }

    /// POST with a body, or DELETE without one.
    ///
    /// # Errors
    /// When there is no answer, or not the one asked for.
    pub async fn change(&self, path: &[&str], body: Option<&Value>) -> Result<Value, SourceError> {
        let method = if body.is_some() { Method::POST } else { Method::DELETE };
        self.ask(method, &target(path, &[]), body).await
    }

    async fn ask(
        &self,
        method: Method,
        target: &Url,
        body: Option<&Value>,
    ) -> Result<Value, SourceError> {
        let (status, bytes) = match self {
            Self::Here(router) => ask_here(router, method, target, body).await?,
            Self::There(remote) => remote.ask(method, target, body).await?,
            Self::Nowhere => return Err(SourceError::Nowhere),
        };
        let value: Option<Value> = serde_json::from_slice(&bytes).ok();
        if (200..300).contains(&status) {
            return value.ok_or(SourceError::Unreadable);
        }
        let detail = value.as_ref().and_then(|problem| problem["detail"].as_str());
        let detail = match detail {
            Some(detail) => detail.to_owned(),
            None => format!("the agent answered with status {status}"),
        };
        Err(SourceError::Refused { status, detail })
    }
}

async fn ask_here(router: &Router, method: Method, target: &Url, body: Option<&Value>) -> Asked {
    let uri = match target.query() {
        Some(query) => format!("{}?{query}", target.path()),
        None => target.path().to_owned(),
    };
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = axum::http::Request::builder().method(method).uri(uri).body(body);
    let request = request.map_err(|_| SourceError::Unreadable)?;
    let Ok(answer) = router.clone().oneshot(request).await;
    let status = answer.status().as_u16();
    let bytes = to_bytes(answer.into_body(), LONGEST).await;
    Ok((status, bytes.map_err(|_| SourceError::Unreadable)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_segment() {
        let url = target(&["api", "v1", "nodes", "../x?y=1#z"], &[("node", "a&b=c")]);
        assert_eq!(url.path(), "/api/v1/nodes/..%2Fx%3Fy=1%23z");
        assert_eq!(url.query(), Some("node=a%26b%3Dc"));
    }

    #[test]
    fn urls_of_agents_are_checked() {
        for url in ["", "agent:8081", "ftp://agent", "file:///etc/passwd"] {
            assert!(Remote::new(url, None, &Tls::platform()).is_err(), "{url}");
        }
        for url in ["http://127.0.0.1:8081", "https://ptp.example"] {
            assert!(Remote::new(url, None, &Tls::platform()).is_ok(), "{url}");
        }
    }
}
