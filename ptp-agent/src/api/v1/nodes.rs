//! `/api/v1/fleet` and `/api/v1/nodes`: how the nodes are, together and each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ptp_diagnostics::report::NodeReport;
use ptp_events::{NodeName, Received};
use serde::Serialize;

use super::super::parameters::{not_about_nobody, only};
use super::{Answer, Api, Listed, Params, Problem, page, paging};
use crate::engine_task::ClockSamples;
use crate::health::Condition;

/// How many nodes that are not LOCKED, and conditions, an overview names.
const NAMED: usize = 50;

/// The fleet in a few figures.
#[derive(Serialize)]
pub(super) struct Fleet {
    at: Received,
    /// What people call the cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    /// Further labels of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    nodes: usize,
    states: BTreeMap<&'static str, usize>,
    roles: BTreeMap<&'static str, usize>,
    /// Nodes that are not LOCKED, by name; at most 50.
    not_locked: Vec<Named>,
    /// Incidents that go on, by severity.
    firing: BTreeMap<&'static str, usize>,
    incidents: usize,
    /// Nodes that cannot be observed at present.
    blind: usize,
    silences: usize,
    /// What keeps the agent from its work; at most 50.
    conditions: Vec<Condition>,
}

#[derive(Serialize)]
struct Named {
    node: NodeName,
    state: &'static str,
}

pub(super) async fn fleet(State(api): State<Api>, Query(query): Params) -> Answer<Fleet> {
    only(&query, &[])?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = &snapshot.report;
    let mut states = BTreeMap::new();
    let mut roles = BTreeMap::new();
    let mut not_locked = Vec::new();
    for node in &report.nodes {
        *states.entry(node.state.as_str()).or_default() += 1;
        *roles.entry(node.role.as_str()).or_default() += 1;
        if node.state.as_str() != "LOCKED" && not_locked.len() < NAMED {
            not_locked.push(Named { node: node.node.clone(), state: node.state.as_str() });
        }
    }
    let mut firing = BTreeMap::new();
    for incident in report.incidents.iter().filter(|incident| incident.resolved_at.is_none()) {
        *firing.entry(incident.severity.as_str()).or_default() += 1;
    }
    let mut conditions = api.health.conditions(&api.store);
    conditions.truncate(NAMED);
    Ok(Json(Fleet {
        at: snapshot.at,
        cluster: api.identity.cluster.clone(),
        labels: api.identity.labels.clone(),
        nodes: report.nodes.len(),
        states,
        roles,
        not_locked,
        firing,
        incidents: report.incidents.len(),
        blind: report.blind_windows.iter().filter(|window| window.to.is_none()).count(),
        silences: api.silences.all().len(),
        conditions,
    }))
}

pub(super) async fn nodes(
    State(api): State<Api>,
    Query(query): Params,
) -> Answer<Listed<NodeReport>> {
    only(&query, &["limit", "cursor"])?;
    let snapshot = api.engine.snapshot.borrow().clone();
    Ok(page(&paging(&query)?, snapshot.report.nodes.iter().cloned()))
}

pub(super) async fn node(State(api): State<Api>, Path(name): Path<String>) -> Answer<NodeReport> {
    let snapshot = api.engine.snapshot.borrow().clone();
    not_about_nobody(&snapshot.report, Some(&name))?;
    let found = snapshot.report.nodes.iter().find(|node| node.node.as_str() == name);
    found.cloned().map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no such node"))
}

/// The latest offsets of a node's PTP clocks, for statistics.
pub(super) async fn samples(
    State(api): State<Api>,
    Path(name): Path<String>,
    Query(query): Params,
) -> Answer<Listed<ClockSamples>> {
    only(&query, &["limit", "cursor"])?;
    let missing = || Problem::new(StatusCode::NOT_FOUND, "no such node");
    let node = NodeName::new(&name).map_err(|_| missing())?;
    let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the engine is busy; try again");
    let clocks = api.engine.samples(node).await.ok_or(busy)?.ok_or_else(missing)?;
    Ok(page(&paging(&query)?, clocks.into_iter()))
}
