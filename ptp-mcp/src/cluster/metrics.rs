//! The Prometheus text of a node, as samples and as the events a publisher would make of it.

use ptp_events::metrics::{Metric, Metrics, Sample};
use ptp_events::{Event, Stamped};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::Cluster;
use super::arguments::cluster;
use super::logs::ClockLine;
use super::pods::daemon;
use crate::context::Context;
use crate::tool::{Answer, Part, Refusal};

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
            let proxy = ptp_events::chain(&proxy);
            match cluster.exec(pod, &FROM_WITHIN).await {
                Ok(output) if output.exit == Some(0) && !output.cut => {
                    (output.stdout, "curl in the container")
                }
                Ok(output) => {
                    let said: String = output.first_line().chars().take(200).collect();
                    return Err(unread(format!("{proxy}; and from within: {said}")));
                }
                Err(exec) => {
                    let exec = ptp_events::chain(&exec);
                    return Err(unread(format!("{proxy}; and from within: {exec}")));
                }
            }
        }
    };
    let metrics = Metrics::parse(&text).map_err(|error| unread(ptp_events::chain(&error)))?;
    Ok(Scrape { metrics, by })
}

/// What a scrape says as events, stamped with our time: it has none of its own.
pub(super) fn events(metrics: &Metrics) -> Vec<Event> {
    let nanos = jiff::Timestamp::now().as_nanosecond();
    metrics.events(Stamped::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX)))
}

/// Whose metrics are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MetricsQuery {
    /// The node's name; may be left out where there is only one
    node: Option<String>,
    /// How many samples at most; 100 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// The figures of a node's exporters.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MetricsRead {
    /// The node.
    node: String,
    /// How they were read.
    read_by: &'static str,
    /// How many samples there are.
    count: usize,
    /// What they say of each clock.
    clocks: Vec<ClockLine>,
    /// The samples.
    samples: Vec<SampleLine>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A sample.
#[derive(Debug, Serialize, JsonSchema)]
struct SampleLine {
    /// The metric, with its unit where it has one.
    metric: &'static str,
    /// The process it is about.
    process: String,
    /// The interface.
    interface: String,
    /// The configuration.
    config: String,
    /// The value.
    value: i64,
    /// The value in words, where it is a code.
    means: Option<&'static str>,
}

/// How many clocks are told of.
const MOST_CLOCKS: usize = 64;

pub(super) async fn get(
    context: &Context,
    wanted: MetricsQuery,
) -> Result<Answer<MetricsRead>, Refusal> {
    let cluster = cluster(context)?;
    let of = daemon(cluster, wanted.node.as_deref()).await?;
    let Scrape { metrics, by } = scrape(cluster, &of.pod).await?;
    let clocks = events(&metrics).iter().flat_map(ClockLine::all).take(MOST_CLOCKS).collect();
    let count = metrics.samples().len();
    let part = Part { limit: Some(wanted.limit.unwrap_or(100)), cursor: wanted.cursor };
    let (samples, next_cursor) = part.of(metrics.samples().iter().map(line).collect())?;
    let says = format!("{count} samples of clocks and processes, read by {by}.");
    let read = MetricsRead { node: of.node, read_by: by, count, clocks, samples, next_cursor };
    Ok(Answer::new(says, read))
}

fn line(sample: &Sample) -> SampleLine {
    SampleLine {
        metric: name(sample.metric),
        process: sample.process.to_string(),
        interface: sample.interface.to_string(),
        config: sample.config.to_string(),
        value: sample.value,
        means: meaning(sample),
    }
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
