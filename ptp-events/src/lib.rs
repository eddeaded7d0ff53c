//! PTP notification events: what publishers send, decoded into one set of types.
//!
//! `cloud-event-proxy` and its relatives publish changes of a node's synchronisation as
//! CloudEvents over the O-RAN notification API, each in a dialect of its own. This crate turns
//! those bytes into an [`Event`] and back, and reads recordings of them. It does no I/O by itself,
//! reads no clock and needs no async runtime.
//! The features `client`, `server` and `publisher` add the three ends of its HTTP connections; `cloudevents`
//! converts from and to the events of `cloudevents-sdk`.
//!
//! ```
//! use ptp_events::{Event, SyncState};
//!
//! let body = br#"{"specversion":"1.0","id":"1","source":"/sync/ptp-status/lock-state",
//!   "type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30.999Z",
//!   "data":{"version":"1.0","values":[
//!     {"ResourceAddress":"/cluster/node/node1/ens1fx/master","data_type":"notification",
//!      "value_type":"enumeration","value":"HOLDOVER"},
//!     {"ResourceAddress":"/cluster/node/node1/ens1fx/master","data_type":"metric",
//!      "value_type":"decimal64.3","value":"4"}]}}"#;
//! let event = Event::from_slice(body)?;
//! assert_eq!(event.node.as_str(), "node1");
//! assert_eq!(event.readings[0].state, Some(SyncState::Holdover));
//! # Ok::<(), ptp_events::DecodeError>(())
//! ```
//!
//! What publishers really send was observed on the real ones; the facts are in `docs/protocol.md`.

#[cfg(feature = "client")]
pub mod client;
pub mod daemon;
pub mod deployment;
#[cfg(feature = "journal")]
pub mod journal;
pub mod metrics;
pub mod observation;
#[cfg(feature = "publisher")]
pub mod publisher;
pub mod recording;
#[cfg(feature = "server")]
pub mod server;

mod address;
mod api;
mod clock;
#[cfg(feature = "cloudevents")]
mod cloudevent;
mod decode;
mod encode;
mod error;
mod event;
mod input;
mod moment;
mod name;
mod resource;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "_serve")]
#[cfg_attr(
    not(feature = "server"),
    expect(unreachable_pub, reason = "only `server` shows it to others")
)]
mod serve;
mod state;
mod time;
mod units;

pub use api::{ApiVersion, NewSubscription, Subscription, SubscriptionId, SubscriptionIdError};
pub use clock::ReceiveClock;
#[cfg(feature = "cloudevents")]
pub use cloudevent::BridgeError;
pub use decode::{DecodeError, MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS};
pub use error::chain;
pub use event::{Event, Reading, Readings};
pub use input::Input;
pub use moment::{LengthError, MomentError, Side, length, moment};
pub use name::{EventId, Instance, NameError, NodeName, Port, nearest};
pub use resource::Resource;
/// The crate whose `SmallVec` [`Readings`] is.
pub use smallvec;
/// The crate whose `SmolStr` fields are.
pub use smol_str;
pub use state::SyncState;
pub use time::{Received, Stamped, TimeError};
pub use units::{
    ClockClass, ClockIdentity, GpsFix, Measurement, NumberError, Offset, QualityLevel, Sentinel,
};

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
