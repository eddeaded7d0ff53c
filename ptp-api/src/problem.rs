//! Why a request was not answered.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An error, as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `about:blank`: the status says what it is.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// The status in words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// What is wrong, and what the caller can do about it.
    pub detail: String,
}
