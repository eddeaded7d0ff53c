//! The API, asked: one method for each address, whatever carries the question.

#[cfg(feature = "http")]
pub(crate) mod http;

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use ptp_diagnostics::report::{BlindWindow, IncidentReport, NodeReport};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::{
    Alerts, AlertsQuery, BlindQuery, ClockSamples, Deliveries, DeliveriesQuery, EventsQuery, Fleet,
    History, HistoryQuery, IncidentForecast, IncidentsQuery, JournalEntry, Listed, MadeSilence,
    NewSilence, NodeQuiet, NodeSummary, Nothing, PageQuery, Problem, Related, RelatedQuery,
    Silence, SummaryQuery, Topology, query_pairs,
};

/// How something is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// What is so.
    Get,
    /// Something new.
    Post,
    /// Something ends.
    Delete,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What came back: a status and a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answered, ClientError>> + Send + 'a>>;

/// Carries questions to the API: over HTTP, or within a process.
pub trait Transport: fmt::Debug + Send + Sync {
    /// Asks at a path with its query, such as `/api/v1/nodes?limit=8`, everything in it escaped.
    fn ask(&self, method: Method, target: String, body: Option<String>) -> Answering<'_>;
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answered, or nobody who is to be trusted.
    #[error("{detail}")]
    Unreachable {
        /// Who does not answer, why, and what to check.
        detail: String,
        /// What went wrong below.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
    #[error("the agent's answer cannot be read; is that its API? ({target})")]
    Unreadable {
        /// What was asked for.
        target: String,
        /// What is wrong with it.
        #[source]
        source: Option<serde_json::Error>,
    },
}

/// A client of the API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client(Arc<dyn Transport>);

/// How many entries a page has when all of them are wanted; the agent gives no more at once.
const PAGE: usize = 1000;

/// A path and its query, with everything escaped that must be.
fn target(path: &[&str], query: &[(String, String)]) -> String {
    let mut url = Url::parse("http://agent").expect("a URL known when the program is written");
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.extend(path);
    }
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

impl Client {
    /// A client whose questions are carried by this.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// Asks anything of the API.
    ///
    /// # Errors
    /// When there is no answer, or not the one asked for.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.ask(Method::Get, target(path, &query_pairs(query)), None).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        target: String,
        body: Option<String>,
    ) -> Result<T, ClientError> {
        let Answered { status, body } = self.0.ask(method, target.clone(), body).await?;
        if (200..300).contains(&status) {
            return serde_json::from_slice(&body)
                .map_err(|source| ClientError::Unreadable { target, source: Some(source) });
        }
        let detail = match serde_json::from_slice(&body) {
            Ok(Problem { detail, .. }) => detail,
            Err(_) => format!("the agent answered with status {status}"),
        };
        Err(ClientError::Refused { status, detail })
    }

    /// All entries of a list, page by page.
    ///
    /// # Errors
    /// When there is no answer, or not the one asked for.
    pub async fn all<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<Vec<T>, ClientError> {
        let mut asked = query_pairs(query);
        asked.retain(|(name, _)| name != "limit" && name != "cursor");
        asked.push(("limit".to_owned(), PAGE.to_string()));
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let mut query = asked.clone();
            query.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor)));
            let page: Listed<T> = self.ask(Method::Get, target(path, &query), None).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }
}

const V1: [&str; 2] = ["api", "v1"];

macro_rules! asks {
    ($($(#[$doc:meta])* $name:ident($($at:ident: &str),*; $query:ty) -> $answer:ty = [$($path:expr),*];)*) => {
        impl Client {$(
            $(#[$doc])*
            ///
            /// # Errors
            /// When there is no answer, or not the one asked for.
            pub async fn $name(&self, $($at: &str,)* query: &$query) -> Result<$answer, ClientError> {
                self.get(&[V1[0], V1[1], $($path),*], query).await
            }
        )*}
    };
}

asks! {
    /// The fleet in a few figures.
    fleet(; Nothing) -> Fleet = ["fleet"];
    /// Who gets time from whom.
    topology(; Nothing) -> Topology = ["topology"];
    /// A page of the nodes.
    nodes(; PageQuery) -> Listed<NodeReport> = ["nodes"];
    /// One node.
    node(node: &str; Nothing) -> NodeReport = ["nodes", node];
    /// The latest offsets of a node's PTP clocks.
    samples(node: &str; PageQuery) -> Listed<ClockSamples> = ["nodes", node, "samples"];
    /// What a node's clocks did in a stretch of time.
    history(node: &str; HistoryQuery) -> History = ["nodes", node, "history"];
    /// Why nothing fires on a node.
    quiet(node: &str; Nothing) -> NodeQuiet = ["nodes", node, "quiet"];
    /// A page of what people were told.
    alerts(; AlertsQuery) -> Alerts = ["alerts"];
    /// A page of the deliveries.
    deliveries(; DeliveriesQuery) -> Deliveries = ["deliveries"];
    /// A page of the incidents.
    incidents(; IncidentsQuery) -> Listed<IncidentReport> = ["incidents"];
    /// One incident.
    incident(id: &str; Nothing) -> IncidentReport = ["incidents", id];
    /// Incidents that went on at the same time as one.
    related(id: &str; RelatedQuery) -> Listed<Related> = ["incidents", id, "related"];
    /// When limits will be reached.
    forecasts(; Nothing) -> Listed<IncidentForecast> = ["forecasts"];
    /// A page of the times in which nodes could not be observed.
    blind_windows(; BlindQuery) -> Listed<BlindWindow> = ["blind-windows"];
    /// A page of the journal.
    events(; EventsQuery) -> Listed<JournalEntry> = ["events"];
    /// A page of the silences.
    silences(; PageQuery) -> Listed<Silence> = ["silences"];
}

impl Client {
    /// Every node, by name, summed up.
    ///
    /// # Errors
    /// When there is no answer, or not the one asked for.
    pub async fn summary(
        &self,
        query: &SummaryQuery,
    ) -> Result<BTreeMap<String, NodeSummary>, ClientError> {
        self.get(&["summary"], query).await
    }

    /// Makes a silence; needs the write token.
    ///
    /// # Errors
    /// When it is refused, or there is no answer.
    pub async fn silence(&self, new: &NewSilence) -> Result<MadeSilence, ClientError> {
        let body = serde_json::to_string(new).ok();
        self.ask(Method::Post, target(&[V1[0], V1[1], "silences"], &[]), body).await
    }

    /// Ends a silence; needs the write token.
    ///
    /// # Errors
    /// When it is refused, or there is no answer.
    pub async fn unsilence(&self, id: &str) -> Result<Silence, ClientError> {
        self.ask(Method::Delete, target(&[V1[0], V1[1], "silences", id], &[]), None).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_one_segment() {
        let query = [("node".to_owned(), "a&b=c".to_owned())];
        let asked = target(&["api", "v1", "nodes", "../x?y=1#z"], &query);
        assert_eq!(asked, "/api/v1/nodes/..%2Fx%3Fy=1%23z?node=a%26b%3Dc");
    }
}
