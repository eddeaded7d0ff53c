//! `/mcp`: the server over streamable HTTP, beside the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use super::sessions::Sessions;
use super::{Reach, Server};
use crate::api::{Access, Problem};

/// How much of a request is read: the largest recording given to `diagnose_recording`, and room
/// for its being JSON in JSON.
const LONGEST_REQUEST: usize = 4 << 20;

/// Who asks, as the token shows.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whether they may change things.
    pub may_change: bool,
}

/// The route `/mcp`. `hosts` are the names we are reached by, `origins` those of web pages that may
/// ask; without an origin, as programs come, nothing is checked.
pub fn serve_http(
    reach: Arc<Reach>,
    access: Access,
    hosts: Vec<String>,
    origins: Vec<String>,
) -> Router {
    let mut config = StreamableHttpServerConfig::default()
        .with_json_response(true)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_cancellation_token(reach.shutdown.child_token());
    config.max_request_body_bytes = LONGEST_REQUEST;
    let service = StreamableHttpService::new(
        move || Ok(Server::new(Arc::clone(&reach))),
        Arc::new(Sessions::new()),
        config,
    );
    Router::new().nest_service("/mcp", service).layer(middleware::from_fn_with_state(access, guard))
}

/// Lets in whoever may read, and notes whether they may change things. Unlike the API's, the method
/// says nothing: every request is a POST.
async fn guard(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let may_change = access.may_change(request.headers());
    if !may_change && !access.may_read(request.headers()) {
        let detail = "this needs a token, as `Authorization: Bearer TOKEN`";
        let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
        let challenge = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    request.extensions_mut().insert(Caller { may_change });
    next.run(request).await
}
