//! `ptp-cli simulate --serve`: the simulated nodes as live publishers, over real HTTP.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use ptp_events::recording::Origin;
use ptp_events::{Event, NodeName, Received, Stamped};
use ptp_sim::{Delivery, Effect, LabelledFault, Plan, Scenario};
use tokio::time::Instant;

use crate::args::LiveArgs;
use crate::fleet::Fleet;
use crate::interrupt;

/// What happens at one publisher.
#[derive(Debug)]
enum Act {
    /// It sends this.
    Say(Event),
    /// Its CurrentState becomes this.
    Know(Event),
    /// It is gone.
    Stop,
    /// It is back, with what it knew.
    Start,
    /// It is back, and knows its subscribers only.
    Restart,
}

/// One thing that happens, so long after the scenario's start.
#[derive(Debug)]
struct Step {
    after: Duration,
    node: NodeName,
    act: Act,
}

/// Serves the scenario until it is over, or until interrupted.
pub(super) fn run(
    plan: &Plan,
    scenario: &Scenario,
    args: &LiveArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    args.check()?;
    interrupt::watch();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            // First, so that an interrupt is heard before anything is printed.
            biased;
            () = interrupt::wait() => Ok(()),
            done = serve(plan, scenario, args, out) => done,
        }
    })
}

async fn serve(
    plan: &Plan,
    scenario: &Scenario,
    args: &LiveArgs,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let nodes = plan.topology.nodes().iter().filter(|node| node.publishes);
    let mut fleet = Fleet::bind(nodes.map(|node| &node.name), args, out).await?;
    for fault in &scenario.truth.faults {
        writeln!(out, "truth: {}", describe(fault, scenario.truth.start))?;
    }
    out.flush()?;
    fleet.subscribed(args.wait).await;
    let begun = Instant::now();
    for Step { after, node, act } in steps(plan, scenario) {
        tokio::time::sleep_until(begun + after.div_f64(args.speed)).await;
        let Some(publisher) = fleet.get_mut(&node) else {
            continue;
        };
        match act {
            Act::Say(event) => publisher.publish(&stamped_now(event, after, scenario)).await,
            Act::Know(event) => publisher.remember(&stamped_now(event, after, scenario)),
            Act::Stop => publisher.stop().await,
            Act::Start => publisher.start().await?,
            Act::Restart => publisher.restart(true).await?,
        }
    }
    let length = scenario.end.since(scenario.truth.start);
    tokio::time::sleep_until(begun + length.div_f64(args.speed) + args.linger).await;
    fleet.stop().await;
    Ok(())
}

/// Everything that happens, in order.
fn steps(plan: &Plan, scenario: &Scenario) -> Vec<Step> {
    let start = scenario.truth.start;
    let mut steps = Vec::new();
    for fault in &plan.faults {
        let back = match fault.effect {
            Effect::PublisherSilence {} => || Act::Start,
            Effect::PublisherRestart {} | Effect::ProcessRestart { pod: true } => || Act::Restart,
            _ => continue,
        };
        let at = Duration::try_from(fault.start).unwrap_or_default();
        let length = fault.length.map(|length| Duration::try_from(length).unwrap_or_default());
        for node in &fault.nodes {
            steps.push(Step { after: at, node: node.clone(), act: Act::Stop });
            if let Some(length) = length {
                steps.push(Step { after: at + length, node: node.clone(), act: back() });
            }
        }
    }
    for Delivery { event, received, origin } in &scenario.events {
        let (node, event) = (event.node.clone(), event.clone());
        let act = match origin {
            Origin::Push => Act::Say(event),
            // What a new subscriber is told the publisher says itself.
            _ if event.is_placeholder() => continue,
            _ => Act::Know(event),
        };
        steps.push(Step { after: received.since(start), node, act });
    }
    steps.sort_by_key(|step| step.after);
    steps
}

/// Moves an event to now, by its node's clock: as far off as it was in the scenario.
fn stamped_now(mut event: Event, after: Duration, scenario: &Scenario) -> Event {
    let played = scenario.truth.start.after(after).as_nanos();
    let skew = event.stamped.map_or(0, |stamped| stamped.as_nanos().saturating_sub(played));
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    event.stamped = Some(Stamped::from_nanos(now.saturating_add(skew)));
    event
}

/// A fault in one line, with times in seconds of the scenario.
fn describe(fault: &LabelledFault, start: Received) -> String {
    let cause = serde_json::to_value(fault.root_cause).unwrap_or_default();
    let nodes: Vec<&str> = fault.origin_nodes.iter().map(NodeName::as_str).collect();
    let mut text = format!(
        "{} at {} from {} s",
        cause.as_str().unwrap_or_default(),
        nodes.join(", "),
        fault.start.since(start).as_secs()
    );
    for (what, at) in [(" to", fault.end), (", well again at", fault.recovered)] {
        if let Some(at) = at {
            write!(text, "{what} {} s", at.since(start).as_secs()).unwrap_or_default();
        }
    }
    text
}
