//! A typed client of one publisher's REST API.
//!
//! There is deliberately no call that deletes all subscriptions: it would delete those of every
//! other client too (observed, see docs/protocol.md §2).

mod error;
mod tls;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;

use crate::{
    ApiVersion, Event, MAX_BODY_BYTES, NewSubscription, NodeName, Subscription, SubscriptionId,
};

/// The crate whose clients are in signatures here.
pub use reqwest;

pub use error::{Call, ClientError};
pub use tls::{Authorities, CertificateProblem, Tls, TlsError};

/// How long a call may take. Creating a subscription includes the publisher's own two seconds
/// of waiting for the answer to its first notification (observed, see docs/protocol.md §2).
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Talks to one publisher. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    version: ApiVersion,
}

/// The connections that clients of any number of publishers can share.
///
/// Follows no redirects and uses no proxy: a publisher must not be able to send us elsewhere.
///
/// # Errors
/// When the CA file cannot be used, or the resolver not be set up.
pub fn connections(tls: &Tls) -> Result<reqwest::Client, TlsError> {
    tls.builder()?
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .no_proxy()
        // Publishers are called about twice a minute: keeping more than one connection to each
        // would cost file descriptors and save nothing.
        .pool_max_idle_per_host(1)
        // Long enough for the calls of one round. A connection kept to the next one might be
        // closed by the publisher just then, and look like an outage.
        .pool_idle_timeout(Duration::from_secs(5))
        .build()
        .map_err(|source| TlsError::Setup { source })
}

impl Client {
    /// A client of the publisher at `url`, such as `http://10.0.0.1:9043`, or an `https` one.
    ///
    /// A URL that already holds the API's path, such as StarlingX's
    /// `http://controller:8080/ocloudNotifications/v2`, is taken as it is.
    ///
    /// # Errors
    /// When `url` is not an absolute `http` or `https` URL without query.
    pub fn new(http: reqwest::Client, url: &str, version: ApiVersion) -> Result<Self, ClientError> {
        let parsed = reqwest::Url::parse(url);
        let usable = parsed.is_ok_and(|parsed| {
            matches!(parsed.scheme(), "http" | "https")
                && parsed.has_host()
                && parsed.query().is_none()
                && parsed.fragment().is_none()
        });
        if !usable {
            return Err(ClientError::Url { url: url.to_owned() });
        }
        let url = url.trim_end_matches('/');
        let base = if url.contains("/ocloudNotifications/") {
            url.to_owned()
        } else {
            format!("{url}{}", version.base_path())
        };
        Ok(Self { http, base, version })
    }

    /// Whether the publisher says it is well.
    pub async fn health(&self) -> Result<(), ClientError> {
        let url = format!("{}/health", self.base);
        self.get(Call::Health, url).await.map(drop)
    }

    /// The resources the publisher offers, with its node's exact addresses.
    pub async fn publishers(&self) -> Result<Vec<Subscription>, ClientError> {
        let url = format!("{}/publishers", self.base);
        self.get_list(Call::Publishers, url).await
    }

    /// Everybody's subscriptions.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, ClientError> {
        let url = format!("{}/subscriptions", self.base);
        self.get_list(Call::Subscriptions, url).await
    }

    /// Subscribes `endpoint` to `address`; `endpoint` must be serving already.
    pub async fn create(&self, endpoint: &str, address: &str) -> Result<Subscription, ClientError> {
        let url = format!("{}/subscriptions", self.base);
        let body = NewSubscription { endpoint, address }.to_vec(self.version);
        let request = self.http.post(&url).header("content-type", "application/json").body(body);
        let body = self.call(Call::Create, &url, request).await?;
        json(Call::Create, url, &body)
    }

    /// Removes one subscription; `false` when there was none of that id.
    pub async fn delete(&self, id: &SubscriptionId) -> Result<bool, ClientError> {
        let url = format!("{}/subscriptions/{id}", self.base);
        match self.call(Call::Delete, &url, self.http.delete(&url)).await {
            Ok(_) => Ok(true),
            Err(error) if error.status() == Some(404) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The current state of `address`: its events, each with the bytes it was decoded from. That is
    /// one event, but of StarlingX, which answers with an array (docs/protocol.md §6).
    ///
    /// None when nobody subscribes to exactly that address, or there is no data yet. `node` is
    /// the node we ask for, as some answers leave it out (observed, see docs/protocol.md §2).
    pub async fn current_state(
        &self,
        address: &str,
        node: &NodeName,
    ) -> Result<Vec<(Event, Bytes)>, ClientError> {
        let clean = address.starts_with('/')
            && !address.split('/').any(|part| matches!(part, "." | ".."))
            && !address.contains(['?', '#', '%', '\\'])
            && address.bytes().all(|byte| byte.is_ascii_graphic());
        let url = format!("{}{address}/CurrentState", self.base);
        if !clean {
            return Err(ClientError::Url { url });
        }
        let body = match self.get(Call::CurrentState, url.clone()).await {
            Ok(body) => body,
            Err(error) if error.status() == Some(404) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        match Event::all_from_slice_of(&body, node) {
            Ok(events) => {
                let kept = |(event, raw): (Event, &[u8])| (event, body.slice_ref(raw));
                Ok(events.into_iter().map(kept).collect())
            }
            Err(source) => Err(ClientError::NotAnEvent { url, source }),
        }
    }

    async fn get(&self, call: Call, url: String) -> Result<Bytes, ClientError> {
        self.call(call, &url, self.http.get(&url)).await
    }

    /// A list, which is the literal `null` when empty.
    async fn get_list<T: DeserializeOwned>(
        &self,
        call: Call,
        url: String,
    ) -> Result<Vec<T>, ClientError> {
        let body = self.get(call, url.clone()).await?;
        let list: Option<Vec<T>> = json(call, url, &body)?;
        Ok(list.unwrap_or_default())
    }

    async fn call(
        &self,
        call: Call,
        url: &str,
        request: reqwest::RequestBuilder,
    ) -> Result<Bytes, ClientError> {
        let failed = |source: reqwest::Error| ClientError::Unreachable {
            call,
            url: url.to_owned(),
            // The URL is a field of ours already.
            source: source.without_url(),
        };
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            return Err(ClientError::Status { call, url: url.to_owned(), status: status.as_u16() });
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(ClientError::TooLarge { call, url: url.to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

fn json<T: DeserializeOwned>(call: Call, url: String, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|source| ClientError::Malformed { call, url, source })
}
