//! Scrape after scrape of the same exporters: what was so each time, and what changed between two.

use std::collections::{BTreeMap, VecDeque};

use smol_str::{SmolStr, format_smolstr};

use super::{Clock, Metric, Metrics, Sample, Told, id, master};
use crate::observation::{
    Dpll, Evidence, Observation, Observed, PortChange, PortEvent, PortState, Sample as Offsets,
};
use crate::{Instance, Measurement, NodeName, Port, Resource, Sentinel, Stamped, SyncState};

/// How long after its exporter was started a node has just been started: a servo finds its lock within minutes.
const NEW_S: i64 = 600;

/// How many nodes are remembered from one scrape to the next.
const MOST_NODES: usize = 10_000;

/// Makes evidence of scrapes, one after the other in the order of time.
///
/// A gauge keeps its last value when nobody sets it any more. Offset, correction and delay that are all
/// the same as in the scrape before were not measured again: an integrator does not stand still.
#[derive(Debug, Default)]
pub struct Scrapes {
    nodes: BTreeMap<NodeName, Seen>,
    told: VecDeque<Evidence>,
    count: u64,
    /// Some node has been scraped more than once: who is new was not there the first time.
    again: bool,
}

/// What the last scrape said of a node.
#[derive(Debug, Default)]
struct Seen {
    /// Its exporter was new, and had no clock to tell of yet.
    starts: bool,
    roles: BTreeMap<SmolStr, PortState>,
    up: BTreeMap<(SmolStr, SmolStr), bool>,
    restarts: BTreeMap<(SmolStr, SmolStr), i64>,
    measured: BTreeMap<(Resource, Instance), (Offsets, SyncState)>,
}

impl Scrapes {
    /// Takes in what was scraped at `at`.
    pub fn handle_metrics(&mut self, metrics: &Metrics, at: Stamped) {
        self.count += 1;
        let mut nodes: BTreeMap<&NodeName, Vec<&Sample>> = BTreeMap::new();
        for sample in metrics.samples() {
            nodes.entry(&sample.node).or_default().push(sample);
        }
        let mut clocks: BTreeMap<&NodeName, Vec<(Clock<'_>, Told)>> = BTreeMap::new();
        for (clock, told) in metrics.clocks() {
            clocks.entry(clock.node).or_default().push((clock, told));
        }
        if nodes.keys().any(|node| self.nodes.contains_key(*node)) {
            self.again = true;
        }
        let again = self.again;
        for (node, samples) in nodes {
            let before = self.nodes.remove(node);
            let age = metrics.started(node).map(|started| at.as_nanos() / 1_000_000_000 - started);
            let is_young = age.is_some_and(|age| (0..=NEW_S).contains(&age));
            let is_new = before.is_none() && (again || is_young);
            let before = before.unwrap_or_default();
            let clocks = clocks.remove(node).unwrap_or_default();
            let scrape = format_smolstr!("scrape-{}", self.count);
            let mut telling =
                Telling { scrape, at, is_new, before, now: Seen::default(), told: &mut self.told };
            telling.node(node, &samples, clocks);
            let now = telling.now;
            if self.nodes.len() < MOST_NODES {
                self.nodes.insert(node.clone(), now);
            }
        }
    }

    /// The next piece of evidence, in the order of the scrapes.
    pub fn poll_evidence(&mut self) -> Option<Evidence> {
        self.told.pop_front()
    }
}

/// One scrape of one node.
struct Telling<'a> {
    scrape: SmolStr,
    at: Stamped,
    /// Its exporter did not answer before, when others were asked, or says that it has just been started.
    is_new: bool,
    before: Seen,
    now: Seen,
    told: &'a mut VecDeque<Evidence>,
}

impl Telling<'_> {
    fn node(&mut self, node: &NodeName, samples: &[&Sample], clocks: Vec<(Clock<'_>, Told)>) {
        let ptp: Vec<_> = clocks
            .iter()
            .filter(|(clock, _)| clock.resource == Resource::LockState)
            .map(|(clock, _)| clock.instance.clone())
            .collect();
        let starts = self.is_new || self.before.starts;
        self.now.starts = starts && ptp.is_empty();
        self.processes(node, samples, &ptp, starts);
        for (clock, told) in clocks {
            self.clock(clock, told);
        }
        self.ports(node, samples, &ptp);
        self.references(node, samples, &ptp);
    }

    fn see(&mut self, node: &NodeName, resource: Resource, instance: Instance, what: Observed) {
        let Some(id) = id(&self.scrape, &resource, &instance) else { return };
        let (node, stamped) = (node.clone(), Some(self.at));
        let seen = Observation { id, node, resource, instance, stamped, observed: what };
        self.told.push_back(Evidence::Observation(seen));
    }

    /// Processes that went or came, or were started between the scrapes.
    fn processes(&mut self, node: &NodeName, samples: &[&Sample], ptp: &[Instance], starts: bool) {
        for sample in samples {
            let key = (sample.process.clone(), sample.config.clone());
            let up = match sample.metric {
                Metric::ProcessStatus => {
                    let up = sample.value != 0;
                    let before = self.before.up.get(&key).copied();
                    // One that runs when it is first seen is no news, but where there was no pod before.
                    let changed = before.map_or(!up, |before| before != up) || (up && starts);
                    self.now.up.insert(key, up);
                    changed.then_some(up)
                }
                Metric::ProcessRestarts => {
                    let before = self.before.restarts.get(&key).copied();
                    self.now.restarts.insert(key, sample.value);
                    before.is_some_and(|before| before < sample.value).then_some(true)
                }
                _ => None,
            };
            let Some(up) = up else { continue };
            let (resource, instance) = match (&*sample.process, ptp) {
                ("phc2sys" | "chronyd", _) => (Resource::OsClock, CLOCK_REALTIME),
                (_, [first, ..]) => (Resource::LockState, first.clone()),
                (_, []) => continue,
            };
            let name = sample.process.clone();
            self.see(node, resource, instance, Observed::Process { name, up });
        }
    }

    /// Whether a process that steers a clock is down.
    fn is_down(&self, told: &Told) -> bool {
        let steers = match &*told.process {
            // The daemon's own figures of a grandmaster or boundary clock, whose servo is ts2phc.
            "GM" | "T-BC" => "ts2phc",
            process => process,
        };
        let mut known = self.now.up.iter().filter(|((process, _), _)| process == steers).peekable();
        known.peek().is_some() && known.all(|(_, up)| !up)
    }

    fn clock(&mut self, clock: Clock<'_>, told: Told) {
        let down = self.is_down(&told);
        let Told { mut reading, frequency, delay, .. } = told;
        let key = (clock.resource.clone(), clock.instance.clone());
        if down && matches!(clock.resource, Resource::LockState | Resource::OsClock) {
            reading.state = Some(SyncState::Freerun);
            reading.offset = Some(Measurement::Sentinel(Sentinel::ProcessDown));
        }
        let (Some(state), Some(Measurement::Offset(offset)), Some(_)) =
            (&reading.state, reading.offset, frequency)
        else {
            self.told.extend(clock.event(&self.scrape, reading, self.at).map(Evidence::Event));
            return;
        };
        let state = state.clone();
        let sample = Offsets {
            state: Some(state.clone()),
            offset,
            peak: None,
            spread: None,
            is_size: false,
            in_range: false,
            servo: None,
            frequency,
            delay,
        };
        let same = |(before, was): &(Offsets, SyncState)| {
            (before.offset, before.frequency, before.delay) == (offset, frequency, delay)
                && *was == state
        };
        let stands_still = self.before.measured.get(&key).is_some_and(same);
        self.now.measured.insert(key, (sample.clone(), state.clone()));
        let observed = if stands_still {
            Observed::Alive
        } else if state == SyncState::Locked {
            Observed::Sample(sample)
        } else {
            // Without its lock the gauge may hold what was measured last.
            self.told.extend(clock.event(&self.scrape, reading, self.at).map(Evidence::Event));
            return;
        };
        let Clock { node, resource, instance } = clock;
        self.see(node, resource, instance, observed);
    }

    /// What became of each port; its role when it is first seen is told too.
    fn ports(&mut self, node: &NodeName, samples: &[&Sample], ptp: &[Instance]) {
        for sample in samples.iter().filter(|s| s.metric == Metric::InterfaceRole) {
            let Some(to) = role(sample.value) else { continue };
            let from = self.before.roles.get(&sample.interface).copied().unwrap_or(to);
            let first = !self.before.roles.contains_key(&sample.interface);
            self.now.roles.insert(sample.interface.clone(), to);
            let (true, Some(instance), Ok(port)) = (
                first || from != to,
                on_card(&sample.interface, ptp),
                Port::new(&sample.interface),
            ) else {
                continue;
            };
            let why = match (from, to) {
                (_, PortState::Faulty) => PortEvent::Fault,
                (PortState::Slave, PortState::Listening | PortState::Master) => {
                    PortEvent::AnnounceTimeout
                }
                _ => PortEvent::Other,
            };
            let change = PortChange { port: Some(port), from, to, why };
            self.see(node, Resource::LockState, instance, Observed::Port(change));
        }
    }

    /// DPLLs and receivers' time of day.
    fn references(&mut self, node: &NodeName, samples: &[&Sample], ptp: &[Instance]) {
        let of = |metric, interface: &SmolStr| {
            let mut all = samples.iter().filter(|s| s.metric == metric);
            all.find(|s| s.interface == *interface).map(|s| s.value)
        };
        for sample in samples {
            let observed = match sample.metric {
                Metric::FrequencyStatus => Observed::Dpll(Dpll {
                    frequency: i8::try_from(sample.value).unwrap_or(-1),
                    phase: of(Metric::PhaseStatus, &sample.interface)
                        .and_then(|value| i8::try_from(value).ok())
                        .unwrap_or(-1),
                    pps: of(Metric::PpsStatus, &sample.interface).map(|value| value != 0),
                }),
                Metric::NmeaStatus => Observed::TimeOfDay { available: sample.value != 0 },
                _ => continue,
            };
            if let Some(instance) = on_card(&sample.interface, ptp) {
                self.see(node, Resource::LockState, instance, observed);
            }
        }
    }
}

const CLOCK_REALTIME: Instance = Instance::from_static("CLOCK_REALTIME");

/// The PTP clock on whose card an interface is, or the only one there is.
fn on_card(interface: &str, ptp: &[Instance]) -> Option<Instance> {
    let alias = Port::new(interface).ok().map(|port| port.alias());
    let names = [Some(interface), alias.as_deref()];
    let named = names.into_iter().flatten().filter_map(master).find(|name| ptp.contains(name));
    named.or_else(|| match ptp {
        [only] => Some(only.clone()),
        _ => None,
    })
}

/// docs/protocol.md §7.
const fn role(value: i64) -> Option<PortState> {
    Some(match value {
        0 => PortState::Passive,
        1 => PortState::Slave,
        2 => PortState::Master,
        3 => PortState::Faulty,
        5 => PortState::Listening,
        _ => return None,
    })
}
