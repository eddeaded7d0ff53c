//! One clock over time, as running statistics: an event costs the same after a year as at first.

pub mod firsthand;
mod known;
mod samples;
mod swing;

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::observation::Observed;
use ptp_events::{
    ClockClass, ClockIdentity, EventId, GpsFix, Instance, Measurement, Offset, Port, QualityLevel,
    Reading, Received, Resource, Sentinel, Stamped, SyncState,
};

use self::firsthand::FirstHand;
pub use self::samples::Samples;
pub(crate) use self::samples::is_calm;
use crate::Settings;
use crate::model::clock_class;
use crate::model::curve::Curve;
use crate::model::holdover::HoldoverTracker;
use crate::model::recent::Recent;
use crate::model::trace::Trace;

/// Something a clock said that differed from what it said before.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Fact {
    /// When we received it.
    pub at: Received,
    /// The event that said it.
    pub event: EventId,
    /// What it said.
    pub said: Said,
}

/// What a clock can say.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Said {
    /// A state, with what stood in the offset's place, and the receiver's fix.
    State {
        /// The new state.
        state: SyncState,
        /// The measurement that came with it.
        measured: Option<Measurement>,
        /// Whether that is the last offset before the loss rather than one of this state.
        stale: bool,
        /// The satellite fix that came with it.
        fix: Option<GpsFix>,
    },
    /// An announced clock class.
    Class(ClockClass),
    /// Another master than before, chosen by the best master clock algorithm.
    Master(ClockIdentity),
    /// A `SyncE` quality level, and the extended one.
    Quality(QualityLevel, Option<QualityLevel>),
    /// What was seen of it at first hand.
    Seen(Observed),
}

/// One clock's story so far. Everything in it is of bounded size.
#[derive(Clone, Debug)]
pub struct Timeline {
    resource: Resource,
    instance: Instance,
    first_seen: Received,
    last_seen: Received,
    last_stamped: Stamped,
    events: u64,

    state: Option<SyncState>,
    state_since: Received,
    /// The state before this one, and what was measured last in it.
    previous: Option<SyncState>,
    /// The measurement that came with the present state.
    entered_with: Option<Measurement>,
    /// Since when without a break in one of the settings' lost states.
    lost_since: Option<Received>,
    unlocked_since: Option<Received>,
    first_locked: Option<Received>,
    last_locked: Option<Received>,
    /// When it was LOCKED again after it had not been for long.
    relocked: Option<Received>,
    /// When it last left its lock by whole seconds, and by how many.
    second_jump: Option<(Received, i64)>,
    /// Since when its offsets have been well within the threshold, while LOCKED.
    calm_since: Option<Received>,
    /// When it was seen to have settled after its first lock.
    settled: Option<Received>,
    /// The first state it said was neither LOCKED nor HOLDOVER.
    began_unlocked: bool,
    /// Whether its process has died since it was last LOCKED.
    process_down: bool,
    /// Whether the lock was lost by an offset over the threshold, with the reference still heard.
    lost_by_offset: bool,
    /// How far its offset then was from the one before, in nanoseconds, and how long after that.
    jump: Option<(u64, Duration)>,
    /// The greatest offset that was repeated while LOCKED, in nanoseconds.
    locked_peak: Option<u64>,
    /// How many offsets in a row deny the present FREERUN, and since when.
    denied: (u32, Received),
    /// When it last lost its lock, when it had it again, and whether a dead process was why.
    last_break: Option<(Received, Received, bool)>,
    changes: u64,
    /// When the latest changes happened; one more than the limit on frequent changes.
    change_times: VecDeque<Received>,

    class: Option<ClockClass>,
    class_since: Received,
    /// Since when without a break the class has been worse than it should be.
    degraded_since: Option<Received>,
    /// The best class seen, against which degradation is judged.
    normal_class: Option<ClockClass>,
    fix: Option<GpsFix>,
    /// Since when without a break the receiver gave no time.
    no_time_since: Option<Received>,
    quality: Option<QualityLevel>,
    extended_quality: Option<QualityLevel>,
    normal_quality: Option<QualityLevel>,
    quality_since: Received,

    samples: Samples,
    /// All offsets, thinned out; only where that is asked for.
    curve: Option<Box<Curve>>,
    trace: Trace,
    held: HoldoverTracker,
    /// The latest gaps between events that changed nothing, in turn and in nanoseconds, and how many there were: the
    /// cadence of polling, if there is one.
    gaps: [u64; CADENCE_GAPS],
    gaps_seen: usize,
    cadence: Option<Duration>,
    facts: VecDeque<Fact>,
    port: Option<Port>,
    /// The master it follows, and since when, if it followed another before.
    master: Option<(ClockIdentity, Option<Received>)>,
    recent: Recent,
    /// What a log shows of it; `None` of a clock that is known by events alone.
    first_hand: Option<Box<FirstHand>>,
}

/// What stands in an offset's place, and whether it was measured just now for certain.
struct Measured {
    what: Option<Measurement>,
    first_hand: bool,
    /// It is the size of noise.
    is_noise: bool,
    /// Its source finds it in range, whatever the threshold.
    in_range: bool,
}

/// How long offsets must be well within the threshold for a servo to have settled, and how long it must
/// be LOCKED where nobody asks for them: a slow one that overshoots is on its way through for minutes.
const SETTLED: Duration = Duration::from_mins(10);
const SETTLED_UNSEEN: Duration = Duration::from_mins(25);

/// How an offset was told.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
struct Taken {
    first_hand: bool,
    is_noise: bool,
    in_range: bool,
    /// It came with a change of state.
    changed: bool,
}

/// How many times its threshold a clock is off that has no lock at all.
const FAR_BEYOND: u64 = 10;

/// How many gaps make a cadence, and how short they may be: a burst is no polling.
const CADENCE_GAPS: usize = 5;
const SHORTEST_CADENCE: Duration = Duration::from_secs(1);

impl Timeline {
    pub(crate) fn new(resource: Resource, instance: Instance, at: Received) -> Self {
        Self {
            resource,
            instance,
            first_seen: at,
            last_seen: at,
            last_stamped: Stamped::from_nanos(i64::MIN),
            events: 0,
            state: None,
            state_since: at,
            previous: None,
            entered_with: None,
            lost_since: None,
            unlocked_since: None,
            first_locked: None,
            last_locked: None,
            relocked: None,
            second_jump: None,
            calm_since: None,
            settled: None,
            began_unlocked: false,
            process_down: false,
            lost_by_offset: false,
            jump: None,
            locked_peak: None,
            denied: (0, at),
            last_break: None,
            changes: 0,
            change_times: VecDeque::new(),
            class: None,
            class_since: at,
            degraded_since: None,
            normal_class: None,
            fix: None,
            no_time_since: None,
            quality: None,
            extended_quality: None,
            normal_quality: None,
            quality_since: at,
            samples: Samples::default(),
            curve: None,
            trace: Trace::default(),
            held: HoldoverTracker::default(),
            gaps: [0; CADENCE_GAPS],
            gaps_seen: 0,
            cadence: None,
            facts: VecDeque::new(),
            recent: Recent::default(),
            port: None,
            master: None,
            first_hand: None,
        }
    }

    /// The port it was said of last, by the name the node has for it, where that is known.
    #[must_use]
    pub const fn port(&self) -> Option<&Port> {
        self.port.as_ref()
    }

    /// Whether this very reading came before: the same stamp and the same values.
    pub(crate) fn is_repeated(
        &mut self,
        received: Received,
        stamped: Stamped,
        content: u64,
        window: Duration,
    ) -> bool {
        self.recent.is_repeated(received, stamped, content, window)
    }

    /// Whether the node said this before something newer that overtook it on its way.
    ///
    /// Further apart than `window` the node's clock was stepped, and the stamp means nothing.
    pub(crate) fn is_overtaken(&self, at: Received, stamped: Stamped, window: Duration) -> bool {
        stamped < self.last_stamped
            && self.last_stamped.since(stamped) <= window
            && at.since(self.last_seen) <= window
    }

    /// Takes in what the node said; returns whether anything changed.
    pub(crate) fn apply(
        &mut self,
        at: Received,
        stamped: Stamped,
        event: &EventId,
        reading: &Reading,
        settings: &Settings,
    ) -> bool {
        let (gap, first) = self.hear(at, stamped);

        let mut changed = false;
        if let Some(fix) = reading.gps_fix {
            self.fix = Some(fix);
        }
        if reading.port.is_some() && reading.port != self.port {
            self.port.clone_from(&reading.port);
        }
        if let Some(master) = reading.master {
            changed |= self.apply_master(at, event, master, settings);
        }
        // A number without a state is what publishers send before there is either (docs/protocol.md
        // §11): no sample, but a clock all the same.
        if let Some(state) = &reading.state {
            let measured = Measured {
                what: reading.offset,
                first_hand: false,
                is_noise: false,
                in_range: false,
            };
            changed |= self.apply_state(at, gap, event, state, measured, settings);
        }
        if let Some(class) = reading.clock_class {
            changed |= self.apply_class(at, event, class, settings);
        }
        if let Some(quality) = reading.quality {
            changed |= self.apply_quality(at, event, quality, reading.extended_quality, settings);
        }
        if self.resource == Resource::Gnss {
            let no_time = !self.gives_time();
            self.no_time_since = no_time.then(|| self.no_time_since.unwrap_or(at));
        }
        if !changed && !first {
            self.push_gap(gap);
        }
        changed
    }

    /// Notes that something was said of it; how long after the last, and whether it is the first.
    fn hear(&mut self, at: Received, stamped: Stamped) -> (Duration, bool) {
        let gap = at.since(self.last_seen);
        let first = self.events == 0;
        self.events += 1;
        self.last_seen = at;
        self.last_stamped = stamped;
        (gap, first)
    }

    /// Takes in what was seen of it at first hand; returns whether that is worth telling.
    pub(crate) fn observe(
        &mut self,
        at: Received,
        stamped: Stamped,
        event: &EventId,
        observed: &Observed,
        settings: &Settings,
    ) -> bool {
        let (gap, first) = self.hear(at, stamped);
        let first_hand = self.first_hand.get_or_insert_default();
        let mut changed = first_hand.push(at, event, observed);
        match observed {
            Observed::Sample(sample) => {
                let what = Some(Measurement::Offset(sample.offset));
                // Noise has a size, and no level.
                let noise = sample.is_size && !firsthand::is_level(sample);
                let in_range = sample.in_range;
                let measured = Measured { what, first_hand: true, is_noise: noise, in_range };
                if let Some(state) = &sample.state {
                    changed |= self.apply_state(at, gap, event, state, measured, settings);
                }
                if !changed && !first {
                    self.push_gap(gap);
                }
            }
            Observed::Port(change) if change.port.is_some() => self.port.clone_from(&change.port),
            _ => {}
        }
        changed
    }

    fn apply_state(
        &mut self,
        at: Received,
        gap: Duration,
        event: &EventId,
        state: &SyncState,
        Measured { what: measured, first_hand, is_noise, in_range }: Measured,
        settings: &Settings,
    ) -> bool {
        let changed = self.state.as_ref() != Some(state);
        // In HOLDOVER, and in the FREERUN that follows it, the offset is the last one before the
        // loss (docs/protocol.md §4); and nothing measured stays the same to the nanosecond.
        let stale = !first_hand
            && (*state == SyncState::Holdover
                || (*state == SyncState::Freerun
                    && (self.state == Some(SyncState::Holdover)
                        || (!changed
                            && (self.previous == Some(SyncState::Holdover)
                                || measured == self.entered_with)))));
        if changed {
            self.denied = (0, at);
        }
        let before = self.samples.last;
        let taken = Taken { first_hand, is_noise, in_range, changed };
        if let Some(Measurement::Offset(offset)) = measured {
            self.take_offset(at, state, offset, taken, stale, settings);
        }
        self.note_settling(at, state, measured, settings);
        let lost = !state.is_locked() && settings.lost_states.contains(state);
        self.lost_since = lost.then(|| self.lost_since.unwrap_or(at));
        if state.is_locked() {
            if let Some(lost) = self.unlocked_since.take() {
                self.trace.forget_beyond(settings.offset_ns.saturating_mul(FAR_BEYOND));
                if self.last_locked.is_some() {
                    self.last_break = Some((lost, at, self.process_down));
                }
                // What it lost while it was settling is part of that, and no reason to settle anew.
                let settles = self.relocked.map(|relocked| relocked.after(settings.relock));
                if at.since(lost) >= settings.resolve && settles.is_none_or(|until| lost > until) {
                    self.relocked = Some(at);
                }
            }
            self.first_locked.get_or_insert(at);
            self.last_locked = Some(at);
            self.process_down = false;
        } else {
            self.process_down |= measured == Some(Measurement::Sentinel(Sentinel::ProcessDown));
            self.unlocked_since.get_or_insert(at);
        }
        if !changed {
            return false;
        }
        if self.state.is_none() {
            self.began_unlocked = !state.is_locked() && *state != SyncState::Holdover;
        }
        let crossed = measured.and_then(Measurement::offset);
        self.lost_by_offset = *state == SyncState::Freerun
            && self.is_locked()
            && crossed.is_some_and(|offset| self.may_cross(offset, settings));
        if self.is_locked()
            && let Some(seconds) = crossed.and_then(Offset::whole_seconds)
        {
            self.second_jump = Some((at, seconds));
        }
        // What comes in the rhythm of the polls may have happened since the last one.
        let latest = self.gaps_seen.checked_sub(1).map(|last| self.gaps[last % CADENCE_GAPS]);
        let latest = latest.map(Duration::from_nanos);
        let rhythm = self.cadence.or(latest);
        let polled = rhythm.is_some_and(|rhythm| gap >= rhythm * 9 / 10);
        self.jump = crossed.zip(before).filter(|_| polled).map(|(offset, (when, last))| {
            let jump = offset.as_nanos().abs_diff(last.as_nanos());
            (jump, at.since(Received::from_nanos(when)))
        });
        if *state == SyncState::Holdover {
            let phase = measured.and_then(Measurement::offset).map_or(0, Offset::as_nanos);
            self.held.begin(at, phase);
        }
        // The reference is gone: what is measured after it came back is another story.
        if !state.is_locked() && !self.lost_by_offset {
            self.trace.clear();
        }
        if self.state.is_some() {
            self.changes += 1;
            if self.change_times.len() > settings.state_changes as usize {
                self.change_times.pop_front();
            }
            self.change_times.push_back(at);
        }
        // Only a clock that was locked can be in holdover.
        if *state == SyncState::Holdover {
            self.first_locked.get_or_insert(at);
            self.last_locked.get_or_insert(at);
        }
        self.previous = self.state.replace(state.clone());
        self.state_since = at;
        self.entered_with = measured;
        let said = Said::State { state: state.clone(), measured, stale, fix: self.fix };
        self.push_fact(at, event, said, settings);
        true
    }

    /// Takes in what was measured; `stale` when it is the last one before a loss.
    fn take_offset(
        &mut self,
        at: Received,
        state: &SyncState,
        offset: Offset,
        Taken { first_hand, is_noise, in_range, changed }: Taken,
        stale: bool,
        settings: &Settings,
    ) {
        let entered_with = self.entered_with.and_then(Measurement::offset);
        if let Some(seen) = &mut self.first_hand
            && !first_hand
            && !stale
        {
            seen.measured(at, offset);
        }
        // A log's states are drawn from its offsets: they cannot contradict each other.
        if !changed
            && !first_hand
            && (!stale || (*state == SyncState::Freerun && Some(offset) != entered_with))
        {
            self.weigh(at, state, offset, settings);
        }
        if !stale {
            self.samples.push(at, offset, in_range, settings);
            self.draw(at, offset, settings);
            // What comes with a change was sent because it is unusual; repeated states are polled.
            if !changed && self.resource == Resource::LockState {
                let level = if is_noise { 0 } else { offset.as_nanos() };
                self.trace.push(at, level, settings.step_ns as f64);
            }
        } else if Some(offset) != entered_with && !changed {
            self.held.push(at, offset.as_nanos(), settings.holdover_limit_ns);
            self.draw(at, offset, settings);
        }
    }

    fn draw(&mut self, at: Received, offset: Offset, settings: &Settings) {
        if settings.curve_points > 0 {
            let curve = self.curve.get_or_insert_with(|| Box::new(Curve::new(settings.offset_ns)));
            curve.push(at, offset, settings.curve_points);
        }
    }

    /// Whether its servo is done with its first lock: what settles is within a third of the threshold for
    /// minutes, or LOCKED without a break where nobody asks for its offset.
    fn note_settling(
        &mut self,
        at: Received,
        state: &SyncState,
        measured: Option<Measurement>,
        settings: &Settings,
    ) {
        let was_locked = self.is_locked();
        if was_locked && self.calm_since.is_none() {
            self.note_settled(at, self.state_since, SETTLED_UNSEEN);
        }
        let offset = measured.and_then(Measurement::offset).filter(|_| state.is_locked());
        match offset {
            Some(offset)
                if was_locked && offset.magnitude().saturating_mul(3) <= settings.offset_ns =>
            {
                let since = *self.calm_since.get_or_insert(at);
                self.note_settled(at, since, SETTLED);
            }
            _ => self.calm_since = None,
        }
    }

    fn note_settled(&mut self, at: Received, well_since: Received, needed: Duration) {
        if self.settled.is_none() && at.since(well_since) >= needed {
            self.settled = Some(at);
        }
    }

    /// Whether an offset that came with FREERUN can have crossed the publisher's threshold: it is near
    /// the usual one, or clearly greater than any the clock had while LOCKED. Otherwise it is the last
    /// one before the loss.
    fn may_cross(&self, offset: Offset, settings: &Settings) -> bool {
        let beyond = |peak: u64| offset.magnitude().saturating_mul(2) > peak.saturating_mul(3);
        !is_calm(offset, settings) || self.locked_peak.is_some_and(beyond)
    }

    /// Whether an offset that came with a repeated state fits it.
    fn weigh(&mut self, at: Received, state: &SyncState, offset: Offset, settings: &Settings) {
        let magnitude = offset.magnitude();
        if state.is_locked() {
            self.locked_peak = self.locked_peak.max(Some(magnitude));
            return;
        }
        let (count, since) = self.denied;
        let denying = count >= settings.artefact_samples;
        let well = Some(magnitude) <= self.locked_peak && is_calm(offset, settings);
        // Once enough have denied it, it takes two in a row that do not to believe it again.
        self.denied = if *state != SyncState::Freerun || magnitude > settings.offset_ns {
            (0, at)
        } else if !well {
            if denying { (count - 2, since) } else { (0, at) }
        } else if self.samples.last.is_some_and(|(_, last)| last == offset) {
            // The same offset again may be the last one before a loss.
            return;
        } else if denying || count + 1 == settings.artefact_samples {
            (settings.artefact_samples + 3, since)
        } else {
            (count + 1, if count == 0 { at } else { since })
        };
    }

    fn apply_master(
        &mut self,
        at: Received,
        event: &EventId,
        master: ClockIdentity,
        settings: &Settings,
    ) -> bool {
        if let Some(seen) = &mut self.first_hand
            && self.master.is_none_or(|(before, _)| before != master)
        {
            seen.chose(at, master);
        }
        match self.master {
            Some((before, _)) if before == master => false,
            None => {
                self.master = Some((master, None));
                false
            }
            Some(_) => {
                self.master = Some((master, Some(at)));
                self.push_fact(at, event, Said::Master(master), settings);
                true
            }
        }
    }

    fn apply_class(
        &mut self,
        at: Received,
        event: &EventId,
        class: ClockClass,
        settings: &Settings,
    ) -> bool {
        if self.class == Some(class) {
            return false;
        }
        self.class = Some(class);
        self.class_since = at;
        if clock_class::is_traceable(class)
            && self
                .normal_class
                .is_none_or(|normal| clock_class::rank(class) < clock_class::rank(normal))
        {
            self.normal_class = Some(class);
        }
        let degraded = clock_class::is_degraded(class, self.normal_class);
        self.degraded_since = degraded.then(|| self.degraded_since.unwrap_or(at));
        self.push_fact(at, event, Said::Class(class), settings);
        true
    }

    fn apply_quality(
        &mut self,
        at: Received,
        event: &EventId,
        quality: QualityLevel,
        extended: Option<QualityLevel>,
        settings: &Settings,
    ) -> bool {
        if self.quality == Some(quality) && self.extended_quality == extended {
            return false;
        }
        if self.quality != Some(quality) {
            self.quality_since = at;
        }
        self.quality = Some(quality);
        self.extended_quality = extended;
        if self.normal_quality.is_none_or(|normal| {
            crate::model::quality::rank(quality) < crate::model::quality::rank(normal)
        }) {
            self.normal_quality = Some(quality);
        }
        self.push_fact(at, event, Said::Quality(quality, extended), settings);
        true
    }

    fn push_fact(&mut self, at: Received, event: &EventId, said: Said, settings: &Settings) {
        if self.facts.len() >= settings.history {
            self.facts.pop_front();
        }
        self.facts.push_back(Fact { at, event: event.clone(), said });
    }

    fn push_gap(&mut self, gap: Duration) {
        // Nothing is told less often than every five centuries.
        self.gaps[self.gaps_seen % CADENCE_GAPS] =
            u64::try_from(gap.as_nanos()).unwrap_or(u64::MAX);
        self.gaps_seen += 1;
        self.cadence = self.measure_cadence();
    }

    fn measure_cadence(&self) -> Option<Duration> {
        if self.gaps_seen < CADENCE_GAPS {
            return None;
        }
        let (mut shortest, mut longest) = (u64::MAX, 0);
        for gap in self.gaps {
            shortest = shortest.min(gap);
            longest = longest.max(gap);
        }
        let even = longest <= shortest.saturating_mul(3) / 2;
        let longest = Duration::from_nanos(longest);
        (even && Duration::from_nanos(shortest) >= SHORTEST_CADENCE).then_some(longest)
    }
}
