//! Which findings an incident explains, and for how long it is watched.

use std::time::Duration;

use ptp_events::Received;

use super::incident::Incident;
use crate::causality::Subject;
use crate::causality::graph::{
    Times, apart, boundary_reaches, follows_recovered_master, master_reaches, reaches,
};
use crate::causes::{Reach, RootCause, Watch};
use crate::model::Model;
use crate::model::stage::Stage;

/// Whether an incident explains what is found, wherever it began.
pub(crate) fn explains(
    model: &Model,
    incident: &Incident,
    subject: &Subject,
    cause: RootCause,
    now: Received,
) -> bool {
    if incident.diagnosis.origin.contains(&subject.node) {
        explains_here(model, incident, subject, cause, now)
    } else {
        explains_there(model, incident, subject, now)
    }
}

/// Whether an incident that began on this node explains what is found on it, which points to `cause`.
///
/// It does when its cause reaches that stage. It also does when that stage reaches what was found
/// before, a moment ago: a receiver may be noticed after what it caused. A publisher artefact neither
/// explains a real fault nor is explained by one, and the same holds for lost telemetry: no edge of the
/// graph leaves them.
pub(crate) fn explains_here(
    model: &Model,
    incident: &Incident,
    subject: &Subject,
    cause: RootCause,
    now: Received,
) -> bool {
    let (node, stage) = (subject.node, subject.stage(model));
    let times = Times { since: subject.since, now };
    let near = apart(incident.opened_at, subject.since) <= model.settings.correlate;
    incident.diagnosis.cause == cause
        || reaches(model, node, incident.diagnosis.cause.cause().stage, stage, times)
        || (near && incident.stages().any(|found| reaches(model, node, stage, found, times)))
}

/// Whether an incident that began elsewhere explains what is found on this node.
pub(crate) fn explains_there(
    model: &Model,
    incident: &Incident,
    subject: &Subject,
    now: Received,
) -> bool {
    let settings = &model.settings;
    let (node, stage) = (subject.node, subject.stage(model));
    let cause = incident.diagnosis.cause.cause();
    let origin = &incident.diagnosis.origin;
    let between = apart(incident.opened_at, subject.since);
    if cause.stage == Stage::Telemetry {
        // What is sampled once a minute was heard last up to a minute before all fell silent.
        let cadence = model.node(node).cadence.unwrap_or_default();
        return stage == Stage::Telemetry && between <= settings.correlate + cadence;
    }
    if !cause.reaches_followers || !model.shares_domain(node, origin) {
        return false;
    }
    // A clock that follows announces what it is told; one that does not, a class of its own.
    let stage = match stage {
        Stage::Class if model.ptp_unlocked(node).is_some() => Stage::Ptp,
        stage => stage,
    };
    if follows_recovered_master(model, origin, incident.opened_at, subject, stage) {
        return true;
    }
    let already = incident.affected.contains(&node);
    let segment = cause.reach == Reach::Segment;
    let soon = subject.since.since(incident.opened_at) <= settings.upstream;
    let reached = || match cause.reach {
        Reach::Segment => soon || model.domain_outage(node, subject.since).is_some(),
        Reach::Upstream => stage == Stage::Class || model.lost_with_others(node),
        _ => origin.iter().any(|gm| master_reaches(model, *gm, node, stage, subject.since)),
    };
    match stage {
        // All who followed one master choose another when it goes.
        Stage::Segment => segment && soon,
        Stage::Class => already || reached(),
        Stage::Ptp => (already && segment) || reached(),
        Stage::Os | Stage::Overall => {
            // Of all that say so at once, one may have its PTP clock's word lost.
            // The overall state flaps with the PTP clock, and the last of it may come later.
            let with_ptp = model.ptp_troubled(node, now)
                || (stage == Stage::Overall && model.ptp_changed_since(node, incident.opened_at));
            (segment && soon) || (with_ptp && (already || reached()))
        }
        _ => false,
    }
}

/// Whether an incident of a boundary clock without its reference is what this node hears.
pub(crate) fn explains_below(model: &Model, incident: &Incident, subject: &Subject) -> bool {
    let known = incident.affected.contains(&subject.node);
    let mut origin = incident.diagnosis.origin.iter();
    origin.any(|relay| boundary_reaches(model, *relay, subject, known))
}

/// Whether a follower is off because the master of an incident, gone or moved until lately, is back.
pub(crate) fn explains_return(model: &Model, incident: &Incident, subject: &Subject) -> bool {
    let Incident { diagnosis, opened_at, .. } = incident;
    diagnosis.cause.cause().reaches_followers
        && follows_recovered_master(
            model,
            &diagnosis.origin,
            *opened_at,
            subject,
            subject.stage(model),
        )
}

/// How long after its end an incident of this cause may come back as the same.
pub(crate) fn reopens_within(model: &Model, cause: RootCause) -> Duration {
    match cause.cause().watch {
        Watch::Usual => model.settings.reopen,
        Watch::Long => model.settings.reopen.saturating_mul(6),
    }
}

/// How long all must be well before an incident is over. One that came back is watched for longer, so
/// that a clock that flaps is one incident rather than one per flap.
pub(crate) fn resolve_hold(model: &Model, incident: &Incident) -> Duration {
    let settings = &model.settings;
    // Nothing more will be heard of it.
    if incident.affected.iter().all(|node| model.node(*node).gone) {
        return settings.resolve;
    }
    let longest = settings.reopen.max(settings.resolve);
    match incident.diagnosis.cause.cause().watch {
        Watch::Long => longest,
        Watch::Usual => {
            settings.resolve.saturating_mul(4u32.saturating_pow(incident.reopened)).min(longest)
        }
    }
}
