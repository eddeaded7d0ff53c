//! Logs of the daemon's pods: their lines, the events they amount to, and what those mean.

use std::time::Duration;

use ptp_diagnostics::{Engine, Settings};
use ptp_events::daemon::{DaemonLog, DaemonSettings, LogEvidence, LogLine};
use ptp_events::deployment::{DAEMON_CONTAINER, PROXY_CONTAINER};
use ptp_events::observation::Evidence;
use ptp_events::{Event, NodeName, Received, Stamped};
use ptp_linuxptp::profile::Threshold;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Cluster, Log, Part};
use super::arguments::cluster;
use super::configs;
use super::pods::{Daemon, daemon as daemon_of};
use crate::answers::{IncidentLine, count};
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// How many lines of a log are asked for at most.
const MOST_LINES: u32 = 20_000;
/// How long an offset must be over the threshold to count as FREERUN, as for logs in files
/// (docs/protocol.md §5): a log shows that the next sample was good.
const SETTLE: Duration = Duration::from_secs(1);
/// How much time may pass after a log's last line, when it is diagnosed.
const LONGEST_AFTER: Duration = Duration::from_mins(10);
/// How many of the events of a log are shown.
const EVENTS: usize = 30;
/// How long a line is that is shown, in characters.
const LINE: usize = 400;

/// Which part of a log is wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogQuery {
    /// The node's name; may be left out where there is only one
    node: Option<String>,
    /// How many of its last lines are searched; 200 unless given
    #[schemars(range(min = 1, max = 20_000))]
    tail_lines: Option<u32>,
    /// Only what was written in the last so many seconds
    #[schemars(range(min = 1, max = 604_800))]
    since_seconds: Option<u32>,
    /// Only lines that contain this text
    contains: Option<String>,
    /// Of the container before its last restart
    previous: Option<bool>,
    /// How many lines are shown at most, the latest; 200 unless given, 1000 at most
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<usize>,
}

/// Lines of a log, and the events they amount to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogLines {
    /// The node.
    node: String,
    /// The pod.
    pod: String,
    /// The container.
    container: &'static str,
    /// How many lines were read.
    read: usize,
    /// How many of them contain the text.
    matching: usize,
    /// Whether the log was cut: its latest lines are missing.
    cut: bool,
    /// The latest lines that match.
    lines: Vec<String>,
    /// The latest events that the daemon's lines amount to.
    events: Vec<ClockLine>,
}

/// What is said of a clock.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClockLine {
    /// When the node says so.
    at: Option<Stamped>,
    /// Of which kind of clock.
    resource: String,
    /// Which one.
    instance: String,
    /// Its state.
    state: Option<String>,
    /// Its offset, in nanoseconds.
    offset_ns: Option<i64>,
    /// The class it announces.
    clock_class: Option<u8>,
}

impl ClockLine {
    /// What an event says, a line for each clock.
    pub(super) fn all(event: &Event) -> impl Iterator<Item = Self> {
        event.readings.iter().map(|reading| Self {
            at: event.stamped,
            resource: event.resource.name().to_owned(),
            instance: reading.instance.to_string(),
            state: reading.state.as_ref().map(|state| state.as_str().to_owned()),
            offset_ns: reading.offset.and_then(|offset| Some(offset.offset()?.as_nanos())),
            clock_class: reading.clock_class.map(|class| class.0),
        })
    }
}

pub(super) async fn daemon(
    context: &Context,
    wanted: LogQuery,
) -> Result<Answer<LogLines>, Refusal> {
    show(context, wanted, DAEMON_CONTAINER).await
}

pub(super) async fn proxy(
    context: &Context,
    wanted: LogQuery,
) -> Result<Answer<LogLines>, Refusal> {
    show(context, wanted, PROXY_CONTAINER).await
}

async fn show(
    context: &Context,
    wanted: LogQuery,
    container: &'static str,
) -> Result<Answer<LogLines>, Refusal> {
    let cluster = cluster(context)?;
    let of = daemon_of(cluster, wanted.node.as_deref()).await?;
    let part = Part {
        tail: wanted.tail_lines.unwrap_or(200).clamp(1, MOST_LINES),
        since: wanted.since_seconds.map(|seconds| seconds.clamp(1, 604_800)),
        previous: wanted.previous.unwrap_or(false),
    };
    let log = cluster.log(&of.pod, container, part).await?;
    let mut events = Vec::new();
    if container == DAEMON_CONTAINER {
        let said = read_log(&log, &of, DaemonSettings::default())?.published();
        let first = said.len().saturating_sub(EVENTS);
        events = said[first..].iter().flat_map(ClockLine::all).collect();
    }
    let read = log.text.lines().count();
    let contains = wanted.contains.unwrap_or_default();
    let found: Vec<&str> = log.text.lines().filter(|line| line.contains(&contains)).collect();
    let limit = wanted.limit.unwrap_or(200).clamp(1, 1000);
    let shorten = |line: &&str| line.chars().take(LINE).collect::<String>();
    // Of too many, the latest are shown.
    let (mut lines, _) = fit(found.iter().rev().take(limit).map(shorten));
    lines.reverse();
    let cut =
        if log.cut { " The log was cut: its latest lines are missing; ask for fewer." } else { "" };
    let says = format!(
        "{read} lines were read, {} match, the latest {} are shown.{cut}",
        found.len(),
        lines.len()
    );
    Ok(Answer::new(
        says,
        LogLines {
            node: of.node,
            pod: of.pod,
            container,
            read,
            matching: found.len(),
            cut: log.cut,
            lines,
            events,
        },
    ))
}

/// What the lines of a log amount to.
pub(super) struct Said {
    pub evidence: Vec<Evidence>,
    pub understood: u64,
    /// Whether a line told the time of day; without, times count from 1970.
    pub has_time: bool,
}

impl Said {
    /// What a publisher would say of it.
    pub(super) fn published(self) -> Vec<Event> {
        self.evidence.into_iter().filter_map(Evidence::published).collect()
    }
}

/// Reads a log.
pub(super) fn read_log(log: &Log, of: &Daemon, settings: DaemonSettings) -> Result<Said, Refusal> {
    let node = NodeName::new(&of.node).map_err(|error| Refusal::NotFound(error.to_string()))?;
    let mut daemon = DaemonLog::new(node, settings);
    let mut told = Vec::new();
    for (number, text) in (1..).zip(log.text.lines()) {
        daemon.handle_line(LogLine::new(number, text));
        while let Some(LogEvidence { evidence, .. }) = daemon.poll_evidence() {
            told.push(evidence);
        }
    }
    daemon.finish();
    while let Some(LogEvidence { evidence, .. }) = daemon.poll_evidence() {
        told.push(evidence);
    }
    Ok(Said {
        evidence: told,
        understood: daemon.understood_lines(),
        has_time: daemon.has_wall_clock(),
    })
}

/// The thresholds of the node's profiles, the tightest of each; those of the operator's defaults
/// where none is set.
pub(super) fn thresholds<'a>(given: impl Iterator<Item = &'a Threshold>) -> DaemonSettings {
    let mut settings = DaemonSettings { settle: SETTLE, ..DaemonSettings::default() };
    let (mut offset, mut timeout) = (None, None);
    for threshold in given {
        let tighter = |known: Option<u64>, new: Option<u64>| match (known, new) {
            (Some(known), Some(new)) => Some(known.min(new)),
            (known, new) => known.or(new),
        };
        offset = tighter(offset, threshold.max_offset_threshold.filter(|ns| *ns > 0));
        timeout = tighter(timeout, threshold.hold_over_timeout.filter(|s| *s > 0));
    }
    settings.offset_ns = offset.unwrap_or(settings.offset_ns);
    settings.holdover_timeout =
        timeout.map_or(settings.holdover_timeout, |s| Duration::from_secs(s.min(604_800)));
    settings
}

/// The same, from the cluster; and whether that could be read.
pub(super) async fn thresholds_of(cluster: &Cluster, node: &str) -> (DaemonSettings, bool) {
    match configs::all(cluster).await {
        Ok((all, _)) => {
            let profiles = all.iter().flat_map(|config| config.profiles_of(node));
            let given: Vec<_> = profiles.filter_map(|p| p.ptp_clock_threshold).collect();
            (thresholds(given.iter()), true)
        }
        Err(_) => (thresholds(std::iter::empty()), false),
    }
}

/// Which part of a log is diagnosed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Faults {
    /// The node's name; may be left out where there is only one
    node: Option<String>,
    /// How many of its last lines are read; 20,000 unless given
    #[schemars(range(min = 1, max = 20_000))]
    tail_lines: Option<u32>,
    /// How many seconds back; an hour unless given
    #[schemars(range(min = 1, max = 604_800))]
    since_seconds: Option<u32>,
}

/// What the log of a node's daemon shows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FaultsFound {
    /// The node.
    node: String,
    /// Its state at the end of the log.
    state: &'static str,
    /// The incidents.
    incidents: Vec<IncidentLine>,
    /// Whether there are more.
    more: bool,
    /// How many lines were read.
    lines: usize,
    /// How many of them were understood.
    understood: u64,
    /// Whether the log was cut: its latest lines are missing.
    cut: bool,
    /// How many events and observations the lines amount to.
    events: usize,
    /// When the first was.
    first: Option<Stamped>,
    /// When the last was.
    last: Option<Stamped>,
    /// The offset over which a clock counts as FREERUN, in nanoseconds.
    threshold_ns: u64,
    /// Whether that is the node's own, of its `PtpConfig`.
    thresholds_read: bool,
}

pub(super) async fn faults(
    context: &Context,
    wanted: Faults,
) -> Result<Answer<FaultsFound>, Refusal> {
    let cluster = cluster(context)?;
    let of = daemon_of(cluster, wanted.node.as_deref()).await?;
    let part = Part {
        tail: wanted.tail_lines.unwrap_or(MOST_LINES).clamp(1, MOST_LINES),
        since: Some(wanted.since_seconds.unwrap_or(3600).clamp(1, 604_800)),
        previous: false,
    };
    let (log, (settings, read)) = tokio::join!(
        cluster.log(&of.pod, DAEMON_CONTAINER, part),
        thresholds_of(cluster, &of.node)
    );
    let log = log?;
    let thresholds = context.thresholds.clone();
    let now = Received::from_nanos(
        i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX),
    );
    let working = tokio::task::spawn_blocking(move || {
        let offset_ns = settings.offset_ns;
        let said = read_log(&log, &of, settings)?;
        Ok(diagnosed(&log, &of, said, thresholds, (offset_ns, read), now))
    });
    working.await.map_err(|_| Refusal::NotFound("the log could not be read".to_owned()))?
}

fn diagnosed(
    log: &Log,
    of: &Daemon,
    said: Said,
    thresholds: Settings,
    (offset_ns, thresholds_read): (u64, bool),
    now: Received,
) -> Answer<FaultsFound> {
    let lines = log.text.lines().count();
    let first = said.evidence.iter().find_map(Evidence::stamped);
    let last = said.evidence.iter().rev().find_map(Evidence::stamped);
    let events = said.evidence.len();
    let mut engine = Engine::new(thresholds);
    let mut latest = None;
    for evidence in said.evidence {
        // Every event made of a line is dated by it.
        let Some(at) = evidence.stamped().map(Stamped::assume_received) else { continue };
        latest = latest.max(Some(at));
        engine.handle_evidence(evidence, at);
    }
    if let Some(latest) = latest {
        // A node whose log ended is not judged by what it said before it did; a node whose clock
        // is ahead of ours, as if no time had passed.
        let quiet =
            if said.has_time { now.since(latest).min(LONGEST_AFTER) } else { Duration::ZERO };
        engine.finish(latest.after(quiet));
    }
    let report = engine.report();
    let state = report.nodes.first().map_or("UNKNOWN", |node| node.state.as_str());
    let (incidents, more) = fit(report.incidents.iter().map(|i| IncidentLine::new(i, now)));
    let says = if events == 0 {
        format!("{lines} lines were read and none says anything of a clock: nothing is known.")
    } else {
        format!(
            "{lines} lines, {} understood, {}: {}. State {state}.",
            said.understood,
            count(events, "event"),
            count(report.incidents.len(), "incident")
        )
    };
    Answer::new(
        says,
        FaultsFound {
            node: of.node.clone(),
            state,
            incidents,
            more,
            lines,
            understood: said.understood,
            cut: log.cut,
            events,
            first,
            last,
            threshold_ns: offset_ns,
            thresholds_read,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_threshold_counts_and_none_is_the_operators() {
        let threshold = |ns, s| Threshold { max_offset_threshold: ns, hold_over_timeout: s };
        let of = |given: &[Threshold]| {
            let settings = thresholds(given.iter());
            (settings.offset_ns, settings.holdover_timeout.as_secs())
        };
        assert_eq!(of(&[]), (100, 5));
        assert_eq!(of(&[threshold(Some(50), None), threshold(Some(70), Some(9))]), (50, 9));
        assert_eq!(of(&[threshold(Some(0), Some(0))]), (100, 5));
    }
}
