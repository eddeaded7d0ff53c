//! The public bridge to `cloudevents-sdk`.
//!
//! The hot path does not use it: cloud-event-proxy posts structured events as `application/json`,
//! which the SDK's HTTP binding refuses. Programs that already hold an SDK event convert here.

use cloudevents::{AttributesReader as _, EventBuilder as _, EventBuilderV10};
use serde::Serialize;

use crate::{DecodeError, Event};

/// Why an SDK event is not one of ours.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BridgeError {
    /// It has no data, or data that is not JSON.
    #[error("the CloudEvent `{id}` carries no JSON data")]
    Data {
        /// The event's id.
        id: String,
        /// What the parser said, when there was something to parse.
        source: Option<serde_json::Error>,
    },
    /// Its content is not an event.
    #[error("the CloudEvent `{id}` is not a PTP event")]
    Decode {
        /// The event's id.
        id: String,
        /// Why not.
        source: DecodeError,
    },
}

/// The attributes we need, in the shape our decoder reads.
#[derive(Serialize)]
struct Structured<'a> {
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    data: &'a serde_json::Value,
}

impl TryFrom<cloudevents::Event> for Event {
    type Error = BridgeError;

    fn try_from(sdk: cloudevents::Event) -> Result<Self, BridgeError> {
        let id = sdk.id().to_owned();
        let data = match sdk.data() {
            Some(cloudevents::Data::Json(json)) => Ok(json.clone()),
            Some(cloudevents::Data::Binary(bytes)) => serde_json::from_slice(bytes).map_err(Some),
            Some(cloudevents::Data::String(text)) => serde_json::from_str(text).map_err(Some),
            None => Err(None),
        };
        let data = data.map_err(|source| BridgeError::Data { id: id.clone(), source })?;
        let structured = Structured {
            id: &id,
            source: sdk.source(),
            kind: sdk.ty(),
            time: sdk.time().map(|time| time.to_rfc3339()),
            data: &data,
        };
        let bytes = serde_json::to_vec(&structured)
            .map_err(|source| BridgeError::Data { id: id.clone(), source: Some(source) })?;
        Self::from_slice(&bytes).map_err(|source| BridgeError::Decode { id, source })
    }
}

impl From<&Event> for cloudevents::Event {
    fn from(event: &Event) -> Self {
        let data = serde_json::to_value(event.data(crate::encode::Occasion::Push))
            .expect("maps with string keys are JSON");
        let builder = EventBuilderV10::new()
            .id(event.id.to_string())
            .source(event.resource.path())
            .ty(event.resource.event_type())
            .data("application/json", data);
        let builder = match event.stamped {
            Some(stamped) => builder.time(stamped.to_string()),
            None => builder,
        };
        builder.build().expect("id, source, type and an RFC 3339 time are all set")
    }
}
