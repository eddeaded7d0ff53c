//! Which publishers there are.
//!
//! Discovery writes the targets into a `watch` channel that [`crate::driver::run`] follows.

#[cfg(feature = "kubernetes")]
pub mod kubernetes;
#[cfg(feature = "kubernetes")]
pub mod rights;
mod template;

use ptp_events::{NameError, NodeName};
use tokio::sync::watch;

use crate::target::{PublisherName, Target};

pub use template::{TemplateError, UrlTemplate};

/// Why a text names no publisher.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PublisherError {
    /// Not a URL that we call.
    #[error("must be an http or https URL, such as http://10.0.0.7:9043{}", shown(url))]
    Url {
        /// What was there.
        url: String,
    },
    /// What follows the URL is no node's name.
    #[error("what stands behind the URL and `=` is no node: {why}")]
    Node {
        /// Why not.
        why: NameError,
    },
}

/// What was there instead, unless it may hold a password.
fn shown(url: &str) -> String {
    if url.contains('@') { String::new() } else { format!(", and not `{url}`") }
}

/// Reads `URL` or `URL=NODE`, as people name a publisher.
///
/// # Errors
/// When it is neither.
pub fn publisher(text: &str) -> Result<(String, Option<NodeName>), PublisherError> {
    let (url, node) = match text.rsplit_once('=') {
        Some((url, node)) => (url, Some(node)),
        None => (text, None),
    };
    let parsed = reqwest::Url::parse(url);
    if !parsed.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Err(PublisherError::Url { url: url.to_owned() });
    }
    let node = node.map(NodeName::new).transpose();
    let node = node.map_err(|why| PublisherError::Node { why })?;
    Ok((url.trim_end_matches('/').to_owned(), node))
}

/// A URL as it may be shown: without the name and the password that may be in it.
fn without_secrets(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut parsed) if !parsed.username().is_empty() || parsed.password().is_some() => {
            // Both can be taken off wherever there is a host, and there is one.
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.as_str().trim_end_matches('/').to_owned()
        }
        _ => url.to_owned(),
    }
}

/// Targets from a list of URLs, each with its node if that is known.
///
/// Named by node, or else by URL. Of two entries with the same name the last one counts.
#[must_use]
pub fn fixed(
    publishers: impl IntoIterator<Item = (String, Option<NodeName>)>,
) -> watch::Receiver<Vec<Target>> {
    let targets = publishers.into_iter().map(|(url, node)| Target {
        name: PublisherName::new(node.as_ref().map_or(&*without_secrets(&url), NodeName::as_str)),
        url,
        node,
    });
    watch::channel(targets.collect()).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_a_url_is_in_no_name() {
        for (url, name) in [
            ("http://10.0.0.1:9043", "http://10.0.0.1:9043"),
            ("https://me:secret@host:1/x", "https://host:1/x"),
            ("https://me@host", "https://host"),
        ] {
            let targets = fixed([(url.to_owned(), None)]);
            let target = &targets.borrow()[0];
            assert_eq!((target.name.as_str(), &*target.url), (name, url));
        }
    }
}
