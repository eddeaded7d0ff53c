//! What is known of a clock, for detectors and for whoever brings their own.

use std::collections::VecDeque;
use std::time::Duration;

use ptp_events::{
    ClockClass, ClockIdentity, GpsFix, Instance, Measurement, Offset, QualityLevel, Received,
    Resource, SyncState,
};

use super::firsthand::FirstHand;
use super::{Fact, Said, Samples, Timeline};
use crate::Settings;
use crate::model::clock_class;
use crate::model::crossings::Crossings;
use crate::model::curve::Curve;
use crate::model::holdover::HoldoverTracker;
use crate::model::trace::Trace;

impl Timeline {
    /// Which resource the clock is of.
    #[must_use]
    pub const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// Which of the node's clocks it is.
    #[must_use]
    pub const fn instance(&self) -> &Instance {
        &self.instance
    }

    /// When we first heard of it.
    #[must_use]
    pub const fn first_seen(&self) -> Received {
        self.first_seen
    }

    /// When we last heard of it.
    #[must_use]
    pub const fn last_seen(&self) -> Received {
        self.last_seen
    }

    /// How many events spoke of it.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Its state, and since when.
    #[must_use]
    pub fn state(&self) -> Option<(&SyncState, Received)> {
        self.state.as_ref().map(|state| (state, self.state_since))
    }

    /// Whether its state is `state`.
    #[must_use]
    pub fn is(&self, state: &SyncState) -> bool {
        self.state.as_ref() == Some(state)
    }

    /// Whether it is locked.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.state.as_ref().is_some_and(SyncState::is_locked)
    }

    /// Whether it is in HOLDOVER, or came from it into the state it is in: nothing was heard of its
    /// reference.
    #[must_use]
    pub fn held_over(&self) -> bool {
        self.is(&SyncState::Holdover) || self.previous == Some(SyncState::Holdover)
    }

    /// The state before the present one.
    #[must_use]
    pub const fn previous(&self) -> Option<&SyncState> {
        self.previous.as_ref()
    }

    /// Since when, without a break, in one of [`Settings::lost_states`].
    #[must_use]
    pub const fn lost_since(&self) -> Option<Received> {
        self.lost_since
    }

    /// Since when, without a break, not locked.
    #[must_use]
    pub const fn unlocked_since(&self) -> Option<Received> {
        self.unlocked_since
    }

    /// When it last said that it was locked; a HOLDOVER also proves that it once was.
    #[must_use]
    pub const fn last_locked(&self) -> Option<Received> {
        self.last_locked
    }

    /// When it was first known to be locked.
    #[must_use]
    pub const fn first_locked(&self) -> Option<Received> {
        self.first_locked
    }

    /// When it was last LOCKED again after `resolve` or longer: its servo has to settle from there.
    #[must_use]
    pub const fn relocked(&self) -> Option<Received> {
        self.relocked
    }

    /// When it last left its lock by whole seconds, to the millisecond, and by how many.
    #[must_use]
    pub const fn second_jump(&self) -> Option<(Received, i64)> {
        self.second_jump
    }

    /// What a log shows of it, if there is one.
    #[must_use]
    pub fn first_hand(&self) -> Option<&FirstHand> {
        self.first_hand.as_deref()
    }

    /// The master that it follows, if a log tells, and since when, if it followed another before.
    #[must_use]
    pub const fn master(&self) -> Option<(ClockIdentity, Option<Received>)> {
        self.master
    }

    /// When it was seen to have settled after its first lock.
    #[must_use]
    pub const fn settled(&self) -> Option<Received> {
        self.settled
    }

    /// Whether the first state we heard of was neither LOCKED nor HOLDOVER.
    #[must_use]
    pub const fn began_unlocked(&self) -> bool {
        self.began_unlocked
    }

    /// With which offset it left LOCKED for FREERUN: its reference is heard, and too far away.
    ///
    /// `None` when it is locked, or lost its reference; the offset is then the last one before.
    #[must_use]
    pub fn lost_by_offset(&self) -> Option<Offset> {
        self.entered_with.and_then(Measurement::offset).filter(|_| self.lost_by_offset)
    }

    /// How far the offset that came with its latest change was from the one before, in nanoseconds, and
    /// how long it had been since that one; `None` when nobody polls: a publisher pushes a change at once.
    #[must_use]
    pub const fn jump(&self) -> Option<(u64, Duration)> {
        self.jump
    }

    /// How many offsets in a row are such as it had while LOCKED, although it is said to be
    /// FREERUN, and since when.
    #[must_use]
    pub fn denied(&self) -> Option<(u32, Received)> {
        Some(self.denied).filter(|(count, _)| *count > 0)
    }

    /// When it last lost its lock, and when it had it again.
    #[must_use]
    pub fn last_break(&self) -> Option<(Received, Received)> {
        self.last_break.map(|(lost, back, _)| (lost, back))
    }

    /// Whether that was because a process died.
    #[must_use]
    pub fn broke_by_process(&self) -> bool {
        self.last_break.is_some_and(|(_, _, down)| down)
    }

    /// Its losses of lock since `from` that came with an offset over the threshold.
    pub(crate) fn crossings(&self, from: Received, settings: &Settings) -> Crossings {
        Crossings::of(self, from, settings.offset_ns)
    }

    /// What stood in the offset's place when the present state began.
    #[must_use]
    pub const fn entered_with(&self) -> Option<Measurement> {
        self.entered_with
    }

    /// Whether it is not LOCKED, and its process has died since it was.
    #[must_use]
    pub const fn process_down(&self) -> bool {
        self.process_down
    }

    /// How often its state changed.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// When the change before the latest `n` happened: with `n` = 0 the latest itself.
    ///
    /// `None` when there were not so many, or `n` exceeds [`Settings::state_changes`].
    #[must_use]
    pub fn change_before(&self, n: u32) -> Option<Received> {
        let back = self.change_times.len().checked_sub(n as usize + 1)?;
        self.change_times.get(back).copied()
    }

    /// The class it announces, and since when.
    #[must_use]
    pub fn class(&self) -> Option<(ClockClass, Received)> {
        self.class.map(|class| (class, self.class_since))
    }

    /// Since when, without a break, its class has been worse than it should be.
    #[must_use]
    pub const fn degraded_since(&self) -> Option<Received> {
        self.degraded_since
    }

    /// The best traceable class it has announced.
    #[must_use]
    pub const fn normal_class(&self) -> Option<ClockClass> {
        self.normal_class
    }

    /// Whether the class before the present one was that of a clock with a reference.
    pub(crate) fn was_traceable(&self) -> bool {
        let mut classes = self.facts.iter().rev().filter_map(|fact| match fact.said {
            Said::Class(class) => Some(class),
            _ => None,
        });
        classes.nth(1).is_some_and(clock_class::is_traceable)
    }

    /// The receiver's satellite fix.
    #[must_use]
    pub const fn fix(&self) -> Option<GpsFix> {
        self.fix
    }

    /// For a GNSS receiver: whether time can be taken from it.
    #[must_use]
    pub fn gives_time(&self) -> bool {
        self.is_locked() && self.fix.is_none_or(GpsFix::gives_time)
    }

    /// For a GNSS receiver: since when, without a break, it has given no time.
    #[must_use]
    pub const fn no_time_since(&self) -> Option<Received> {
        self.no_time_since
    }

    /// Its `SyncE` quality level, and since when.
    #[must_use]
    pub fn quality(&self) -> Option<(QualityLevel, Received)> {
        self.quality.map(|quality| (quality, self.quality_since))
    }

    /// The best `SyncE` quality level it has announced.
    #[must_use]
    pub const fn normal_quality(&self) -> Option<QualityLevel> {
        self.normal_quality
    }

    /// What is known of its offsets.
    #[must_use]
    pub const fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The shape of its offsets over the last hour; only of PTP clocks.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// All its offsets, thinned out; only where [`Settings::curve_points`](crate::Settings::curve_points) asks for
    /// it.
    #[must_use]
    pub fn curve(&self) -> Option<&Curve> {
        self.curve.as_deref()
    }

    pub(crate) const fn held(&self) -> &HoldoverTracker {
        &self.held
    }

    /// The latest changes of what it said, oldest first; at most [`Settings::history`].
    #[must_use]
    pub const fn facts(&self) -> &VecDeque<Fact> {
        &self.facts
    }

    /// The regular distance of its samples, if they are regular.
    ///
    /// Five successive events that changed nothing, no gap more than half longer than the
    /// shortest, and none below a second. Publishers send on change only, so regular samples are
    /// somebody's polling.
    #[must_use]
    pub const fn cadence(&self) -> Option<Duration> {
        self.cadence
    }
}
