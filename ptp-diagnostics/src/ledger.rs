//! From findings to incidents: one per root cause, with a life of its own.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use ptp_events::Received;

use crate::cause::RootCause;
use crate::classify::{Link, Subject, World, classify};
use crate::finding::Finding;
use crate::incident::{Diagnosis, Incident, IncidentId, MAX_FINDINGS, Status};
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

    /// Notes that people were told of this severity; returns what they were told before.
    pub(crate) fn tell(&mut self, id: IncidentId, severity: Severity) -> Option<Severity> {
        self.incidents.get_mut(&id)?.told.replace(severity)
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
                    self.reconsider(world, id, diagnosis, found.now);
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
        let of_many = |incident: &Incident| {
            incident.diagnosis.cause == RootCause::UpstreamLoss
                && matches!(link, Link::Ptp | Link::Class | Link::Overall)
        };
        let here = self.of_node(subject.node);
        let began_here =
            |id: &&IncidentId| self.incidents[*id].diagnosis.origin.contains(&subject.node);
        // A node with a fault of its own is looked at more closely first.
        if let Some(own) = here.iter().find(began_here) {
            let incident = &self.incidents[own];
            return (incident.diagnosis.origin.len() > 1 && of_many(incident)).then_some(*own);
        }
        let explains =
            |id: &IncidentId| explains_there(world, &self.incidents[id], subject, link, found.now);
        here.iter().chain(&self.wide).copied().find(explains)
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
                incident.cause == diagnosis.cause && incident.origin == diagnosis.origin
            };
            self.wide.iter().copied().find(same)
        };
        if let Some(id) = here.or_else(there) {
            return Some(id);
        }
        let recent = self.resolved.iter().rev().copied().find(|id| {
            let incident = &self.incidents[id];
            let fresh =
                incident.resolved_at.is_some_and(|at| found.now.since(at) <= world.settings.reopen);
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
        now: Received,
    ) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let surer = diagnosis.confidence > incident.diagnosis.confidence;
        let wide = diagnosis.cause.cause().reaches_followers;
        // From here to upstream is a step nearer to the root; from one upstream cause to another
        // only better evidence leads, and a recovery is none.
        let was_wide = incident.diagnosis.cause.cause().reaches_followers;
        let nearer = match diagnosis.cause.cmp(&incident.diagnosis.cause) {
            Ordering::Less => surer || (wide && !was_wide),
            Ordering::Equal => surer,
            Ordering::Greater => false,
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
            if subject.clock == Some(clock) {
                self.reconsider(world, id, classify(world, &subject), fact.at);
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
        for clock in &incident.clocks {
            let clock = world.clock(*clock);
            if let Some((state, since)) = clock.state() {
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
        let Some(lost) = world.domain.mass_loss(found.subject.since, world.nodes, world.settings)
        else {
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

/// Whether an incident may explain what is found on other nodes.
fn is_wide(incident: &Incident) -> bool {
    let cause = incident.diagnosis.cause;
    cause.cause().reaches_followers || cause == RootCause::TelemetryGap
}

/// How long all must be well before an incident is over. One that came back is watched for longer,
/// so that a clock that flaps is one incident rather than one per flap.
fn resolve_hold(world: &World<'_>, incident: &Incident) -> Duration {
    let doubled = world.settings.resolve.saturating_mul(1 << incident.reopened.min(16));
    doubled.min(world.settings.reopen.max(world.settings.resolve))
}

/// Whether an incident that began on this node explains what is found here.
fn explains_here(
    world: &World<'_>,
    incident: &Incident,
    subject: &Subject,
    link: Link,
    diagnosis: &Diagnosis,
    now: Received,
) -> bool {
    use RootCause as C;
    let cause = incident.diagnosis.cause;
    if (link == Link::Telemetry) != (cause == C::TelemetryGap) {
        return false;
    }
    if cause == diagnosis.cause {
        return true;
    }
    let near = |a: Received, b: Received| {
        a.since(b) <= world.settings.correlate && b.since(a) <= world.settings.correlate
    };
    let gnss = matches!(cause, C::GnssAntennaFault | C::GnssReceiverFault | C::GnssSignalLoss);
    let os_only = matches!(cause, C::OsClockFault);
    let synce_only = matches!(cause, C::SynceDegraded);
    match link {
        Link::Telemetry => true,
        // The receiver may be noticed after what it caused.
        Link::Gnss => gnss || (!os_only && near(incident.opened_at, subject.since)),
        Link::Ptp | Link::Class | Link::Restart => {
            !(os_only || synce_only) || near(incident.opened_at, subject.since)
        }
        Link::Os => os_only || (!synce_only && world.ptp_troubled(subject.node, now)),
        Link::Overall => !synce_only,
        Link::Synce => !os_only,
    }
}

/// Whether an incident that began elsewhere explains what is found on this node.
fn explains_there(
    world: &World<'_>,
    incident: &Incident,
    subject: &Subject,
    link: Link,
    now: Received,
) -> bool {
    use RootCause as C;
    let cause = incident.diagnosis.cause;
    if cause == C::TelemetryGap {
        return link == Link::Telemetry
            && now.since(incident.opened_at) <= world.settings.correlate;
    }
    if !cause.cause().reaches_followers {
        return false;
    }
    // A clock that follows announces what it is told; one that does not, a class of its own.
    let link = match link {
        Link::Class if world.ptp_unlocked(subject.node).is_some() => Link::Ptp,
        link => link,
    };
    let already = incident.affected.contains(&subject.node);
    let upstream = || match cause {
        C::UpstreamLoss => {
            subject.since.since(incident.opened_at) <= world.settings.upstream
                || world.domain.mass_loss(subject.since, world.nodes, world.settings).is_some()
        }
        C::GrandmasterDegraded => link == Link::Class,
        _ => incident
            .diagnosis
            .origin
            .iter()
            .any(|gm| world.grandmaster_explains(*gm, link, subject.since)),
    };
    match link {
        Link::Class => already || upstream(),
        Link::Ptp => (already && cause == C::UpstreamLoss) || upstream(),
        Link::Os | Link::Overall => {
            world.ptp_troubled(subject.node, now) && (already || upstream())
        }
        Link::Restart | Link::Gnss | Link::Synce | Link::Telemetry => false,
    }
}

/// A name for an incident that is the same whenever the same input is diagnosed (FNV-1a).
fn key(world: &World<'_>, subject: &Subject) -> String {
    let clock = subject.clock.map(|id| world.clock(id));
    let parts = [
        world.node(subject.node).name.as_str(),
        subject.code,
        clock.map_or("", |clock| clock.resource().name()),
        clock.map_or("", |clock| clock.instance().as_str()),
        &subject.since.to_string(),
    ];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.join("\u{1f}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}
