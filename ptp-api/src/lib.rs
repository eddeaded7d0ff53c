//! The HTTP API of the PTP agent: types of questions and answers, its OpenAPI document, and a client.
//!
//! What the agent answers at `/api/v1` is one of these types, written as JSON; fields may be added, never
//! renamed. [`ROUTES`] lists every address with its question and its answer: [`openapi`] is written from
//! it, and so is [`Client`]. The report's own types are those of `ptp-diagnostics`.
//!
//! ```
//! use ptp_api::{IncidentsQuery, query_pairs};
//!
//! let query = IncidentsQuery { status: Some("firing".to_owned()), ..IncidentsQuery::default() };
//! assert_eq!(query_pairs(&query), [("status".to_owned(), "firing".to_owned())]);
//! ```

/// The crates whose types are in signatures here.
#[cfg(feature = "http")]
pub use reqwest;
pub use {schemars, serde_json};

mod alerts;
mod client;
mod config;
mod events;
mod fleet;
mod history;
mod incidents;
mod openapi;
mod problem;
mod queries;
mod routes;
mod secret;
mod silences;
mod topology;

pub use alerts::{Alerts, Deliveries, Delivery, DeliveryOutcome, SinkReport};
#[cfg(feature = "http")]
pub use client::http::{Http, Stream};
pub use client::{Answered, Answering, Client, ClientError, Method, Transport};
pub use config::{ConfigReport, PublishersReport, ThresholdsReport};
pub use events::{JournalEntry, Rejected};
pub use fleet::{Condition, Fleet, Gravity, HealthReport, Named, NodeQuiet, NodeSummary};
pub use history::{
    Change, ClockHistory, ClockSamples, History, MOST_POINTS, OffsetFigures, Source, StateTimes,
};
pub use incidents::{IncidentForecast, Related, Relation};
pub use openapi::{openapi, schema_of, schema_of_input};
pub use problem::Problem;
pub use queries::{
    AlertsQuery, BlindQuery, DeliveriesQuery, DocumentedAlertsQuery, EventsQuery, HistoryQuery,
    IncidentsQuery, Nothing, PageQuery, RelatedQuery, SummaryQuery, query_pairs,
};
pub use routes::{ROUTES, Route};
pub use secret::Secret;
pub use silences::{MadeSilence, NewSilence, Silence};
pub use topology::{DomainTopology, Member, Topology};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a list, and how to get the next.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Listed<T> {
    /// The entries.
    pub items: Vec<T>,
    /// For the next request, as `cursor`; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in all, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
}

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
