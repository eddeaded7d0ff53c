//! The in-cluster service: subscribed to every node's publisher, it keeps what they say,
//! diagnoses live, and tells people.
//!
//! Three phases: a [`config::Config`] is checked and binds nothing; an [`app::App`] has bound its
//! ports and read its journal; [`app::Running`] runs until it is stopped. Data flows one way:
//!
//! ```text
//! receiver ─► gate ─┐
//!                   ├─► store (journal, one order) ─► engine task ─► snapshots ─► API
//! driver (pulls) ───┘                                        └─► notifications ─► sinks, SSE
//! ```

pub mod api;
pub mod app;
pub mod config;
pub mod demo;
mod discovery;
pub mod engine_task;
pub mod health;
mod host;
pub mod intake;
pub mod mcp;
mod own_clock;
mod receiving;
pub mod rights;
