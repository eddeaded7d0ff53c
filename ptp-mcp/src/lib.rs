//! The Model Context Protocol: an engineer's questions, asked by a model, answered with evidence.
//!
//! One server, wherever it runs: beside the agent's API, or on a laptop. It asks the API by
//! [`ptp_api::Client`], and where it may, the cluster ([`Cluster`]). Revisions 2025-11-25 and 2026-07-28
//! are served, and older ones that the library knows.
//!
//! Each tool is a row of a table: its arguments and its answer are types, from which the schemas are
//! written. The text of an answer is drawn from the same value as its structured content (`outline`), as many
//! clients show a model only one of the two.
//!
//! Text from events, logs and manifests is data: control characters and secrets are removed, and it is
//! fenced.

mod answers;
mod changes;
mod clean;
mod cluster;
mod context;
mod fleet;
mod http;
mod ordered;
mod outline;
mod page;
mod picture;
mod prompts;
mod resources;
mod server;
mod sessions;
mod stdio;
mod tool;
mod tools;

pub use changes::{changes_of, follow_stream};
pub use cluster::access::{Cluster, ClusterError, Right};
pub use cluster::names::NameError;
pub use context::{Caller, Change, Context, NoAgent};
pub use http::{HttpOptions, service};
pub use page::markdown;
pub use rmcp;
pub use server::Server;
pub use sessions::Sessions;
pub use stdio::serve_stdio;
pub use tool::{Effect, LONGEST_ANSWER, Needs, Refusal, Tool};
pub use tools::{tool, tools};
