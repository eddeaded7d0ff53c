//! From what was played to the label that says what really happened.

use std::collections::BTreeMap;

use ptp_events::recording::Origin;
use ptp_events::{NodeName, Received, SyncState};

use crate::fault::{Effect, Fault};
use crate::plan::Plan;
use crate::said::Said;
use crate::topology::Role;
use crate::truth::{LabelledFault, RootCause, Truth};
use crate::world::History;

pub(crate) fn label(plan: &Plan, seed: u64, said: &[Said], history: &History) -> Truth {
    let length_s = plan.length.as_secs();
    let mut faults: Vec<LabelledFault> =
        plan.faults.iter().filter_map(|fault| label_fault(plan, fault, said, history)).collect();
    faults.sort_by_key(|fault| fault.start);
    let mut mess = plan.mess.describe();
    for fault in &plan.faults {
        if matches!(fault.effect, Effect::PublisherRestart {}) {
            let start = at(plan, fault.start.as_secs());
            mess.push(format!("publisher of {} restarted at {start}", fault.nodes[0]));
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
    let origins: Vec<usize> = fault.nodes.iter().filter_map(|n| topology.index(n)).collect();
    let mut root_cause = fault.effect.root_cause()?;
    let upstream =
        origins.iter().all(|&node| nodes[node].role == Role::Grandmaster && !nodes[node].publishes);
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

    let mut limit_crossings = BTreeMap::new();
    let mut limit_crossing = None;
    if fault.effect.leaves_holdover() {
        let crossing = |node: usize| {
            let mut over = history.crossings[node].iter();
            let first = over.find(|t| (start_s..=over_s).contains(t))?;
            Some(at(plan, *first))
        };
        limit_crossing = origins.iter().filter_map(|&node| crossing(node)).min();
        for &node in &affected {
            if let Some(crossed) = crossing(node) {
                limit_crossings.insert(nodes[node].name.clone(), crossed);
            }
        }
    }
    Some(LabelledFault {
        root_cause,
        origin_nodes: fault.nodes.clone(),
        affected_nodes: names(plan, &affected),
        visible_nodes: names(plan, &visible(said, &affected, start_s, over_s)),
        start: at(plan, start_s),
        end: end_s.map(|end| at(plan, end)),
        recovered: recovered_s.map(|recovered| at(plan, recovered)),
        limit_crossing,
        limit_crossings,
    })
}

fn names(plan: &Plan, nodes: &[usize]) -> Vec<NodeName> {
    let name = |node: &usize| plan.topology.nodes()[*node].name.clone();
    nodes.iter().map(name).collect()
}

/// Which of `affected` pushed that something is not as it should be, between these seconds.
fn visible(said: &[Said], affected: &[usize], from_s: i64, to_s: i64) -> Vec<usize> {
    let window = from_s * 1_000_000_000..=(to_s + 1) * 1_000_000_000;
    let is_change = |said: &&Said| {
        let reading = &said.reading;
        let unlocked = reading.state.as_ref().is_some_and(|state| !SyncState::is_locked(state));
        unlocked || reading.clock_class.is_some() || reading.quality.is_some()
    };
    let mut visible: Vec<usize> = said
        .iter()
        .filter(|said| said.origin == Origin::Push && window.contains(&said.at))
        .filter(is_change)
        .map(|said| said.node)
        .filter(|node| affected.contains(node))
        .collect();
    visible.sort_unstable();
    visible.dedup();
    visible
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
