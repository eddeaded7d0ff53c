//! The agent as a whole, over real sockets, with publishers that follow the real contract.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod api;
mod fleet;
mod hostile;
mod lifecycle;
mod many;
mod mcp;
mod sinks;
#[path = "../../support/tls.rs"]
mod support;
mod tls;
