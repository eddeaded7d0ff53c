//! When an incident is over: what still keeps it open, and since when all is well.

use ptp_events::Received;

use super::explain::resolve_hold;
use super::incident::{Incident, Status};
use crate::model::Model;
use crate::model::node::{ClockId, NodeId};

/// What keeps an incident open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Closing {
    /// Findings still hold.
    Findings,
    /// A clock is not well again.
    Clock(ClockId),
    /// A node cannot be observed, so nobody knows.
    Blind(NodeId),
    /// Nothing but time: it closes then, if all stays well.
    At(Received),
}

/// What keeps a firing incident open; `None` of one that is over.
pub(crate) fn closing(model: &Model, incident: &Incident) -> Option<Closing> {
    if incident.status == Status::Resolved {
        return None;
    }
    if incident.open_findings > 0 {
        return Some(Closing::Findings);
    }
    let since = match healthy_since(model, incident) {
        Ok(since) => since,
        Err(clock) => return Some(Closing::Clock(clock)),
    };
    let blind = |node: &&NodeId| model.node(**node).blind.is_some();
    Some(match incident.affected.iter().find(blind) {
        Some(node) => Closing::Blind(*node),
        None => {
            let due = since.after(resolve_hold(model, incident));
            Closing::At(incident.due.map_or(due, |asked| asked.max(due)))
        }
    })
}

/// Since when everything about the incident is well, its open findings aside: since the last of its clocks
/// came back.
///
/// # Errors
/// The first clock that is not well.
pub(super) fn healthy_since(model: &Model, incident: &Incident) -> Result<Received, ClockId> {
    let mut since = incident.cleared_at;
    for id in &incident.clocks {
        since = since.max(well_since(model, *id).map_err(|()| *id)?.unwrap_or(since));
    }
    Ok(since)
}

/// Since when a clock is well; `Ok(None)` of one whose state says nothing about that: its node took its
/// fault along, or what is said of it is known to be wrong.
pub(crate) fn well_since(model: &Model, id: ClockId) -> Result<Option<Received>, ()> {
    let owner = model.owner(id);
    let clock = model.clock(id);
    match clock.state() {
        Some(_) if model.node(owner).gone => Ok(None),
        Some(_) if model.is_artefact(id) || model.is_locked_after_all(owner, clock) => Ok(None),
        Some((state, since)) if state.is_locked() => Ok(Some(since)),
        Some(_) => Err(()),
        None => Ok(None),
    }
}
