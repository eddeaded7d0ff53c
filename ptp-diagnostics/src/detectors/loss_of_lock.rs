//! A clock left LOCKED for one of `lost-states` (default FREERUN, FAULTY) and stayed there for
//! `loss-of-lock` (default 10 s).
//!
//! Severity: CRITICAL. Needs no further event: time passing is enough.
//!
//! Publishers send changes only, so a FREERUN out of the blue was a change too. Not judged is a
//! clock on its way to its first lock: the publisher said before that it had no data, or the clock
//! announced its power-on class 248 first, or a grandmaster's first state came with "no solution";
//! `persistent-freerun` and `never-locked` watch over those. When the state came because a process
//! died (offset -9999999999999999), all clocks of the node get `process-restart` (default 30 s) to
//! come back. A servo that has just found its lock may flap for `relock` (default 2 min). It clears
//! when the state turns out to be a `publisher-artefact`.

use ptp_events::Resource;

use super::STATE_CLOCKS;
use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};

pub(super) const DETECTOR: Detector = Detector {
    code: "loss-of-lock",
    summary: "a clock lost its lock",
    manual: include_str!("loss_of_lock.rs"),
    scope: Scope::Clock {
        subjects: STATE_CLOCKS,
        also: &[Resource::SyncState],
        when: When::Unlocked,
    },
    shows: Shows::STATE,
    examine,
    describe: |view| match view.clock.state() {
        Some((state, _)) if view.clock.process_down() => format!("{state}: its process is down"),
        Some((state, _)) => state.to_string(),
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    let Some(since) = view.clock.lost_since() else {
        return Assessment::Quiet;
    };
    if view.is_locked_after_all() {
        return Assessment::Quiet;
    }
    if view.is_starting() || view.is_artefact() {
        return Assessment::Quiet;
    }
    if let Some(until) = view.settling_until() {
        return Assessment::Wait(until);
    }
    let hold = if view.is_process_down() {
        view.settings.process_restart
    } else {
        view.settings.loss_of_lock
    };
    Assessment::after(view, since, hold, Severity::Critical)
}
