//! By which names the API may be asked where no token guards it.
//!
//! A web page can make a browser believe that its own name is our address (DNS rebinding), and then
//! read the API from whoever's machine reaches it. The browser still sends the page's name as
//! `Host`. Such a name has a dot and is public: addresses, names of one label, and names of the
//! cluster cannot be a page's.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::Problem;

/// Ends of names that no public name has (RFC 6761; Kubernetes, DNS for Services and Pods).
const PRIVATE: [&str; 3] = [".svc", ".cluster.local", ".localhost"];

/// Answers only those who ask for one of `names`, or for a name that no web page can have.
pub(super) async fn only_ours(
    State(names): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    // HTTP/2 has the name in the URI, HTTP/1.1 in the header; browsers never leave it out.
    let named = request.uri().host().map(str::to_owned).or_else(|| {
        let host = request.headers().get(HOST)?.to_str().unwrap_or("");
        Some(name_of(host))
    });
    let Some(name) = named.filter(|name| !is_ours(name, &names)) else {
        return next.run(request).await;
    };
    let name: String = name.chars().take(60).flat_map(char::escape_debug).collect();
    let detail = format!(
        "`{name}` is no name of this agent; make it one with --mcp-host, or set --read-token"
    );
    Problem::new(StatusCode::FORBIDDEN, detail).into_response()
}

/// The name in a `Host` header; all of it where it cannot be read.
fn name_of(host: &str) -> String {
    let parsed = host.parse::<Authority>().ok();
    parsed.map_or_else(|| host.to_owned(), |authority| authority.host().to_owned())
}

fn is_ours(name: &str, names: &[String]) -> bool {
    let name = name.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    !name.is_empty()
        && (name.parse::<IpAddr>().is_ok()
            || !name.contains('.')
            || PRIVATE.iter().any(|end| name.ends_with(end))
            || names.iter().any(|ours| ours.eq_ignore_ascii_case(&name)))
}

/// The name in a URL that people reach us by.
pub fn host_of(url: &str) -> Option<String> {
    url.parse::<Uri>().ok()?.host().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_page_can_have_is_not_ours() {
        let names = ["ptp.example.com".to_owned(), "ptp-agent.ran".to_owned()];
        let is_ours = |host: &str| is_ours(&name_of(host), &names);
        for host in [
            "127.0.0.1:8081",
            "[::1]:8081",
            "10.128.0.7",
            "localhost:8081",
            "ptp-agent",
            "ptp-agent.ran:8081",
            "ptp-agent.ran.svc:8081",
            "ptp-agent.ran.svc.cluster.local.",
            "PTP.example.com",
        ] {
            assert!(is_ours(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8081",
            "127.0.0.1.evil.example",
            "",
            "a@b.example",
            "x y.z",
        ] {
            assert!(!is_ours(host), "{host}");
        }
    }
}
