//! A card's DPLL has no lock for `reference` (default 10 s; `frequency_status`, `phase_status` 1 or 4),
//! although the clock is said to be LOCKED.
//!
//! Severity: CRITICAL: whoever follows trusts it. Clears when the DPLL is locked, or the clock no longer said
//! to be.
//!
//! Where the clock says HOLDOVER or FREERUN too, the DPLL is only a part of that. The numbers are those of
//! the kernel's DPLL interface (1 unlocked, 2 locked, 3 locked with holdover acquired, 4 holdover). It takes
//! a log or metrics.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::seen;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "dpll-unlocked",
    summary: "a DPLL is not locked although its clock is said to be LOCKED",
    manual: include_str!("dpll_unlocked.rs"),
    scope: Scope::Clock { subjects: &[Resource::LockState], also: &[], when: When::FirstHand },
    shows: Shows::stage(Stage::Dpll).and(Symptom::DpllUnlocked),
    examine,
    describe: |_| "DPLL not locked while its clock is said to be LOCKED".to_owned(),
};

fn examine(view: &View<'_>) -> Assessment {
    match seen::dpll_unlocked(view.clock, view.now, view.settings) {
        Some(since) => Assessment::Firing { severity: Severity::Critical, since, again: None },
        None => Assessment::Quiet,
    }
}
