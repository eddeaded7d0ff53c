//! Whether a node is synchronised, statement by statement.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ptp_events::deployment::DAEMON_CONTAINER;
use ptp_events::metrics::Metric;
use ptp_events::{Event, Resource, SyncState};
use ptp_linuxptp::pmc::{DataSet, Printed};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::{Cluster, Part};
use super::arguments::{OfClock, OfNode, cluster};
use super::pods::{Daemon, daemon};
use super::statement::{Finding, Statement, Sync, verdict};
use super::{clocks, configs, logs, metrics, names};
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// How far back the log is read, in seconds.
const LOOKS_BACK: u32 = 600;
/// How many of its lines.
const LINES: u32 = 5000;
/// A log that says nothing of a clock for so long says nothing of it now, in seconds.
const STALE: i64 = 120;
/// The classes of a grandmaster within specification, and of a T-BC in holdover that is
/// (ITU-T G.8275.1 §6.4, Table 2; 13 and 14 of IEEE 1588-2019 Table 4).
const WITHIN_SPECIFICATION: [i64; 5] = [6, 7, 13, 14, 135];

/// Whether a node is synchronised, and what shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// The node.
    node: String,
    /// What it comes to.
    verdict: Sync,
    /// What was looked at.
    statements: Vec<Statement>,
    /// Whether there are more.
    more: bool,
}

fn answer(node: &str, statements: Vec<Statement>) -> Answer<Checked> {
    let verdict = verdict(&statements);
    let count = |finding| statements.iter().filter(|s| s.finding == finding).count();
    let says = format!(
        "Verdict: {}. {} statements good, {} bad, {} could not be decided.",
        verdict.as_str(),
        count(Finding::Good),
        count(Finding::Bad),
        count(Finding::Unknown)
    );
    let (statements, more) = fit(statements.into_iter());
    Answer::new(says, Checked { node: node.to_owned(), verdict, statements, more })
}

pub(super) async fn check(context: &Context, wanted: OfNode) -> Result<Answer<Checked>, Refusal> {
    let cluster = cluster(context)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let mut statements = vec![of_pod(&of)];
    let (configured, logged) = tokio::join!(of_configs(cluster, &of.node), of_log(cluster, &of));
    statements.push(configured);
    statements.extend(logged);
    Ok(answer(&of.node, statements))
}

fn of_pod(of: &Daemon) -> Statement {
    let restarts = of.restarts;
    let (finding, says) = if of.ready {
        (
            Finding::Good,
            format!("the daemon's pod is ready; its containers restarted {restarts} times"),
        )
    } else {
        (
            Finding::Bad,
            format!("the daemon's pod is not ready; its containers restarted {restarts} times"),
        )
    };
    Statement { about: "pod", finding, says, evidence: "list_ptp_pods" }
}

async fn of_configs(cluster: &Cluster, node: &str) -> Statement {
    let (finding, says) = match configs::all(cluster).await {
        Err(error) => (Finding::Unknown, ptp_events::chain(&error)),
        Ok((all, _)) => match all.iter().flat_map(|config| config.profiles_of(node)).count() {
            0 => (Finding::Bad, "the operator gave the node no profile".to_owned()),
            count => (Finding::Good, format!("the operator gave the node {count} profiles")),
        },
    };
    Statement { about: "configuration", finding, says, evidence: "get_node_ptp_configs" }
}

async fn of_log(cluster: &Cluster, of: &Daemon) -> Vec<Statement> {
    let unread = |says: String| {
        let evidence = "get_daemon_logs";
        vec![Statement { about: "clocks", finding: Finding::Unknown, says, evidence }]
    };
    let part = Part { tail: LINES, since: Some(LOOKS_BACK), previous: false };
    let (log, (settings, _)) = tokio::join!(
        cluster.log(&of.pod, DAEMON_CONTAINER, part),
        logs::thresholds_of(cluster, &of.node)
    );
    let log = match log {
        Ok(log) if log.cut => return unread("the log is too long to reach its end".to_owned()),
        Ok(log) => log,
        Err(error) => return unread(ptp_events::chain(&error)),
    };
    match logs::read_log(&log, of, settings) {
        Ok(said) => {
            let now = said.has_time.then(Timestamp::now);
            of_events(&said.published(), now)
        }
        Err(error) => unread(ptp_events::chain(&error)),
    }
}

/// What the latest of some events say of each clock. Without `now` their times are not known.
fn of_events(events: &[Event], now: Option<Timestamp>) -> Vec<Statement> {
    let mut latest = BTreeMap::new();
    for event in events {
        for reading in event.readings.iter().filter(|reading| !reading.instance.is_placeholder()) {
            if let Some(state) = &reading.state {
                let key = (event.resource.clone(), reading.instance.clone());
                let at = event.stamped.map(|at| at.to_string()).unwrap_or_default();
                latest.insert(key, (at, state.clone()));
            }
        }
    }
    let newest = events.iter().filter_map(|event| event.stamped).max();
    let statement =
        |finding, says| Statement { about: "clocks", finding, says, evidence: "get_daemon_logs" };
    let Some(newest) = newest.filter(|_| !latest.is_empty()) else {
        let says = format!("the log of the last {LOOKS_BACK} s says nothing of a clock");
        return vec![statement(Finding::Unknown, says)];
    };
    let mut statements: Vec<_> = latest
        .into_iter()
        .map(|((resource, instance), (at, state))| {
            let finding = if is_good(&state) { Finding::Good } else { Finding::Bad };
            statement(
                finding,
                format!("{resource} {instance} is {} since or at {at}", state.as_str()),
            )
        })
        .collect();
    match now.map(|now| now.as_nanosecond() - i128::from(newest.as_nanos())) {
        None => {
            statements.push(statement(Finding::Unknown, "no line tells the time of day".into()));
        }
        Some(age) if age > i128::from(STALE) * 1_000_000_000 => {
            let age = age / 1_000_000_000;
            statements.push(statement(
                Finding::Unknown,
                format!("the log says nothing new of a clock for {age} s"),
            ));
        }
        Some(_) => {}
    }
    if !statements.iter().any(|s| s.says.starts_with(Resource::LockState.name())) {
        statements
            .push(statement(Finding::Unknown, "the log tells no state of a PTP clock".into()));
    }
    statements
}

fn is_good(state: &SyncState) -> bool {
    state.is_locked()
}

const SETS: [DataSet; 4] = [
    DataSet::DefaultDataSet,
    DataSet::CurrentDataSet,
    DataSet::ParentDataSet,
    DataSet::PortDataSet,
];

pub(super) async fn analyze(
    context: &Context,
    wanted: OfClock,
) -> Result<Answer<Checked>, Refusal> {
    let cluster = cluster(context)?;
    let config = names::config(wanted.config)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let (printed, scrape, (thresholds, read)) = tokio::join!(
        clocks::ask(cluster, &of.pod, config, &SETS),
        metrics::scrape(cluster, &of.pod),
        logs::thresholds_of(cluster, &of.node)
    );
    let mut statements = vec![of_pod(&of)];
    match printed {
        Ok(printed) => statements.extend(of_ptp4l(&printed, thresholds.offset_ns, read)),
        Err(error) => statements.push(Statement {
            about: "ptp4l",
            finding: Finding::Unknown,
            says: ptp_events::chain(&error),
            evidence: "run_pmc_query",
        }),
    }
    match scrape {
        Ok(scrape) => statements.extend(of_metrics(&scrape.metrics)),
        Err(error) => statements.push(Statement {
            about: "metrics",
            finding: Finding::Unknown,
            says: ptp_events::chain(&error),
            evidence: "get_ptp_metrics",
        }),
    }
    Ok(answer(&of.node, statements))
}

/// What ptp4l's data sets say; `read` is whether the threshold is the node's own.
fn of_ptp4l(printed: &Printed, threshold_ns: u64, read: bool) -> Vec<Statement> {
    let mut statements = Vec::new();
    let mut add = |about, finding, says: String| {
        statements.push(Statement { about, finding, says, evidence: "run_pmc_query" });
    };
    let own = printed.one(DataSet::DefaultDataSet).and_then(|own| own.get("clockIdentity"));
    let parent = printed.one(DataSet::ParentDataSet);
    let grandmaster = parent.and_then(|parent| parent.get("grandmasterIdentity"));
    let leads = own.is_some() && own == grandmaster;
    let states: Vec<_> = printed
        .of(DataSet::PortDataSet)
        .map(|port| (port.from.as_str(), port.get("portState").unwrap_or("unknown")))
        .collect();
    let follows = states.iter().any(|(_, state)| *state == "SLAVE");
    for (port, state) in &states {
        match *state {
            "SLAVE" | "MASTER" | "GRAND_MASTER" | "PASSIVE" => {}
            "FAULTY" | "DISABLED" => add("ports", Finding::Bad, format!("port {port} is {state}")),
            _ if leads || !follows => {
                add(
                    "ports",
                    Finding::Bad,
                    format!("port {port} is {state}: it neither follows nor serves"),
                );
            }
            _ => {}
        }
    }
    match (states.len(), leads, follows) {
        (0, ..) => add("ports", Finding::Unknown, "ptp4l tells no port's state".into()),
        (count, _, true) => {
            add("ports", Finding::Good, format!("one of {count} ports follows (SLAVE)"));
        }
        (_, true, false) => add("ports", Finding::Good, "it is its own grandmaster".into()),
        (count, false, false) => {
            add("ports", Finding::Bad, format!("none of {count} ports follows (SLAVE)"));
        }
    }
    let offset = printed.one(DataSet::CurrentDataSet).and_then(|c| c.number("offsetFromMaster"));
    let of = if read {
        "of the node's PtpConfig"
    } else {
        "the operator's default; PtpConfigs cannot be read"
    };
    match offset {
        None => add("offset", Finding::Unknown, "ptp4l tells no offset".into()),
        // A clock that follows nobody keeps its last offset, or zero.
        Some(_) if !follows => {}
        Some(ns) => {
            let finding = match (ns.abs() < threshold_ns as f64, read) {
                (false, _) => Finding::Bad,
                (true, true) => Finding::Good,
                (true, false) => Finding::Unknown,
            };
            add(
                "offset",
                finding,
                format!("{ns} ns from its master; the threshold is {threshold_ns} ns ({of})"),
            );
        }
    }
    let class = parent.and_then(|parent| parent.get("gm.ClockClass")?.parse::<i64>().ok());
    match class {
        None => {
            add("grandmaster", Finding::Unknown, "ptp4l tells no class of its grandmaster".into());
        }
        Some(class) => {
            let finding =
                if WITHIN_SPECIFICATION.contains(&class) { Finding::Good } else { Finding::Bad };
            let name = grandmaster.unwrap_or("unknown");
            add("grandmaster", finding, format!("{name} announces clock class {class}"));
        }
    }
    statements
}

/// What the metrics say of clocks and processes.
fn of_metrics(read: &ptp_events::metrics::Metrics) -> Vec<Statement> {
    let evidence = "get_ptp_metrics";
    let mut statements = Vec::new();
    for sample in read.samples() {
        let finding = match (sample.metric, sample.value) {
            (Metric::ClockState | Metric::ProcessStatus, 1) => Finding::Good,
            (Metric::ClockState | Metric::ProcessStatus, _) | (Metric::InterfaceRole, 3) => {
                Finding::Bad
            }
            _ => continue,
        };
        let about = match sample.metric {
            Metric::ClockState => "clocks",
            Metric::ProcessStatus => "processes",
            _ => "ports",
        };
        let means = metrics::meaning(sample).unwrap_or("of an unknown state");
        let name = [&*sample.process, &*sample.interface, &*sample.config];
        let name = name.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        statements.push(Statement { about, finding, says: format!("{name} is {means}"), evidence });
    }
    if !statements.iter().any(|statement| statement.about == "clocks") {
        let says = "the metrics tell no clock's state".to_owned();
        statements.push(Statement { about: "clocks", finding: Finding::Unknown, says, evidence });
    }
    statements
}

#[cfg(test)]
mod tests {
    use ptp_events::metrics::Metrics;
    use ptp_linuxptp::pmc::parse;

    use super::*;

    fn said(statements: &[Statement]) -> String {
        let mark = |finding| match finding {
            Finding::Good => "ok ",
            Finding::Bad => "BAD",
            Finding::Unknown => " ? ",
        };
        let lines =
            statements.iter().map(|s| format!("{} {}: {}", mark(s.finding), s.about, s.says));
        format!("{}\n{}", verdict(statements).as_str(), lines.collect::<Vec<_>>().join("\n"))
    }

    const CLIENT: &str = include_str!("../../../ptp-linuxptp/src/testdata/pmc-client.txt");

    #[test]
    fn a_clock_that_is_not_calibrated_does_not_follow() {
        insta::assert_snapshot!(said(&of_ptp4l(&parse(CLIENT), 100, true)));
    }

    #[test]
    fn a_clock_follows_within_its_threshold_or_does_not() {
        let follows = CLIENT.replace("UNCALIBRATED", "SLAVE");
        insta::assert_snapshot!(said(&of_ptp4l(&parse(&follows), 200, true)));
        insta::assert_snapshot!(said(&of_ptp4l(&parse(&follows), 100, false)));
        insta::assert_snapshot!(said(&of_ptp4l(&parse(&follows), 200, false)));
    }

    #[test]
    fn a_grandmaster_follows_nobody_and_silence_is_no_health() {
        let grandmaster = include_str!("../../../ptp-linuxptp/src/testdata/pmc-grandmaster.txt");
        insta::assert_snapshot!(said(&of_ptp4l(&parse(grandmaster), 100, true)));
        let faulty =
            grandmaster.replace("portState               MASTER", "portState               FAULTY");
        let faulty = faulty.replace(
            "ClockClass                         6",
            "ClockClass                         248",
        );
        insta::assert_snapshot!(said(&of_ptp4l(&parse(&faulty), 100, true)));
        insta::assert_snapshot!(said(&of_ptp4l(&parse(""), 100, true)));
    }

    #[test]
    fn metrics_of_real_nodes_are_judged() {
        let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings");
        for file in ["metrics-bc.prom.txt", "metrics-gm.prom.txt"] {
            let text = std::fs::read_to_string(format!("{recordings}/{file}")).unwrap();
            let metrics = Metrics::parse(&text).unwrap();
            insta::assert_snapshot!(file, said(&of_metrics(&metrics)));
        }
        let none = Metrics::parse("").unwrap();
        insta::assert_snapshot!(said(&of_metrics(&none)));
    }
}
