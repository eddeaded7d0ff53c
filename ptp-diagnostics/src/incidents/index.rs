//! Where to look for incidents: by node and by timing domain, never by going through all of them.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::incident::{Incident, IncidentId};
use crate::model::Model;
use crate::model::node::NodeId;
use crate::model::stage::Stage;

/// The most incidents of a place that are looked at: of more, the latest.
const LOOKED_AT: usize = 64;

/// Which incidents there are at a place.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The firing incidents of each node.
    by_node: Vec<Vec<IncidentId>>,
    /// The firing incidents of each domain that may reach other nodes of it.
    wide: HashMap<usize, Vec<IncidentId>>,
    /// The firing incidents of lost telemetry.
    telemetry: Vec<IncidentId>,
    /// The firing incidents of each domain that are of one node, and may be part of a wider one.
    single: HashMap<usize, BTreeSet<IncidentId>>,
    /// The latest that are over: of each node, and the wide ones of each domain.
    over_by_node: HashMap<NodeId, VecDeque<IncidentId>>,
    over_wide: HashMap<usize, VecDeque<IncidentId>>,
}

impl Index {
    /// The firing incidents of a node.
    pub(crate) fn of_node(&self, node: NodeId) -> &[IncidentId] {
        self.by_node.get(node.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The firing incidents that may reach a node.
    pub(crate) fn reaching(&self, model: &Model, node: NodeId) -> impl Iterator<Item = IncidentId> {
        let domain = self.wide.get(&model.node(node).domain);
        domain.into_iter().flatten().chain(&self.telemetry).copied()
    }

    /// The firing incidents of single nodes in the domain of a node, the oldest first.
    pub(crate) fn single(&self, model: &Model, node: NodeId) -> impl Iterator<Item = IncidentId> {
        let domain = self.single.get(&model.node(node).domain);
        domain.into_iter().flatten().copied()
    }

    /// Those that are over on a node, the latest first.
    pub(crate) fn over(&self, node: NodeId) -> impl Iterator<Item = IncidentId> {
        self.over_by_node.get(&node).into_iter().flatten().rev().copied()
    }

    /// Those that are over and may have reached a node, the latest first.
    pub(crate) fn over_wide(
        &self,
        model: &Model,
        node: NodeId,
    ) -> impl Iterator<Item = IncidentId> {
        let domain = self.over_wide.get(&model.node(node).domain);
        domain.into_iter().flatten().rev().copied()
    }

    /// Connects a firing incident with a node; false when it was.
    pub(crate) fn connect(&mut self, id: IncidentId, node: NodeId) -> bool {
        let slot = node.0 as usize;
        if self.by_node.len() <= slot {
            self.by_node.resize_with(slot + 1, Vec::new);
        }
        let new = !self.by_node[slot].contains(&id);
        if new {
            self.by_node[slot].push(id);
        }
        new
    }

    /// Files a firing incident where it can be found now.
    pub(crate) fn place(&mut self, model: &Model, id: IncidentId, incident: &Incident) {
        let cause = incident.diagnosis.cause.cause();
        let alone = incident.diagnosis.origin.len() == 1 && !cause.reaches_followers;
        for domain in domains(model, incident) {
            let single = self.single.entry(domain).or_default();
            if alone && cause.stage.is_of_master() {
                single.insert(id);
            } else {
                single.remove(&id);
            }
            if cause.reaches_followers {
                push_new(self.wide.entry(domain).or_default(), id);
            }
        }
        if cause.stage == Stage::Telemetry {
            push_new(&mut self.telemetry, id);
        }
    }

    /// An incident has another cause than before, and may reach others for it.
    pub(crate) fn forget_reach(&mut self, model: &Model, id: IncidentId, incident: &Incident) {
        for domain in domains(model, incident) {
            if let Some(wide) = self.wide.get_mut(&domain) {
                wide.retain(|other| *other != id);
            }
        }
        self.telemetry.retain(|other| *other != id);
    }

    /// An incident is over.
    pub(crate) fn end(&mut self, model: &Model, id: IncidentId, incident: &Incident) {
        for node in &incident.affected {
            if let Some(list) = self.by_node.get_mut(node.0 as usize) {
                list.retain(|other| *other != id);
            }
            push_bounded(self.over_by_node.entry(*node).or_default(), id);
        }
        for domain in domains(model, incident) {
            if let Some(single) = self.single.get_mut(&domain) {
                single.remove(&id);
            }
            if let Some(wide) = self.wide.get_mut(&domain) {
                wide.retain(|other| *other != id);
            }
            if incident.diagnosis.cause.cause().reaches_followers {
                push_bounded(self.over_wide.entry(domain).or_default(), id);
            }
        }
        self.telemetry.retain(|other| *other != id);
    }

    /// An incident that was over came back, or is forgotten.
    pub(crate) fn forget_end(&mut self, model: &Model, id: IncidentId, incident: &Incident) {
        for node in &incident.affected {
            if let Some(over) = self.over_by_node.get_mut(node) {
                over.retain(|other| *other != id);
            }
        }
        for domain in domains(model, incident) {
            if let Some(over) = self.over_wide.get_mut(&domain) {
                over.retain(|other| *other != id);
            }
        }
    }
}

fn domains(model: &Model, incident: &Incident) -> BTreeSet<usize> {
    incident.affected.iter().map(|node| model.node(*node).domain).collect()
}

fn push_new(list: &mut Vec<IncidentId>, id: IncidentId) {
    if !list.contains(&id) {
        list.push(id);
    }
}

fn push_bounded(list: &mut VecDeque<IncidentId>, id: IncidentId) {
    if list.len() == LOOKED_AT {
        list.pop_front();
    }
    list.push_back(id);
}
