//! Posting events as cloud-event-proxy does.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Uri};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// How long the proxy waits for a consumer (observed, see docs/protocol.md §2).
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// A client with the exact headers of the real one, which a general client would add to.
pub(super) struct Pusher {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Pusher {
    pub(super) fn new() -> Self {
        let client = Client::builder(TokioExecutor::new())
            .http1_title_case_headers(true)
            .pool_max_idle_per_host(1)
            .build_http();
        Self { client }
    }

    /// The status answered within 2 s; `None` when there was none.
    pub(super) async fn post(&self, endpoint: &str, body: Bytes) -> Option<u16> {
        let request = Request::post(endpoint.parse::<Uri>().ok()?)
            .header("User-Agent", "Go-http-client/1.1")
            .header("Content-Type", "application/json")
            .header("Accept-Encoding", "gzip")
            .body(Full::new(body))
            .ok()?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.client.request(request)).await;
        Some(answer.ok()?.ok()?.status().as_u16())
    }
}
