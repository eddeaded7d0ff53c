//! What came in.

use ptp_events::Received;
use ptp_events::recording::Origin;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An entry of the journal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// Its number.
    pub seq: i64,
    /// When it was received.
    pub received: Received,
    /// How it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The event as its publisher sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Value>,
    /// What was noted instead of an event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A body that was posted and is no event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// The body, cut.
    pub body: String,
    /// What is wrong with it.
    pub why: String,
}
