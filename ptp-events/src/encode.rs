//! From an [`Event`] to the JSON that cloud-event-proxy posts (docs/protocol.md §1).

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Event, Instance, Reading, Resource};

/// Writes the event as cloud-event-proxy posts it: same keys, same order, numbers as strings.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("specversion", "1.0")?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("source", self.resource.path())?;
        map.serialize_entry("type", self.resource.event_type())?;
        if let Some(stamped) = &self.stamped {
            map.serialize_entry("time", stamped)?;
        }
        map.serialize_entry("data", &self.data(Occasion::Push))?;
        map.end()
    }
}

/// Why an event is sent; cloud-event-proxy writes some values differently.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Occasion {
    /// Something changed.
    Push,
    /// Someone asked, or subscribed (docs/protocol.md §2).
    #[cfg(feature = "publisher")]
    Query,
}

#[derive(serde::Serialize)]
pub(crate) struct WireData {
    version: &'static str,
    values: Vec<WireValue>,
}

#[derive(serde::Serialize)]
struct WireValue {
    #[serde(rename = "ResourceAddress")]
    address: String,
    data_type: &'static str,
    value_type: &'static str,
    value: String,
}

impl WireValue {
    fn state(address: String, value: String) -> Self {
        Self { address, data_type: "notification", value_type: "enumeration", value }
    }

    fn metric(address: String, value: String) -> Self {
        Self { address, data_type: "metric", value_type: "decimal64.3", value }
    }
}

impl Event {
    /// The JSON body that cloud-event-proxy would post for this event.
    ///
    /// # Panics
    /// Never: strings, and maps with string keys, always serialise.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and maps with string keys always serialise")
    }

    /// The JSON body that cloud-event-proxy would answer to CurrentState for this event.
    #[cfg(feature = "publisher")]
    pub(crate) fn to_current_state_vec(&self) -> Vec<u8> {
        /// As the pushed event, with other values.
        #[derive(serde::Serialize)]
        struct Answer<'a> {
            specversion: &'static str,
            id: &'a crate::EventId,
            source: &'a str,
            r#type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            time: Option<crate::Stamped>,
            data: WireData,
        }
        let answer = Answer {
            specversion: "1.0",
            id: &self.id,
            source: self.resource.path(),
            r#type: self.resource.event_type(),
            time: self.stamped,
            data: self.data(Occasion::Query),
        };
        serde_json::to_vec(&answer).expect("structs of texts always serialise")
    }

    pub(crate) fn data(&self, occasion: Occasion) -> WireData {
        let mut values = Vec::with_capacity(self.readings.len() * 2);
        for reading in &self.readings {
            self.push_values(reading, occasion, &mut values);
        }
        WireData { version: "1.0", values }
    }

    fn address(&self, instance: &Instance, suffix: &str) -> String {
        let node = &self.node;
        match instance.as_str() {
            "" => format!("/cluster/node/{node}{}", self.resource.path()),
            instance => format!("/cluster/node/{node}/{instance}{suffix}"),
        }
    }

    fn push_values(&self, reading: &Reading, occasion: Occasion, values: &mut Vec<WireValue>) {
        let pushed = occasion == Occasion::Push;
        // A placeholder stands in the instance's place, without what would follow one.
        let placeholder = reading.instance.is_placeholder();
        let address = |suffix| {
            let suffix = if placeholder { "" } else { suffix };
            self.address(&reading.instance, suffix)
        };
        if let Some(state) = &reading.state {
            let value = state.to_string();
            values.push(match self.resource {
                // Pushed SyncE states are labelled as metrics.
                Resource::SynceState if pushed => WireValue::metric(address(""), value),
                _ => WireValue::state(address(""), value),
            });
        }
        if let Some(offset) = reading.offset {
            values.push(WireValue::metric(address(""), offset.as_nanos().to_string()));
        }
        if let Some(class) = reading.clock_class {
            let suffix = if pushed { "" } else { "/CLOCK_CLASS" };
            values.push(WireValue::metric(address(suffix), class.to_string()));
        }
        if let Some(fix) = reading.gps_fix {
            values.push(WireValue::metric(address("/gpsFix"), fix.to_string()));
        }
        if let Some(quality) = reading.quality {
            values.push(WireValue::metric(address("/Ql"), quality.to_string()));
        }
        if let Some(quality) = reading.extended_quality {
            let address =
                if pushed { address("/extQl") } else { format!("{}/ExtQL", reading.instance) };
            values.push(WireValue::metric(address, quality.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ClockClass, EventId, GpsFix, Measurement, NodeName, QualityLevel, Stamped, SyncState,
    };
    use proptest::prelude::*;

    fn arb_state() -> impl Strategy<Value = SyncState> {
        prop_oneof![
            proptest::sample::select(SyncState::KNOWN),
            "[A-Z]{3,9}".prop_map(|text| SyncState::from(text.as_str())),
        ]
    }

    /// A reading as `resource` would have it.
    fn arb_reading(resource: Resource) -> impl Strategy<Value = Reading> {
        let instance = "(ens[0-9]fx/master|CLOCK_REALTIME|synce1/ens7f[0-3])";
        (instance, arb_state(), any::<i64>(), any::<[u8; 3]>()).prop_map(
            move |(instance, state, nanos, [a, b, c])| {
                let mut reading = Reading::new(Instance::new(&instance).unwrap());
                match resource {
                    Resource::ClockClass => reading.clock_class = Some(ClockClass(a)),
                    Resource::SynceQuality => {
                        reading.quality = Some(QualityLevel(b));
                        reading.extended_quality = Some(QualityLevel(c));
                    }
                    Resource::SynceState => reading.state = Some(state),
                    Resource::SyncState => {
                        reading.instance = Instance::NODE;
                        reading.state = Some(state);
                    }
                    _ => {
                        reading.state = Some(state);
                        reading.offset = Some(Measurement::from_nanos(nanos));
                    }
                }
                if resource == Resource::Gnss {
                    // A fix of 0 beside LOCKED was never set, and is not read back.
                    reading.gps_fix = Some(GpsFix(a.max(1)));
                }
                reading
            },
        )
    }

    fn arb_event() -> impl Strategy<Value = Event> {
        proptest::sample::select(&Resource::ALL[..]).prop_flat_map(|resource| {
            let readings = proptest::collection::vec(arb_reading(resource.clone()), 1..3);
            let names = ("[a-f0-9-]{1,36}", "[a-z][a-z0-9.-]{0,30}");
            (readings, names, any::<i64>()).prop_map(move |(mut readings, (id, node), nanos)| {
                readings.sort_by(|a, b| a.instance.cmp(&b.instance));
                readings.dedup_by(|a, b| a.instance == b.instance);
                Event {
                    id: EventId::new(&id).unwrap(),
                    node: NodeName::new(&node).unwrap(),
                    resource: resource.clone(),
                    stamped: Some(Stamped::from_nanos(nanos)),
                    readings: readings.into(),
                }
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(event in arb_event()) {
            prop_assert_eq!(Event::from_slice(&event.to_vec()).unwrap(), event);
        }

        #[cfg(feature = "cloudevents")]
        #[test]
        fn the_sdk_reads_what_we_write(event in arb_event()) {
            let sdk: cloudevents::Event = serde_json::from_slice(&event.to_vec()).unwrap();
            prop_assert_eq!(Event::try_from(sdk).unwrap(), event.clone());
            prop_assert_eq!(Event::try_from(cloudevents::Event::from(&event)).unwrap(), event);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Event::from_slice(&bytes);
        }

        /// One byte of a good event changed: anything but a panic.
        #[test]
        fn no_damage_panics(event in arb_event(), at: prop::sample::Index, byte: u8) {
            let mut bytes = event.to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Event::from_slice(&bytes);
        }
    }
}
