//! Finds PTP event publishers, stays subscribed to them, and takes in what they say.
//!
//! - [`discovery`] says which publishers there are: a list, or the pods of a cluster;
//! - [`driver::run`] keeps subscribed to each of them and pulls their current state, deciding with
//!   [`reconcile`], and reports [`driver::Observation`]s;
//! - a [`gate::Gate`] stands behind the receiver of `ptp_events::server` and lets in only events
//!   of publishers we know, about the nodes they speak for;
//! - the [`directory::Directory`] is what driver and gate both know.
//!
//! What a fault is, this crate does not know.

pub mod directory;
pub mod discovery;
pub mod driver;
pub mod gate;
pub mod reconcile;
pub mod target;
pub mod token;
