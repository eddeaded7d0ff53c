//! What events alone show.

use std::time::Duration;

use ptp_events::observation::PrintedLine;
use ptp_events::recording::Origin;
use ptp_events::{Received, Resource, SyncState};

use super::{DOWNTIME, Tally, at_once};
use crate::record::{Record, Sent};
use crate::requirement::State;

/// From the loss of a source to the event: a second for the state machine to know, one for the event, and one
/// for stamps of whole seconds.
const LOSS_TO_EVENT: Duration = Duration::from_secs(3);

/// What comes so soon after a change of state may come with it.
const AROUND: Duration = Duration::from_secs(2);

const NO_EVENTS: &str = "events of the PTP clock that changes";
const NO_CLASSES: &str =
    "events of the clock class beside those of the state, through such a change";

impl State {
    pub(crate) fn of(state: &SyncState) -> Option<Self> {
        match state {
            SyncState::Freerun => Some(Self::Freerun),
            SyncState::Holdover => Some(Self::Holdover),
            state if state.is_locked() => Some(Self::Locked),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Freerun => "FREERUN",
            Self::Locked => "LOCKED",
            Self::Holdover => "HOLDOVER",
        }
    }

    /// FREERUN is worse than HOLDOVER, and that than LOCKED (§3).
    const fn badness(self) -> u8 {
        match self {
            Self::Locked => 0,
            Self::Holdover => 1,
            Self::Freerun => 2,
        }
    }
}

/// A clock that was sent as another than before.
pub(crate) struct Change<'a> {
    pub from: Option<State>,
    pub to: State,
    pub sent: &'a Sent,
}

/// The changes of state of the clocks of a kind, each of its own.
pub(crate) fn changes<'a>(record: &'a Record, resource: &Resource) -> Vec<Change<'a>> {
    let mut latest: Vec<(&Sent, State)> = Vec::new();
    let mut changes = Vec::new();
    for sent in record.sent.iter().filter(|sent| sent.resource == *resource) {
        let Some(to) = sent.state.as_ref().and_then(State::of) else { continue };
        let known = latest.iter_mut().find(|(of, _)| of.instance == sent.instance);
        let from = known.as_ref().map(|(_, state)| *state);
        match known {
            Some(known) => known.1 = to,
            None => latest.push((sent, to)),
        }
        if from != Some(to) {
            changes.push(Change { from, to, sent });
        }
    }
    changes
}

/// The changes that were sent as such, from one state to another, and lasted beyond what is at once.
fn transitions(
    record: &Record,
    from: Option<State>,
    to: State,
) -> impl Iterator<Item = Change<'_>> {
    let all = changes(record, &Resource::LockState);
    let ends: Vec<_> =
        all.iter().map(|change| (change.sent.at, change.sent.instance.clone())).collect();
    all.into_iter().filter(move |change| {
        let until = at_once(change.sent.at);
        let lasted = !ends
            .iter()
            .any(|(at, of)| *of == change.sent.instance && *at > change.sent.at && *at <= until);
        change.to == to
            && change.from.is_some()
            && from.is_none_or(|from| change.from == Some(from))
            && change.sent.may_be_change()
            && lasted
    })
}

/// What the clocks of a kind were last sent as until a time: the worst of them.
pub(crate) fn state_at(record: &Record, resource: &Resource, at: Received) -> Option<State> {
    let mut latest: Vec<(&Sent, State)> = Vec::new();
    for sent in record.sent.iter().take_while(|sent| sent.at <= at) {
        if sent.resource != *resource {
            continue;
        }
        let Some(state) = sent.state.as_ref().and_then(State::of) else { continue };
        match latest.iter_mut().find(|(of, _)| of.instance == sent.instance) {
            Some(known) => known.1 = state,
            None => latest.push((sent, state)),
        }
    }
    latest.into_iter().map(|(_, state)| state).max_by_key(|state| state.badness())
}

/// The class that was sent last until a time.
pub(crate) fn class_at(record: &Record, at: Received) -> Option<u8> {
    let until = record.sent.iter().take_while(|sent| sent.at <= at);
    until.filter_map(|sent| sent.class).last()
}

/// Whether a class is one of these; of none, whether it says of no loss (ITU-T G.8275.1, table 3).
fn is_one_of(class: u8, classes: &[u8]) -> bool {
    if classes.is_empty() {
        !matches!(class, 135 | 165 | 248 | 255)
    } else {
        classes.contains(&class)
    }
}

fn list(classes: &[u8]) -> String {
    match classes {
        [] => "the grandmaster's".to_owned(),
        classes => classes.iter().map(u8::to_string).collect::<Vec<_>>().join(" or "),
    }
}

pub(super) fn class(record: &Record, from: Option<State>, to: State, classes: &[u8]) -> Tally {
    let mut tally = Tally::wanting(NO_CLASSES);
    for change in transitions(record, from, to) {
        let until = at_once(change.sent.at);
        let Some(class) = class_at(record, until) else { continue };
        tally.note(is_one_of(class, classes), change.sent.at, &change.sent.id, || {
            format!(
                "{}, and the class is {class} a second later, not {}",
                to.as_str(),
                list(classes)
            )
        });
    }
    tally
}

pub(super) fn stays_in_holdover(record: &Record, wanted: u8) -> Tally {
    let mut tally = Tally::wanting("a holdover that goes out of specification");
    let mut before = None;
    for sent in record.sent.iter().filter(|sent| sent.class.is_some()) {
        let entered = sent.class == Some(wanted) && before != Some(wanted) && sent.may_be_change();
        before = sent.class;
        if !entered {
            continue;
        }
        let Some(state) = state_at(record, &Resource::LockState, at_once(sent.at)) else {
            continue;
        };
        tally.note(state == State::Holdover, sent.at, &sent.id, || {
            format!("class {wanted}, and the PTP clock is {}", state.as_str())
        });
    }
    if tally.seen == 0 {
        return super::logged::stays_in_holdover(record, wanted);
    }
    tally
}

pub(super) fn in_holdover(record: &Record, classes: &[u8]) -> Tally {
    let mut tally = Tally::wanting("events of the clock class in HOLDOVER");
    for sent in record.sent.iter().filter(|sent| sent.may_be_change()) {
        let Some(class) = sent.class else { continue };
        let states = [sent.at.before(AROUND), at_once(sent.at)];
        let held = |at| state_at(record, &Resource::LockState, at) == Some(State::Holdover);
        if states.into_iter().all(held) {
            tally.note(classes.contains(&class), sent.at, &sent.id, || {
                format!("class {class} in HOLDOVER, not {}", list(classes))
            });
        }
    }
    tally
}

pub(super) fn freerun_with_class(record: &Record) -> Tally {
    let mut tally = Tally::wanting("a holdover that runs out");
    for change in transitions(record, Some(State::Holdover), State::Freerun) {
        let Some(class) = class_at(record, at_once(change.sent.at)) else { continue };
        tally.note(class == 248, change.sent.at, &change.sent.id, || {
            format!("FREERUN after HOLDOVER, and the class is {class} a second later")
        });
    }
    let mut before = None;
    for sent in record.sent.iter().filter(|sent| sent.class.is_some()) {
        let free = sent.class == Some(248) && matches!(before, Some(7 | 140 | 135 | 165));
        before = sent.class;
        // One that is LOCKED passes on what its master announces.
        let held = state_at(record, &Resource::LockState, sent.at.before(AROUND));
        if !free || !sent.may_be_change() || held != Some(State::Holdover) {
            continue;
        }
        let Some(state) = state_at(record, &Resource::LockState, at_once(sent.at)) else {
            continue;
        };
        tally.note(state == State::Freerun, sent.at, &sent.id, || {
            format!("class 248 after a holdover, and the PTP clock is {}", state.as_str())
        });
    }
    tally
}

/// What the receiver was last sent as: `false` where it gives no time.
fn receiver_at(record: &Record, at: Received) -> Option<bool> {
    let until = record.sent.iter().take_while(|sent| sent.at <= at);
    let receiver = until.filter(|sent| sent.resource == Resource::Gnss);
    receiver.filter_map(|sent| sent.state.as_ref()).last().map(gives_time)
}

fn gives_time(state: &SyncState) -> bool {
    *state == SyncState::Synchronized || state.is_locked()
}

pub(super) fn loss_holds_over(record: &Record) -> Tally {
    let mut tally = Tally::wanting("a receiver that loses its fix while its clock is LOCKED");
    let mut good = None;
    for sent in record.sent.iter().filter(|sent| sent.resource == Resource::Gnss) {
        let Some(gives) = sent.state.as_ref().map(gives_time) else { continue };
        let was_good = good.replace(gives) == Some(true);
        let (before, after) = (sent.at.before(LOSS_TO_EVENT), sent.at.after(LOSS_TO_EVENT));
        let lost = was_good && !gives && receiver_at(record, after) == Some(false);
        let locked = state_at(record, &Resource::LockState, before) == Some(State::Locked);
        if !lost || !locked || !sent.may_be_change() || record.last.is_none_or(|last| last < after)
        {
            continue;
        }
        let Some(state) = state_at(record, &Resource::LockState, after) else { continue };
        tally.note(state == State::Holdover, sent.at, &sent.id, || {
            format!("the receiver is lost, and the PTP clock is {} 3 s later", state.as_str())
        });
    }
    tally
}

pub(super) fn fault_elsewhere(record: &Record) -> Tally {
    let mut tally = Tally::wanting("a fault that is not the receiver's");
    for change in transitions(record, Some(State::Locked), State::Freerun) {
        let until = at_once(change.sent.at);
        let (Some(true), Some(class)) = (receiver_at(record, until), class_at(record, until))
        else {
            continue;
        };
        tally.note(class == 248, change.sent.at, &change.sent.id, || {
            format!("FREERUN with a receiver that is well, and the class is {class} a second later")
        });
    }
    tally
}

pub(super) fn edge_only(record: &Record, resources: &[Resource]) -> Tally {
    let pushed = "a recording that says which events were pushed (`ptp-cli record`)";
    let mut tally = Tally::wanting(pushed);
    let mut latest: Vec<&Sent> = Vec::new();
    let told = |sent: &Sent| (sent.state.clone(), sent.class, sent.quality);
    for sent in record.sent.iter().filter(|sent| resources.contains(&sent.resource)) {
        let same_clock =
            |of: &&mut &Sent| of.resource == sent.resource && of.instance == sent.instance;
        match latest.iter_mut().find(same_clock) {
            Some(before) => {
                // A receiver's fix may change alone (§3), and what is delivered twice was sent once.
                let judged = sent.origin == Origin::Push
                    && sent.resource != Resource::Gnss
                    && before.at != sent.at;
                if judged {
                    tally.note(told(before) != told(sent), sent.at, &sent.id, || {
                        format!(
                            "{} of {} is sent again unchanged",
                            sent.resource.name(),
                            sent.instance
                        )
                    });
                }
                *before = sent;
            }
            None => latest.push(sent),
        }
    }
    tally
}

pub(super) fn payload(record: &Record) -> Tally {
    let mut tally = Tally::wanting(NO_EVENTS);
    let ptp = record.sent.iter().filter(|sent| sent.resource == Resource::LockState);
    for sent in ptp.filter(|sent| sent.may_be_change()) {
        let missing = match (sent.state.is_some(), sent.has_offset, sent.instance.as_str()) {
            (false, ..) => "a state",
            (_, false, _) => "an offset",
            (.., "" | "/") => "the name of its clock",
            _ => "",
        };
        tally.note(missing.is_empty(), sent.at, &sent.id, || format!("an event without {missing}"));
    }
    tally
}

pub(super) fn os_fits(record: &Record) -> Tally {
    let mut tally = Tally::wanting("events of the system clock through a loss of the PTP clock");
    for to in [State::Holdover, State::Freerun] {
        for change in transitions(record, None, to) {
            // phc2sys may be down that long, and its state is kept meanwhile.
            let until = at_once(change.sent.at).after(DOWNTIME);
            if state_at(record, &Resource::LockState, until) != Some(to)
                || record.last.is_none_or(|last| last < until)
            {
                continue;
            }
            let Some(os) = state_at(record, &Resource::OsClock, until) else { continue };
            tally.note(os.badness() >= to.badness(), change.sent.at, &change.sent.id, || {
                format!("the PTP clock is {}, and the system clock {}", to.as_str(), os.as_str())
            });
        }
    }
    tally
}

pub(super) fn overall(
    record: &Record,
    (from, to): (State, State),
    classes: Option<&[u8]>,
) -> Tally {
    let mut tally = Tally::wanting("such a change of the PTP clock, with sync-state beside it");
    for change in transitions(record, Some(from), to) {
        let until = at_once(change.sent.at);
        let Some(overall) = state_at(record, &Resource::SyncState, until) else { continue };
        let states = [&Resource::LockState, &Resource::OsClock];
        let clocks = states.into_iter().filter_map(|resource| state_at(record, resource, until));
        let worst = clocks.max_by_key(|state| state.badness()).unwrap_or(to);
        tally.note(overall == worst, change.sent.at, &change.sent.id, || {
            format!(
                "{} to {}, and sync-state is {} a second later, not {}",
                from.as_str(),
                to.as_str(),
                overall.as_str(),
                worst.as_str()
            )
        });
        let (Some(classes), Some(class)) = (classes, class_at(record, until)) else { continue };
        tally.note(is_one_of(class, classes), change.sent.at, &change.sent.id, || {
            format!(
                "{} to {}, and the class is {class} a second later, not {}",
                from.as_str(),
                to.as_str(),
                list(classes)
            )
        });
    }
    tally
}

pub(super) fn no_class(record: &Record) -> Tally {
    let mut tally = Tally::wanting("events of a slave through a change of state");
    let changed = changes(record, &Resource::LockState).iter().any(|change| change.from.is_some());
    if !changed {
        return tally;
    }
    let classes = record.sent.iter().filter(|sent| sent.class.is_some() && sent.may_be_change());
    for sent in classes {
        tally.note(sent.class == Some(255), sent.at, &sent.id, || {
            format!("class {} is sent", sent.class.unwrap_or_default())
        });
    }
    tally.seen = tally.seen.max(1);
    tally
}

pub(super) fn class_in(record: &Record, classes: &[u8]) -> Tally {
    let mut tally = Tally::wanting("events of the clock class, or the daemon's log");
    for sent in &record.sent {
        let Some(class) = sent.class else { continue };
        tally.note(classes.contains(&class), sent.at, &sent.id, || format!("class {class}"));
    }
    for line in &record.logged {
        let PrintedLine::Class(class) = line.what else { continue };
        tally.note(classes.contains(&class.0), line.at, &line.line, || format!("class {class}"));
    }
    tally
}

pub(super) fn worst_of(record: &Record) -> Tally {
    let mut tally =
        Tally::wanting("a change of the PTP clock or the system clock, with sync-state beside it");
    let clocks = [&Resource::LockState, &Resource::OsClock];
    let all = clocks.into_iter().flat_map(|resource| changes(record, resource));
    for change in all.filter(|change| change.from.is_some() && change.sent.may_be_change()) {
        let until = at_once(change.sent.at);
        let Some(overall) = state_at(record, &Resource::SyncState, until) else { continue };
        let states = clocks.into_iter().filter_map(|resource| state_at(record, resource, until));
        let Some(worst) = states.max_by_key(|state| state.badness()) else { continue };
        tally.note(overall == worst, change.sent.at, &change.sent.id, || {
            format!("sync-state is {}, and the worst clock {}", overall.as_str(), worst.as_str())
        });
    }
    tally
}

pub(super) fn quality(record: &Record, state: State, good: &[u8]) -> Tally {
    let mut tally = Tally::wanting("events of the SyncE quality level");
    for sent in &record.sent {
        let Some(quality) = sent.quality else { continue };
        if state_at(record, &Resource::LockState, sent.at) == Some(state) {
            tally.note(good.contains(&quality), sent.at, &sent.id, || {
                format!("quality level 0x{quality:x} while {}", state.as_str())
            });
        }
    }
    tally
}
