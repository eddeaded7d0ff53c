//! Which incident a finding belongs to: one that explains it, one that comes back, or a new one.

use ptp_events::Received;

use super::explain::{
    explains, explains_below, explains_here, explains_return, explains_there, reopens_within,
};
use super::incident::{Incident, IncidentId};
use super::ledger::{FindingRef, Found, Ledger};
use crate::causality::Subject;
use crate::causality::graph::apart;
use crate::causality::score::{Diagnosis, judge};
use crate::causes::Reach;
use crate::model::Model;
use crate::model::stage::Stage;
use crate::model::symptom::{Symptom, Symptoms};

/// The most incidents of single nodes that are searched for a boundary clock.
const MAX_RELAYS: usize = 64;

impl Ledger {
    /// Files a finding: with the incident that explains it, or with a new one.
    pub(crate) fn file(&mut self, model: &Model, found: Found) -> FindingRef {
        let subject = found.subject;
        let id = self.of_others(model, &found).unwrap_or_else(|| {
            let judgement = judge(model, &subject, found.now, Symptoms::default(), None);
            match self.explaining(model, &found, &judgement.diagnosis) {
                Some(id) => {
                    let is_wider = judgement.diagnosis.origin.len() > 2;
                    self.reconsider(model, id, &subject, is_wider, found.now);
                    id
                }
                None => {
                    let id = self.open(model, &found, judgement.diagnosis, judgement.seen);
                    self.take_over(model, id, &found);
                    id
                }
            }
        });
        self.absorb(model, id, &found);
        self.add(model, id, found)
    }

    /// The incident that began elsewhere, or is of many, and explains a finding here.
    fn of_others(&self, model: &Model, found: &Found) -> Option<IncidentId> {
        let subject = &found.subject;
        let stage = subject.stage(model);
        // It says what the others were, and is not explained by them.
        if subject.shows(Symptom::Returned) {
            return self.index.reaching(model, subject.node).find(|id| {
                let incident = &self.incidents[id];
                if incident.is_of_segment() {
                    // So long after the loss this is the servos settling again.
                    let later = found.now.since(incident.opened_at) > model.settings.reopen;
                    return later && incident.affected.contains(&subject.node);
                }
                !incident.diagnosis.origin.contains(&subject.node)
                    && explains_return(model, incident, subject)
            });
        }
        let here = self.index.of_node(subject.node);
        let began_here = |id: &&IncidentId| {
            let diagnosis = &self.incidents[*id].diagnosis;
            diagnosis.cause.cause().stage != Stage::Artefact
                && diagnosis.origin.contains(&subject.node)
        };
        // A node with a fault of its own is looked at more closely first.
        let passed_on = stage == Stage::Class && model.ptp_unlocked(subject.node).is_none();
        if let Some(own) = here.iter().find(began_here).filter(|_| !passed_on) {
            let incident = &self.incidents[own];
            let with_ptp = stage == Stage::Os && model.ptp_unlocked(subject.node).is_some();
            let of_many = incident.is_of_segment()
                && incident.diagnosis.origin.len() > 1
                && (matches!(stage, Stage::Ptp | Stage::Class | Stage::Overall) || with_ptp);
            return of_many.then_some(*own);
        }
        let there =
            |id: &IncidentId| explains_there(model, &self.incidents[id], subject, found.now);
        let below = |id: &IncidentId| explains_below(model, &self.incidents[id], subject);
        let known = here.iter().copied().find(there);
        known
            .or_else(|| self.index.reaching(model, subject.node).find(there))
            .or_else(|| self.index.single(model, subject.node).take(MAX_RELAYS).find(below))
    }

    /// The incident of this node that explains a finding, firing or lately over.
    fn explaining(
        &mut self,
        model: &Model,
        found: &Found,
        diagnosis: &Diagnosis,
    ) -> Option<IncidentId> {
        let subject = &found.subject;
        let explains_it = |incident: &Incident| {
            incident.diagnosis.origin.contains(&subject.node)
                && explains_here(model, incident, subject, diagnosis.cause, found.now)
        };
        let here = self.index.of_node(subject.node).iter().copied();
        let here = here.into_iter().find(|id| explains_it(&self.incidents[id]));
        // The cause was found elsewhere, and there is an incident there already.
        let there = || {
            let same = |id: &IncidentId| {
                let incident = &self.incidents[id];
                let other = &incident.diagnosis;
                // What many share is the same whoever of them was heard first.
                let shared = incident.is_of_segment()
                    && diagnosis.origin.iter().any(|node| incident.affected.contains(node));
                other.cause == diagnosis.cause && (shared || other.origin == diagnosis.origin)
            };
            self.index.reaching(model, subject.node).find(same)
        };
        if let Some(id) = here.or_else(there).or_else(|| self.part_of(model, found, diagnosis)) {
            return Some(id);
        }
        let fresh = |id: &IncidentId| {
            let incident = &self.incidents[id];
            let within = reopens_within(model, incident.diagnosis.cause);
            incident.merged_into.is_none()
                && incident.resolved_at.is_some_and(|at| found.now.since(at) <= within)
        };
        // Followers of a master that came back are off until they have followed.
        let followed = |id: &IncidentId| explains_return(model, &self.incidents[id], subject);
        let again = |id: &IncidentId| {
            let incident = &self.incidents[id];
            incident.diagnosis.cause == diagnosis.cause || explains_it(incident)
        };
        let over_wide = || self.index.over_wide(model, subject.node).filter(fresh).find(followed);
        let over_here = || self.index.over(subject.node).filter(fresh).find(again);
        let over = over_here().or_else(over_wide)?;
        self.reopen(model, over, found.now);
        Some(over)
    }

    /// The incident of a single node that turns out to be the first of many.
    fn part_of(&self, model: &Model, found: &Found, diagnosis: &Diagnosis) -> Option<IncidentId> {
        if diagnosis.origin.len() < 3 {
            return None;
        }
        self.index.single(model, found.subject.node).find(|id| {
            let incident = &self.incidents[id];
            apart(incident.opened_at, found.subject.since) <= model.settings.upstream
                && incident.affected.iter().all(|node| diagnosis.origin.contains(node))
        })
    }

    /// Whether a finding still belongs to the incident it was filed with, now that it got worse.
    pub(crate) fn still_explains(
        &self,
        model: &Model,
        kept: FindingRef,
        subject: &Subject,
        now: Received,
    ) -> bool {
        self.get(self.live(kept.incident)).is_none_or(|incident| {
            incident.diagnosis.origin.contains(&subject.node)
                || (incident.affected.contains(&subject.node)
                    && explains_below(model, incident, subject))
                || explains(model, incident, subject, incident.diagnosis.cause, now)
        })
    }

    /// Ends the incidents elsewhere that a new one explains: a master may be noticed after those who
    /// follow it.
    fn take_over(&mut self, model: &Model, id: IncidentId, found: &Found) {
        let new = &self.incidents[&id];
        if !new.diagnosis.cause.cause().reaches_followers {
            return;
        }
        let node = found.subject.node;
        let is_part = |other: &IncidentId| {
            let incident = &self.incidents[other];
            let origin = &incident.diagnosis.origin;
            *other != id
                && apart(incident.opened_at, new.opened_at) <= model.settings.correlate
                && !origin.iter().any(|node| new.diagnosis.origin.contains(node))
                && explains_there(model, new, &incident.latest, found.now)
        };
        let elsewhere = self.index.reaching(model, node).chain(self.index.single(model, node));
        let parts: Vec<_> = elsewhere.take(MAX_RELAYS).filter(is_part).collect();
        let key = new.key.clone();
        for part in parts {
            self.merge(model, part, id, &key, found.now);
        }
    }

    /// Ends the incidents of single nodes that turn out to be part of `id`.
    fn absorb(&mut self, model: &Model, id: IncidentId, found: &Found) {
        let target = &self.incidents[&id];
        let (node, since) = (found.subject.node, found.subject.since);
        if !target.diagnosis.cause.cause().reaches_followers
            || found.subject.stage(model) != Stage::Ptp
            || self.index.single(model, node).next().is_none()
        {
            return;
        }
        let opened = target.opened_at;
        let key = target.key.clone();
        let segment = || model.segment_outage(node, since).map(|branch| branch.nodes);
        let Some(lost) = model.domain_outage(node, since).or_else(segment) else {
            return;
        };
        let is_part = |other: &IncidentId| {
            let incident = &self.incidents[other];
            apart(incident.opened_at, opened) <= model.settings.correlate
                && incident.affected.iter().all(|node| lost.contains(node))
        };
        let parts: Vec<_> = self.index.single(model, node).filter(is_part).collect();
        for part in parts {
            self.merge(model, part, id, &key, found.now);
        }
    }

    /// Ends `from` because `into` explains it, which its open findings count for from now on.
    fn merge(
        &mut self,
        model: &Model,
        from: IncidentId,
        into: IncidentId,
        key: &str,
        now: Received,
    ) {
        let Some(incident) = self.incidents.get_mut(&from) else {
            return;
        };
        incident.merged_into = Some(key.to_owned());
        incident.continues_in = Some(into);
        let open = std::mem::take(&mut incident.open_findings);
        let (affected, clocks) = (incident.affected.clone(), incident.clocks.clone());
        let opened = incident.opened_at;
        if let Some(target) = self.incidents.get_mut(&into) {
            target.affected.extend(affected.iter().copied());
            target.clocks.extend(clocks);
            target.open_findings += open;
            target.opened_at = target.opened_at.min(opened);
        }
        self.resolve(model, from, now);
        for node in affected {
            self.connect(model, into, node);
        }
    }
}

impl Incident {
    /// Whether it is about what several nodes share, all of which fell silent.
    fn is_of_segment(&self) -> bool {
        self.diagnosis.cause.cause().reach == Reach::Segment
    }
}

/// A name for an incident that is the same whenever the same input is diagnosed (FNV-1a).
pub(super) fn key(model: &Model, subject: &Subject) -> String {
    let clock = subject.clock.map(|id| model.clock(id));
    let parts = [
        model.node(subject.node).name.as_str(),
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
