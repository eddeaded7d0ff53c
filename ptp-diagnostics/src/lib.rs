//! From PTP events to incidents: what broke, where, since when, how we know, what to do.
//!
//! The [`Engine`] is sans-IO: events and time go in by `handle_*`, changes of incidents come out by
//! `poll_*`, and nothing in this crate reads a clock, waits, or touches the outside world. The
//! agent and the command line run the same engine, so what was seen live can be replayed.
//!
//! - A [`Timeline`] holds what is known of one clock, as running statistics.
//! - A [`Detector`] asks one question of a clock; its answer is a [`Finding`].
//! - Findings that share a cause make one incident; see [`RootCause`].
//! - Memory is bounded: 32 KiB for a clock at most, however long it is watched, and
//!   [`Settings::max_incidents`] incidents.
//! - [`Engine::report`] tells everything, in the schema that others depend on.

pub mod report;
pub mod settings;
pub mod text;

mod causality;
mod causes;
mod detectors;
mod engine;
mod incidents;
mod model;
mod overrides;
mod severity;

pub use causality::score::Verdict;
pub use causes::{Action, Cause, OwnCause, RootCause};
pub use detectors::{Assessment, BUILT_IN, Detector, Scope, Shows, View, When};
pub use engine::{Counts, Engine};
pub use incidents::finding::Finding;
pub use incidents::incident::{IncidentId, Status};
pub use incidents::ledger::{Change, ChangeKind};
pub use model::node::{Node, NodeState, Role};
pub use model::stage::Stage;
pub use model::symptom::Symptom;
pub use model::timeline::Timeline;
pub use model::topology::Topology;
pub use model::{curve, timeline, topology, trace};
pub use overrides::Overrides;
pub use report::{Report, manual, stability};
pub use settings::Settings;
pub use severity::Severity;

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
