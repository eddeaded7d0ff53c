//! The subscriber against fake publishers and a fake API server, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod fixture;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod many;
mod subscribing;
