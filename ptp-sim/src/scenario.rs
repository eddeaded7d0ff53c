//! Plays a plan: from physics to the events a recorder gets, and the label beside them.

use std::io::{self, Write};

use ptp_events::recording::{Origin, Writer};
use ptp_events::{Event, EventId, NodeName, Received, Stamped};

use crate::exporter::Scrape;
use crate::fault::{Effect, Fault};
use crate::label::label;
use crate::log::{LogForm, LogLine};
use crate::mess::Arrival;
use crate::plan::{Plan, PlanError};
use crate::random::Random;
use crate::said::Said;
use crate::truth::Truth;
use crate::world::World;

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

    /// Plays `plan` once more, told by the log of each node that publishes: one line after the other
    /// goes to `sink`, second by second, the nodes in turn.
    ///
    /// # Errors
    /// When the plan cannot be.
    pub fn play_log(
        plan: &Plan,
        seed: u64,
        form: LogForm,
        sink: &mut dyn FnMut(LogLine<'_>),
    ) -> Result<(), PlanError> {
        plan.check()?;
        World::new(plan, seed).play_log(form, sink);
        Ok(())
    }

    /// Plays `plan` once more, told by the metrics of each node that publishes, each scraped every 30 s.
    ///
    /// # Errors
    /// When the plan cannot be.
    pub fn play_metrics(
        plan: &Plan,
        seed: u64,
        sink: &mut dyn FnMut(Scrape<'_>),
    ) -> Result<(), PlanError> {
        plan.check()?;
        World::new(plan, seed).play_metrics(sink);
        Ok(())
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
    // A proxy delivers one event after the other (docs/protocol.md §3).
    let mut last_sent = vec![i64::MIN; nodes.len()];
    let mut in_order: Vec<&Said> = said.iter().collect();
    in_order.sort_by_key(|said| said.at);
    for said in in_order {
        let sent = &mut last_sent[said.node];
        for Arrival { after, late } in plan.mess.deliveries(said, random) {
            *sent = (said.at + after).max(sent.saturating_add(100_000));
            let received = start.saturating_add(*sent + late);
            let stamped = start.saturating_add(said.at).saturating_add(said.stamp_error_ns);
            events.push(Delivery {
                event: Event {
                    id: event_id(random),
                    node: nodes[said.node].name.clone(),
                    resource: said.resource.clone(),
                    stamped: Some(Stamped::from_nanos(stamped)),
                    readings: [said.reading.clone()].into(),
                },
                received: Received::from_nanos(received),
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
