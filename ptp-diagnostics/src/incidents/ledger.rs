//! All incidents: opening, worsening, clearing, the end, coming back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ptp_events::Received;

use super::closing::healthy_since;
use super::evidence;
use super::explain::resolve_hold;
use super::filing::key;
use super::finding::Finding;
use super::incident::{Incident, IncidentId, MAX_FINDINGS, Status};
use super::index::Index;
use crate::Severity;
use crate::causality::Subject;
use crate::causality::score::{Diagnosis, judge};
use crate::model::Model;
use crate::model::node::{ClockId, NodeId};
use crate::model::stage::Stage;
use crate::model::symptom::{Symptom, Symptoms};
use crate::model::timeline::Fact;

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
#[non_exhaustive]
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
pub(crate) struct FindingRef {
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

/// All incidents, and where to find them.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(super) incidents: BTreeMap<IncidentId, Incident>,
    pub(super) index: Index,
    next: u64,
    /// Those that are over, the first to end first.
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
    pub(crate) fn tell(&mut self, id: IncidentId, now: Received) {
        if let Some(incident) = self.incidents.get_mut(&id) {
            incident.told = Some(incident.as_told(now));
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

    /// Where an incident goes on, if it turned out to be part of another.
    pub(super) fn live(&self, mut id: IncidentId) -> IncidentId {
        while let Some(next) = self.incidents.get(&id).and_then(|incident| incident.continues_in) {
            id = next;
        }
        id
    }

    pub(super) fn changed(&mut self, incident: IncidentId, kind: ChangeKind, at: Received) {
        self.changes.push_back(Change { incident, kind, at });
    }

    pub(super) fn open(
        &mut self,
        model: &Model,
        found: &Found,
        diagnosis: Diagnosis,
        seen: Symptoms,
    ) -> IncidentId {
        let id = IncidentId(self.next);
        self.next += 1;
        let incident = Incident {
            key: key(model, &found.subject),
            severity: found.severity,
            status: Status::Firing,
            opened_at: found.subject.since,
            detected_at: found.now,
            resolved_at: None,
            affected: std::iter::once(found.subject.node).collect(),
            clocks: BTreeSet::new(),
            findings: Vec::new(),
            found_at: 0,
            witnesses: Vec::new(),
            open_findings: 0,
            cleared_at: found.now,
            reopened: 0,
            told: None,
            merged_into: None,
            continues_in: None,
            left: false,
            due: None,
            latest: found.subject,
            seen,
            diagnosis,
        };
        self.incidents.insert(id, incident);
        self.place(model, id);
        self.changed(id, ChangeKind::Opened, found.now);
        id
    }

    /// Makes an incident known where it can reach, and gathers what its nodes said when it began.
    pub(super) fn place(&mut self, model: &Model, id: IncidentId) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.affected.extend(incident.diagnosis.origin.iter().copied());
        self.index.place(model, id, incident);
        for node in incident.affected.clone() {
            self.connect(model, id, node);
        }
    }

    pub(super) fn connect(&mut self, model: &Model, id: IncidentId, node: NodeId) {
        if self.index.connect(id, node)
            && let Some(incident) = self.incidents.get_mut(&id)
        {
            evidence::gather(model, incident, node);
        }
    }

    /// Judges an incident anew, by what is seen now and what was seen before.
    pub(super) fn reconsider(
        &mut self,
        model: &Model,
        id: IncidentId,
        subject: &Subject,
        is_wider: bool,
        now: Received,
    ) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        // What follows is explained by the origin, and says nothing new about it.
        if !incident.diagnosis.origin.contains(&subject.node) && !is_wider {
            return;
        }
        // The node as a whole follows its clocks, and says nothing new where one of them is known.
        let known = incident.stages().any(|stage| stage != Stage::Overall);
        if subject.stage(model) == Stage::Overall && known {
            return;
        }
        // A system clock that was lost first is not lost by its PTP clock, whatever that does later.
        let began = match incident.diagnosis.cause.cause().stage {
            Stage::Os => subject.since.min(incident.opened_at),
            _ => subject.since,
        };
        let subject = Subject { since: began, ..*subject };
        let judgement = judge(model, &subject, now, incident.seen, Some(&incident.diagnosis));
        incident.seen = judgement.seen;
        let diagnosis = judgement.diagnosis;
        // A cause on another node is not ours to blame for what this one already explains.
        let wide = diagnosis.cause.cause().reaches_followers;
        let related = wide || diagnosis.origin.iter().any(|node| incident.affected.contains(node));
        if !related || diagnosis == incident.diagnosis {
            return;
        }
        let renamed = diagnosis.cause != incident.diagnosis.cause;
        let moved = diagnosis.origin != incident.diagnosis.origin;
        incident.diagnosis = diagnosis;
        if renamed {
            self.index.forget_reach(model, id, &self.incidents[&id]);
        }
        if renamed || moved {
            self.place(model, id);
        }
        self.changed(id, ChangeKind::Updated, now);
    }

    pub(super) fn reopen(&mut self, model: &Model, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.status = Status::Firing;
        incident.resolved_at = None;
        incident.left = false;
        incident.reopened += 1;
        incident.told = None;
        self.index.forget_end(model, id, incident);
        self.index.place(model, id, incident);
        for node in &incident.affected {
            self.index.connect(id, *node);
        }
        self.resolved.retain(|other| *other != id);
        self.changed(id, ChangeKind::Reopened, now);
    }

    /// Adds a finding to its incident.
    pub(super) fn add(&mut self, model: &Model, id: IncidentId, found: Found) -> FindingRef {
        let Found { subject, severity, now, says } = found;
        self.connect(model, id, subject.node);
        let incident = self.incidents.get_mut(&id).expect("the caller has just found it");
        incident.affected.insert(subject.node);
        // A trend goes back to where its samples begin: what a loss elsewhere made of it began with the loss.
        let elsewhere = !incident.diagnosis.origin.contains(&subject.node);
        if !(elsewhere && subject.shows(Symptom::Drift)) {
            incident.opened_at = incident.opened_at.min(subject.since);
        }
        incident.open_findings += 1;
        incident.latest = subject;
        incident.note_stage(subject.stage(model));
        incident.clocks.extend(subject.clock);
        let listed = (incident.findings.len() < MAX_FINDINGS).then(|| {
            let clock = subject.clock.map(|id| model.clock(id));
            incident.findings.push(Finding {
                code: subject.code.into(),
                node: model.node(subject.node).name.clone(),
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
        let blind = incident.note_blind(subject.node, model);
        let severity = severity.max(blind.unwrap_or(severity));
        let escalated = severity > incident.severity;
        incident.severity = incident.severity.max(severity);
        // The first finding is told of by the opening itself.
        if escalated || incident.findings.len() > 1 {
            let kind = if escalated { ChangeKind::Escalated } else { ChangeKind::Updated };
            self.changed(id, kind, now);
        }
        FindingRef { incident: id, listed }
    }

    /// A finding got worse.
    pub(crate) fn worsen(
        &mut self,
        kept: FindingRef,
        severity: Severity,
        says: String,
        now: Received,
    ) {
        if let Some(finding) = self.finding(kept) {
            finding.severity = finding.severity.max(severity);
            finding.says = says;
        }
        let live = self.live(kept.incident);
        let Some(incident) = self.incidents.get_mut(&live) else {
            return;
        };
        if severity > incident.severity {
            incident.severity = severity;
            self.changed(live, ChangeKind::Escalated, now);
        }
    }

    /// A finding cleared.
    pub(crate) fn clear(&mut self, model: &Model, kept: FindingRef, now: Received) {
        if let Some(finding) = self.finding(kept) {
            finding.until = Some(now);
        }
        let live = self.live(kept.incident);
        let Some(incident) = self.incidents.get_mut(&live) else {
            return;
        };
        incident.open_findings = incident.open_findings.saturating_sub(1);
        if incident.open_findings == 0 {
            incident.cleared_at = now;
            self.schedule(model, live, now);
        }
    }

    /// Where a finding is listed.
    fn finding(&mut self, kept: FindingRef) -> Option<&mut Finding> {
        self.incidents.get_mut(&kept.incident)?.findings.get_mut(kept.listed?)
    }

    /// A clock of `node` changed; `recovered` when it is now locked.
    pub(crate) fn handle_fact(
        &mut self,
        model: &Model,
        node: NodeId,
        clock: ClockId,
        fact: &Fact,
        recovered: bool,
    ) {
        for id in self.index.of_node(node).to_vec() {
            let Some(incident) = self.incidents.get_mut(&id) else {
                continue;
            };
            evidence::push(model, incident, node, clock, fact);
            let subject = Subject { since: fact.at, ..incident.latest };
            // What is said once all is well again does not tell why it was not.
            let is_over = incident.open_findings == 0 && model.clock(clock).is_locked();
            if subject.clock == Some(clock) && !recovered && !is_over {
                self.reconsider(model, id, &subject, false, fact.at);
            }
            let Some(incident) = self.incidents.get(&id) else {
                continue;
            };
            if recovered && incident.open_findings == 0 {
                self.schedule(model, id, fact.at);
            }
        }
    }

    fn schedule(&mut self, model: &Model, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        let due = now.after(resolve_hold(model, incident));
        incident.due = Some(due);
        self.due.push((due, id));
    }

    /// It is time to see whether an incident is over.
    pub(crate) fn handle_due(&mut self, model: &Model, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        if incident.status == Status::Resolved
            || incident.open_findings > 0
            || incident.due != Some(now)
        {
            return;
        }
        // A clock that is not well again will say so itself.
        let Ok(healthy_since) = healthy_since(model, incident) else { return };
        let blind = incident.affected.iter().any(|node| model.node(*node).blind.is_some());
        let due = healthy_since.after(resolve_hold(model, incident));
        if blind || due > now {
            let due = due.max(now.after(model.settings.resolve));
            incident.due = Some(due);
            self.due.push((due, id));
            return;
        }
        incident.left = incident.affected.iter().all(|node| model.node(*node).gone);
        self.resolve(model, id, now);
    }

    pub(super) fn resolve(&mut self, model: &Model, id: IncidentId, now: Received) {
        let Some(incident) = self.incidents.get_mut(&id) else {
            return;
        };
        incident.status = Status::Resolved;
        incident.resolved_at = Some(now);
        incident.due = None;
        self.index.end(model, id, incident);
        self.resolved.push_back(id);
        self.changed(id, ChangeKind::Resolved, now);
        if self.resolved.len() > model.settings.max_incidents
            && let Some(oldest) = self.resolved.pop_front()
            && let Some(forgotten) = self.incidents.remove(&oldest)
        {
            self.index.forget_end(model, oldest, &forgotten);
        }
    }
}
