//! What the faults mean for one node in one second.

use ptp_events::SyncState;

use crate::fault::{Effect, Fault, Mistake};
use crate::os_clock::OsTrouble;
use crate::random::{Random, sine};
use crate::topology::Topology;

/// Everything that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fault of its own, and any may come together"
)]
pub(crate) struct Conditions {
    pub(crate) gnss: Option<SyncState>,
    pub(crate) link_down: bool,
    /// Its own link is down, which it notices at once.
    pub(crate) link_fault: bool,
    pub(crate) selecting: bool,
    /// Another grandmaster's time minus the first one's, in ns.
    pub(crate) reference_shift: f64,
    /// Added to what is measured, in ns: asymmetry, wander, a spike.
    pub(crate) path_shift: f64,
    /// How many times the usual noise there is; 0 stands for 1.
    pub(crate) noise_factor: f64,
    /// What a failing oven adds to the oscillator's frequency, in ns/s.
    pub(crate) drift: f64,
    pub(crate) os: Option<OsTrouble>,
    pub(crate) skew_ns: i64,
    pub(crate) threshold: Option<u32>,
    pub(crate) ptp_down: bool,
    pub(crate) publisher_down: bool,
    pub(crate) publisher_restart: bool,
    pub(crate) synce_down: bool,
    pub(crate) mistake: Option<Mistake>,
}

/// A fault at one node, with everything about it that is random drawn.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    effect: Effect,
    start: i64,
    /// `i64::MAX` when it never ends.
    end: i64,
    /// Of a flapping link: when it is down.
    down: Vec<(i64, i64)>,
    /// Of another grandmaster: how long the selection takes.
    selection_s: i64,
}

impl Active {
    /// What `fault` is at each of the topology's nodes; the outer index is the node.
    pub(crate) fn spread(topology: &Topology, faults: &[Fault], seed: u64) -> Vec<Vec<Self>> {
        let mut at = vec![Vec::new(); topology.nodes().len()];
        for (number, fault) in (0_u64..).zip(faults) {
            let mut random = Random::new(seed, (1 << 32) + number);
            let places = fault.nodes.iter().filter_map(|name| topology.index(name));
            let switched = matches!(fault.effect, Effect::GrandmasterSwitch { .. });
            for place in places {
                // Who selects another grandmaster are those who followed the first.
                let felt_by = (0..topology.nodes().len()).filter(|&node| {
                    if switched {
                        topology.parent_index(node) == Some(place)
                    } else {
                        node == place
                    }
                });
                for node in felt_by {
                    at[node].push(Self::draw(fault, &mut random));
                }
            }
        }
        at
    }

    fn draw(fault: &Fault, random: &mut Random) -> Self {
        let late = if fault.effect.is_noticed_late() { i64::from(random.whole(0, 3)) } else { 0 };
        let start = fault.start.as_secs() + late;
        let end = fault.length.map_or(i64::MAX, |length| (start + length.as_secs()).max(start + 1));
        let mut down = Vec::new();
        if matches!(fault.effect, Effect::FlappingLink {}) {
            let mut at = start;
            // An unlimited one flaps for a day.
            while at < end.min(start + 86_400) {
                let back = at + i64::from(random.whole(2, 12));
                down.push((at, back));
                at = back + i64::from(random.whole(25, 85));
            }
        }
        Self {
            effect: fault.effect.clone(),
            start,
            end,
            down,
            selection_s: i64::from(random.whole(1, 2)),
        }
    }

    fn apply(&self, t: i64, now: &mut Conditions) {
        if t < self.start || t >= self.end {
            return;
        }
        let elapsed = t - self.start;
        #[expect(clippy::cast_precision_loss, reason = "seconds of a scenario")]
        let elapsed_s = elapsed as f64;
        match &self.effect {
            Effect::GnssSignalLoss { state } => now.gnss = Some(state.clone()),
            Effect::GnssAntennaFault { short: false } => {
                now.gnss = Some(SyncState::AntennaDisconnected);
            }
            Effect::GnssAntennaFault { short: true } => {
                now.gnss = Some(SyncState::AntennaShortCircuit);
            }
            Effect::GnssReceiverFault { boots: false } => now.gnss = Some(SyncState::FailurePll),
            Effect::GnssReceiverFault { boots: true } => now.gnss = Some(SyncState::Booting),
            Effect::PathLoss {} => {
                now.link_down = true;
                // Half of all paths break behind a switch, which keeps the node's own link up.
                now.link_fault |= self.start % 2 == 0;
            }
            Effect::UpstreamLoss {} => now.link_down = true,
            Effect::FlappingLink {} => {
                let down = self.down.iter().any(|(from, to)| (*from..*to).contains(&t));
                now.link_down |= down;
                now.link_fault |= down;
            }
            Effect::GrandmasterSwitch { step_ns, reselects } => {
                now.selecting = *reselects && elapsed < self.selection_s;
                now.reference_shift += step_ns;
            }
            Effect::OsClockCrash {} => now.os = Some(OsTrouble::Down),
            Effect::OsClockAdrift { ns_per_s } => now.os = Some(OsTrouble::Adrift(*ns_per_s)),
            Effect::OsClockRival { jump_ns, every } => {
                if elapsed % every.as_secs().max(1) == 0 {
                    // The golden ratio spreads the jumps evenly between 60 % and 140 %.
                    let spread = 0.6 + 0.8 * (elapsed_s * 0.618_034).fract();
                    now.os = Some(OsTrouble::Jumped(jump_ns * spread));
                }
            }
            #[expect(clippy::cast_possible_truncation, reason = "some seconds")]
            Effect::ClockSkew { seconds } => now.skew_ns += (seconds * 1e9) as i64,
            Effect::Asymmetry { ns } => now.path_shift += ns,
            Effect::OscillatorDrift { ppb_per_h2 } => {
                let hours = elapsed_s / 3_600.0;
                now.drift += ppb_per_h2 * hours * hours / 2.0;
            }
            Effect::Noise { factor, grows_over } => {
                let grown = (elapsed_s / grows_over.as_secs_f64().max(1.0)).min(1.0);
                now.noise_factor = 1.0 + (factor - 1.0) * grown;
            }
            Effect::Wander { ns, period } => {
                now.path_shift += ns * sine(elapsed_s / period.as_secs_f64().max(1.0));
            }
            Effect::ThresholdTooTight { ns } => now.threshold = Some(*ns),
            Effect::ProcessRestart { pod } => {
                now.ptp_down = true;
                now.os = Some(OsTrouble::Down);
                now.publisher_restart |= *pod;
            }
            Effect::PublisherSilence {} => now.publisher_down = true,
            Effect::PublisherRestart {} => now.publisher_restart = true,
            Effect::SynceLoss {} => now.synce_down = true,
            Effect::Misconfiguration { mistake } => now.mistake = Some(*mistake),
            Effect::SampleSpike { ns } if elapsed == 0 => now.path_shift += ns,
            Effect::SampleSpike { .. } => {}
        }
    }
}

impl Conditions {
    /// What `faults` at a node mean in second `t`.
    pub(crate) fn at(t: i64, faults: &[Active]) -> Self {
        let mut now = Self::default();
        for fault in faults {
            fault.apply(t, &mut now);
        }
        now
    }
}
