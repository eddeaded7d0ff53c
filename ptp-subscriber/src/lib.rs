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
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use ptp_events::server::{Limits, Refusal, receiver, serve};
//! use ptp_events::{ReceiveClock, Received};
//! use ptp_subscriber::directory::{Directory, Untokened};
//! use ptp_subscriber::gate::{Accepted, Gate, Intake};
//! use ptp_subscriber::token::TokenKey;
//! use ptp_subscriber::{discovery, driver};
//! use tokio::sync::mpsc;
//! use tokio_util::sync::CancellationToken;
//!
//! struct Journal(mpsc::Sender<Accepted>);
//!
//! impl Intake for Journal {
//!     async fn take(&self, accepted: Vec<Accepted>) -> Result<(), Refusal> {
//!         // A real one waits here until the events are on the disk: all of a request, or none.
//!         let places = self.0.try_reserve_many(accepted.len()).map_err(|_| Refusal::Busy)?;
//!         places.zip(accepted).for_each(|(place, event)| place.send(event));
//!         Ok(())
//!     }
//! }
//!
//! # async fn example(secret: [u8; 32], now: fn() -> Received) -> Result<(), Box<dyn std::error::Error>> {
//! let stop = CancellationToken::new();
//! let clock = ReceiveClock::new(now);
//! let directory = Directory::new(TokenKey::new(&secret)?, Untokened::Refuse);
//!
//! // The receiver comes first: publishers call back while we subscribe.
//! let (accepted, _events) = mpsc::channel(10_000);
//! let gate = Arc::new(Gate::new(directory.clone(), Journal(accepted)));
//! let listener = tokio::net::TcpListener::bind("[::]:8080").await?;
//! let routes = receiver(Arc::clone(&gate), clock.clone());
//! tokio::spawn(serve(listener, routes, Limits::default(), stop.clone().cancelled_owned()));
//!
//! let targets = discovery::fixed([("http://10.0.0.7:9043".to_owned(), None)]);
//! let settings = driver::Settings::new("http://ptp-agent.ptp.svc:8080");
//! let (observing, _observations) = mpsc::channel(1_000);
//! driver::run(targets, settings, directory, clock, observing, stop).await?;
//! # Ok(())
//! # }
//! ```

/// The crates whose types are in signatures here: clients of a cluster, channels, and how to stop.
#[cfg(feature = "kubernetes")]
pub use kube;
pub use {bytes, tokio, tokio_util};

pub mod directory;
pub mod discovery;
pub mod driver;
pub mod gate;
pub mod reconcile;
pub mod target;
pub mod token;
