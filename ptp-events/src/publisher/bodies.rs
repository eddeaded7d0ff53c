//! The events a publisher sends and the lists it answers, byte for byte where it matters.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Value, json};

use super::store::fresh_id;
use super::{Quirk, Shared, Store};
use crate::{
    ApiVersion, ClockClass, Event, EventId, Instance, Measurement, NodeName, QualityLevel, Reading,
    Resource, Stamped, Subscription, SyncState,
};

/// The order of `/publishers` (observed, see recordings/api-exchanges.jsonl).
const OFFERED: [Resource; 7] = [
    Resource::SyncState,
    Resource::OsClock,
    Resource::ClockClass,
    Resource::LockState,
    Resource::Gnss,
    Resource::SynceState,
    Resource::SynceQuality,
];

/// A pushed event.
pub(super) fn pushed(event: &Event, version: ApiVersion) -> Bytes {
    spelled(event.to_vec(), version)
}

/// The answer of CurrentState; `None` when there is no data.
pub(super) fn current_state(shared: &Shared, store: &Store, resource: &Resource) -> Option<Bytes> {
    let readings = store.readings(resource)?;
    let version = shared.options.version;
    let one = |readings| event_now(shared, resource, readings).to_current_state_vec();
    if !shared.options.has(Quirk::CurrentStateIsArray) {
        return Some(spelled(one(readings), version));
    }
    let each: Vec<_> = readings.into_iter().map(|reading| one(vec![reading])).collect();
    Some(spelled([b"[", each.join(&b","[..]).as_slice(), b"]"].concat(), version))
}

/// The first notification of a subscription: the current state, or a placeholder for it.
pub(super) fn initial(shared: &Shared, store: &Store, resource: &Resource) -> Bytes {
    current_state(shared, store, resource).unwrap_or_else(|| {
        // Which of the two depends on whether the proxy has any data at all (docs/protocol.md §4).
        let instance = if store.has_data() { "event-not-found" } else { "ptp-not-set" };
        let event = event_now(shared, resource, vec![placeholder(resource, instance)]);
        let body = event.to_current_state_vec();
        spelled(body, shared.options.version)
    })
}

fn placeholder(resource: &Resource, instance: &str) -> Reading {
    let mut reading = Reading::new(Instance::new(instance).unwrap_or(Instance::NODE));
    match resource {
        Resource::ClockClass => reading.clock_class = Some(ClockClass(0)),
        Resource::SynceQuality => reading.quality = Some(QualityLevel(0)),
        Resource::SyncState | Resource::SynceState => reading.state = Some(SyncState::Freerun),
        _ => {
            reading.state = Some(SyncState::Freerun);
            reading.offset = Some(Measurement::from_nanos(0));
        }
    }
    reading
}

/// An event whose time is that of asking (observed, see docs/protocol.md §2).
fn event_now(shared: &Shared, resource: &Resource, readings: Vec<Reading>) -> Event {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Event {
        id: EventId::new(fresh_id().as_str()).expect("a UUID is a good event id"),
        node: shared.node.clone(),
        resource: resource.clone(),
        stamped: Some(Stamped::from_nanos(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))),
        readings: readings.into(),
    }
}

/// Rewrites an event for v1: other keys and CloudEvents 0.3 (docs/protocol.md §6).
fn spelled(body: Vec<u8>, version: ApiVersion) -> Bytes {
    if version == ApiVersion::V2 {
        return body.into();
    }
    let Ok(mut event) = serde_json::from_slice::<Value>(&body) else {
        return body.into();
    };
    event["specversion"] = "0.3".into();
    if let Some(values) = event["data"]["values"].as_array_mut() {
        for value in values {
            *value = json!({
                "resource": value["ResourceAddress"],
                "dataType": value["data_type"],
                "valueType": value["value_type"],
                "value": value["value"],
            });
        }
    }
    event.to_string().into()
}

/// One subscription as it is answered to its creation and to `GET` by id.
pub(super) fn subscription(entry: &Subscription, version: ApiVersion) -> Vec<u8> {
    match version {
        ApiVersion::V1 => v1(entry).to_string().into_bytes(),
        ApiVersion::V2 => serde_json::to_vec(entry).expect("texts always serialise"),
    }
}

/// The list of subscriptions; an empty one is `null`, as Go prints a list that was never made.
pub(super) fn list(entries: &[Subscription], version: ApiVersion) -> Vec<u8> {
    if entries.is_empty() {
        return b"null".to_vec();
    }
    let mut out = Vec::new();
    let mut json =
        serde_json::Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b" "));
    let written = match version {
        ApiVersion::V1 => entries.iter().map(v1).collect::<Vec<_>>().serialize(&mut json),
        ApiVersion::V2 => entries.serialize(&mut json),
    };
    written.expect("texts always serialise");
    out
}

/// The keys of v1, as in redhat-cne/sdk-go `pkg/pubsub/pubsub.go`.
fn v1(entry: &Subscription) -> Value {
    json!({
        "id": entry.id,
        "endpointUri": entry.endpoint,
        "uriLocation": entry.location,
        "resource": entry.address,
    })
}

/// The seven resources of the node. Their URLs say `localhost`, whatever the host.
pub(super) fn offered(node: &NodeName, port: u16, version: ApiVersion) -> Vec<Subscription> {
    let base = format!("http://localhost:{port}{}", version.base_path());
    OFFERED
        .iter()
        .map(|resource| {
            let id = fresh_id();
            Subscription {
                address: resource.address(node, version),
                endpoint: format!("{base}/dummy"),
                location: Some(format!("{base}/publishers/{id}")),
                id,
            }
        })
        .collect()
}
