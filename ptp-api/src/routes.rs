//! Every address of the API, with what is asked and what is answered.

use ptp_diagnostics::report::{Alert, BlindWindow, IncidentReport, NodeReport};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::{
    Alerts, AlertsQuery, BlindQuery, ClockSamples, ConfigReport, Deliveries, DeliveriesQuery,
    DocumentedAlertsQuery, EventsQuery, Fleet, HealthReport, History, HistoryQuery,
    IncidentForecast, IncidentsQuery, JournalEntry, Listed, MadeSilence, Method, NewSilence,
    NodeQuiet, NodeSummary, Nothing, PageQuery, Rejected, Related, RelatedQuery, Silence,
    SummaryQuery, Topology,
};

/// A schema, in the words of a generator that keeps what is shared.
pub(crate) type Describe = fn(&mut SchemaGenerator) -> Schema;

/// What is answered when all is well.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// JSON of this schema.
    Json(Describe),
    /// Text, or JSON of this schema where that is asked for.
    TextOrJson(Describe),
    /// Anything else, of this media type.
    Other(&'static str),
}

/// An address of the API.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Route {
    /// How it is asked.
    pub method: Method,
    /// Where, with names in braces for what stands in the path.
    pub path: &'static str,
    /// What it is.
    pub summary: &'static str,
    pub(crate) query: Describe,
    pub(crate) body: Option<Describe>,
    pub(crate) answer: Answer,
    /// The status when all is well.
    pub(crate) status: u16,
    /// Other statuses, beside 400 and 401.
    pub(crate) errors: &'static [u16],
    /// Whether a token may be needed.
    pub(crate) guarded: bool,
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The schema of a query, written out: its fields become parameters.
fn query<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    T::json_schema(generator)
}

const fn get<Q: JsonSchema, A: JsonSchema>(path: &'static str, summary: &'static str) -> Route {
    Route {
        method: Method::Get,
        path,
        summary,
        query: query::<Q>,
        body: None,
        answer: Answer::Json(of::<A>),
        status: 200,
        errors: &[],
        guarded: true,
    }
}

const fn open(path: &'static str, summary: &'static str, kind: &'static str) -> Route {
    let answer = Answer::Other(kind);
    Route { answer, guarded: false, ..get::<Nothing, ()>(path, summary) }
}

impl Route {
    const fn or(self, errors: &'static [u16]) -> Self {
        Self { errors, ..self }
    }
}

/// What `/summary` answers: every node, by name.
type Summaries = std::collections::BTreeMap<String, NodeSummary>;

/// Every address of the API.
pub const ROUTES: &[Route] = &[
    Route {
        answer: Answer::TextOrJson(of::<HealthReport>),
        ..open("/health", "`OK`, or what is wrong; JSON with `Accept: application/json`", "")
    }
    .or(&[503]),
    open("/livez", "Whether the process lives", "text/plain"),
    open("/readyz", "Whether requests should be sent here", "text/plain").or(&[503]),
    Route {
        answer: Answer::Other("application/openmetrics-text"),
        ..get::<Nothing, ()>("/metrics", "OpenMetrics, or Prometheus' text format by `Accept`")
    },
    get::<DocumentedAlertsQuery, Vec<Alert>>("/alerts", "What people were told, the newest last"),
    get::<SummaryQuery, Summaries>("/summary", "Every node, by name"),
    get::<Nothing, serde_json::Value>("/openapi.json", "This document"),
    get::<Nothing, ConfigReport>("/config", "The configuration, without secrets"),
    get::<Nothing, Fleet>("/api/v1/fleet", "The fleet in a few figures"),
    get::<Nothing, Topology>("/api/v1/topology", "Who gets time from whom"),
    get::<PageQuery, Listed<NodeReport>>("/api/v1/nodes", "Every node with its clocks"),
    get::<Nothing, NodeReport>("/api/v1/nodes/{node}", "One node").or(&[404]),
    get::<PageQuery, Listed<ClockSamples>>(
        "/api/v1/nodes/{node}/samples",
        "The latest offsets of a node's PTP clocks, an hour's worth at most",
    )
    .or(&[404, 503]),
    get::<HistoryQuery, History>(
        "/api/v1/nodes/{node}/history",
        "What a node's clocks did in a stretch of time: offsets, changes, availability",
    )
    .or(&[404, 503]),
    get::<Nothing, NodeQuiet>(
        "/api/v1/nodes/{node}/quiet",
        "Why nothing fires on a node: what is seen of it, what is near to firing, what holds it",
    )
    .or(&[404, 503]),
    get::<AlertsQuery, Alerts>("/api/v1/alerts", "What people were told, the newest first"),
    get::<DeliveriesQuery, Deliveries>(
        "/api/v1/deliveries",
        "Over which sinks people were told, and by which silences they were not; the newest first",
    ),
    get::<IncidentsQuery, Listed<IncidentReport>>(
        "/api/v1/incidents",
        "Incidents, the newest first; those the engine forgot come from the journal",
    ),
    get::<Nothing, IncidentReport>("/api/v1/incidents/{id}", "One incident").or(&[404]),
    get::<RelatedQuery, Listed<Related>>(
        "/api/v1/incidents/{id}/related",
        "Other incidents that went on at the same time, and whether one reason may be behind them",
    )
    .or(&[404]),
    get::<Nothing, Listed<IncidentForecast>>("/api/v1/forecasts", "When limits will be reached"),
    get::<BlindQuery, Listed<BlindWindow>>(
        "/api/v1/blind-windows",
        "When nodes could not be observed, the newest first",
    ),
    get::<EventsQuery, Listed<JournalEntry>>(
        "/api/v1/events",
        "The journal, the oldest first unless asked otherwise",
    ),
    get::<Nothing, Listed<Rejected>>(
        "/api/v1/rejected",
        "The latest bodies that were posted and are no events",
    ),
    get::<PageQuery, Listed<Silence>>("/api/v1/silences", "Silences"),
    Route {
        method: Method::Post,
        body: Some(of::<NewSilence>),
        status: 201,
        ..get::<Nothing, MadeSilence>(
            "/api/v1/silences",
            "Do not tell of some incidents for a while; needs the write token",
        )
    }
    .or(&[409]),
    get::<Nothing, Silence>("/api/v1/silences/{id}", "One silence").or(&[404]),
    Route {
        method: Method::Delete,
        ..get::<Nothing, Silence>("/api/v1/silences/{id}", "End it now; needs the write token")
    }
    .or(&[404]),
    Route {
        answer: Answer::Other("text/event-stream"),
        ..get::<Nothing, ()>(
            "/api/v1/stream",
            "Server-sent events: opened, escalated, updated, resolved, reopened; `missed` after a gap",
        )
    },
];
