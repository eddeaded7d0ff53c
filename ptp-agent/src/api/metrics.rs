//! `GET /metrics`, in the text format of `OpenMetrics`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use ptp_diagnostics::report::Report;
use ptp_diagnostics::{NodeState, Severity};
use ptp_subscriber::gate::{Gate, Outcome};

use super::Api;
use crate::engine_task::EngineTask;
use crate::health::{DISCOVERY, Health};
use crate::identity::Identity;
use crate::intake::ToStore;
use crate::sinks::SinkStatus;
use crate::store::Store;

/// What is measured.
pub struct Metrics {
    registry: Registry,
}

impl Metrics {
    /// Registers everything that can be measured.
    #[must_use]
    pub fn new(
        engine: EngineTask,
        store: Store,
        gate: Arc<Gate<ToStore>>,
        sinks: Vec<(String, Arc<SinkStatus>)>,
        health: Health,
        identity: &Identity,
    ) -> Self {
        let labels = identity.labels();
        let labels = labels.map(|(name, value)| (name.to_owned().into(), value.to_owned().into()));
        let mut registry = Registry::with_prefix_and_labels("ptp_agent", labels);
        registry.register_collector(Box::new(Figures { engine, store, gate, sinks, health }));
        Self { registry }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

pub(super) async fn show(State(api): State<Api>) -> Response {
    let mut text = String::new();
    // Writing to a string fails only when a collector does, and ours does not.
    let _ = encode(&mut text, &api.metrics.registry);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Reads what others count, at each scrape.
struct Figures {
    engine: EngineTask,
    store: Store,
    gate: Arc<Gate<ToStore>>,
    sinks: Vec<(String, Arc<SinkStatus>)>,
    health: Health,
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

type Labels = [(&'static str, String); 1];

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let snapshot = self.engine.snapshot.borrow().clone();
        let (report, counts) = (&snapshot.report, &snapshot.counts);
        let stored = self.store.counts();
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);

        for (name, help, value) in [
            ("events", "events diagnosed, each once", counts.events),
            ("duplicate_events", "events that had come before", counts.duplicates),
            ("placeholder_events", "events without data yet", counts.placeholders),
            ("refused_nodes", "events dropped because of too many nodes", counts.nodes_refused),
            (
                "refused_clocks",
                "readings dropped because of too many clocks",
                counts.clocks_refused,
            ),
            ("journal_written", "inputs written to the journal", load(&stored.written)),
            ("journal_unwritten", "inputs the journal could not take", load(&stored.unwritten)),
            ("store_refused", "inputs refused because the queue was full", load(&stored.refused)),
        ] {
            counter(&mut encoder, name, help, &[(None, value)])?;
        }
        let requests = Outcome::ALL.map(|outcome| {
            (Some([("outcome", outcome.name().to_owned())]), self.gate.count(outcome))
        });
        counter(&mut encoder, "received_requests", "requests to the receiver", &requests)?;
        let sinks = |pick: fn(&SinkStatus) -> &AtomicU64| -> Vec<(Option<Labels>, u64)> {
            let label = |name: &str| Some([("sink", name.to_owned())]);
            self.sinks.iter().map(|(name, counts)| (label(name), load(pick(counts)))).collect()
        };
        let delivered = sinks(|counts| &counts.delivered);
        counter(&mut encoder, "alerts_delivered", "alerts delivered", &delivered)?;
        let failed = sinks(|counts| &counts.failed);
        counter(&mut encoder, "alerts_failed", "alerts refused for good", &failed)?;
        let dropped = sinks(|counts| &counts.dropped);
        counter(&mut encoder, "alerts_dropped", "incidents dropped, too many wait", &dropped)?;

        let sinks: Vec<_> = self
            .sinks
            .iter()
            .map(|(name, status)| {
                let failing = u64::from(status.failing.load(Ordering::Relaxed));
                (Some([("sink", name.clone())]), failing)
            })
            .collect();
        gauge(&mut encoder, "sink_failing", "1 while a sink does not take alerts", &sinks)?;
        let publishers = self.health.publishers();
        gauge(&mut encoder, "publishers", "publishers found", &[(None, publishers)])?;
        let missing = self.health.missing();
        let help = "subscriptions that publishers have not accepted for a minute";
        gauge(&mut encoder, "subscriptions_missing", help, &[(None, missing)])?;
        let failing = u64::from(self.health.why(DISCOVERY).is_some());
        let help = "1 while publishers are not found";
        gauge(&mut encoder, "discovery_failing", help, &[(None, failing)])?;
        let failing = u64::from(self.store.failure().is_some());
        gauge(&mut encoder, "journal_failing", "1 while nothing is written", &[(None, failing)])?;
        let size = load(&stored.bytes);
        gauge(&mut encoder, "journal_bytes", "size of the journal", &[(None, size)])?;
        let waiting = self.store.waiting() as u64;
        gauge(&mut encoder, "store_waiting", "inputs waiting to be written", &[(None, waiting)])?;
        gauge(&mut encoder, "nodes", "nodes by state", &by_state(report))?;
        gauge(&mut encoder, "incidents_firing", "firing incidents by severity", &firing(report))
    }
}

fn by_state(report: &Report) -> Vec<(Option<Labels>, u64)> {
    let states = [NodeState::Unknown, NodeState::Locked, NodeState::Holdover, NodeState::Freerun];
    let count = |state| report.nodes.iter().filter(|node| node.state == state).count() as u64;
    states.map(|state| (Some([("state", state.as_str().to_owned())]), count(state))).into()
}

fn firing(report: &Report) -> Vec<(Option<Labels>, u64)> {
    let firing = || report.incidents.iter().filter(|incident| incident.resolved_at.is_none());
    let count = |severity| firing().filter(|i| i.severity == severity).count() as u64;
    [Severity::Info, Severity::Warning, Severity::Critical]
        .map(|severity| (Some([("severity", severity.as_str().to_owned())]), count(severity)))
        .into()
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(Option<Labels>, u64)],
) -> fmt::Result {
    let kind = ConstCounter::new(0u64).metric_type();
    let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        let metric = ConstCounter::new(*value);
        match labels {
            Some(labels) => metric.encode(encoder.encode_family(labels)?)?,
            None => return metric.encode(encoder),
        }
    }
    Ok(())
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(Option<Labels>, u64)],
) -> fmt::Result {
    let kind = ConstGauge::new(0i64).metric_type();
    let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        let metric = ConstGauge::new(i64::try_from(*value).unwrap_or(i64::MAX));
        match labels {
            Some(labels) => metric.encode(encoder.encode_family(labels)?)?,
            // Without labels there is but one value.
            None => return metric.encode(encoder),
        }
    }
    Ok(())
}
