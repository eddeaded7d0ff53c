//! `/api/v1/topology`: who gets time from whom.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use ptp_api::{DomainTopology, Member, Nothing, Topology};
use ptp_diagnostics::Role;
use ptp_diagnostics::report::NodeReport;
use ptp_diagnostics::report::reach::Following;

use super::super::parameters::Asked;
use super::{Answer, Api};

/// How many nodes of a domain are listed, and how many followers of one are named.
const LISTED: usize = 1000;
const NAMED: usize = 100;

pub(super) async fn topology(
    State(api): State<Api>,
    Asked(Nothing {}): Asked<Nothing>,
) -> Answer<Topology> {
    let snapshot = api.engine.snapshot.borrow().clone();
    Ok(Json(Topology::new(snapshot.at, domains(&snapshot.report.nodes))))
}

fn domains(nodes: &[NodeReport]) -> Vec<DomainTopology> {
    let following = Following::new(nodes);
    let mut domains = BTreeMap::<Option<u32>, Vec<&NodeReport>>::new();
    for node in nodes {
        domains.entry(node.domain).or_default().push(node);
    }
    let domains = domains.into_iter().map(|(number, mut nodes)| {
        nodes.sort_by_key(|node| rank(node.role));
        let more = nodes.len().saturating_sub(LISTED);
        let members = nodes.into_iter().take(LISTED).map(|node| member(node, &following));
        let mut domain = DomainTopology::new(number, members.collect());
        domain.more = more;
        domain
    });
    domains.collect()
}

const fn rank(role: Role) -> u8 {
    match role {
        Role::Grandmaster => 0,
        Role::BoundaryClock => 1,
        _ => 2,
    }
}

fn member(node: &NodeReport, following: &Following<'_>) -> Member {
    let mut member = Member::new(node.node.clone(), node.role, node.state);
    member.clock_class = node.clocks.iter().find_map(|clock| clock.clock_class);
    let masters = following.masters(&node.node).take(NAMED);
    member.follows = masters.map(|master| master.node.clone()).collect();
    // Of a follower in an assumed domain nobody follows; of a grandmaster all do.
    let followers = following.followers(&node.node).into_iter().take(NAMED);
    member.followers = followers.map(|follower| follower.node.clone()).collect();
    member
}
