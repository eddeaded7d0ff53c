//! JSON Schema of the types that are written as text.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

macro_rules! text {
    ($($name:ty, $title:literal, $about:literal, $format:expr;)*) => {$(
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $title.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!({"type": "string", "description": $about});
                if let Some::<&str>(format) = $format {
                    schema.insert("format".to_owned(), format.into());
                }
                schema
            }
        }
    )*};
}

text! {
    crate::NodeName, "NodeName", "A Kubernetes node, as its publisher names it", None;
    crate::Instance, "Instance", "Which of a node's clocks of one kind, such as ens1fx/master", None;
    crate::EventId, "EventId", "The id of an event, unique per publisher", None;
    crate::Received, "Received", "When we received it: RFC 3339 in UTC", Some("date-time");
    crate::Stamped, "Stamped", "When the node says that it happened: RFC 3339 in UTC", Some("date-time");
    crate::Resource, "Resource", "A kind of clock, or of what is said of one, such as lock-state", None;
    crate::SyncState, "SyncState", "A synchronisation state: LOCKED, HOLDOVER, FREERUN and others", None;
}
