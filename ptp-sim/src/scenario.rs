//! Plays a plan: from physics to the events a recorder gets, and the label beside them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ptp_events::recording::{Origin, Writer};
use ptp_events::{Event, EventId, NodeName, Received, Stamped};

use crate::fault::{Effect, Fault};
use crate::plan::{Plan, PlanError};
use crate::random::Random;
use crate::said::Said;
use crate::topology::Role;
use crate::truth::{LabelledFault, RootCause, Truth};
use crate::world::{History, World, is_change};

/// One event as a recorder got it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// What was said.
    pub event: Event,
    /// When it was received.
    pub received: Received,
    /// How it came.
    pub origin: Origin,
}

/// A recording with the truth beside it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it was drawn from.
    pub seed: u64,
    /// The events, in the order they were received.
    pub events: Vec<Delivery>,
    /// What really happened.
    pub truth: Truth,
    /// Until when time passes, also after the last event.
    pub end: Received,
}

impl Scenario {
    /// Plays `plan`. The same plan and seed always give the same scenario.
    ///
    /// # Errors
    /// When the plan cannot be.
    pub fn play(plan: &Plan, seed: u64) -> Result<Self, PlanError> {
        plan.check()?;
        let mut plan = plan.clone();
        let mut random = Random::new(seed, 1);
        restart_publishers(&mut plan, &mut random);
        let (said, history) = World::new(&plan, seed).play(false);
        let truth = label(&plan, seed, &said, &history);
        Ok(Self {
            name: plan.name.clone(),
            seed,
            events: deliver(&plan, &said, &mut random),
            end: truth.end,
            truth,
        })
    }

    /// Writes the events as a recording.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write<W: Write>(&self, out: W) -> io::Result<W> {
        let mut writer = Writer::new(out);
        for delivery in &self.events {
            writer.write(delivery.received, delivery.origin, &delivery.event)?;
        }
        writer.finish()
    }
}

/// Adds the restarts that the plan's mess asks for.
fn restart_publishers(plan: &mut Plan, random: &mut Random) {
    let publishing: Vec<NodeName> = plan
        .topology
        .nodes()
        .iter()
        .filter(|node| node.publishes)
        .map(|node| node.name.clone())
        .collect();
    if publishing.is_empty() {
        return;
    }
    for _ in 0..plan.mess.publisher_restarts {
        let last = u32::try_from(publishing.len() - 1).unwrap_or(0);
        let node = publishing[random.whole(0, last) as usize].clone();
        let share = random.between(0.05, 0.95);
        plan.faults.push(Fault {
            effect: Effect::PublisherRestart {},
            nodes: vec![node],
            start: plan.length.mul_f64(share),
            length: Some(jiff::SignedDuration::from_secs(random.whole(2, 15).into())),
        });
    }
}

/// What arrives, and when.
fn deliver(plan: &Plan, said: &[Said], random: &mut Random) -> Vec<Delivery> {
    let nodes = plan.topology.nodes();
    let start = plan.start.as_nanos();
    let mut events = Vec::with_capacity(said.len());
    for said in said {
        for after in plan.mess.deliveries(said, random) {
            let stamped = start
                .saturating_add(said.at)
                .saturating_add(said.stamp_error_ns);
            events.push(Delivery {
                event: Event {
                    id: event_id(random),
                    node: nodes[said.node].name.clone(),
                    resource: said.resource.clone(),
                    stamped: Stamped::from_nanos(stamped),
                    readings: vec![said.reading.clone()],
                },
                received: Received::from_nanos(start.saturating_add(said.at + after)),
                origin: said.origin,
            });
        }
    }
    // Stable, so that events received in the same nanosecond stay in the order of the nodes.
    events.sort_by_key(|delivery| delivery.received);
    events
}

/// A random UUID (RFC 9562, version 4), as publishers use.
fn event_id(random: &mut Random) -> EventId {
    let (high, low) = (random.bits(), random.bits());
    let text = format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff,
    );
    EventId::new(&text).expect("36 hexadecimal digits and dashes are a name")
}

fn label(plan: &Plan, seed: u64, said: &[Said], history: &History) -> Truth {
    let length_s = plan.length.as_secs();
    let mut faults: Vec<LabelledFault> = plan
        .faults
        .iter()
        .filter_map(|fault| label_fault(plan, fault, said, history))
        .collect();
    faults.sort_by_key(|fault| fault.start);
    let mut mess = plan.mess.describe();
    for fault in &plan.faults {
        if matches!(fault.effect, Effect::PublisherRestart {}) {
            let start = at(plan, fault.start.as_secs());
            mess.push(format!(
                "publisher of {} restarted at {start}",
                fault.nodes[0]
            ));
        }
    }
    Truth {
        schema: "ptp-label/v1",
        scenario: plan.name.clone(),
        seed,
        start: plan.start,
        end: at(plan, length_s),
        expect_alerts: !faults.is_empty(),
        faults,
        mess,
        topology: plan.topology.clone(),
    }
}

/// The time `seconds` after the plan's start.
fn at(plan: &Plan, seconds: i64) -> Received {
    let nanos = seconds.saturating_mul(1_000_000_000);
    Received::from_nanos(plan.start.as_nanos().saturating_add(nanos))
}

fn label_fault(
    plan: &Plan,
    fault: &Fault,
    said: &[Said],
    history: &History,
) -> Option<LabelledFault> {
    let topology = &plan.topology;
    let nodes = topology.nodes();
    let origins: Vec<usize> = fault
        .nodes
        .iter()
        .filter_map(|n| topology.index(n))
        .collect();
    let mut root_cause = fault.effect.root_cause()?;
    let upstream = origins
        .iter()
        .all(|&node| nodes[node].role == Role::Grandmaster && !nodes[node].publishes);
    if upstream && fault.effect.leaves_holdover() {
        root_cause = RootCause::GrandmasterDegraded;
    }
    let affected: Vec<usize> = (0..nodes.len())
        .filter(|&node| nodes[node].publishes)
        .filter(|&node| {
            origins.iter().any(|&origin| {
                node == origin || (fault.effect.spreads() && topology.depends_on(node, origin))
            })
        })
        .collect();

    let start_s = fault.start.as_secs();
    let length_s = plan.length.as_secs();
    let end_s = if fault.effect.is_momentary() {
        Some(start_s)
    } else {
        fault.length.map(|length| start_s + length.as_secs())
    };
    let end_s = end_s.filter(|end| *end <= length_s);
    let recovered_s = end_s.and_then(|end| recovered(end, &affected, history));
    let over_s = recovered_s.unwrap_or(length_s);

    let crossing = |node: usize| {
        let first = history.crossings[node]
            .iter()
            .find(|t| (start_s..=over_s).contains(t));
        first.map(|t| at(plan, *t))
    };
    let mut limit_crossings = BTreeMap::new();
    let mut limit_crossing = None;
    if fault.effect.leaves_holdover() {
        limit_crossing = origins.iter().filter_map(|&node| crossing(node)).min();
        for &node in &affected {
            if let Some(crossed) = crossing(node) {
                limit_crossings.insert(nodes[node].name.clone(), crossed);
            }
        }
    }
    let names: Vec<NodeName> = affected
        .iter()
        .map(|&node| nodes[node].name.clone())
        .collect();
    let window = start_s * 1_000_000_000..=(over_s + 1) * 1_000_000_000;
    let mut visible: Vec<NodeName> = said
        .iter()
        .filter(|said| said.origin == Origin::Push && window.contains(&said.at))
        .filter(|said| is_change(said, &nodes[said.node].name, &names))
        .map(|said| nodes[said.node].name.clone())
        .collect();
    visible.sort();
    visible.dedup();
    Some(LabelledFault {
        root_cause,
        origin_nodes: fault.nodes.clone(),
        affected_nodes: names,
        visible_nodes: visible,
        start: at(plan, start_s),
        end: end_s.map(|end| at(plan, end)),
        recovered: recovered_s.map(|recovered| at(plan, recovered)),
        limit_crossing,
        limit_crossings,
    })
}

/// The first second from `end` on in which all of `nodes` are well.
fn recovered(end: i64, nodes: &[usize], history: &History) -> Option<i64> {
    let mut all_well = end;
    for &node in nodes {
        let health = &history.health[node];
        let at_end = health.iter().rev().find(|(t, _)| *t <= end);
        if at_end.is_some_and(|(_, well)| *well) {
            continue;
        }
        let well = health.iter().find(|(t, well)| *t > end && *well)?;
        all_well = all_well.max(well.0);
    }
    Some(all_well)
}
