//! `GET /metrics`, in the text format of `OpenMetrics`.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use ptp_diagnostics::report::{ClockReport, NodeReport, Report};
use ptp_diagnostics::{NodeState, Severity};
use ptp_events::SyncState;
use ptp_sinks::{Identity, SinkStatus};
use ptp_store::Store;
use ptp_subscriber::gate::{Gate, Outcome};

use super::Api;
use crate::engine_task::EngineTask;
use crate::health::{DISCOVERY, Health};
use crate::intake::ToStore;

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

pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Response {
    let mut text = String::new();
    // Writing to a string fails only when a collector does, and ours does not.
    let _ = encode(&mut text, &api.metrics.registry);
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    let is_open = accepts.is_some_and(|accepts| accepts.contains("application/openmetrics-text"));
    let kind = if is_open {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        text = plain(&text);
        "text/plain; version=0.0.4; charset=utf-8"
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The same in Prometheus' text format 0.0.4: there a counter is described under the name of its samples, and
/// nothing marks the end (prometheus.io/docs, "Exposition formats").
fn plain(open: &str) -> String {
    let counters: HashSet<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut plain = String::with_capacity(open.len());
    for line in open.lines().filter(|line| *line != "# EOF") {
        let described = ["# HELP ", "# TYPE "].iter().find_map(|what| {
            let (name, rest) = line.strip_prefix(what)?.split_once(' ')?;
            counters.contains(name).then(|| format!("{what}{name}_total {rest}"))
        });
        plain.push_str(described.as_deref().unwrap_or(line));
        plain.push('\n');
    }
    plain
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

/// Of how many nodes figures of their own are exported: each is a dozen series.
const NODES: usize = 1000;

type Labels = Vec<(&'static str, String)>;

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
            (Some(vec![("outcome", outcome.name().to_owned())]), self.gate.count(outcome))
        });
        counter(&mut encoder, "received_requests", "requests to the receiver", &requests)?;
        let sinks = |pick: fn(&SinkStatus) -> &AtomicU64| -> Vec<(Option<Labels>, u64)> {
            let label = |name: &str| Some(vec![("sink", name.to_owned())]);
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
                (Some(vec![("sink", name.clone())]), failing)
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
        gauge(&mut encoder, "incidents_firing", "firing incidents by severity", &firing(report))?;
        let version = Some(vec![("version", env!("CARGO_PKG_VERSION").to_owned())]);
        gauge(&mut encoder, "build_info", "always 1", &[(version, 1)])?;
        nodes(&mut encoder, report)
    }
}

fn by_state(report: &Report) -> Vec<(Option<Labels>, u64)> {
    let states = [NodeState::Unknown, NodeState::Locked, NodeState::Holdover, NodeState::Freerun];
    let count = |state| report.nodes.iter().filter(|node| node.state == state).count() as u64;
    states.map(|state| (Some(vec![("state", state.as_str().to_owned())]), count(state))).into()
}

fn firing(report: &Report) -> Vec<(Option<Labels>, u64)> {
    let firing = || report.incidents.iter().filter(|incident| incident.resolved_at.is_none());
    let count = |severity| firing().filter(|i| i.severity == severity).count() as u64;
    [Severity::Info, Severity::Warning, Severity::Critical]
        .map(|severity| (Some(vec![("severity", severity.as_str().to_owned())]), count(severity)))
        .into()
}

/// How each node and each of its clocks is. What is not known has no sample, rather than a wrong one.
fn nodes(encoder: &mut DescriptorEncoder<'_>, report: &Report) -> fmt::Result {
    let shown = || report.nodes.iter().take(NODES);
    let left = report.nodes.len().saturating_sub(NODES) as u64;
    gauge(encoder, "nodes_not_exported", "nodes without figures of their own", &[(None, left)])?;
    let label = |node: &NodeReport| vec![("node", node.node.to_string())];
    let blind: HashSet<_> =
        report.blind_windows.iter().filter(|w| w.to.is_none()).map(|w| &w.node).collect();
    let values: Vec<_> =
        shown().map(|node| (Some(label(node)), u64::from(blind.contains(&node.node)))).collect();
    gauge(encoder, "node_blind", "1 while a node cannot be observed", &values)?;
    let states = [NodeState::Unknown, NodeState::Locked, NodeState::Holdover, NodeState::Freerun];
    let values: Vec<_> = shown()
        .flat_map(|node| {
            states.map(|state| {
                let mut labels = label(node);
                labels.push(("state", state.as_str().to_owned()));
                (Some(labels), u64::from(node.state == state))
            })
        })
        .collect();
    gauge(encoder, "node_state", "1 for the state that a node is in", &values)?;
    let clocks = |pick: fn(&ClockReport) -> Option<i64>| {
        let is_seen =
            |node: &&NodeReport| node.state != NodeState::Unknown && !blind.contains(&node.node);
        let seen = shown().filter(is_seen);
        let all = seen.flat_map(|node| node.clocks.iter().map(move |clock| (node, clock)));
        let known = all.filter_map(move |(node, clock)| {
            let mut labels = label(node);
            labels.push(("kind", clock.resource.to_string()));
            labels.push(("clock", clock.instance.to_string()));
            Some((Some(labels), pick(clock)?))
        });
        known.collect::<Vec<_>>()
    };
    // In holdover the latest sample is from before the loss.
    let offsets = clocks(|clock| {
        let is_held = clock.state == Some(SyncState::Holdover);
        clock.offset_ns.filter(|_| !is_held).map(|offset| offset.last)
    });
    signed(encoder, "clock_offset_ns", "the latest offset, by the clock's own word", &offsets)?;
    let classes = clocks(|clock| clock.clock_class.map(|class| i64::from(class.0)));
    signed(encoder, "clock_class", "the clock class announced", &classes)?;
    let changes = clocks(|clock| {
        clock.state.is_some().then(|| i64::try_from(clock.changes).unwrap_or(i64::MAX))
    });
    signed(encoder, "clock_state_changes", "changes of state since the agent's start", &changes)
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
    let signed = values
        .iter()
        .map(|(labels, value)| (labels.clone(), i64::try_from(*value).unwrap_or(i64::MAX)));
    self::signed(encoder, name, help, &signed.collect::<Vec<_>>())
}

fn signed(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    values: &[(Option<Labels>, i64)],
) -> fmt::Result {
    let kind = ConstGauge::new(0i64).metric_type();
    let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        let metric = ConstGauge::new(*value);
        match labels {
            Some(labels) => metric.encode(encoder.encode_family(labels)?)?,
            // Without labels there is but one value.
            None => return metric.encode(encoder),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_under_the_name_of_their_samples() {
        let open = "# HELP a_events events.\n# TYPE a_events counter\na_events_total 3\n\
                    # HELP a_nodes nodes.\n# TYPE a_nodes gauge\na_nodes{state=\"LOCKED\"} 2\n# EOF\n";
        let text = "# HELP a_events_total events.\n# TYPE a_events_total counter\na_events_total 3\n\
                    # HELP a_nodes nodes.\n# TYPE a_nodes gauge\na_nodes{state=\"LOCKED\"} 2\n";
        assert_eq!(plain(open), text);
    }
}
