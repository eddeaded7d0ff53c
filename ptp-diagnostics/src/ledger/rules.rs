//! What explains what: which findings belong to which incident, and for how long.

use std::time::Duration;

use ptp_events::{Received, Resource};

use crate::cause::RootCause;
use crate::classify::{Link, Subject, World};
use crate::incident::{Diagnosis, Incident};
use crate::node::{NodeId, Role};
use crate::timeline::Timeline;

/// Whether an incident may explain what is found on other nodes.
pub(super) fn is_wide(incident: &Incident) -> bool {
    let cause = incident.diagnosis.cause;
    cause.cause().reaches_followers || cause == RootCause::TelemetryGap
}

/// Whether an incident's node without its lock passes its trouble on to this one, which announces
/// the same worse class or hears a time that has moved; `known` when it was found to before.
pub(super) fn relays(
    world: &World<'_>,
    incident: &Incident,
    subject: &Subject,
    known: bool,
) -> bool {
    let degraded = |node| {
        let class = world.of(node, &Resource::ClockClass);
        class.filter(|clock| clock.degraded_since().is_some()).find_map(Timeline::class)
    };
    let unlocked = world.ptp_unlocked(subject.node).is_some();
    // Whoever hears nobody has a fault of its own. Of whom only the class was ever heard, may hear it.
    if world.knows_ptp(subject.node) && !world.hears_its_reference(subject.node) {
        return false;
    }
    let below = |relay: &&NodeId| {
        **relay != subject.node
            && world.node(**relay).role() != Role::Grandmaster
            && world.shares_domain(subject.node, &[**relay])
    };
    incident.diagnosis.origin.iter().filter(below).any(|relay| {
        let lost = world.ptp_unlocked(*relay).is_some();
        lost && match (degraded(*relay), degraded(subject.node)) {
            (Some((theirs, _)), Some((ours, _))) => known || theirs == ours,
            (Some((theirs, _)), None) => unlocked && matches!(theirs.0, 135 | 165 | 248),
            (None, _) => false,
        }
    })
}

/// How many times longer than others an incident of this cause may come back: a slow servo takes an
/// hour to follow, and overshoots.
pub(super) const fn lingers(cause: RootCause) -> u32 {
    if is_shape(cause) { 6 } else { 1 }
}

/// Whether a follower is off because the grandmaster of `incident`, gone or moved until lately, is
/// back where it was.
pub(super) fn drags(world: &World<'_>, incident: &Incident, subject: &Subject, link: Link) -> bool {
    incident.diagnosis.cause.cause().reaches_followers
        && world.shares_domain(subject.node, &incident.diagnosis.origin)
        && matches!(link, Link::Ptp | Link::Os | Link::Overall)
        && subject.since >= incident.opened_at
        && world.hears_its_reference(subject.node)
        && (world.ptp_unlocked(subject.node).is_some()
            || (moves(subject.code)
                // A system clock is dragged by its PTP clock, which shows it.
                && (link == Link::Ptp || world.ptp_moved_since(subject.node, incident.opened_at))))
}

/// Whether a finding of this kind says that a clock's time, or its reference's, has moved.
fn moves(code: &str) -> bool {
    matches!(
        code,
        "offset-step"
            | "offset-drift"
            | "offset-noise"
            | "high-offset"
            | "frequent-state-changes"
            | "grandmaster-switch"
            | "threshold-hugging"
    )
}

/// Whether a cause is told from others by the shape of the offsets.
pub(super) const fn is_shape(cause: RootCause) -> bool {
    matches!(
        cause,
        RootCause::PtpPathUnstable
            | RootCause::PathAsymmetry
            | RootCause::OscillatorDrift
            | RootCause::OffsetThresholdHugging
    )
}

/// How long all must be well before an incident is over. One that came back is watched for longer,
/// so that a clock that flaps is one incident rather than one per flap.
pub(super) fn resolve_hold(world: &World<'_>, incident: &Incident) -> Duration {
    // Nothing more will be heard of it.
    if incident.affected.iter().all(|node| world.node(*node).gone) {
        return world.settings.resolve;
    }
    // Samples are minutes apart, and what flaps or wanders comes back.
    if is_shape(incident.diagnosis.cause) {
        return world.settings.reopen.max(world.settings.resolve);
    }
    let doubled = world.settings.resolve.saturating_mul(1 << incident.reopened.min(16));
    doubled.min(world.settings.reopen.max(world.settings.resolve))
}

/// Whether an incident that began on this node explains what is found here.
pub(super) fn explains_here(
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
    // A publisher's artefact is no fault of a clock: neither explains the other.
    if (link == Link::Artefact) != (cause == C::PublisherArtefact) {
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
        Link::Telemetry | Link::Artefact => true,
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
pub(super) fn explains_there(
    world: &World<'_>,
    incident: &Incident,
    subject: &Subject,
    link: Link,
    now: Received,
) -> bool {
    use RootCause as C;
    let cause = incident.diagnosis.cause;
    if cause == C::TelemetryGap {
        // What is sampled once a minute was heard last up to a minute before all fell silent.
        let cadence = world.node(subject.node).cadence.unwrap_or_default();
        let apart = subject.since.since(incident.opened_at);
        let apart = apart.max(incident.opened_at.since(subject.since));
        return link == Link::Telemetry && apart <= world.settings.correlate + cadence;
    }
    let same_time = world.shares_domain(subject.node, &incident.diagnosis.origin);
    if !cause.cause().reaches_followers || !same_time {
        return false;
    }
    // A clock that follows announces what it is told; one that does not, a class of its own.
    let link = match link {
        Link::Class if world.ptp_unlocked(subject.node).is_some() => Link::Ptp,
        link => link,
    };
    let already = incident.affected.contains(&subject.node);
    if drags(world, incident, subject, link) {
        return true;
    }
    let upstream = || match cause {
        C::UpstreamLoss => {
            subject.since.since(incident.opened_at) <= world.settings.upstream
                || world.mass_loss(subject.node, subject.since).is_some()
        }
        C::GrandmasterDegraded => link == Link::Class,
        _ => incident
            .diagnosis
            .origin
            .iter()
            .any(|gm| world.grandmaster_explains(*gm, subject.node, link, subject.since)),
    };
    match link {
        Link::Class => already || upstream(),
        Link::Ptp => (already && cause == C::UpstreamLoss) || upstream(),
        Link::Os | Link::Overall => {
            // Of all that say so at once, one may have its PTP clock's word lost.
            let with_all = cause == C::UpstreamLoss
                && subject.since.since(incident.opened_at) <= world.settings.upstream;
            with_all || (world.ptp_troubled(subject.node, now) && (already || upstream()))
        }
        Link::Restart | Link::Gnss | Link::Synce | Link::Telemetry | Link::Artefact => false,
    }
}

/// A name for an incident that is the same whenever the same input is diagnosed (FNV-1a).
pub(super) fn key(world: &World<'_>, subject: &Subject) -> String {
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
