//! Collecting what clocks say while they are LOCKED, in bounded memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use foldhash::fast::FixedState;
use ptp_events::{Event, Instance, Measurement, NodeName, Reading, Received, Resource};

use super::figures::{BASIS, Sample};
use super::{StabilityReport, masks, measure};
use crate::Role;
use crate::report::NodeReport;

/// The most samples kept in one stretch of a clock; then every second one is dropped, and every
/// second one of those that follow.
pub const MAX_SAMPLES_PER_CLOCK: usize = 100_000;
/// The most samples kept of all clocks together, 64 MB; then every clock with more than
/// 128 in a stretch drops every second one.
pub const MAX_SAMPLES: usize = 4_000_000;
/// The most clocks looked at; of further ones nothing is kept.
pub const MAX_CLOCKS: usize = 10_000;
/// Two stretches of this length for all clocks are well below [`MAX_SAMPLES`].
const KEPT_BY_ALL: usize = 128;

type Key = (NodeName, Resource, Instance);

/// Collects the offsets of PTP and system clocks while they are LOCKED.
///
/// Of each clock the longest stretch without a loss of lock is kept, and the present one.
#[derive(Debug, Default)]
pub struct Gatherer {
    clocks: HashMap<Key, Track, FixedState>,
    total: usize,
}

/// One clock.
#[derive(Debug, Default)]
struct Track {
    locked: bool,
    offered: u64,
    best: Run,
    present: Run,
}

/// Samples without a loss of lock between them.
#[derive(Debug, Default)]
struct Run {
    samples: Vec<Sample>,
    /// How often the samples were halved: one in `2^halved` is kept.
    halved: u32,
    /// How many have been passed over since the last that was kept.
    passed: u64,
}

impl Run {
    /// Returns by how many samples it grew.
    fn push(&mut self, sample: Sample) -> usize {
        if !self.samples.is_empty() && self.passed + 1 < 1 << self.halved {
            self.passed += 1;
            return 0;
        }
        self.passed = 0;
        self.samples.push(sample);
        1
    }

    /// Drops every second sample; returns how many.
    fn halve(&mut self) -> usize {
        let before = self.samples.len();
        let mut keep = false;
        self.samples.retain(|_| {
            keep = !keep;
            keep
        });
        self.halved = (self.halved + 1).min(u64::BITS - 1);
        before - self.samples.len()
    }

    /// How long it lasts, and of how many samples it is.
    fn length(&self) -> (Duration, usize) {
        let span = match (self.samples.first(), self.samples.last()) {
            (Some(first), Some(last)) => last.at.since(first.at),
            _ => Duration::ZERO,
        };
        (span, self.samples.len())
    }
}

impl Track {
    /// The lock is lost: what came before it is measured on its own. Returns how many samples it
    /// let go.
    fn end(&mut self) -> usize {
        self.locked = false;
        if self.present.length() > self.best.length() {
            std::mem::swap(&mut self.present, &mut self.best);
        }
        std::mem::take(&mut self.present).samples.len()
    }
}

impl Gatherer {
    /// Takes in an event; those of other resources are passed over.
    pub fn handle_event(&mut self, event: &Event, received: Received) {
        if !matches!(event.resource, Resource::LockState | Resource::OsClock) {
            return;
        }
        for reading in event.readings.iter().filter(|reading| !reading.instance.is_placeholder()) {
            self.handle_reading(event, reading, received);
        }
    }

    fn handle_reading(&mut self, event: &Event, reading: &Reading, at: Received) {
        let full = self.clocks.len() >= MAX_CLOCKS;
        let key = (event.node.clone(), event.resource.clone(), reading.instance.clone());
        let track = match self.clocks.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if full => return,
            Entry::Vacant(entry) => entry.insert(Track::default()),
        };
        match &reading.state {
            Some(state) if state.is_locked() => track.locked = true,
            Some(_) => self.total -= track.end(),
            None => {}
        }
        let Some(Measurement::Offset(offset)) = reading.offset.filter(|_| track.locked) else {
            return;
        };
        track.offered += 1;
        self.total += track.present.push(Sample { at, offset });
        if track.present.samples.len() > MAX_SAMPLES_PER_CLOCK {
            self.total -= track.present.halve();
        }
        if self.total > MAX_SAMPLES {
            self.halve_all();
        }
    }

    fn halve_all(&mut self) {
        let runs = self.clocks.values_mut().flat_map(|track| [&mut track.best, &mut track.present]);
        let long = runs.filter(|run| run.samples.len() > KEPT_BY_ALL);
        self.total -= long.map(Run::halve).sum::<usize>();
    }

    /// The stability of every clock seen, by name; `nodes` say what part each node plays.
    #[must_use]
    pub fn report(&self, nodes: &[NodeReport]) -> Vec<StabilityReport> {
        let roles: HashMap<&NodeName, Role> =
            nodes.iter().map(|node| (&node.node, node.role)).collect();
        let mut reports: Vec<_> = self
            .clocks
            .iter()
            .map(|((node, resource, instance), track)| {
                let longest = if track.present.length() > track.best.length() {
                    &track.present.samples
                } else {
                    &track.best.samples
                };
                let role = roles.get(node).copied().unwrap_or_default();
                let figures = measure(longest);
                StabilityReport {
                    node: node.clone(),
                    resource: resource.clone(),
                    instance: instance.clone(),
                    basis: BASIS.into(),
                    offered: track.offered,
                    masks: figures.as_ref().map_or_else(
                        |_| Vec::new(),
                        |figures| masks::compare(resource, role, figures),
                    ),
                    refused: figures.as_ref().err().map(ToString::to_string),
                    figures: figures.ok(),
                }
            })
            .collect();
        reports.sort_by(|a, b| {
            (&a.node, a.resource.name(), &a.instance).cmp(&(
                &b.node,
                b.resource.name(),
                &b.instance,
            ))
        });
        reports
    }
}
