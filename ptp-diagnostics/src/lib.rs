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

pub mod detector;
pub mod manual;
pub mod report;
pub mod settings;
pub mod stability;
pub mod text;
pub mod timeline;
pub mod topology;
pub mod trace;

mod advice;
mod artefacts;
mod cause;
mod causes;
mod classify;
mod clock_class;
mod crossings;
mod detectors;
mod domain;
mod engine;
mod evidence;
mod finding;
mod forecast;
mod inbox;
mod incident;
mod ledger;
mod narrate;
mod node;
mod overrides;
mod quality;
mod recent;
mod registry;
mod severity;
mod skew;

pub use cause::{Action, Cause, RootCause};
pub use detector::{Assessment, Detector, Scope, View};
pub use detectors::BUILT_IN;
pub use engine::{Counts, Engine};
pub use finding::Finding;
pub use incident::{IncidentId, Status, Verdict};
pub use ledger::{Change, ChangeKind};
pub use node::{Node, NodeState, Role};
pub use overrides::Overrides;
pub use report::Report;
pub use settings::Settings;
pub use severity::Severity;
pub use timeline::Timeline;
pub use topology::Topology;
