//! What can go wrong with a call to a publisher.

use std::fmt;

use super::CertificateProblem;
use crate::DecodeError;

/// A call to a publisher.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Call {
    /// `GET /health`
    Health,
    /// `GET /publishers`
    Publishers,
    /// `GET /subscriptions`
    Subscriptions,
    /// `POST /subscriptions`
    Create,
    /// `DELETE /subscriptions/{id}`
    Delete,
    /// `GET {address}/CurrentState`
    CurrentState,
}

/// What we wanted, to go after "could not".
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Health => "check the health",
            Self::Publishers => "list the resources",
            Self::Subscriptions => "list the subscriptions",
            Self::Create => "subscribe",
            Self::Delete => "delete a subscription",
            Self::CurrentState => "read the current state",
        })
    }
}

/// Why a call to a publisher failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nothing was called: we do not call such URLs.
    #[error("`{url}` is not the http or https URL of a publisher")]
    Url {
        /// What was given.
        url: String,
    },
    /// No answer, or only a part of one.
    #[error("could not {call}: no answer from {url}")]
    Unreachable {
        /// What we wanted.
        call: Call,
        /// What was called.
        url: String,
        /// Why not.
        source: reqwest::Error,
    },
    /// An answer other than success.
    #[error("could not {call}: {url} answered {status}")]
    Status {
        /// What we wanted.
        call: Call,
        /// What was called.
        url: String,
        /// The status answered.
        status: u16,
    },
    /// More than 1 MiB.
    #[error("could not {call}: {url} answered more than 1 MiB")]
    TooLarge {
        /// What we wanted.
        call: Call,
        /// What was called.
        url: String,
    },
    /// Success, but with a body that is not what this call answers.
    #[error("could not {call}: {url} answered something else")]
    Malformed {
        /// What we wanted.
        call: Call,
        /// What was called.
        url: String,
        /// Where the body differs.
        source: serde_json::Error,
    },
    /// Success, but with a body that is not an event.
    #[error("could not read the current state: {url} answered something else")]
    NotAnEvent {
        /// What was called.
        url: String,
        /// Where the body differs.
        source: DecodeError,
    },
}

impl ClientError {
    /// The HTTP status, when that is what went wrong.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What can be done about it, when there is something.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { source, .. } => {
                CertificateProblem::behind(source).map(|problem| problem.to_string())
            }
            // The proxy posts a first event before it accepts (docs/protocol.md §2).
            Self::Status { call: Call::Create, status: 400, .. } => Some(
                "the publisher could not post to our callback URL; from its node that must be \
                 reachable and answer 204 within 2 s"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether the publisher did not answer at all.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
