//! What a timing engineer reads in a log, one rule each: questions of what was seen at first hand.
//!
//! Detectors ask them to find something, causes to be told apart by it. Each answers since when it is so.

use std::time::Duration;

use ptp_events::observation::{Dpll, Observed, PortEvent, PortState, Remark};
use ptp_events::{Received, Resource, SyncState};

use super::timeline::firsthand::{Complaint, FirstHand, Run, TEN_YEARS_NS};
use super::timeline::{Said, Timeline};
use crate::Settings;

/// A complaint that was not repeated for so long is over; a log of ts2phc repeats it every second.
pub(crate) const OVER: Duration = Duration::from_mins(2);
/// How long a clock may not be measured: ten pulses.
const TEN_PULSES: Duration = Duration::from_secs(10);
/// The same while a node is starting: a receiver takes 18 to 36 s for the ephemeris of the satellites alone
/// (u-blox, ZED-F9T integration manual, UBX-19005590, 3.9), and ts2phc waits for it.
const STARTING: Duration = Duration::from_mins(1);
/// How many samples show that a servo does not move: an integrator does not stand still by chance.
const STANDS_STILL: u32 = 10;
/// The same where the clock is so many thresholds off and moves away.
const STANDS_STILL_FAR: u32 = 3;
const FAR_AT_LIMIT: u64 = 100;
/// The least correction that is taken for a limit, in parts per billion: a servo that does not steer at all
/// (`freq +0`) is not at its limit. A judgement.
const LEAST_LIMIT_PPB: u64 = 1_000;
/// Over which time what comes again and again is counted.
pub(crate) const AGAIN: Duration = Duration::from_hours(1);
/// How long a missed timestamp counts: ptp4l's port comes back after 16 s (`fault_reset_interval` 4), and fails
/// again when it next sends.
pub(crate) const OF_LATE: Duration = Duration::from_mins(10);
/// How many times its threshold a system clock is off that nobody steers: ten, as one that somebody else
/// steers keeps within (a judgement).
const RUNS_AWAY: u64 = 10;
/// How many missed samples make a clock that is no longer measured.
const MISSED: u32 = 10;

fn seen(clock: &Timeline) -> Option<&FirstHand> {
    clock.first_hand()
}

/// A complaint that is not over at `now`.
pub(crate) fn complains(clock: &Timeline, remark: Remark, now: Received) -> Option<Complaint> {
    seen(clock)?.complaint(remark).filter(|complaint| now.since(complaint.last) <= OVER)
}

/// How long it may have no time of day.
fn time_of_day_hold(clock: &Timeline, settings: &Settings) -> Duration {
    let hold = settings.reference;
    if clock.last_locked().is_some() { hold } else { STARTING.max(hold) }
}

/// What ts2phc says against the time of day that it gets, for longer than it may.
pub(crate) fn complaints_of_time(
    clock: &Timeline,
    from: Received,
    now: Received,
    settings: &Settings,
) -> Option<Complaint> {
    let hold = time_of_day_hold(clock, settings);
    let complaints = [
        Remark::SentenceCorrupt,
        Remark::SentenceStale,
        Remark::SentenceMissing,
        Remark::LeapTableExpired,
        Remark::TimeOfDayInvalid,
    ];
    complaints.into_iter().filter_map(|remark| complains(clock, remark, now)).find(|complaint| {
        // That date does not come back.
        complaint.remark == Remark::LeapTableExpired
            || complaint.last.since(complaint.first.max(from)) >= hold
    })
}

/// Since when a clock has had no usable time of day, after `from`: the daemon says so, or ts2phc cannot
/// use what it gets.
pub(crate) fn no_time_of_day(
    clock: &Timeline,
    from: Received,
    now: Received,
    settings: &Settings,
) -> Option<Received> {
    let missing = seen(clock)?.time_of_day().filter(|(available, _)| !available);
    let missing = missing.map(|(_, since)| since.max(from));
    let missing = missing.filter(|since| now.since(*since) >= time_of_day_hold(clock, settings));
    let complaint = complaints_of_time(clock, from, now, settings).map(|complaint| complaint.first);
    complaint.into_iter().chain(missing).min()
}

/// When a time of day that is missing will have been missing for too long.
pub(crate) fn time_of_day_due(
    clock: &Timeline,
    from: Received,
    now: Received,
    settings: &Settings,
) -> Option<Received> {
    let (_, since) = seen(clock)?.time_of_day().filter(|(available, _)| !available)?;
    Some(since.max(from).after(time_of_day_hold(clock, settings))).filter(|due| *due > now)
}

/// From when on a time of day is expected of a node's receivers: since each of them gives time. Never
/// while one does not: a receiver without a fix knows no time of day, and says so itself.
pub(crate) fn gives_time_from<'a>(
    mut receivers: impl Iterator<Item = &'a Timeline>,
) -> Option<Received> {
    receivers.try_fold(Received::from_nanos(0), |from, receiver| {
        if receiver.no_time_since().is_some() {
            return None;
        }
        Some(receiver.state().map_or(from, |(_, since)| since.max(from)))
    })
}

/// Since when a DPLL has no lock although the clock is said to be LOCKED.
pub(crate) fn dpll_unlocked(
    clock: &Timeline,
    now: Received,
    settings: &Settings,
) -> Option<Received> {
    dpll_while_locked(clock, now, settings, |dpll| dpll.is_locked() == Some(false))
}

/// Since when a DPLL has no pulse although it, and the clock, are said to be LOCKED.
pub(crate) fn pulse_missing(
    clock: &Timeline,
    now: Received,
    settings: &Settings,
) -> Option<Received> {
    dpll_while_locked(clock, now, settings, |dpll| {
        dpll.pps == Some(false) && dpll.is_locked() == Some(true)
    })
}

/// Since when both have been so, for long enough: the clock LOCKED, and its DPLL as `is` says.
fn dpll_while_locked(
    clock: &Timeline,
    now: Received,
    settings: &Settings,
    is: fn(Dpll) -> bool,
) -> Option<Received> {
    let (dpll, since) = seen(clock)?.dpll()?;
    let (_, locked) = clock.state().filter(|(state, _)| **state == SyncState::Locked)?;
    let since = since.max(locked);
    (is(dpll) && now.since(since) >= settings.reference).then_some(since)
}

/// Whether a clock was measured against a pulse that was a millisecond off and more, and not by whole
/// seconds, within the last hour; when first.
pub(crate) fn pulse_off(clock: &Timeline, now: Received) -> Option<Received> {
    let seen = seen(clock)?;
    if let Some(skipped) = seen.complaint(Remark::PulseSkipped)
        && now.since(skipped.last) <= OVER
        && skipped.last.since(skipped.first) >= TEN_PULSES
        && seen.last_sample().is_none_or(|sample| sample < skipped.first)
    {
        return Some(skipped.first);
    }
    clock.last_locked().filter(|_| seen.is_by_pulse())?;
    let is_whole = |at: Received| seen.second_jumps().iter().any(|(jump, _)| *jump == at);
    let recent = seen.far().iter().filter(|(at, _)| now.since(*at) <= AGAIN);
    recent.map(|(at, _)| *at).find(|at| !is_whole(*at))
}

/// The whole seconds by which a clock that was LOCKED was off within the last hour.
pub(crate) fn second_jumps(
    clock: &Timeline,
    now: Received,
) -> impl Iterator<Item = (Received, i64)> + '_ {
    let locked = clock.last_locked();
    let told = clock.second_jump().into_iter();
    let measured = seen(clock).into_iter().flat_map(|seen| seen.second_jumps()).copied();
    let by_pulse = seen(clock).is_some_and(FirstHand::is_by_pulse);
    let of_a_locked = move |(at, _): &(Received, i64)| {
        by_pulse || (locked.is_some() && clock.first_locked().is_some_and(|first| first <= *at))
    };
    let jumps = told.chain(measured).filter(of_a_locked);
    jumps.filter(move |(at, _)| now.since(*at) <= AGAIN)
}

/// Whether it was off by one second, and by no other number, more than once or against a pulse: the
/// time of day was taken for the wrong pulse. A leap second comes once, and stays.
pub(crate) fn is_one_second(clock: &Timeline, now: Received) -> Option<bool> {
    let seen = seen(clock)?;
    let mut jumps = second_jumps(clock, now).peekable();
    jumps.peek()?;
    let (mut count, mut others) = (0, 0);
    let mut last: Option<Received> = None;
    for (at, seconds) in jumps {
        others += u32::from(seconds.abs() != 1);
        // The same jump, told as an event and as a sample.
        count += u32::from(last != Some(at));
        last = Some(at);
    }
    Some(others == 0 && (count > 1 || seen.is_by_pulse()))
}

/// How many years the offsets are, when one side counts from 1970; since when, and in how many samples.
pub(crate) fn years_off(clock: &Timeline) -> Option<(f64, Received, u32)> {
    let years = |nanos: u64| nanos as f64 / 1e9 / 86_400.0 / 365.25;
    if let Some(run) = seen(clock).and_then(FirstHand::decades) {
        return Some((years(run.to_ns.unsigned_abs()), run.since, run.samples));
    }
    let samples = clock.samples();
    let (_, last) = samples.last.filter(|(_, last)| last.magnitude() >= TEN_YEARS_NS)?;
    Some((years(last.magnitude()), samples.over_since()?, samples.over))
}

/// The samples in which the frequency correction stood still at its limit while the clock was off.
pub(crate) fn saturated(clock: &Timeline, settings: &Settings) -> Option<(i64, Run)> {
    let seen = seen(clock)?;
    if *clock.resource() == Resource::OsClock
        && let Some((frequency, run)) = seen.runaway()
        && run.samples >= STANDS_STILL
    {
        return Some((frequency, run));
    }
    let (frequency, run) = seen.steered()?;
    let off = |nanos: i64| nanos.unsigned_abs() > settings.offset_ns;
    let limit = frequency.unsigned_abs() >= LEAST_LIMIT_PPB && off(run.from_ns) && off(run.to_ns);
    // A proportional share alone would move it, of an offset that is so far.
    let far = settings.offset_ns.saturating_mul(FAR_AT_LIMIT);
    let grows = run.to_ns.unsigned_abs() > run.from_ns.unsigned_abs().max(far);
    let enough = run.samples >= if grows { STANDS_STILL_FAR } else { STANDS_STILL };
    (limit && enough && run.from_ns != run.to_ns).then_some((frequency, run))
}

/// Since when a system clock runs away while phc2sys corrects nothing: `s0`, and a frequency of exactly 0.
pub(crate) fn unsteered(clock: &Timeline, settings: &Settings) -> Option<Received> {
    let (frequency, run) = seen(clock)?.frequency()?;
    let far = settings.offset_ns.saturating_mul(RUNS_AWAY);
    let away = run.to_ns.unsigned_abs() > far && run.to_ns.abs() > run.from_ns.abs();
    (frequency == 0 && run.samples >= STANDS_STILL && away).then_some(run.since)
}

/// Since when ptp4l has missed transmit timestamps: more than one, or one that made a port faulty.
pub(crate) fn timestamps_missed(clock: &Timeline, now: Received) -> Option<Received> {
    let seen = seen(clock)?;
    let remarks = [Remark::TxTimestampMissed, Remark::RxTimestampMissing];
    let complaint = remarks.into_iter().find_map(|remark| seen.complaint(remark))?;
    let recent = now.since(complaint.last) <= OF_LATE;
    let faulty = |(change, at): &(_, Received)| {
        let change: &ptp_events::observation::PortChange = change;
        change.to == PortState::Faulty && at.since(complaint.first) <= OVER
            || change.from == PortState::Faulty
    };
    (recent && (complaint.count > 1 || seen.ports().iter().any(faulty))).then_some(complaint.first)
}

/// Since when a path's delay has been below nothing, for ten samples and more.
pub(crate) fn negative_delay(clock: &Timeline) -> Option<Received> {
    let run = seen(clock)?.negative_delay()?;
    (run.samples >= STANDS_STILL).then_some(run.since)
}

/// Since when offset and path delay have been exactly nothing, for ten samples and more.
pub(crate) fn nothing_measured(clock: &Timeline) -> Option<Received> {
    let run = seen(clock)?.nothing()?;
    (run.samples >= STANDS_STILL).then_some(run.since)
}

/// A complaint that was heard not longer than `within` ago.
fn lately(clock: &Timeline, remark: Remark, within: Duration, now: Received) -> Option<Complaint> {
    seen(clock)?.complaint(remark).filter(|complaint| now.since(complaint.last) <= within)
}

/// Since when more than one peer has answered on the link, again and again.
pub(crate) fn rogue_peer(clock: &Timeline, now: Received) -> Option<Received> {
    let complaint = lately(clock, Remark::RoguePeer, OF_LATE, now)?;
    (complaint.count > 1).then_some(complaint.first)
}

/// What ptp4l cannot do, of a clock that is not LOCKED.
pub(crate) fn configuration_refused(clock: &Timeline, now: Received) -> Option<Complaint> {
    let remarks = [Remark::TimestampingUnsupported, Remark::StartRefused];
    let since = clock.state().filter(|(state, _)| state.is_locked()).map(|(_, since)| since);
    let mut told = remarks.into_iter().filter_map(|remark| lately(clock, remark, AGAIN, now));
    let refused = told.find(|complaint| since.is_none_or(|since| complaint.last > since));
    // A port that was a slave before says so whenever its master is not heard.
    refused.or_else(|| {
        let role = lately(clock, Remark::RoleRefused, AGAIN, now)?;
        let lasts = role.last.since(role.first) >= STARTING;
        (lasts && clock.last_locked().is_none()).then_some(role)
    })
}

/// Since when ptp4l has doubted the timescale of its master.
pub(crate) fn timescale_doubted(clock: &Timeline, now: Received) -> Option<Received> {
    lately(clock, Remark::UtcOffsetDoubted, OF_LATE, now).map(|complaint| complaint.first)
}

/// When an offset was a power of two within the last hour, and which.
pub(crate) fn rolled_over(clock: &Timeline, now: Received) -> Option<(Received, u32)> {
    seen(clock)?.rolled_over().filter(|(at, _)| now.since(*at) <= AGAIN)
}

/// Since when something else has moved the clock, again and again (linuxptp, clockcheck.c).
pub(crate) fn contended(clock: &Timeline, now: Received) -> Option<Received> {
    let complaint = complains(clock, Remark::ClockJumped, now)?;
    (complaint.count > 1).then_some(complaint.first)
}

/// When a clock that is said to be LOCKED was last measured, if that is ten samples and ten seconds ago
/// by `until`; and when it will be.
pub(crate) fn unmeasured(clock: &Timeline) -> Option<(Received, Duration)> {
    let seen = seen(clock)?;
    let hold = (seen.cadence()? * MISSED).max(TEN_PULSES);
    let (_, since) = clock.state().filter(|(state, _)| **state == SyncState::Locked)?;
    Some((seen.last_sample()?.max(since), hold))
}

/// Whether a clock without its lock is measured again: its master is heard, whatever else is wrong.
pub(crate) fn is_heard(clock: &Timeline) -> Option<bool> {
    let lost = clock.unlocked_since()?;
    let seen = seen(clock)?;
    let measured = seen.last_sample().is_some_and(|last| last > lost.after(Duration::from_secs(1)));
    Some(measured && seen.lost().is_none_or(|(at, _)| seen.last_sample() > Some(at)))
}

/// How often a port may become faulty within [`AGAIN`] and still tell of one loss.
const FLAPS: usize = 3;

/// Whether the port by which it followed became faulty when the clock lost its lock; `None` where no
/// port is known to have left it. One that comes and goes tells of no single loss.
pub(crate) fn port_fault(clock: &Timeline, settings: &Settings) -> Option<bool> {
    let seen = seen(clock)?;
    let (at, why) = seen.lost()?;
    let faults = seen.facts().iter().filter(|fact| {
        let faulty = matches!(&fact.said, Said::Seen(Observed::Port(change)) if change.to == PortState::Faulty);
        faulty && at.since(fact.at) <= AGAIN
    });
    if faults.count() >= FLAPS {
        return Some(false);
    }
    let lost = clock.unlocked_since().or_else(|| clock.last_break().map(|(lost, _)| lost))?;
    (lost.since(at).max(at.since(lost)) <= settings.reference).then_some(why == PortEvent::Fault)
}

/// How often the best master was another one and then the first again within the last hour, and since
/// when.
pub(crate) fn masters_alternate(clock: &Timeline, now: Received) -> Option<(usize, Received)> {
    let masters = seen(clock)?.masters();
    let recent: Vec<_> = masters.iter().filter(|(at, _)| now.since(*at) <= AGAIN).collect();
    let back = recent.windows(3).filter(|three| three[0].1 == three[2].1).count();
    recent.first().filter(|_| back > 0).map(|(at, _)| (back, *at))
}

/// Since when a port that was another way to the master is lost, while the clock keeps its lock.
pub(crate) fn redundancy_lost(clock: &Timeline) -> Option<(String, Received)> {
    let ports = seen(clock)?.ports();
    let follows = |state| matches!(state, PortState::Slave | PortState::Passive);
    let another = |name| {
        ports.iter().any(|(other, _)| other.port.as_ref() != name && other.to == PortState::Slave)
    };
    let lost = ports.iter().find(|(change, _)| {
        follows(change.from)
            && matches!(change.to, PortState::Faulty | PortState::Disabled | PortState::Listening)
            && change.port.is_some()
            && another(change.port.as_ref())
    });
    let (change, at) = lost.filter(|_| clock.is(&SyncState::Locked))?;
    Some((change.port.as_ref()?.to_string(), *at))
}
