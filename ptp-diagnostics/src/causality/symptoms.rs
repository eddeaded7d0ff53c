//! How each symptom is looked for: it is so, it is not so, or it cannot be seen.

use std::time::Duration;

use ptp_events::{Received, Resource, SyncState};

use super::Subject;
use super::graph::apart;
use crate::model::Model;
use crate::model::crossings::{Crossings, is_far};
use crate::model::node::NodeId;
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::{Symptom, Symptoms};
use crate::model::timeline::{Said, Timeline};

/// How long a node must be without its reference so that no settling or flap explains it.
const LONG: Duration = Duration::from_mins(1);
/// How long a servo may ring after a jump: ptp4l's still did 8 s after one of 60 us, when the recording
/// ends (`recordings/real-ptp4l-asymmetry-60us.jsonl`).
const RINGING: Duration = Duration::from_secs(30);
/// Over which time losses of lock are compared with the threshold.
const CROSSINGS: Duration = Duration::from_mins(30);

/// Where to look.
pub(crate) struct Case<'a> {
    pub model: &'a Model,
    pub subject: &'a Subject,
    pub now: Received,
    /// The PTP clock in question.
    ptp: Option<&'a Timeline>,
    stage: Stage,
    crossings: Option<Crossings>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(model: &'a Model, subject: &'a Subject, now: Received) -> Self {
        let ptp = subject.ptp(model);
        // They are only walked when there can be any.
        let lost_often =
            |clock: &&Timeline| clock.changes() >= 2 * u64::from(model.settings.hugging);
        let crossings = ptp
            .filter(lost_often)
            .map(|clock| clock.crossings(subject.since.before(CROSSINGS), &model.settings));
        Self { model, subject, now, ptp, stage: subject.stage(model), crossings }
    }

    fn own(&self) -> Option<&'a Timeline> {
        self.subject.clock.map(|id| self.model.clock(id))
    }

    /// The PTP clock, if it is not LOCKED.
    fn unlocked(&self) -> Option<&'a Timeline> {
        self.ptp.filter(|clock| clock.unlocked_since().is_some())
    }

    /// With which offset it left its lock.
    fn moved(&self) -> Option<u64> {
        let clock = self.unlocked()?;
        Some(self.model.moved_by(self.subject.node, clock)?.magnitude())
    }

    fn losses_are_frequent(&self) -> bool {
        self.subject.shows(Symptom::Frequent) || flapping(self) == Some(true)
    }
}

/// Everything that is seen on the node of the subject.
pub(crate) fn look(case: &Case<'_>) -> Symptoms {
    let mut found = Symptoms::default();
    for (symptom, look) in HERE {
        found.note(*symptom, look(case));
    }
    // How often a system clock changes says nothing about the path of its PTP clock.
    let of_another = case.stage == Stage::Os && case.subject.shows(Symptom::Frequent);
    if let Some(symptom) = case.subject.shows.symptom.filter(|_| !of_another) {
        found.note(symptom, Some(true));
    }
    found
}

type Look = fn(&Case<'_>) -> Option<bool>;

const HERE: &[(Symptom, Look)] = &[
    (Symptom::ReferenceSilent, reference_silent),
    (Symptom::SilentForLong, silent_for_long),
    (Symptom::OffsetFar, |case| {
        case.moved().map(|offset| is_far(offset, case.model.settings.offset_ns))
    }),
    (Symptom::OffsetNear, |case| {
        let limit = case.model.settings.offset_ns;
        case.moved().map(|offset| {
            offset.saturating_mul(5) >= limit.saturating_mul(4) && !is_far(offset, limit)
        })
    }),
    (Symptom::Trend, |case| {
        let trace = case.ptp?.trace();
        (case.moved().is_some() && trace.is_long()).then(|| trace.trend().is_some())
    }),
    (Symptom::Wander, |case| case.moved().map(|_| case.ptp.is_some_and(|c| c.trace().wanders()))),
    (Symptom::LostWithMost, lost_with_most),
    (Symptom::LostWithSome, lost_with_some),
    (Symptom::MovedTogether, moved_together),
    (Symptom::OthersLocked, |case| {
        case.model.domain(case.subject.node).others_are_locked(case.subject.node)
    }),
    (Symptom::AnotherMaster, |case| {
        let (_, since) = case.ptp?.master()?;
        let lost = case.subject.lost(case.model);
        Some(since.is_some_and(|since| apart(since, lost) <= case.model.settings.correlate))
    }),
    (Symptom::Flapping, flapping),
    (Symptom::AtThreshold, |case| {
        let crossings = case.crossings.filter(|_| case.losses_are_frequent())?;
        let settings = &case.model.settings;
        let trace = case.ptp?.trace();
        Some(crossings.count >= settings.hugging && crossings.hug(settings.offset_ns, trace))
    }),
    (Symptom::SilentFlaps, |case| {
        case.crossings.filter(|_| case.losses_are_frequent()).map(|crossings| crossings.others > 0)
    }),
    (Symptom::FarFlaps, |case| {
        case.crossings.filter(|_| case.losses_are_frequent()).map(|crossings| crossings.far > 2)
    }),
    (Symptom::ProcessDown, process_down),
    (Symptom::NoLockSinceStart, |case| {
        let clock = first(case)?;
        Some(case.model.node(case.subject.node).has_yet_to_lock(clock, &case.model.clocks))
    }),
    (Symptom::NoLockEver, |case| Some(first(case)?.last_locked().is_none())),
    (Symptom::ClassAlone, |case| {
        let broken = case.subject.broken_stage(case.model);
        Some(case.stage == Stage::Class && broken == Stage::Class)
    }),
    (Symptom::PtpLocked, |case| {
        let node = case.subject.node;
        // What it lost long after this began is another story.
        let later = case.subject.since.after(case.model.settings.correlate);
        let lost = case.model.ptp_unlocked(node);
        case.model.knows_ptp(node).then(|| lost.is_none_or(|lost| lost > later))
    }),
    (Symptom::OsLocked, |case| {
        let node = case.subject.node;
        let known = case.model.of(node, &Resource::OsClock).any(|os| os.state().is_some());
        known.then(|| case.model.os_is_locked(node))
    }),
    (Symptom::WholeSeconds, whole_seconds),
    (Symptom::TimeOfDayLost, |case| {
        let receivers = case.model.of(case.subject.node, &Resource::Gnss);
        let from = seen::gives_time_from(receivers);
        let settings = &case.model.settings;
        log_shows(case, |clock, now| {
            from.is_some_and(|from| seen::no_time_of_day(clock, from, now, settings).is_some())
        })
    }),
    (Symptom::OneSecond, |case| {
        own_clocks(case).filter_map(|clock| seen::is_one_second(clock, case.now)).max()
    }),
    (Symptom::DpllUnlocked, |case| {
        let settings = &case.model.settings;
        log_shows(case, |clock, now| seen::dpll_unlocked(clock, now, settings).is_some())
    }),
    (Symptom::PulseFault, |case| {
        let settings = &case.model.settings;
        log_shows(case, |c, now| {
            seen::pulse_off(c, now).or_else(|| seen::pulse_missing(c, now, settings)).is_some()
        })
    }),
    (Symptom::TimestampsMissed, |case| {
        log_shows(case, |c, now| seen::timestamps_missed(c, now).is_some())
    }),
    (Symptom::Saturated, |case| {
        let settings = &case.model.settings;
        // A system clock whose PTP clock has no lock only follows it.
        let follows = case.unlocked().is_some();
        log_shows(case, |clock, _| {
            let follows = follows && *clock.resource() == Resource::OsClock;
            !follows && seen::saturated(clock, settings).is_some()
        })
    }),
    (Symptom::CountsFrom1970, |case| {
        case.own().or(case.ptp).map(|clock| seen::years_off(clock).is_some())
    }),
    (Symptom::Contended, |case| log_shows(case, |c, now| seen::contended(c, now).is_some())),
    (Symptom::Unsteered, |case| {
        let settings = &case.model.settings;
        let mut os = case.model.of(case.subject.node, &Resource::OsClock);
        os.any(|clock| seen::unsteered(clock, settings).is_some()).then_some(true)
    }),
    (Symptom::RolledOver, |case| log_shows(case, |c, now| seen::rolled_over(c, now).is_some())),
    (Symptom::RoguePeer, |case| log_shows(case, |c, now| seen::rogue_peer(c, now).is_some())),
    (Symptom::ConfigurationRefused, |case| {
        log_shows(case, |c, now| seen::configuration_refused(c, now).is_some())
    }),
    (Symptom::TimescaleDoubted, |case| {
        log_shows(case, |c, now| seen::timescale_doubted(c, now).is_some())
    }),
    (Symptom::NegativeDelay, |case| log_shows(case, |c, _| seen::negative_delay(c).is_some())),
    (Symptom::MastersAlternate, |case| {
        log_shows(case, |c, now| seen::masters_alternate(c, now).is_some_and(|(back, _)| back > 1))
    }),
    (Symptom::PortFault, |case| {
        // A link that comes and goes tells of no single loss.
        let once = flapping(case) != Some(true);
        seen::port_fault(case.ptp?, &case.model.settings).map(|fault| fault && once)
    }),
    (Symptom::Heard, |case| seen::is_heard(case.unlocked()?)),
];

/// The PTP clocks of the node, and the one that something was found about.
fn own_clocks<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Timeline> {
    let own = case.own().filter(|clock| *clock.resource() != Resource::LockState);
    case.model.ptp(case.subject.node).chain(own)
}

/// Whether a log shows it of a clock of the node; `None` where there is no log.
fn log_shows(case: &Case<'_>, shows: impl Fn(&Timeline, Received) -> bool) -> Option<bool> {
    let mut known = own_clocks(case).filter(|clock| clock.first_hand().is_some()).peekable();
    known.peek()?;
    Some(known.any(|clock| shows(clock, case.now)))
}

/// The PTP clock, or else the one that was found something about.
fn first<'a>(case: &Case<'a>) -> Option<&'a Timeline> {
    case.ptp.filter(|clock| clock.state().is_some()).or_else(|| case.own())
}

/// Nothing is heard of its master: it is in HOLDOVER, or was before its FREERUN. Where the word of the
/// PTP clock was lost, the node as a whole says so.
fn reference_silent(case: &Case<'_>) -> Option<bool> {
    match case.unlocked() {
        Some(clock) if clock.held_over() => Some(seen::is_heard(clock) != Some(true)),
        Some(_) => case.moved().map(|_| false),
        None => {
            // A boundary clock announces 135 and 165 in holdover alone (ITU-T G.8275.1, table 2).
            let holdover = |clock: &Timeline| {
                clock.is(&SyncState::Holdover)
                    || clock.class().is_some_and(|(class, _)| matches!(class.0, 135 | 165))
            };
            let broken = case.subject.broken_stage(case.model);
            let said = broken == Stage::Ptp && case.own().is_some_and(holdover);
            // What is measured is heard.
            let measured = case.stage == Stage::Ptp && case.subject.is_of_offsets();
            if said { Some(true) } else { measured.then_some(false) }
        }
    }
}

fn silent_for_long(case: &Case<'_>) -> Option<bool> {
    reference_silent(case).filter(|silent| *silent)?;
    let since = case.unlocked().or(case.own())?.unlocked_since()?;
    Some(case.now.since(since) >= LONG)
}

fn lost_with_most(case: &Case<'_>) -> Option<bool> {
    if case.model.domain(case.subject.node).ptp_nodes < 3 || case.ptp.is_none() {
        return None;
    }
    let lost = case.model.domain_outage(case.subject.node, case.subject.lost(case.model));
    Some(lost.is_some_and(|nodes| nodes.contains(&case.subject.node)))
}

/// Several lost their reference within seconds, and most of the domain did not.
fn lost_with_some(case: &Case<'_>) -> Option<bool> {
    case.unlocked()?;
    let branch = case.model.segment_outage(case.subject.node, case.subject.lost(case.model));
    let together = branch.is_some_and(|branch| branch.nodes.contains(&case.subject.node));
    Some(together && lost_with_most(case) != Some(true))
}

/// Most of those that lost their lock together left it because their reference was too far away.
fn moved_together(case: &Case<'_>) -> Option<bool> {
    let nodes = case.model.domain_outage(case.subject.node, case.subject.lost(case.model))?;
    let moved = |node: &&NodeId| {
        case.model.ptp(**node).any(|clock| case.model.moved_by(**node, clock).is_some())
    };
    Some(nodes.iter().filter(moved).count() * 2 > nodes.len())
}

/// It loses its lock again and again: its reference falls silent twice within the time in which a servo
/// settles, or it leaves its lock for longer than a servo rings.
///
/// One loss is followed by a few more while the servo settles again, and one jump of its reference by
/// those of a servo that rings (docs/protocol.md §5): neither is an unstable path.
fn flapping(case: &Case<'_>) -> Option<bool> {
    let clock = case.ptp?;
    let from = case.now.before(case.model.settings.relock);
    let (mut silent, mut moved) = (0, 0);
    let (mut first, mut last) = (case.now, None);
    for fact in clock.facts().iter().rev().take_while(|fact| fact.at >= from) {
        match &fact.said {
            Said::State { state: SyncState::Holdover, .. } => silent += 1,
            Said::State { state: SyncState::Freerun, stale: false, .. } => {
                moved += 1;
                first = fact.at;
                last.get_or_insert(fact.at);
            }
            _ => {}
        }
    }
    let rings = last.is_none_or(|last| last.since(first) < RINGING);
    Some(silent > 1 || (moved > 2 && !rings))
}

fn process_down(case: &Case<'_>) -> Option<bool> {
    let node = case.subject.node;
    let mut clocks = case.model.ptp(node).chain(case.model.of(node, &Resource::OsClock)).peekable();
    clocks.peek()?;
    Some(clocks.any(|clock| !clock.is_locked() && clock.process_down()))
}

/// Its offset is whole seconds, to the millisecond.
fn whole_seconds(case: &Case<'_>) -> Option<bool> {
    // How far stamps are from when we receive them is blurred by latency.
    if case.subject.shows(Symptom::Skewed) {
        return None;
    }
    let (_, offset) = case.own()?.samples().last?;
    Some(offset.whole_seconds().is_some())
}

/// What is seen of the receiver of a grandmaster.
pub(crate) fn look_at_receiver(model: &Model, grandmaster: NodeId, before: Symptoms) -> Symptoms {
    let mut seen = Symptoms::default();
    let mut receivers = model.of(grandmaster, &Resource::Gnss);
    let bad = receivers.find(|receiver| receiver.no_time_since().is_some());
    let state = bad.and_then(|receiver| receiver.state()).map(|(state, _)| state);
    let known = model.of(grandmaster, &Resource::Gnss).any(|receiver| receiver.state().is_some());
    if !known {
        return before;
    }
    let antenna =
        matches!(state, Some(SyncState::AntennaDisconnected | SyncState::AntennaShortCircuit));
    let failed = matches!(state, Some(SyncState::FailurePll | SyncState::Booting));
    seen.note(Symptom::AntennaAlarm, Some(antenna));
    seen.note(Symptom::ReceiverAlarm, Some(failed));
    seen.note(Symptom::NoFix, Some(bad.is_some() && !antenna && !failed));
    let alarms = [Symptom::AntennaAlarm, Symptom::ReceiverAlarm, Symptom::NoFix];
    let was_bad = alarms.iter().any(|alarm| before.get(*alarm) == Some(true));
    // A receiver that has its fix again is well, but was not when all this began.
    seen.note(Symptom::ReceiverWell, Some(bad.is_none() && !was_bad));
    seen.and(before)
}
