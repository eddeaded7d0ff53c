//! The kinds of scenarios a seed can be turned into, one table row each.

mod holdover;
mod local;
mod observation;
mod pairs;
mod quiet;
mod reference;
mod site;

use crate::exporter::Scrape;
use crate::log::{LogForm, LogLine};
use crate::plan::{Plan, PlanError};
use crate::random::Random;
use crate::scenario::Scenario;

/// A kind of scenario.
///
/// Complete by definition: whoever wants another kind writes a [`Plan`].
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Stable, kebab-case.
    pub name: &'static str,
    /// One line for people.
    pub summary: &'static str,
    draw: fn(&mut Random) -> Plan,
}

/// Every kind there is.
pub const KINDS: &[Kind] = &[
    quiet::CLEAN_DAY,
    quiet::NORMAL_START,
    quiet::GRANDMASTER_START,
    quiet::SAMPLE_SPIKES,
    reference::GNSS_OUTAGE_SHORT,
    reference::GNSS_OUTAGE_LONG,
    reference::GNSS_ANTENNA_FAULT,
    reference::GNSS_RECEIVER_FAULT,
    reference::GRANDMASTER_DEGRADED,
    reference::GRANDMASTER_SWITCH,
    reference::UPSTREAM_LOSS,
    reference::BRANCH_LOSS,
    holdover::GRANDMASTER,
    holdover::GRANDMASTER_MEASURED,
    holdover::BOUNDARY,
    holdover::BOUNDARY_MEASURED,
    holdover::PATHS,
    holdover::PATHS_MEASURED,
    local::PATH_LOSS,
    local::BOUNDARY_PATH_LOSS,
    local::FLAPPING_LINK,
    local::NOISE_GROWTH,
    local::ASYMMETRY_STEP,
    local::ASYMMETRY_STEP_LARGE,
    local::OSCILLATOR_DRIFT,
    local::OS_CLOCK_CRASH,
    local::OS_CLOCK_ADRIFT,
    local::OS_CLOCK_RIVAL,
    local::SYNCE_DEGRADED,
    local::NEVER_LOCKED,
    local::PROCESS_RESTART,
    observation::THRESHOLD_HUGGING,
    observation::PUBLISHER_SILENCE,
    observation::CLOCK_SKEW,
    pairs::GNSS_AND_OS_CLOCK,
    pairs::GNSS_AND_PATH,
    pairs::PATH_AND_SYNCE,
    pairs::FLAPPING_AND_OS_CRASH,
    pairs::TWO_PATHS,
    pairs::DRIFT_AND_OS_CLOCK,
];

/// There is no kind of this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no kind of scenario `{name}`")]
pub struct UnknownKind {
    /// What was asked for.
    pub name: String,
}

impl Kind {
    /// The kind of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(name: &str) -> Result<&'static Self, UnknownKind> {
        KINDS
            .iter()
            .find(|kind| kind.name == name)
            .ok_or_else(|| UnknownKind { name: name.to_owned() })
    }

    /// The plan that `seed` makes of this kind.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        let mut random = Random::new(self.mix(seed), 2);
        let mut plan = (self.draw)(&mut random);
        self.name.clone_into(&mut plan.name);
        plan
    }

    /// The scenario that `seed` makes of this kind.
    ///
    /// # Panics
    /// Never: every kind draws plans that can be played, as a test over many seeds shows.
    #[must_use]
    pub fn generate(&self, seed: u64) -> Scenario {
        self.play(&self.plan(seed), seed).expect("every kind draws plans that can be played")
    }

    /// The scenario that `seed` makes of a plan of this kind, to which something may have been done.
    ///
    /// # Errors
    /// When the plan can no longer be.
    pub fn play(&self, plan: &Plan, seed: u64) -> Result<Scenario, PlanError> {
        let mut scenario = Scenario::play(plan, self.mix(seed))?;
        scenario.seed = seed;
        scenario.truth.seed = seed;
        Ok(scenario)
    }

    /// The same as [`Self::play`], told by the logs of the nodes that publish.
    ///
    /// # Errors
    /// When the plan can no longer be.
    pub fn play_log(
        &self,
        plan: &Plan,
        seed: u64,
        form: LogForm,
        sink: &mut dyn FnMut(LogLine<'_>),
    ) -> Result<(), PlanError> {
        Scenario::play_log(plan, self.mix(seed), form, sink)
    }

    /// The same as [`Self::play`], told by the metrics of the nodes that publish.
    ///
    /// # Errors
    /// When the plan can no longer be.
    pub fn play_metrics(
        &self,
        plan: &Plan,
        seed: u64,
        sink: &mut dyn FnMut(Scrape<'_>),
    ) -> Result<(), PlanError> {
        Scenario::play_metrics(plan, self.mix(seed), sink)
    }

    /// Makes the same seed mean another network in each kind (FNV-1a over the name).
    fn mix(&self, seed: u64) -> u64 {
        self.name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

impl Scenario {
    /// The scenario that `seed` makes of the kind called `kind`.
    ///
    /// # Errors
    /// When there is no such kind.
    pub fn generate(kind: &str, seed: u64) -> Result<Self, UnknownKind> {
        Kind::find(kind).map(|kind| kind.generate(seed))
    }
}
