//! The fleet that is asked about: an agent that has read the journal of a simulated night.

use std::net::SocketAddr;
use std::path::Path;

use ptp_agent::app::{App, Running};
use ptp_agent::config::Config;
use ptp_events::journal::Journal;
use ptp_events::{Input, NodeName, Received, Resource, SyncState};
use ptp_sim::{Delivery, Plan, Scenario};

use crate::table::Night;

const NIGHT: &str = include_str!("fleet.toml");

fn at(time: &str) -> Received {
    Received::parse(&format!("2040-03-01T{time}Z")).unwrap()
}

/// The publisher of a node says FREERUN for some time, whatever its clock does.
fn stuck(events: &mut [Delivery], node: &str, from: Received, to: Received) {
    let of_lock = events.iter_mut().filter(|delivery| {
        delivery.event.node.as_str() == node
            && delivery.event.resource == Resource::LockState
            && (from..to).contains(&delivery.received)
    });
    for delivery in of_lock {
        let mut readings = delivery.event.readings.to_vec();
        readings[0].state = Some(SyncState::Freerun);
        delivery.event.readings = readings.into();
    }
}

/// What the night left in the journal by four, and what came then.
fn night() -> (Vec<(Received, Input)>, Night) {
    let Scenario { mut events, truth, .. } =
        Scenario::play(&Plan::from_toml(NIGHT).unwrap(), 12).unwrap();
    let gm = NodeName::new("gm-1").unwrap();
    let crossed = truth.faults.iter().find_map(|fault| fault.limit_crossings.get(&gm)).unwrap();
    events.retain(|delivery| delivery.received < at("04:00:00"));
    stuck(&mut events, "worker-5", at("01:30:00"), at("01:45:00"));
    // Worker-4 could not be reached for a quarter of an hour.
    let node = NodeName::new("worker-4").unwrap();
    let (from, to) = (at("02:10:00"), at("02:25:00"));
    events
        .retain(|delivery| delivery.event.node != node || !(from..to).contains(&delivery.received));
    let mut inputs: Vec<_> = events
        .into_iter()
        .map(|Delivery { event, received, origin }| {
            (received, Input::Event { origin, node: None, body: event.to_vec() })
        })
        .collect();
    let why = "the publisher does not answer".to_owned();
    inputs.push((from, Input::Blind { node: node.clone(), why }));
    inputs.push((to, Input::Sighted { node }));
    inputs.sort_by_key(|(received, _)| *received);
    (inputs, Night { crossed: *crossed })
}

/// Starts an agent on that journal: where its API is, and what it cannot know.
pub(crate) async fn start(journal: &Path) -> (Running, SocketAddr, Night) {
    let (inputs, night) = night();
    let mut written = Journal::open(journal).unwrap();
    written.append(inputs.iter().map(|(received, input)| (*received, input))).unwrap();
    drop(written);
    let mut config = Config::local(Vec::new(), Some(journal.to_owned()));
    config.now = Some(at("04:00:00"));
    let app = App::bind(config).await.unwrap();
    let api = app.api_addr().unwrap();
    (app.start().await.unwrap(), api, night)
}
