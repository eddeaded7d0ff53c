//! What clocks said that belongs to an incident, for it or against it.

use std::time::Duration;

use ptp_events::{Resource, SyncState};

use crate::incidents::incident::{Incident, MAX_WITNESSES, Witness};
use crate::model::Model;
use crate::model::clock_class;
use crate::model::node::{ClockId, NodeId};
use crate::model::stage::Stage;
use crate::model::timeline::{Fact, Said};

/// How long before an incident began something may have been said that belongs to it.
const BEFORE: Duration = Duration::from_secs(5);

/// Takes in what the clocks of `node` have said since the incident began.
pub(crate) fn gather(model: &Model, incident: &mut Incident, node: NodeId) {
    let from = incident.opened_at.before(BEFORE);
    for member in &model.node(node).clocks {
        let clock = model.clock(member.id);
        let seen = clock.first_hand().into_iter().flat_map(|seen| seen.facts());
        for fact in clock.facts().iter().chain(seen).filter(|fact| fact.at >= from) {
            push(model, incident, node, member.id, fact);
        }
    }
    incident.witnesses.sort_by_key(|witness| witness.at);
}

/// Takes in one more thing a clock said.
pub(crate) fn push(
    model: &Model,
    incident: &mut Incident,
    node: NodeId,
    clock: ClockId,
    fact: &Fact,
) {
    // What a node said before we lost sight of it is no evidence of why we did.
    let blind = incident.diagnosis.cause.cause().stage == Stage::Telemetry;
    if incident.witnesses.len() < MAX_WITNESSES && !blind {
        incident.witnesses.push(Witness {
            at: fact.at,
            node,
            clock,
            event: fact.event.clone(),
            said: fact.said.clone(),
            supports: supports(model, node, fact),
        });
    }
}

/// Whether what was said fits a fault of synchronisation on this node.
///
/// A class that says "locked" during holdover does not: downstream trusts bad time
/// (docs/diagnosis.md §5), and we cannot both believe it and the state.
fn supports(model: &Model, node: NodeId, fact: &Fact) -> bool {
    match fact.said {
        Said::Class(class) if clock_class::is_traceable(class) => {
            let mut ptp = model.of(node, &Resource::LockState);
            !ptp.any(|clock| clock.is(&SyncState::Holdover))
        }
        _ => true,
    }
}
