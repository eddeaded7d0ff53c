//! Simulated PTP clocks, their faults, and the events their publishers would send.
//!
//! A [`Plan`] says which nodes there are and what goes wrong; [`Scenario::play`] turns it into the
//! events a recorder gets and a [`Truth`] that says what really happened. [`KINDS`] draws plans
//! from a seed. Underneath is physics: oscillators with their noises, servos, paths, GNSS
//! receivers; on top, what a publisher makes of it (docs/protocol.md). It does no I/O, reads no
//! clock, and gives the same bytes for the same seed on every platform.
//!
//! ```
//! let scenario = ptp_sim::Scenario::generate("gnss-outage-short", 7)?;
//! assert_eq!(scenario.truth.faults.len(), 1);
//! let recording = scenario.write(Vec::new())?;
//! assert!(recording.starts_with(b"{\"received\":"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
mod conditions;
mod exporter;
mod fault;
mod gnss;
mod kinds;
mod label;
mod lock;
mod log;
mod mess;
mod os_clock;
mod oscillator;
mod plan;
mod publisher;
mod random;
mod said;
mod scenario;
mod servo;
mod topology;
mod truth;
mod world;

pub use exporter::{SCRAPED_EVERY, Scrape};
pub use fault::{Effect, Fault, Mistake};
pub use kinds::{KINDS, Kind, UnknownKind};
pub use log::{LogForm, LogLine};
pub use mess::{Kept, Mess};
pub use oscillator::OscillatorKind;
pub use plan::{Plan, PlanError};
pub use scenario::{Delivery, Scenario};
pub use servo::ServoKind;
pub use topology::{ClassStyle, HoldoverOffsets, Node, Role, Topology, TopologyError};
pub use truth::{LabelledFault, RootCause, Truth};
