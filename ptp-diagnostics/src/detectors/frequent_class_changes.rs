//! The class that a clock announces got worse more than `state-changes` times (default 10) within
//! `state-changes-window` (default 1 h).
//!
//! Severity: WARNING. Clears when it was half as often. Each time may be too short for
//! `clock-class-degraded`: followers are told another class all the same, and with every change may
//! turn to another master and back (ITU-T G.8275.1, 6.3: the alternate best master clock algorithm
//! compares classes first).

use ptp_events::Resource;

use super::{Assessment, Detector, Scope, Shows, View, When};
use crate::Severity;
use crate::model::clock_class;
use crate::model::symptom::Symptom;
use crate::model::timeline::Said;
use crate::text::lasting;

pub(super) const DETECTOR: Detector = Detector {
    code: "frequent-class-changes",
    summary: "a clock's announced class gets worse too often",
    manual: include_str!("frequent_class_changes.rs"),
    scope: Scope::Clock { subjects: &[Resource::ClockClass], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::ClassFlaps),
    examine,
    describe: |view| {
        let settings = view.settings;
        format!(
            "the class got worse more than {} times within {}",
            settings.state_changes,
            lasting(settings.state_changes_window)
        )
    },
};

fn examine(view: &View<'_>) -> Assessment {
    // More than are remembered cannot be counted.
    let remembered = (view.settings.history / 2).saturating_sub(1);
    let limit = (view.settings.state_changes as usize).min(remembered);
    let needed = if view.firing.is_some() { limit.div_ceil(2) } else { limit + 1 };
    let facts = view.clock.facts();
    // Every worse one follows a better one.
    if facts.len() < needed * 2 {
        return Assessment::Quiet;
    }
    let class_of = |said: &Said| match said {
        // 255 says nothing of a reference.
        Said::Class(class) if class.0 != 255 => Some(clock_class::rank(*class)),
        _ => None,
    };
    let mut worse = Vec::new();
    for (before, fact) in facts.iter().zip(facts.iter().skip(1)) {
        let (was, is) = (class_of(&before.said), class_of(&fact.said));
        if was.zip(is).is_some_and(|(was, is)| is > was) {
            worse.push(fact.at);
        }
    }
    let Some(oldest) = worse.len().checked_sub(needed).map(|at| worse[at]) else {
        return Assessment::Quiet;
    };
    let until = oldest.after(view.settings.state_changes_window);
    if view.now >= until {
        return Assessment::Quiet;
    }
    let since = view.firing.unwrap_or(oldest);
    Assessment::Firing { severity: Severity::Warning, since, again: Some(until) }
}
