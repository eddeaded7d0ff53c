//! By what the engine is told of a scenario: events, or the log or the metrics of each node.

use std::collections::BTreeMap;
use std::time::Duration;

use ptp_diagnostics::{Engine, Settings};
use ptp_events::daemon::{DaemonLog, DaemonSettings, LogLine};
use ptp_events::metrics::{Metrics, Scrapes};
use ptp_events::observation::Evidence;
use ptp_events::{NodeName, Received, Stamped};
use ptp_sim::{Kind, LogForm, RootCause};

use crate::Failure;

/// What tells of a scenario.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Source {
    /// What publishers send.
    #[default]
    Events,
    /// What daemons write.
    Log(LogForm),
    /// What their exporters answer every 30 s.
    Metrics,
}

/// Kinds of which a log shows nothing: the publisher's own threshold, and the distance of two clocks.
const ONLY_EVENTS: [&str; 2] = ["threshold-hugging", "clock-skew"];

/// Kinds of which a log without offsets shows nothing: all of it is in the offsets.
const ONLY_OFFSETS: [&str; 6] = [
    "noise-growth",
    "asymmetry-step",
    "asymmetry-step-large",
    "oscillator-drift",
    "drift-and-os-clock",
    "grandmaster-switch",
];

/// Kinds of which scrapes show nothing: no metric tells of `SyncE` or of who the master is, and what is
/// over between two scrapes was never there.
const ONLY_PUSHED: [&str; 4] =
    ["synce-degraded", "path-and-synce", "grandmaster-switch", "process-restart"];

impl Source {
    /// Every source by its name, and `all`.
    pub(crate) fn parse(name: &str) -> Result<Vec<Self>, Failure> {
        let logs = [LogForm::Full, LogForm::Reduced, LogForm::Enhanced, LogForm::Rms];
        let all = [Self::Events].into_iter().chain(logs.map(Self::Log)).chain([Self::Metrics]);
        let all: Vec<_> = all.collect();
        if name == "all" {
            return Ok(all);
        }
        let known: Vec<_> = all.iter().map(|source| source.name()).collect();
        match all.iter().find(|source| source.name() == name) {
            Some(source) => Ok(vec![*source]),
            None => Err(format!("--source is `all` or one of {}", known.join(", ")).into()),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Log(form) => form.as_str(),
            Self::Metrics => "metrics",
        }
    }

    /// Whether it shows anything of a fault of this cause: a clock that is whole seconds off, and whose
    /// port follows all the same, is so by its offsets alone.
    pub(crate) fn shows(self, cause: RootCause) -> bool {
        self != Self::Log(LogForm::Reduced) || cause != RootCause::TimescaleMismatch
    }

    /// What the engine compares with.
    pub(crate) fn settings(self) -> Settings {
        match self {
            Self::Metrics => Settings::default().looked_at_every(ptp_sim::SCRAPED_EVERY),
            Self::Events | Self::Log(_) => Settings::default(),
        }
    }

    /// Whether it shows anything of such a scenario.
    pub(crate) fn tells_of(self, kind: &Kind) -> bool {
        match self {
            Self::Events => true,
            Self::Log(LogForm::Reduced) => {
                !ONLY_EVENTS.contains(&kind.name) && !ONLY_OFFSETS.contains(&kind.name)
            }
            Self::Metrics => !ONLY_EVENTS.contains(&kind.name) && !ONLY_PUSHED.contains(&kind.name),
            Self::Log(_) => !ONLY_EVENTS.contains(&kind.name),
        }
    }
}

/// How long an offset in a log must be over the threshold, as `ptp-cli diagnose` has it.
const SETTLE: Duration = Duration::from_secs(1);

/// Feeds the logs of all nodes to an engine, as they are written.
pub(crate) fn listen(kind: &Kind, seed: u64, form: LogForm, engine: &mut Engine) {
    let plan = kind.plan(seed);
    // Whoever reads a log knows the thresholds of its profile.
    let settings = |name: &NodeName| {
        let mut nodes = plan.topology.nodes().iter();
        let offset_ns = nodes.find(|node| node.name == *name).map_or(100, |node| node.threshold_ns);
        DaemonSettings { offset_ns: offset_ns.into(), settle: SETTLE, ..DaemonSettings::default() }
    };
    let mut logs: BTreeMap<NodeName, (DaemonLog, u64)> = BTreeMap::new();
    let mut told = Vec::new();
    let mut line = |line: ptp_sim::LogLine<'_>| {
        if !logs.contains_key(line.node) {
            let log = DaemonLog::new(line.node.clone(), settings(line.node));
            logs.insert(line.node.clone(), (log, 0));
        }
        let Some((log, number)) = logs.get_mut(line.node) else { return };
        *number += 1;
        log.handle_line(LogLine { written: Some(line.at), ..LogLine::new(*number, line.text) });
        told.extend(drain(log));
    };
    kind.play_log(&plan, seed, form, &mut line).expect("every kind draws plans that can be played");
    for (mut log, _) in logs.into_values() {
        log.finish();
        told.extend(drain(&mut log));
    }
    // A log may tell only later how a clock is called.
    told.sort_by_key(|(at, _)| *at);
    for (at, evidence) in told {
        engine.handle_evidence(evidence, at);
    }
}

/// Feeds the scrapes of all nodes to an engine, as they are answered.
pub(crate) fn scrape(kind: &Kind, seed: u64, engine: &mut Engine) {
    let plan = kind.plan(seed);
    let mut scrapes = Scrapes::default();
    let mut sink = |scrape: ptp_sim::Scrape<'_>| {
        let metrics = Metrics::parse(scrape.text).expect("the simulator writes metrics");
        scrapes.handle_metrics(&metrics, Stamped::from_nanos(scrape.at.as_nanos()));
        while let Some(evidence) = scrapes.poll_evidence() {
            engine.handle_evidence(evidence, scrape.at);
        }
    };
    kind.play_metrics(&plan, seed, &mut sink).expect("every kind draws plans that can be played");
}

fn drain(log: &mut DaemonLog) -> impl Iterator<Item = (Received, Evidence)> {
    let told = std::iter::from_fn(|| log.poll_evidence());
    told.filter_map(|told| {
        let at = told.evidence.stamped().map(Stamped::assume_received)?;
        Some((at, told.evidence))
    })
}

#[cfg(test)]
mod tests {
    use ptp_sim::KINDS;

    use super::*;

    #[test]
    fn what_a_source_leaves_out_are_kinds_there_are() {
        for name in ONLY_EVENTS.iter().chain(&ONLY_OFFSETS).chain(&ONLY_PUSHED) {
            assert!(Kind::find(name).is_ok(), "{name}");
        }
        let told = |source: Source| KINDS.iter().filter(|kind| source.tells_of(kind)).count();
        let (full, reduced) = (Source::Log(LogForm::Full), Source::Log(LogForm::Reduced));
        assert_eq!(told(Source::Events), KINDS.len());
        assert_eq!(told(full), KINDS.len() - ONLY_EVENTS.len());
        assert_eq!(told(reduced), told(full) - ONLY_OFFSETS.len());
    }
}
