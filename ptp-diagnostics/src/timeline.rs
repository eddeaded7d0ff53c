//! One clock over time, as running statistics: an event costs the same after a year as at first.

mod known;
mod samples;

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::{
    ClockClass, EventId, GpsFix, Instance, Measurement, Offset, Port, QualityLevel, Reading,
    Received, Resource, Sentinel, Stamped, SyncState,
};

pub use self::samples::Samples;
pub(crate) use self::samples::is_calm;
use crate::Settings;
use crate::clock_class;
use crate::forecast::Held;
use crate::recent::Recent;
use crate::trace::Trace;

/// Something a clock said that differed from what it said before.
#[derive(Clone, Debug, Eq, PartialEq)]
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
    /// A `SyncE` quality level, and the extended one.
    Quality(QualityLevel, Option<QualityLevel>),
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
    /// The first state it said was neither LOCKED nor HOLDOVER.
    began_unlocked: bool,
    /// Whether its process has died since it was last LOCKED.
    process_down: bool,
    /// Whether the lock was lost by an offset over the threshold, with the reference still heard.
    lost_by_offset: bool,
    /// How far its offset then was from the one before, in nanoseconds, and how long after that.
    thrown: (u64, Duration),
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
    trace: Trace,
    held: Held,
    /// Gaps between events that changed nothing: the cadence of polling, if there is one.
    gaps: VecDeque<Duration>,
    cadence: Option<Duration>,
    facts: VecDeque<Fact>,
    port: Option<Port>,
    recent: Recent,
}

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
            began_unlocked: false,
            process_down: false,
            lost_by_offset: false,
            thrown: (0, Duration::ZERO),
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
            trace: Trace::default(),
            held: Held::default(),
            gaps: VecDeque::new(),
            cadence: None,
            facts: VecDeque::new(),
            recent: Recent::default(),
            port: None,
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
        reading: Reading,
        settings: &Settings,
    ) -> bool {
        let gap = at.since(self.last_seen);
        let first = self.events == 0;
        self.events += 1;
        self.last_seen = at;
        self.last_stamped = stamped;

        let mut changed = false;
        if let Some(fix) = reading.gps_fix {
            self.fix = Some(fix);
        }
        if reading.port.is_some() {
            self.port = reading.port;
        }
        // A number without a state is what publishers send before there is either (docs/protocol.md
        // §11): no sample, but a clock all the same.
        if let Some(state) = reading.state {
            changed |= self.apply_state(at, event, state, reading.offset, settings);
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

    fn apply_state(
        &mut self,
        at: Received,
        event: &EventId,
        state: SyncState,
        measured: Option<Measurement>,
        settings: &Settings,
    ) -> bool {
        let changed = self.state.as_ref() != Some(&state);
        // In HOLDOVER, and in the FREERUN that follows it, the offset is the last one before the
        // loss (docs/protocol.md §4); and nothing measured stays the same to the nanosecond.
        let stale = state == SyncState::Holdover
            || (state == SyncState::Freerun
                && (self.state == Some(SyncState::Holdover)
                    || (!changed
                        && (self.previous == Some(SyncState::Holdover)
                            || measured == self.entered_with))));
        if changed {
            self.denied = (0, at);
        }
        let before = self.samples.last;
        if let Some(Measurement::Offset(offset)) = measured
            && !changed
            && (!stale || (state == SyncState::Freerun && measured != self.entered_with))
        {
            self.weigh(at, &state, offset, settings);
        }
        if let Some(Measurement::Offset(offset)) = measured
            && !stale
        {
            self.samples.push(at, offset, settings);
            // What comes with a change was sent because it is unusual; repeated states are polled.
            if !changed && self.resource == Resource::LockState {
                self.trace.push(at, offset.as_nanos(), settings.step_ns as f64);
            }
        }

        if let Some(Measurement::Offset(offset)) = measured
            && stale
            && Some(offset) != self.entered_with.and_then(Measurement::offset)
            && !changed
        {
            self.held.push(at, offset.as_nanos());
        }
        let lost = settings.lost_states.contains(&state);
        self.lost_since = lost.then(|| self.lost_since.unwrap_or(at));
        if state.is_locked() {
            if let Some(lost) = self.unlocked_since.take() {
                if self.last_locked.is_some() {
                    self.last_break = Some((lost, at, self.process_down));
                }
                if at.since(lost) >= settings.resolve {
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
        let measures = matches!(measured, Some(Measurement::Offset(_)));
        if self.state.is_none() {
            self.began_unlocked = !state.is_locked() && state != SyncState::Holdover;
        }
        let crossed = measured.and_then(Measurement::offset).filter(|_| measures);
        self.lost_by_offset = state == SyncState::Freerun
            && self.is_locked()
            && crossed.is_some_and(|offset| self.may_cross(offset, settings));
        let from = before.map_or(0, |(_, last)| last.as_nanos());
        let thrown = crossed.map_or(0, |offset| offset.as_nanos().abs_diff(from));
        self.thrown = (
            thrown,
            before.map_or(Duration::MAX, |(when, _)| at.since(Received::from_nanos(when))),
        );
        if state == SyncState::Holdover {
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
        if state == SyncState::Holdover {
            self.first_locked.get_or_insert(at);
            self.last_locked.get_or_insert(at);
        }
        self.previous = self.state.replace(state.clone());
        self.state_since = at;
        self.entered_with = measured;
        let said = Said::State { state, measured, stale, fix: self.fix };
        self.push_fact(at, event, said, settings);
        true
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
        if self
            .normal_quality
            .is_none_or(|normal| crate::quality::rank(quality) < crate::quality::rank(normal))
        {
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
        if self.gaps.len() == CADENCE_GAPS {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
        self.cadence = self.measure_cadence();
    }

    fn measure_cadence(&self) -> Option<Duration> {
        if self.gaps.len() < CADENCE_GAPS {
            return None;
        }
        let longest = self.gaps.iter().max()?;
        let shortest = self.gaps.iter().min()?;
        (*longest <= *shortest * 3 / 2 && *shortest >= SHORTEST_CADENCE).then_some(*longest)
    }
}
