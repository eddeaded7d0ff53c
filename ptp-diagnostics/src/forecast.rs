//! When a limit will be crossed.

use std::time::Duration;

use ptp_events::{Measurement, Offset, Received};

use crate::{Settings, Timeline};

/// When a clock in holdover will reach [`Settings::holdover_limit_ns`].
///
/// The daemon's default model: a straight line of `holdover-limit-ns` in `holdover-model`, starting
/// from the last offset before the loss. `None` for a clock that is locked.
pub(crate) fn holdover_limit(clock: &Timeline, settings: &Settings) -> Option<Received> {
    let since = clock.unlocked_since()?;
    let before = clock.samples().last.map(|(_, offset)| offset);
    let before = before.or_else(|| clock.entered_with().and_then(Measurement::offset));
    let start = before.map_or(0, Offset::magnitude);
    let left = settings.holdover_limit_ns.saturating_sub(start);
    let share = left as f64 / settings.holdover_limit_ns as f64;
    Some(since.after(Duration::from_secs_f64(settings.holdover_model.as_secs_f64() * share)))
}
