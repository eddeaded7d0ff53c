//! Every threshold, declared once.

use std::time::Duration;

use ptp_events::deployment::NAMESPACE;
use ptp_events::{Resource, SyncState};
use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::Topology;

/// What the engine compares with. Each field's default is its documented one (docs/diagnosis.md).
///
/// Not `#[non_exhaustive]`, so that programs can write `Settings { offset_ns: 50, ..Settings::default() }`;
/// fields may be added.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How long an event may come late and still take its place in time order.
    #[serde(deserialize_with = "duration")]
    pub reorder_window: Duration,
    /// `persistent-freerun`: FREERUN without a break for longer than this.
    #[serde(deserialize_with = "duration")]
    pub persistent_freerun: Duration,
    /// `frequent-state-changes`, `frequent-class-changes`: more than this many changes within `state-changes-window`.
    pub state_changes: u32,
    /// `frequent-state-changes`, `frequent-class-changes`: the time in which changes are counted, and
    /// restarts (`process-restart`).
    #[serde(deserialize_with = "duration")]
    pub state_changes_window: Duration,
    /// `high-offset`: magnitude over this, in nanoseconds; the publishers' own default threshold.
    pub offset_ns: u64,
    /// `high-offset`: this many successive samples over `offset-ns`; as many below 80 % clear it.
    pub offset_samples: u32,
    /// `high-offset`: one sample over this, in nanoseconds: the network limit of ITU-T G.8271.1.
    pub offset_critical_ns: u64,
    /// `high-offset`: how long one sample over `offset-critical-ns` must stand uncorrected.
    #[serde(deserialize_with = "duration")]
    pub offset_critical_hold: Duration,
    /// `loss-of-lock`: in one of `lost-states` for this long.
    #[serde(deserialize_with = "duration")]
    pub loss_of_lock: Duration,
    /// The states that count as lost.
    pub lost_states: Vec<SyncState>,
    /// `process-restart`: lost with its process, and back within this time.
    #[serde(deserialize_with = "duration")]
    pub process_restart: Duration,
    /// `holdover`: in HOLDOVER for this long.
    #[serde(deserialize_with = "duration")]
    pub holdover: Duration,
    /// `holdover` is critical when its limit is less than this away.
    #[serde(deserialize_with = "duration")]
    pub holdover_critical: Duration,
    /// The time error that holdover must not reach, in nanoseconds: 3GPP TS 38.133's 3 µs between
    /// cells, half for each.
    pub holdover_limit_ns: u64,
    /// How fast a clock drifts in holdover when nothing better is known: `holdover-limit-ns` in
    /// this time (linuxptp-daemon's defaults: 1500 ns in 14400 s). Of grandmasters, and of boundary
    /// clocks, which are built to hold.
    #[serde(deserialize_with = "duration")]
    pub holdover_model: Duration,
    /// The same for any other node: what a TCXO holds, as most network cards have no better; an OCXO
    /// would hold for hours.
    #[serde(deserialize_with = "duration")]
    pub holdover_model_follower: Duration,
    /// `gnss-fault`: the receiver gives no time for this long.
    #[serde(deserialize_with = "duration")]
    pub gnss_fault: Duration,
    /// `time-of-day-lost`, `dpll-unlocked`, `pulse-fault`: time of day, lock or pulse are missing for this
    /// long: ten pulses.
    #[serde(deserialize_with = "duration")]
    pub reference: Duration,
    /// `clock-class-degraded`: the class stays worse for this long.
    #[serde(deserialize_with = "duration")]
    pub clock_class: Duration,
    /// `os-clock-unsynchronised`: not LOCKED while PTP is, for this long.
    #[serde(deserialize_with = "duration")]
    pub os_clock: Duration,
    /// `synce-degraded`: not LOCKED, or of worse quality, for this long.
    #[serde(deserialize_with = "duration")]
    pub synce: Duration,
    /// `never-locked`: seen for this long and never LOCKED.
    #[serde(deserialize_with = "duration")]
    pub never_locked: Duration,
    /// `silence`: regular samples stopped for this long, or for five times their cadence if that
    /// is longer.
    #[serde(deserialize_with = "duration")]
    pub silence: Duration,
    /// `offset-drift`: the threshold is crossed within this time.
    #[serde(deserialize_with = "duration")]
    pub drift_horizon: Duration,
    /// `offset-step`: shifted by more than this, in nanoseconds.
    pub step_ns: u64,
    /// `offset-noise`: this many times as noisy as usual.
    pub noise_growth: f64,
    /// `threshold-hugging`: this many losses of lock within half an hour, hardly over the threshold.
    pub hugging: u32,
    /// `grandmaster-switch`: lost together, and back within this time.
    #[serde(deserialize_with = "duration")]
    pub switch: Duration,
    /// `inconsistent-state`: said again when the last change is this long ago.
    #[serde(deserialize_with = "duration")]
    pub inconsistent: Duration,
    /// `publisher-artefact`: this many readings in a row that cannot be so.
    pub artefact_samples: u32,
    /// `publisher-artefact`: within which time a system clock flip-flops.
    #[serde(deserialize_with = "duration")]
    pub artefact_window: Duration,
    /// `node-clock-skew`: stamps further from the time of receipt than this.
    #[serde(deserialize_with = "duration")]
    pub skew: Duration,
    /// How long a clock may flap after it was LOCKED for the first time, or again after `resolve`
    /// or longer; a servo that settles does so several times (docs/protocol.md §5).
    #[serde(deserialize_with = "duration")]
    pub relock: Duration,
    /// How long after its first lock a clock that was seen to start, and not to settle, may still creep
    /// over its threshold: a slow servo overshoots. One that has settled, that is within a third of its
    /// threshold for ten minutes, is excused no longer.
    #[serde(deserialize_with = "duration")]
    pub settle: Duration,
    /// An incident resolves when all of its clocks have been healthy for this long.
    #[serde(deserialize_with = "duration")]
    pub resolve: Duration,
    /// A resolved incident that comes back within this time opens again.
    #[serde(deserialize_with = "duration")]
    pub reopen: Duration,
    /// How far apart a cause and its consequences on one node may begin.
    #[serde(deserialize_with = "duration")]
    pub correlate: Duration,
    /// Nodes that lose lock within this time of each other may share a cause.
    #[serde(deserialize_with = "duration")]
    pub upstream: Duration,
    /// Three nodes whose references fall silent within this time of each other are behind one
    /// switch, though most of their domain is not.
    #[serde(deserialize_with = "duration")]
    pub branch: Duration,
    /// What may raise alerts; `None` is everything. Everything is evidence all the same.
    #[serde(deserialize_with = "resources")]
    pub alert_resources: Option<Vec<Resource>>,
    /// The namespace of linuxptp-daemon, for the commands in recommendations.
    pub namespace: String,
    /// The most nodes followed; events of further ones are counted and dropped.
    pub max_nodes: usize,
    /// The most clocks followed per node; readings of further ones are counted and dropped.
    pub max_clocks_per_node: usize,
    /// The most resolved incidents, and alerts, kept.
    pub max_incidents: usize,
    /// State changes remembered per clock.
    pub history: usize,
    /// How many points of the curve of each clock's offsets are kept, for plots; 0: none. A point takes 40
    /// bytes.
    #[serde(skip)]
    pub curve_points: usize,
    /// Who follows whom. Nodes it does not name are taken to share one timing domain. It has a file
    /// of its own.
    #[serde(skip)]
    pub topology: Topology,
}

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            reorder_window: secs(2),
            persistent_freerun: secs(300),
            state_changes: 10,
            state_changes_window: secs(3600),
            offset_ns: 100,
            offset_samples: 3,
            offset_critical_ns: 1100,
            offset_critical_hold: secs(3),
            loss_of_lock: secs(10),
            lost_states: vec![SyncState::Freerun, SyncState::Faulty],
            process_restart: secs(30),
            holdover: secs(3),
            holdover_critical: secs(600),
            holdover_limit_ns: 1500,
            holdover_model: secs(14_400),
            holdover_model_follower: secs(1200),
            gnss_fault: secs(3),
            reference: secs(10),
            clock_class: secs(1),
            os_clock: secs(10),
            synce: secs(0),
            never_locked: secs(600),
            silence: secs(300),
            drift_horizon: secs(14_400),
            step_ns: 35,
            noise_growth: 3.0,
            hugging: 3,
            switch: secs(20),
            inconsistent: secs(60),
            artefact_samples: 5,
            artefact_window: secs(300),
            skew: secs(2),
            relock: secs(120),
            settle: secs(3600),
            resolve: secs(30),
            reopen: secs(600),
            correlate: secs(30),
            upstream: secs(10),
            branch: secs(3),
            alert_resources: None,
            namespace: NAMESPACE.to_owned(),
            max_nodes: 50_000,
            max_clocks_per_node: 64,
            max_incidents: 10_000,
            history: 64,
            curve_points: 0,
            topology: Topology::default(),
        }
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{key}` {problem}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The key, as in the TOML file.
    pub key: &'static str,
    /// What is wrong with its value.
    pub problem: &'static str,
}

impl Settings {
    /// The same for evidence that is only looked at every `interval`, as metrics are: two things that
    /// happened together are seen up to one look apart, and what must last must be seen twice.
    #[must_use]
    pub fn looked_at_every(self, interval: Duration) -> Self {
        Self {
            correlate: self.correlate + interval,
            upstream: self.upstream + interval,
            branch: self.branch + interval,
            switch: self.switch + interval,
            loss_of_lock: self.loss_of_lock + interval,
            process_restart: self.process_restart + interval,
            holdover: self.holdover + interval,
            gnss_fault: self.gnss_fault + interval,
            reference: self.reference + interval * 2,
            clock_class: self.clock_class + interval,
            os_clock: self.os_clock + interval,
            synce: self.synce + interval,
            relock: self.relock + interval * 2,
            ..self
        }
    }

    /// Everything that cannot work, not only the first mistake.
    #[must_use]
    pub fn mistakes(&self) -> Vec<SettingsError> {
        let checks = [
            ("state-changes", self.state_changes == 0, "must be at least 1"),
            ("state-changes", self.state_changes > 1000, "must be at most 1000"),
            ("offset-samples", self.offset_samples == 0, "must be at least 1"),
            ("offset-ns", self.offset_ns == 0, "must be at least 1"),
            (
                "offset-critical-ns",
                self.offset_critical_ns < self.offset_ns,
                "must not be below `offset-ns`",
            ),
            ("lost-states", self.lost_states.is_empty(), "must name a state"),
            (
                "lost-states",
                self.lost_states.iter().any(SyncState::is_locked),
                "must not contain a locked state",
            ),
            ("holdover-model", self.holdover_model.is_zero(), "must be longer than 0 s"),
            (
                "holdover-model-follower",
                self.holdover_model_follower.is_zero(),
                "must be longer than 0 s",
            ),
            ("holdover-limit-ns", self.holdover_limit_ns == 0, "must be at least 1"),
            (
                "state-changes-window",
                self.state_changes_window.is_zero(),
                "must be longer than 0 s",
            ),
            ("step-ns", self.step_ns == 0, "must be at least 1"),
            (
                "noise-growth",
                self.noise_growth.is_nan() || self.noise_growth <= 1.0,
                "must exceed 1",
            ),
            ("hugging", self.hugging == 0, "must be at least 1"),
            ("artefact-samples", self.artefact_samples == 0, "must be at least 1"),
            ("reorder-window", self.reorder_window > secs(60), "must be at most 60 s"),
            (
                "upstream",
                self.upstream.max(self.loss_of_lock).max(self.process_restart) > secs(86_400),
                "must be at most 1 d, and so must `loss-of-lock` and `process-restart`",
            ),
            ("branch", self.branch > self.upstream, "must be at most `upstream`"),
            ("max-nodes", self.max_nodes == 0, "must be at least 1"),
            ("max-clocks-per-node", self.max_clocks_per_node == 0, "must be at least 1"),
            ("max-incidents", self.max_incidents == 0, "must be at least 1"),
            ("history", self.history < 2, "must be at least 2"),
        ];
        checks
            .into_iter()
            .filter(|(_, wrong, _)| *wrong)
            .map(|(key, _, problem)| SettingsError { key, problem })
            .collect()
    }
}

/// `"10s"`, `"5m"`, `"1h30m"` or ISO 8601, as jiff reads durations.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let signed = jiff::SignedDuration::deserialize(deserializer)?;
    Duration::try_from(signed).map_err(|_| de::Error::custom("a duration must not be negative"))
}

fn resources<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Resource>>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    alert_resources(names.iter().map(String::as_str)).map(Some).map_err(de::Error::custom)
}

/// Reads names of resources as the original service's `ALERT_EVENT_TYPES` lists them.
///
/// `sync-state` includes the PTP lock state, which the original meant by it.
///
/// # Errors
/// With every name that is none, and the names there are.
pub fn alert_resources<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Resource>, String> {
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for name in names.map(str::trim).filter(|name| !name.is_empty()) {
        let named = match name {
            "gnss" => Some(Resource::Gnss),
            "os-clock" => Some(Resource::OsClock),
            "synce" => Some(Resource::SynceState),
            _ => Resource::ALL
                .into_iter()
                .find(|r| r.name() == name || r.path() == name || r.event_type() == name),
        };
        match named {
            Some(Resource::SyncState) => found.extend([Resource::SyncState, Resource::LockState]),
            Some(resource) => found.push(resource),
            None => unknown.push(name),
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let known: Vec<_> = Resource::ALL.iter().map(|r| r.name().to_owned()).collect();
    Err(format!("no such resource: {}; there are {}", unknown.join(", "), known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_mistakes() {
        assert_eq!(Settings::default().mistakes(), []);
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let settings = Settings {
            state_changes: 0,
            offset_ns: 2000,
            lost_states: vec![SyncState::Locked],
            ..Settings::default()
        };
        let text: Vec<_> = settings.mistakes().iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @"
        `state-changes` must be at least 1
        `offset-critical-ns` must not be below `offset-ns`
        `lost-states` must not contain a locked state
        ");
    }

    #[test]
    fn the_original_services_names_are_understood() {
        assert_eq!(
            alert_resources("sync-state, clock-class".split(',')),
            Ok(vec![Resource::SyncState, Resource::LockState, Resource::ClockClass])
        );
        insta::assert_snapshot!(alert_resources(["clock", "gnss"].into_iter()).unwrap_err(), @"no such resource: clock; there are gnss-sync-status, lock-state, clock-class, os-clock-sync-state, sync-state, synce-lock-state, synce-clock-quality");
    }
}
