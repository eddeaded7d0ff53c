//! The Prometheus text of a node, as samples and as the events a publisher would make of it.

use ptp_events::metrics::{Metric, Metrics, Sample};
use ptp_events::{Event, Stamped};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Reach;
use super::super::tool::{Answer, Part, Refusal, with_cursor};
use super::access::Cluster;
use super::pods::daemon;
use super::{a, cluster, list, maybe, object, text};

/// The exporter on the node itself. The daemon's pods share the node's network, and the exporter
/// listens on its loopback where events are published: the API server cannot reach it there, so it
/// is asked from within. The container's own start asks the publisher with the same program.
const FROM_WITHIN: [&str; 6] =
    ["curl", "--silent", "--show-error", "--max-time", "5", "http://127.0.0.1:9091/metrics"];

/// A scrape, and how it was made.
pub(super) struct Scrape {
    pub metrics: Metrics,
    pub by: &'static str,
}

/// The metrics of a daemon's pod.
pub(super) async fn scrape(cluster: &Cluster, pod: &str) -> Result<Scrape, Refusal> {
    let unread =
        |why: String| Refusal::NotFound(format!("the metrics of {pod} cannot be read: {why}"));
    let (text, by) = match cluster.proxied_metrics(pod).await {
        Ok(text) => (text, "pod proxy"),
        Err(proxy) => {
            let proxy = crate::store::chain(&proxy);
            match cluster.exec(pod, &FROM_WITHIN).await {
                Ok(output) if output.exit == Some(0) && !output.cut => {
                    (output.stdout, "curl in the container")
                }
                Ok(output) => {
                    let said: String = output.first_line().chars().take(200).collect();
                    return Err(unread(format!("{proxy}; and from within: {said}")));
                }
                Err(exec) => {
                    let exec = crate::store::chain(&exec);
                    return Err(unread(format!("{proxy}; and from within: {exec}")));
                }
            }
        }
    };
    let metrics = Metrics::parse(&text).map_err(|error| unread(crate::store::chain(&error)))?;
    Ok(Scrape { metrics, by })
}

/// What a scrape says as events, stamped with our time: it has none of its own.
pub(super) fn events(metrics: &Metrics) -> Vec<Event> {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    metrics.events(Stamped::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

/// Whose metrics are wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct MetricsQuery {
    /// The node's name; may be left out where there is only one
    node: Option<String>,
    /// How many samples at most; 100 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

pub(super) fn schema() -> Value {
    let sample = object(&[
        ("metric", a("string")),
        ("process", a("string")),
        ("interface", a("string")),
        ("config", a("string")),
        ("value", a("integer")),
        ("means", maybe("string")),
    ]);
    object(&[
        ("node", a("string")),
        ("read_by", a("string")),
        ("count", a("integer")),
        ("samples", list(&sample)),
        ("clocks", list(&a("object"))),
        ("next_cursor?", a("string")),
    ])
}

pub(super) async fn get(reach: &Reach, wanted: MetricsQuery) -> Result<Answer, Refusal> {
    let cluster = cluster(reach)?;
    let of = daemon(cluster, wanted.node.as_deref()).await?;
    let Scrape { metrics, by } = scrape(cluster, &of.pod).await?;
    let clocks: Vec<_> = events(&metrics).iter().flat_map(super::logs::rows).take(64).collect();
    let count = metrics.samples().len();
    let part = Part { limit: Some(wanted.limit.unwrap_or(100)), cursor: wanted.cursor };
    let (samples, next) = part.of(metrics.samples().iter().map(row).collect())?;
    let quotes = clocks.iter().map(|clock| {
        let offset = clock["offset_ns"].as_i64().map(|ns| format!(" {ns} ns")).unwrap_or_default();
        format!(
            "{} {} {}{offset}",
            text(clock, "resource"),
            text(clock, "instance"),
            text(clock, "state")
        )
    });
    Ok(Answer {
        says: format!("{count} samples of clocks and processes, read by {by}."),
        quotes: quotes.collect(),
        data: with_cursor(
            json!({
                "node": of.node, "read_by": by, "count": count, "samples": samples,
                "clocks": clocks,
            }),
            next,
        ),
        links: Vec::new(),
    })
}

fn row(sample: &Sample) -> Value {
    json!({
        "metric": name(sample.metric), "process": sample.process.as_str(),
        "interface": sample.interface.as_str(), "config": sample.config.as_str(),
        "value": sample.value, "means": meaning(sample),
    })
}

/// The metric's name, with its unit where it has one.
fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::ClockState => "clock_state",
        Metric::Offset => "offset_ns",
        Metric::ClockClass => "clock_class",
        Metric::GnssStatus => "gnss_status",
        Metric::NmeaStatus => "nmea_status",
        Metric::FrequencyStatus => "frequency_status",
        Metric::PhaseStatus => "phase_status",
        Metric::PpsStatus => "pps_status",
        Metric::InterfaceRole => "interface_role",
        Metric::ProcessStatus => "process_status",
        _ => "other",
    }
}

/// A code in words, as [`Metric`] lists them.
pub(super) fn meaning(sample: &Sample) -> Option<&'static str> {
    let words: &[&str] = match sample.metric {
        Metric::ClockState => &["FREERUN", "LOCKED", "HOLDOVER"],
        Metric::InterfaceRole => &["PASSIVE", "SLAVE", "MASTER", "FAULTY", "UNKNOWN", "LISTENING"],
        Metric::ProcessStatus => &["down", "up"],
        Metric::NmeaStatus | Metric::PpsStatus => &["unavailable", "available"],
        _ => &[],
    };
    usize::try_from(sample.value).ok().and_then(|value| words.get(value)).copied()
}
