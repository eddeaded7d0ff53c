//! The API over HTTP.

use std::time::Duration;

use ptp_events::client::{CertificateProblem, Tls, TlsError};
use reqwest::Url;

use super::{Answered, Answering, ClientError, Method, Transport};
use crate::Secret;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 32 << 20;
/// How long the agent may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// An agent elsewhere.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    url: Url,
    token: Option<Secret>,
}

/// A stream of server-sent events, as bytes.
pub type Stream = reqwest::Response;

impl Http {
    /// The agent whose API is at `url`, to be shown this token, trusted as `tls` says.
    ///
    /// # Errors
    /// When the URL is none, or the CA file cannot be used.
    pub fn new(url: &str, token: Option<Secret>, tls: &Tls) -> Result<Self, ClientError> {
        let bad = || ClientError::Unreachable {
            detail: format!(
                "`{url}` is not an http or https URL; give that of the agent's API (PTP_AGENT_URL)"
            ),
            source: None,
        };
        let setup = |source: TlsError| ClientError::Unreachable {
            detail: "HTTP cannot be set up".to_owned(),
            source: Some(source.into()),
        };
        let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(bad)?;
        let client = tls.builder().map_err(setup)?.connect_timeout(CONNECT).build();
        let client = client.map_err(|source| setup(TlsError::Setup { source }))?;
        Ok(Self { client, url, token })
    }

    fn request(&self, method: Method, target: &str) -> reqwest::RequestBuilder {
        let mut url = self.url.clone();
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        // What it is reached by may have a path of its own, as behind an ingress.
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url.set_query(query);
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// The stream of changes.
    ///
    /// # Errors
    /// When there is none.
    pub async fn stream(&self) -> Result<Stream, ClientError> {
        let answer = self.request(Method::Get, "/api/v1/stream").send().await;
        answer
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, source: reqwest::Error) -> ClientError {
        let at = self.url.origin().ascii_serialization();
        let problem = CertificateProblem::behind(&source);
        let detail = match &problem {
            Some(problem @ CertificateProblem::UnknownAuthority) => format!(
                "the agent at {at} cannot be trusted: {problem} (PTP_AGENT_CA_FILE, --agent-ca-file)"
            ),
            Some(problem) => format!("the agent at {at} cannot be trusted: {problem}"),
            None => format!(
                "the agent at {at} does not answer; is its URL right (PTP_AGENT_URL), is its port forwarded?"
            ),
        };
        let source = problem.is_none().then(|| source.without_url().into());
        ClientError::Unreachable { detail, source }
    }
}

impl Transport for Http {
    fn ask(&self, method: Method, target: String, body: Option<String>) -> Answering<'_> {
        Box::pin(async move {
            let mut request = self.request(method, &target).timeout(PATIENCE);
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body);
            }
            let mut answer = request.send().await.map_err(|error| self.unreachable(error))?;
            let status = answer.status().as_u16();
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| self.unreachable(error))? {
                if body.len() + chunk.len() > LONGEST {
                    return Err(ClientError::Unreadable { target, source: None });
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Answered { status, body })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_agents_are_checked() {
        for url in ["", "agent:8081", "ftp://agent", "file:///etc/passwd"] {
            assert!(Http::new(url, None, &Tls::platform()).is_err(), "{url}");
        }
        for url in ["http://127.0.0.1:8081", "https://ptp.example/agent/"] {
            assert!(Http::new(url, None, &Tls::platform()).is_ok(), "{url}");
        }
    }
}
