//! Judges what nodes published, logged and exported against published testable requirements.
//!
//! The requirements are those that linuxptp-daemon's project publishes with numbers for grandmasters
//! (`FUNC-TGM…`), boundary clocks (`FUNC-TBC…`) and slaves (`FUNC-TTSC…`); what can be seen from outside of
//! O-RAN.WG4.CUS and O-RAN's notification API; and of ITU-T G.8275.1. Each is a row ([`Requirement`]): its
//! number, what must hold, and how that is seen. A row is judged for each node it is about: it held as often
//! as it could be seen, it failed and here is where, or it cannot be seen and this is what would show it.
//!
//! It does no I/O and reads no clock. Give a [`Gatherer`] what was read, in order of time, and take the
//! [`Conformance`].
//!
//! ```
//! use ptp_conform::Gatherer;
//! use ptp_events::recording::Origin;
//! use ptp_events::{Event, observation::Evidence};
//!
//! let body = br#"{"specversion":"1.0","id":"1","source":"/sync/ptp-status/lock-state",
//!   "type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30Z","data":{
//!   "version":"1.0","values":[{"ResourceAddress":"/cluster/node/n1/ens1fx/master",
//!   "data_type":"notification","value_type":"enumeration","value":"FREERUN"}]}}"#;
//! let event = Event::from_slice(body)?;
//! let at = event.stamped.expect("the body has a time").assume_received();
//! let mut gatherer = Gatherer::default();
//! gatherer.handle_evidence(&Evidence::Event(event), Origin::Push, at);
//! let judged = gatherer.judge(&[]);
//! assert_eq!(judged.nodes.len(), 1);
//! # Ok::<(), ptp_events::DecodeError>(())
//! ```

mod judge;
mod kind;
mod record;
mod report;
mod requirement;
mod rows;

pub use kind::ClockKind;
pub use record::Gatherer;
pub use report::{Conformance, Judgement, NodeConformance, Proof, SCHEMA, Verdict};
pub use requirement::Requirement;
pub use rows::REQUIREMENTS;
