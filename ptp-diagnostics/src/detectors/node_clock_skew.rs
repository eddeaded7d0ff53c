//! The stamps of a node's events differ from when we receive them by more than `skew`
//! (default 2 s) beyond what is usual, five events in a row and to the same side.
//!
//! Severity: WARNING. Clears with the first event that is not.
//!
//! Events are stamped by the node's system clock, which PTP does not make right by itself: phc2sys
//! with a wrong UTC offset (37 s), another daemon or a hand may have set it, and its own processes
//! stay content. What is usual is taken over all nodes, so that an error of our own clock blames
//! nobody. A recording without receive times cannot show it.

use ptp_events::Resource;

use crate::Severity;
use crate::detectors::{Assessment, Detector, Scope, Shows, View, When};
use crate::model::symptom::Symptom;

pub(super) const DETECTOR: Detector = Detector {
    code: "node-clock-skew",
    summary: "a node's system clock is seconds off",
    manual: include_str!("node_clock_skew.rs"),
    scope: Scope::Clock { subjects: &[Resource::OsClock], also: &[], when: When::Always },
    shows: Shows::symptom(Symptom::Skewed),
    examine,
    describe: |view| match view.skew() {
        Some((_, nanos)) => {
            let side = if nanos > 0 { "behind" } else { "ahead" };
            format!("the node's clock is {:.1} s {side} ours", nanos.abs() as f64 / 1e9)
        }
        None => String::new(),
    },
};

fn examine(view: &View<'_>) -> Assessment {
    match view.skew() {
        Some((since, _)) => Assessment::Firing {
            severity: Severity::Warning,
            since: view.firing.unwrap_or(since),
            again: None,
        },
        None => Assessment::Quiet,
    }
}
