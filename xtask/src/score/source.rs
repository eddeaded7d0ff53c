//! By what the engine is told of a scenario: events, or a log of each node.

use std::collections::BTreeMap;
use std::time::Duration;

use ptp_diagnostics::Engine;
use ptp_events::daemon::{DaemonLog, DaemonSettings, LogLine};
use ptp_events::observation::Evidence;
use ptp_events::{NodeName, Received, Stamped};
use ptp_sim::{Kind, LogForm};

use crate::Failure;

/// What tells of a scenario.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Source {
    /// What publishers send.
    #[default]
    Events,
    /// What daemons write.
    Log(LogForm),
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

impl Source {
    /// Every source by its name, and `all`.
    pub(crate) fn parse(name: &str) -> Result<Vec<Self>, Failure> {
        let logs = [LogForm::Full, LogForm::Reduced, LogForm::Enhanced, LogForm::Rms];
        let all: Vec<_> = [Self::Events].into_iter().chain(logs.map(Self::Log)).collect();
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
        }
    }

    /// Whether it shows anything of such a scenario.
    pub(crate) fn tells_of(self, kind: &Kind) -> bool {
        match self {
            Self::Events => true,
            Self::Log(LogForm::Reduced) => {
                !ONLY_EVENTS.contains(&kind.name) && !ONLY_OFFSETS.contains(&kind.name)
            }
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
        for name in ONLY_EVENTS.iter().chain(&ONLY_OFFSETS) {
            assert!(Kind::find(name).is_ok(), "{name}");
        }
        let told = |source: Source| KINDS.iter().filter(|kind| source.tells_of(kind)).count();
        let (full, reduced) = (Source::Log(LogForm::Full), Source::Log(LogForm::Reduced));
        assert_eq!(told(Source::Events), KINDS.len());
        assert_eq!(told(full), KINDS.len() - ONLY_EVENTS.len());
        assert_eq!(told(reduced), told(full) - ONLY_OFFSETS.len());
    }
}
