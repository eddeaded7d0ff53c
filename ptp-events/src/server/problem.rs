//! Answers to requests that are not taken (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Refusal;
use crate::DecodeError;

/// Why a request was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The body is not an event.
    #[error("the body is not an event")]
    NotAnEvent(#[source] DecodeError),
    /// The body did not arrive as a whole.
    #[error("the body is incomplete")]
    Incomplete(#[source] axum::Error),
    /// The body took more than 10 s.
    #[error("the body did not arrive within 10 s")]
    TooSlow,
    /// The body has more than 1 MiB.
    #[error("the body is larger than 1 MiB")]
    TooLarge,
    /// The sink did not take the event.
    #[error(transparent)]
    Refused(Refusal),
}

impl Rejection {
    /// The status it is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotAnEvent(_) | Self::Incomplete(_) => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(refusal) => match refusal {
                Refusal::TooMany => StatusCode::TOO_MANY_REQUESTS,
                Refusal::Busy | Refusal::CannotStore => StatusCode::SERVICE_UNAVAILABLE,
                Refusal::UnknownToken => StatusCode::NOT_FOUND,
                Refusal::WrongNode => StatusCode::FORBIDDEN,
            },
        }
    }

    /// The sentence and its causes.
    fn detail(&self) -> String {
        crate::chain(self)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        let headers = [(header::CONTENT_TYPE, "application/problem+json")];
        (status, headers, body.to_string()).into_response()
    }
}
