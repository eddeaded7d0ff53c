//! From findings to incidents: one per root cause, with a life of its own.

mod rules;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ptp_events::Received;

use self::rules::{
    drags, explains_here, explains_there, is_shape, is_wide, key, lingers, relays, resolve_hold,
};
use crate::cause::RootCause;
use crate::classify::{Link, Subject, World, classify};
use crate::finding::Finding;
use crate::incident::{Diagnosis, Incident, IncidentId, MAX_FINDINGS, Status, Verdict};
use crate::node::{ClockId, NodeId};
use crate::timeline::Fact;
use crate::{Severity, evidence};

/// What happened to an incident.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It began.
    Opened,
    /// It got worse.
    Escalated,
    /// Something was added to it, or its cause is better known.
    Updated,
    /// It is over.
    Resolved,
    /// It was over, and came back.
    Reopened,
}

/// A change of an incident.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Change {
    /// Which incident.
    pub incident: IncidentId,
    /// What happened.
    pub kind: ChangeKind,
    /// When.
    pub at: Received,
}

/// Where a finding is kept: its incident, and its place in the incident's list if it is listed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub incident: IncidentId,
    listed: Option<usize>,
}

/// A finding about to be filed.
pub(crate) struct Found {
    pub subject: Subject,
    pub severity: Severity,
    pub now: Received,
    pub says: String,
}

/// The most incidents of single nodes that are searched for a boundary clock.
const MAX_RELAYS: usize = 64;

/// All incidents, and what connects them to nodes.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    incidents: BTreeMap<IncidentId, Incident>,
    next: u64,
    /// The firing incidents of each node.
    by_node: Vec<Vec<IncidentId>>,
    /// The firing incidents that may reach other nodes.
    wide: Vec<IncidentId>,
    /// The firing incidents of one node that may turn out to be part of a wider one.
    single: BTreeSet<IncidentId>,
    /// The latest resolved, oldest first.
    resolved: VecDeque<IncidentId>,
    changes: VecDeque<Change>,
    /// Incidents to look at again, and when.
    due: Vec<(Received, IncidentId)>,
}

impl Ledger {
    pub(crate) fn get(&self, id: IncidentId) -> Option<&Incident> {
        self.incidents.get(&id)
    }

    /// Notes that people were told of an incident as it is now.
    pub(crate) fn tell(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.told = Some(incident.as_told());
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (IncidentId, &Incident)> {
        self.incidents.iter().map(|(id, incident)| (*id, incident))
    }

    pub(crate) fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// Times at which to call [`Self::handle_due`], since this was last asked.
    pub(crate) fn poll_due(&mut self) -> Option<(Received, IncidentId)> {
        self.due.pop()
    }

    fn of_node(&self, node: NodeId) -> &[IncidentId] {
        self.by_node.get(node.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// Files a finding: with the incident that explains it, or with a new one.
    pub(crate) fn file(&mut self, world: &World<'_>, found: Found) -> Kept {
        let link = world.link(&found.subject);
        let id = self.settled(world, &found, link).unwrap_or_else(|| {
            let diagnosis = classify(world, &found.subject);
            match self.explaining(world, &found, link, &diagnosis) {
                Some(id) => {
                    self.reconsider(world, id, diagnosis, &found.subject, found.now);
                    id
                }
                None => self.open(world, &found, diagnosis),
            }
        });
        self.absorb(world, id, &found, link);
        self.add(world, id, found)
    }

    /// The incident of another node, or of many, that explains a finding here without a doubt.
    fn settled(&self, world: &World<'_>, found: &Found, link: Link) -> Option<IncidentId> {
        let subject = &found.subject;
        // It says what the others were, and is not explained by them.
        if subject.code == "grandmaster-switch" {
            return self.wide.iter().copied().find(|id| {
                let incident = &self.incidents[id];
                if incident.diagnosis.cause == RootCause::UpstreamLoss {
                    // So long after the loss this is the servos settling again.
                    let later = found.now.since(incident.opened_at) > world.settings.reopen;
                    return later && incident.affected.contains(&subject.node);
                }
                !incident.diagnosis.origin.contains(&subject.node)
                    && drags(world, incident, subject, link)
            });
        }
        let of_many = |incident: &Incident| {
            incident.diagnosis.cause == RootCause::UpstreamLoss
                && matches!(link, Link::Ptp | Link::Class | Link::Overall)
        };
        let here = self.of_node(subject.node);
        let began_here = |id: &&IncidentId| {
            let diagnosis = &self.incidents[*id].diagnosis;
            diagnosis.cause != RootCause::PublisherArtefact
                && diagnosis.origin.contains(&subject.node)
        };
        // A node with a fault of its own is looked at more closely first.
        let passed_on = link == Link::Class && world.ptp_unlocked(subject.node).is_none();
        if let Some(own) = here.iter().find(began_here).filter(|_| !passed_on) {
            let incident = &self.incidents[own];
            return (incident.diagnosis.origin.len() > 1 && of_many(incident)).then_some(*own);
        }
        let explains =
            |id: &IncidentId| explains_there(world, &self.incidents[id], subject, link, found.now);
        here.iter()
            .chain(&self.wide)
            .copied()
            .find(explains)
            .or_else(|| self.relayed(world, subject, link))
    }

    /// The incident of a boundary clock that lost its own path, when this node follows it: it
    /// announces the same worse class, or hears a time that has moved.
    fn relayed(&self, world: &World<'_>, subject: &Subject, link: Link) -> Option<IncidentId> {
        if !matches!(link, Link::Class | Link::Ptp | Link::Os | Link::Overall) {
            return None;
        }
        self.single.iter().copied().take(MAX_RELAYS).find(|id| {
            let incident = &self.incidents[id];
            relays(world, incident, subject, incident.affected.contains(&subject.node))
        })
    }

    /// The incident of this node that explains a finding, firing or lately resolved.
    fn explaining(
        &mut self,
        world: &World<'_>,
        found: &Found,
        link: Link,
        diagnosis: &Diagnosis,
    ) -> Option<IncidentId> {
        let subject = &found.subject;
        let here = self.of_node(subject.node).iter().copied().find(|id| {
            let incident = &self.incidents[id];
            incident.diagnosis.origin.contains(&subject.node)
                && explains_here(world, incident, subject, link, diagnosis, found.now)
        });
        // The cause was found elsewhere, and there is an incident there already.
        let there = || {
            let same = |id: &IncidentId| {
                let incident = &self.incidents[id].diagnosis;
                let together = incident.origin.len() > 1
                    && diagnosis.origin.iter().any(|node| incident.origin.contains(node));
                incident.cause == diagnosis.cause
                    && (together || incident.origin == diagnosis.origin)
            };
            self.wide.iter().copied().find(same)
        };
        if let Some(id) = here.or_else(there) {
            return Some(id);
        }
        if let Some(id) = self.part_of(world, found, diagnosis) {
            return Some(id);
        }
        let recent = self.resolved.iter().rev().copied().find(|id| {
            let incident = &self.incidents[id];
            let within = world.settings.reopen.saturating_mul(lingers(incident.diagnosis.cause));
            let fresh = incident.resolved_at.is_some_and(|at| found.now.since(at) <= within);
            // Followers of a grandmaster that came back are off until they have followed.
            if fresh && incident.merged_into.is_none() && drags(world, incident, subject, link) {
                return true;
            }
            fresh
                && incident.merged_into.is_none()
                && incident.affected.contains(&subject.node)
                && (incident.diagnosis.cause == diagnosis.cause
                    || (incident.diagnosis.origin.contains(&subject.node)
                        && explains_here(world, incident, subject, link, diagnosis, found.now)))
        })?;
        self.reopen(recent, found.now);
        Some(recent)
    }

    /// The incident of a single node that turns out to be the first of many.
    fn part_of(
        &self,
        world: &World<'_>,
        found: &Found,
        diagnosis: &Diagnosis,
    ) -> Option<IncidentId> {
        if diagnosis.origin.len() < 3 {
            return None;
        }
        self.single.iter().copied().find(|id| {
            let incident = &self.incidents[id];
            let apart = incident.opened_at.since(found.subject.since);
            let apart = apart.max(found.subject.since.since(incident.opened_at));
            apart <= world.settings.upstream
                && incident.affected.iter().all(|node| diagnosis.origin.contains(node))
        })
    }

    fn open(&mut self, world: &World<'_>, found: &Found, diagnosis: Diagnosis) -> IncidentId {
        let id = IncidentId(self.next);
        self.next += 1;
        let incident = Incident {
            key: key(world, &found.subject),
            severity: found.severity,
            status: Status::Firing,
            opened_at: found.subject.since,
            detected_at: found.now,
            resolved_at: None,
            affected: std::iter::once(found.subject.node).collect(),
            clocks: BTreeSet::new(),
            findings: Vec::new(),
            witnesses: Vec::new(),
            open_findings: 0,
            cleared_at: found.now,
            reopened: 0,
            told: None,
            merged_into: None,
            left: false,
            due: None,
            latest: found.subject,
            diagnosis,
        };
        self.incidents.insert(id, incident);
        self.adopt(world, id);
        self.changes.push_back(Change { incident: id, kind: ChangeKind::Opened, at: found.now });
        id
    }

    /// Makes an incident known to its nodes, and gathers what they said when it began.
    fn adopt(&mut self, world: &World<'_>, id: IncidentId) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.affected.extend(incident.diagnosis.origin.iter().copied());
        let nodes: Vec<_> = incident.affected.iter().copied().collect();
        let part = matches!(incident.diagnosis.cause, RootCause::PtpPathLoss | RootCause::Unknown);
        if part && nodes.len() == 1 {
            self.single.insert(id);
        } else {
            self.single.remove(&id);
        }
        if is_wide(incident) && !self.wide.contains(&id) {
            self.wide.push(id);
        }
        for node in nodes {
            self.connect(world, id, node);
        }
    }

    fn connect(&mut self, world: &World<'_>, id: IncidentId, node: NodeId) {
        let slot = node.0 as usize;
        if self.by_node.len() <= slot {
            self.by_node.resize_with(slot + 1, Vec::new);
        }
        if !self.by_node[slot].contains(&id) {
            self.by_node[slot].push(id);
            if let Some(incident) = self.incidents.get_mut(&id) {
                evidence::gather(world, incident, node);
            }
        }
    }

    /// Takes a better diagnosis for an incident, if this is one.
    fn reconsider(
        &mut self,
        world: &World<'_>,
        id: IncidentId,
        diagnosis: Diagnosis,
        subject: &Subject,
        now: Received,
    ) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let surer = diagnosis.confidence > incident.diagnosis.confidence;
        let wide = diagnosis.cause.cause().reaches_followers;
        let direct = incident.diagnosis.verdict == Verdict::Confirmed;
        // The shape that was found first says more than the flapping it ends in.
        let shapes = is_shape(diagnosis.cause) && is_shape(incident.diagnosis.cause);
        let undecided = incident.diagnosis.verdict == Verdict::Inconclusive
            && diagnosis.verdict != Verdict::Inconclusive
            && diagnosis.origin == incident.diagnosis.origin;
        // What all came back from at once was no loss.
        let came_back = diagnosis.cause == RootCause::GrandmasterSwitch
            && diagnosis.verdict == Verdict::Confirmed
            && diagnosis.origin.len() > 2
            && subject.since.since(incident.opened_at) <= world.settings.reopen
            && matches!(
                incident.diagnosis.cause,
                RootCause::UpstreamLoss | RootCause::GrandmasterDegraded
            );
        let nearer = match diagnosis.cause.cmp(&incident.diagnosis.cause) {
            _ if shapes => surer && incident.diagnosis.confidence < 0.65,
            Ordering::Less => surer || (wide && !direct),
            Ordering::Equal => surer,
            Ordering::Greater => came_back || (undecided && surer),
        };
        // A cause on another node is not ours to blame for what this one already explains.
        let related = diagnosis.origin.iter().any(|node| incident.affected.contains(node)) || wide;
        if nearer && related {
            incident.diagnosis = diagnosis;
            self.adopt(world, id);
            self.changes.push_back(Change { incident: id, kind: ChangeKind::Updated, at: now });
        }
    }

    fn reopen(&mut self, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.status = Status::Firing;
        incident.resolved_at = None;
        incident.left = false;
        incident.reopened += 1;
        incident.told = None;
        for node in incident.affected.clone() {
            if let Some(list) = self.by_node.get_mut(node.0 as usize)
                && !list.contains(&id)
            {
                list.push(id);
            }
        }
        if is_wide(incident) {
            self.wide.push(id);
        }
        self.resolved.retain(|other| *other != id);
        self.changes.push_back(Change { incident: id, kind: ChangeKind::Reopened, at: now });
    }

    /// Adds a finding to its incident.
    fn add(&mut self, world: &World<'_>, id: IncidentId, found: Found) -> Kept {
        let Found { subject, severity, now, says } = found;
        self.connect(world, id, subject.node);
        let incident = self.incidents.get_mut(&id).expect("the caller has just found it");
        incident.affected.insert(subject.node);
        incident.opened_at = incident.opened_at.min(subject.since);
        incident.open_findings += 1;
        incident.latest = subject;
        incident.clocks.extend(subject.clock);
        let listed = (incident.findings.len() < MAX_FINDINGS).then(|| {
            let clock = subject.clock.map(|id| world.clock(id));
            incident.findings.push(Finding {
                code: subject.code,
                node: world.node(subject.node).name.clone(),
                resource: clock.map(|clock| clock.resource().clone()),
                instance: clock
                    .map_or(ptp_events::Instance::NODE, |clock| clock.instance().clone()),
                since: subject.since,
                detected_at: now,
                until: None,
                severity,
                says,
            });
            incident.findings.len() - 1
        });
        let escalated = severity > incident.severity;
        incident.severity = incident.severity.max(severity);
        // The first finding is told of by the opening itself.
        if escalated || incident.findings.len() > 1 {
            let kind = if escalated { ChangeKind::Escalated } else { ChangeKind::Updated };
            self.changes.push_back(Change { incident: id, kind, at: now });
        }
        Kept { incident: id, listed }
    }

    /// Whether a finding still belongs to the incident it was filed with, now that it got worse.
    pub(crate) fn still_explains(
        &self,
        world: &World<'_>,
        kept: Kept,
        subject: &Subject,
        now: Received,
    ) -> bool {
        self.incidents.get(&kept.incident).is_none_or(|incident| {
            let link = world.link(subject);
            incident.diagnosis.origin.contains(&subject.node)
                || (incident.affected.contains(&subject.node)
                    && relays(world, incident, subject, true))
                || explains_there(world, incident, subject, link, now)
        })
    }

    /// A finding got worse.
    pub(crate) fn worsen(&mut self, kept: Kept, severity: Severity, says: String, now: Received) {
        let Some(incident) = self.incidents.get_mut(&kept.incident) else {
            return;
        };
        if let Some(finding) = kept.listed.and_then(|at| incident.findings.get_mut(at)) {
            finding.severity = finding.severity.max(severity);
            finding.says = says;
        }
        if severity > incident.severity {
            incident.severity = severity;
            let kind = ChangeKind::Escalated;
            self.changes.push_back(Change { incident: kept.incident, kind, at: now });
        }
    }

    /// A finding cleared.
    pub(crate) fn clear(&mut self, world: &World<'_>, kept: Kept, now: Received) {
        let Some(incident) = self.incidents.get_mut(&kept.incident) else {
            return;
        };
        if let Some(finding) = kept.listed.and_then(|at| incident.findings.get_mut(at)) {
            finding.until = Some(now);
        }
        incident.open_findings = incident.open_findings.saturating_sub(1);
        if incident.open_findings == 0 {
            incident.cleared_at = now;
            self.schedule(world, kept.incident, now);
        }
    }

    /// A clock of `node` changed; `recovered` when it is now locked.
    pub(crate) fn handle_fact(
        &mut self,
        world: &World<'_>,
        node: NodeId,
        clock: ClockId,
        fact: &Fact,
        recovered: bool,
    ) {
        let Some(ids) = self.by_node.get(node.0 as usize) else {
            return;
        };
        for id in ids.clone() {
            let Some(incident) = self.incidents.get_mut(&id) else {
                continue;
            };
            evidence::push(world, incident, node, clock, fact);
            let subject = Subject { since: fact.at, ..incident.latest };
            // What follows is explained by the origin, and says nothing new about it.
            let origin = incident.diagnosis.origin.contains(&node);
            if subject.clock == Some(clock) && origin && !recovered {
                self.reconsider(world, id, classify(world, &subject), &subject, fact.at);
            }
            let Some(incident) = self.incidents.get(&id) else {
                continue;
            };
            if recovered && incident.open_findings == 0 {
                self.schedule(world, id, fact.at);
            }
        }
    }

    fn schedule(&mut self, world: &World<'_>, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let due = now.after(resolve_hold(world, incident));
        incident.due = Some(due);
        self.due.push((due, id));
    }

    /// It is time to see whether an incident is over.
    pub(crate) fn handle_due(&mut self, world: &World<'_>, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        if incident.status == Status::Resolved
            || incident.open_findings > 0
            || incident.due != Some(now)
        {
            return;
        }
        // Healthy since the last of its clocks came back. One that has not will say so itself.
        let mut healthy_since = incident.cleared_at;
        for id in &incident.clocks {
            // It took its fault along.
            if world.has_left(&incident.affected, *id) {
                continue;
            }
            let clock = world.clock(*id);
            if let Some((state, since)) = clock.state() {
                if world.is_artefact(&incident.affected, *id) {
                    continue;
                }
                if !state.is_locked() {
                    return;
                }
                healthy_since = healthy_since.max(since);
            }
        }
        let blind = incident.affected.iter().any(|node| world.node(*node).blind.is_some());
        let due = healthy_since.after(resolve_hold(world, incident));
        if blind || due > now {
            let due = due.max(now.after(world.settings.resolve));
            incident.due = Some(due);
            self.due.push((due, id));
            return;
        }
        incident.left = incident.affected.iter().all(|node| world.node(*node).gone);
        self.resolve(world, id, now);
    }

    fn resolve(&mut self, world: &World<'_>, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.status = Status::Resolved;
        incident.resolved_at = Some(now);
        incident.due = None;
        for node in &incident.affected {
            if let Some(list) = self.by_node.get_mut(node.0 as usize) {
                list.retain(|other| *other != id);
            }
        }
        self.wide.retain(|other| *other != id);
        self.single.remove(&id);
        self.resolved.push_back(id);
        self.changes.push_back(Change { incident: id, kind: ChangeKind::Resolved, at: now });
        if self.resolved.len() > world.settings.max_incidents
            && let Some(oldest) = self.resolved.pop_front()
        {
            self.incidents.remove(&oldest);
        }
    }

    /// Ends the incidents of single nodes that turn out to be part of `id`.
    fn absorb(&mut self, world: &World<'_>, id: IncidentId, found: &Found, link: Link) {
        let target = &self.incidents[&id];
        if self.single.is_empty()
            || !target.diagnosis.cause.cause().reaches_followers
            || link != Link::Ptp
        {
            return;
        }
        let opened = target.opened_at;
        let key = target.key.clone();
        let near =
            |at: Received| at.since(opened).max(opened.since(at)) <= world.settings.correlate;
        let (node, since) = (found.subject.node, found.subject.since);
        let branch = || world.branch_loss(node, since).map(|branch| branch.nodes);
        let Some(lost) = world.mass_loss(node, since).or_else(branch) else {
            return;
        };
        let part: Vec<_> = self
            .single
            .iter()
            .copied()
            .filter(|other| {
                let incident = &self.incidents[other];
                near(incident.opened_at) && incident.affected.iter().all(|node| lost.contains(node))
            })
            .collect();
        for other in part {
            self.merge(world, other, id, &key, found.now);
        }
    }

    /// Resolves `from` because `into` explains it. Its open findings clear with it.
    fn merge(
        &mut self,
        world: &World<'_>,
        from: IncidentId,
        into: IncidentId,
        key: &str,
        now: Received,
    ) {
        let Some(incident) = self.incidents.get_mut(&from) else {
            return;
        };
        incident.merged_into = Some(key.to_owned());
        let (affected, clocks) = (incident.affected.clone(), incident.clocks.clone());
        let opened = incident.opened_at;
        if let Some(target) = self.incidents.get_mut(&into) {
            target.affected.extend(affected.iter().copied());
            target.clocks.extend(clocks);
            target.opened_at = target.opened_at.min(opened);
        }
        self.resolve(world, from, now);
        for node in affected {
            self.connect(world, into, node);
        }
    }
}
