//! `/mcp`: the server by streamable HTTP, beside the API.

use std::sync::Arc;

use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use crate::context::Context;
use crate::server::Server;
use crate::sessions::Sessions;

/// How much of a request is read: the largest recording given to `diagnose_recording`, and room
/// for its being JSON in JSON.
const LONGEST_REQUEST: usize = 4 << 20;

/// Whom it answers.
#[derive(Clone, Debug, Default)]
pub struct HttpOptions {
    /// The names we are reached by.
    pub hosts: Vec<String>,
    /// Web pages that may ask, by origin; programs come without one, and then nothing is checked.
    pub origins: Vec<String>,
}

/// The service, to be nested at `/mcp`. It asks for no token: whoever serves it must, and must say who asks
/// by a [`Caller`](crate::Caller).
#[must_use]
pub fn service(
    context: Arc<Context>,
    options: HttpOptions,
) -> StreamableHttpService<Server, Sessions> {
    let mut config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_allowed_hosts(options.hosts)
        .with_allowed_origins(options.origins)
        .enforce_origin_validation()
        .with_cancellation_token(context.shutdown.child_token());
    config.max_request_body_bytes = LONGEST_REQUEST;
    StreamableHttpService::new(
        move || Ok(Server::new(Arc::clone(&context))),
        Arc::new(Sessions::new()),
        config,
    )
}
