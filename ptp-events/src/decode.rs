//! From bytes to an [`Event`], whatever the dialect (docs/protocol.md §1, §2, §6).

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;

use crate::address::{Address, split};
use crate::units::{decimal, small};
use crate::{
    ClockClass, Event, EventId, GpsFix, Instance, Measurement, NameError, NodeName, NumberError,
    QualityLevel, Reading, Readings, Resource, Stamped, SyncState, TimeError,
};

/// The largest event we accept, in bytes. The real ones have about 600; one with the 512 values that
/// an event may hold has some 60,000.
pub const MAX_EVENT_BYTES: usize = 64 << 10;

/// The largest body we accept, in bytes: one event, or an array of them.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// The most events one request may bring. StarlingX, which sends arrays, has a handful of resources.
pub const MAX_EVENTS: usize = 256;

/// The most values an event may hold. A dual-NIC event has 4; a node has some tens of ports.
const MAX_VALUES: usize = 512;

/// Why bytes are not an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not JSON, or JSON of another shape.
    #[error("not an event, at `{path}`")]
    Json {
        /// The field, as in `data.values[1].value`; `.` is the whole.
        path: String,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// A required field is not there.
    #[error("the event has no `{field}`")]
    Missing {
        /// The field's path.
        field: &'static str,
    },
    /// `time` cannot be read.
    #[error("the event's `time` cannot be read")]
    Time {
        /// Why not.
        source: TimeError,
    },
    /// A value's number cannot be read.
    #[error("`data.values[{index}].value` cannot be read")]
    Number {
        /// Counted from 0.
        index: usize,
        /// Why not.
        source: NumberError,
    },
    /// An id, a node or an instance is not acceptable.
    #[error("`{field}` is not acceptable")]
    Name {
        /// The field's path.
        field: &'static str,
        /// Why not.
        source: NameError,
    },
    /// No address in the event names a node, and we were not told whom we asked.
    #[error("no `data.values[].ResourceAddress` names a node")]
    NoNode,
    /// The event speaks of more than one node.
    #[error("the event speaks of node `{first}` and of node `{second}`")]
    TwoNodes {
        /// The node named first.
        first: NodeName,
        /// The other.
        second: String,
    },
    /// One event of an array is none.
    #[error("event {index} of the array cannot be taken")]
    Element {
        /// Counted from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<DecodeError>,
    },
    /// More than any real event holds.
    #[error("the event is too large: {what}")]
    TooLarge {
        /// What is too large, with the limit.
        what: &'static str,
    },
}

impl DecodeError {
    /// Whether the JSON ended too early, so that more bytes could complete it.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self, Self::Json { source, .. } if source.is_eof())
    }
}

/// The fields we read, as texts `S` and values `V`. Order and further fields do not matter.
#[derive(serde::Deserialize)]
struct Wire<S, V> {
    id: Option<S>,
    source: Option<S>,
    #[serde(rename = "type")]
    kind: Option<S>,
    time: Option<V>,
    data: Option<WireData<S, V>>,
}

/// What publishers write nearly always: nothing escaped, values as texts. All is borrowed.
type PlainWire<'a> = Wire<&'a str, &'a str>;

/// Whatever else may come.
type AnyWire = Wire<String, Scalar>;

#[derive(serde::Deserialize)]
struct WireData<S, V> {
    #[serde(default = "Vec::new")]
    values: Vec<WireValue<S, V>>,
}

#[derive(serde::Deserialize)]
struct WireValue<S, V> {
    /// v1 of the API says `resource`.
    #[serde(rename = "ResourceAddress", alias = "resource", alias = "resourceAddress")]
    address: S,
    /// v1 of the API says `dataType`.
    #[serde(alias = "dataType")]
    data_type: Option<S>,
    value: V,
}

/// A string, or a number written as one would have been.
struct Scalar(String);

impl AsRef<str> for Scalar {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl Event {
    /// Decodes one event.
    ///
    /// # Errors
    /// When the bytes are no event; the error names the field.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(bytes, None)
    }

    /// Decodes one event that `node` gave us, for answers whose addresses leave the node out.
    ///
    /// # Errors
    /// When the bytes are no event; the error names the field.
    pub fn from_slice_of(bytes: &[u8], node: &NodeName) -> Result<Self, DecodeError> {
        Self::decode(bytes, Some(node))
    }

    /// Decodes a body as publishers post them: one event, or an array of them, each with the bytes
    /// it was decoded from.
    ///
    /// An array may be empty, and then says nothing.
    ///
    /// # Errors
    /// When any of them is no event, or there are more than [`MAX_EVENTS`].
    pub fn all_from_slice(bytes: &[u8]) -> Result<Vec<(Self, &[u8])>, DecodeError> {
        Self::decode_all(bytes, None)
    }

    /// Decodes all that `node` gave us, one event or an array of them, for answers whose addresses
    /// leave the node out.
    ///
    /// # Errors
    /// As [`Self::all_from_slice`].
    pub fn all_from_slice_of<'a>(
        bytes: &'a [u8],
        node: &NodeName,
    ) -> Result<Vec<(Self, &'a [u8])>, DecodeError> {
        Self::decode_all(bytes, Some(node))
    }

    fn decode_all<'a>(
        bytes: &'a [u8],
        asked: Option<&NodeName>,
    ) -> Result<Vec<(Self, &'a [u8])>, DecodeError> {
        if bytes.len() > MAX_BODY_BYTES {
            return Err(DecodeError::TooLarge { what: "more than 1 MiB" });
        }
        if !is_array(bytes) {
            return Ok(vec![(Self::decode(bytes, asked)?, bytes)]);
        }
        let elements =
            elements(bytes).map_err(|source| DecodeError::Json { path: ".".to_owned(), source })?;
        if elements.len() > MAX_EVENTS {
            return Err(DecodeError::TooLarge { what: "more than 256 events" });
        }
        let decoded = elements.into_iter().enumerate().map(|(index, element)| {
            let event = Self::decode(element, asked);
            let event =
                event.map_err(|error| DecodeError::Element { index, source: Box::new(error) })?;
            Ok((event, element))
        });
        decoded.collect()
    }

    fn decode(bytes: &[u8], asked: Option<&NodeName>) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(DecodeError::TooLarge { what: "an event of more than 64 KiB" });
        }
        // Checking all bytes for UTF-8 at once is faster than string by string.
        match simdutf8::basic::from_utf8(bytes).map(serde_json::from_str::<PlainWire<'_>>) {
            Ok(Ok(wire)) => event(&wire, asked),
            _ => event(&read_any(bytes)?, asked),
        }
    }
}

/// Whether a text is an array of events rather than one (StarlingX, docs/protocol.md §6).
pub(crate) fn is_array(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"[")
}

/// The texts of an array's elements.
pub(crate) fn elements(array: &[u8]) -> Result<Vec<&[u8]>, serde_json::Error> {
    let elements: Vec<&RawValue> = serde_json::from_slice(array)?;
    Ok(elements.into_iter().map(|element| element.get().as_bytes()).collect())
}

/// Reads again, more slowly, what is not written plainly, and says where it went wrong.
#[cold]
fn read_any(bytes: &[u8]) -> Result<AnyWire, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let wire = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        // The library's word for "somewhere".
        let path = if path == "?" { ".".to_owned() } else { path };
        DecodeError::Json { path, source: error.into_inner() }
    })?;
    // The value itself was well; nothing may follow it.
    json.end().map_err(|source| DecodeError::Json { path: ".".to_owned(), source })?;
    Ok(wire)
}

fn event<S, V>(wire: &Wire<S, V>, asked: Option<&NodeName>) -> Result<Event, DecodeError>
where
    S: AsRef<str>,
    V: AsRef<str>,
{
    let data = wire.data.as_ref().ok_or_else(|| DecodeError::Missing { field: "data" })?;
    if data.values.is_empty() {
        return Err(DecodeError::Missing { field: "data.values" });
    }
    if data.values.len() > MAX_VALUES {
        return Err(DecodeError::TooLarge { what: "more than 512 values" });
    }
    let id = wire.id.as_ref().ok_or_else(|| DecodeError::Missing { field: "id" })?;
    let id =
        EventId::new(id.as_ref()).map_err(|source| DecodeError::Name { field: "id", source })?;
    let stamped = wire.time.as_ref().map(|time| stamped(time.as_ref())).transpose()?;
    let resource = resource(wire)?;
    let source = wire.source.as_ref().map_or("", S::as_ref);
    let speaker = Speaker::of(&data.values, asked, source)?;

    let mut readings = Readings::new();
    for (index, value) in data.values.iter().enumerate() {
        let (instance, field) = instance(&resource, speaker.rest(value.address.as_ref())?);
        let instance = if instance.is_empty() { speaker.instance } else { instance };
        let is_metric = value.data_type.as_ref().is_some_and(|kind| kind.as_ref() == "metric");
        let at = readings.iter().rposition(|r| r.instance.as_str() == instance);
        // A second state of the same clock is somebody else's word on it, see `steering`.
        let second = |at: &usize| {
            !is_metric
                && matches!(field, Field::Main)
                && resource == Resource::OsClock
                && readings[*at].state.is_some()
        };
        let at = match at.filter(|at| !second(at)) {
            Some(at) => at,
            None => {
                let instance = Instance::new(instance).map_err(|source| DecodeError::Name {
                    field: "data.values[].ResourceAddress",
                    source,
                })?;
                readings.push(Reading::new(instance));
                readings.len() - 1
            }
        };
        read_value(&mut readings[at], &resource, field, is_metric, value.value.as_ref())
            .map_err(|source| DecodeError::Number { index, source })?;
    }
    if readings.len() > 1 {
        steering(&mut readings);
    }
    if resource == Resource::Gnss {
        readings.iter_mut().for_each(forget_unset_fix);
    }
    Ok(Event { id, node: speaker.node, resource, stamped, readings })
}

/// A time as publishers write it, or the seconds since 1970 that StarlingX keeps until it posts.
fn stamped(text: &str) -> Result<Stamped, DecodeError> {
    Stamped::parse(text).or_else(|source| {
        let seconds = text.parse::<f64>().ok().filter(|seconds| (1e8..9.2e9).contains(seconds));
        match seconds {
            #[expect(clippy::cast_possible_truncation, reason = "it is in the range of times")]
            Some(seconds) => Ok(Stamped::from_nanos((seconds * 1e9) as i64)),
            None => Err(DecodeError::Time { source }),
        }
    })
}

/// Of several words on one clock keeps that of the process that steers it.
///
/// Where chronyd stands in for phc2sys, CurrentState answers with a state and an offset for each of
/// them, both as `CLOCK_REALTIME` and in any order (observed, docs/protocol.md §11). The one that is
/// down says so with a sentinel.
fn steering(readings: &mut Readings) {
    let rank = |reading: &Reading| {
        let down = matches!(reading.offset, Some(Measurement::Sentinel(_)));
        (down, !reading.state.as_ref().is_some_and(SyncState::is_locked))
    };
    let mut at = 0;
    while at < readings.len() {
        let other = (0..at).find(|other| readings[*other].instance == readings[at].instance);
        match other {
            Some(other) => {
                let second = readings.remove(at);
                if rank(&second) < rank(&readings[other]) {
                    readings[other] = second;
                }
            }
            None => at += 1,
        }
    }
}

/// No receiver is synchronised without a fix: the daemon's own event API sends 0 for a fix that it
/// does not know (docs/protocol.md §11).
fn forget_unset_fix(reading: &mut Reading) {
    if reading.gps_fix == Some(GpsFix(0))
        && reading.state.as_ref().is_some_and(|state| state.is_locked())
    {
        reading.gps_fix = None;
    }
}

fn resource<S: AsRef<str>, V>(wire: &Wire<S, V>) -> Result<Resource, DecodeError> {
    let kind = wire.kind.as_ref().ok_or_else(|| DecodeError::Missing { field: "type" })?.as_ref();
    let source = wire.source.as_ref().map_or("", S::as_ref);
    if let Some(known) = Resource::from_event_type(kind).or_else(|| Resource::from_path(source)) {
        return Ok(known);
    }
    let path = if source.is_empty() { kind } else { source };
    let path = Instance::new(path)
        .map_err(|error| DecodeError::Name { field: "source", source: error })?;
    Ok(Resource::Other(SmolStr::new(path.as_str())))
}

/// The one node that all addresses of an event speak of.
struct Speaker<'a> {
    node: NodeName,
    /// What comes before the rest in the first address that names it.
    prefix: &'a str,
    /// The clock that the event's source names; empty where it names none.
    instance: &'a str,
}

impl<'a> Speaker<'a> {
    fn of<S, V>(
        values: &'a [WireValue<S, V>],
        asked: Option<&NodeName>,
        source: &'a str,
    ) -> Result<Self, DecodeError>
    where
        S: AsRef<str>,
    {
        for value in values {
            let address = value.address.as_ref();
            let Address { node, rest } = split(address);
            if let Some(node) = node {
                let node = NodeName::new(node).map_err(|source| DecodeError::Name {
                    field: "data.values[].ResourceAddress",
                    source,
                })?;
                let prefix = &address[..address.len() - rest.len()];
                return Ok(Self { node, prefix, instance: "" });
            }
        }
        // As v1 is documented: the source is `/cluster/NODE/ptp/ens2fx/master`.
        let documented = source.strip_prefix("/cluster/").and_then(|rest| rest.split_once('/'));
        let (named, rest) = documented.filter(|(node, _)| *node != "node").unwrap_or(("", ""));
        let instance = rest.strip_prefix("ptp/").unwrap_or("");
        let node = match asked {
            Some(asked) => asked.clone(),
            None => NodeName::new(named).map_err(|_| DecodeError::NoNode)?,
        };
        Ok(Self { node, prefix: "/", instance })
    }

    /// What an address says beyond the node.
    fn rest<'b>(&self, address: &'b str) -> Result<&'b str, DecodeError> {
        if let Some(rest) = address.strip_prefix(self.prefix)
            && self.prefix.len() > 1
        {
            return Ok(rest);
        }
        let Address { node, rest } = split(address);
        match node {
            Some(node) if node != self.node.as_str() => Err(DecodeError::TwoNodes {
                first: self.node.clone(),
                second: node.chars().take(80).collect(),
            }),
            _ => Ok(rest),
        }
    }
}

/// Which of a reading's numbers a value is.
#[derive(Clone, Copy)]
enum Field {
    /// The state or offset, or whatever the resource has only one of.
    Main,
    GpsFix,
    Quality,
    ExtendedQuality,
}

/// Separates the instance from the suffix some addresses carry.
fn instance<'a>(resource: &Resource, rest: &'a str) -> (&'a str, Field) {
    // An address that is the resource's own path has no instance.
    if rest.starts_with("sync/") {
        return ("", Field::Main);
    }
    // StarlingX puts its instance before it.
    if let Some((instance, _)) = rest.split_once("/sync/") {
        return (instance, Field::Main);
    }
    let suffixed = rest.rsplit_once('/');
    match (resource, suffixed) {
        // The sidecar writes the first; the daemon's own event API the second.
        (Resource::ClockClass, Some((instance, "CLOCK_CLASS" | "clock-class"))) => {
            (instance, Field::Main)
        }
        (Resource::Gnss, Some((instance, suffix))) if suffix.eq_ignore_ascii_case("gpsFix") => {
            (instance, Field::GpsFix)
        }
        (Resource::SynceQuality, Some((instance, suffix))) if suffix.eq_ignore_ascii_case("Ql") => {
            (instance, Field::Quality)
        }
        (Resource::SynceQuality, Some((instance, suffix)))
            if suffix.eq_ignore_ascii_case("extQl") =>
        {
            (instance, Field::ExtendedQuality)
        }
        _ => (rest, Field::Main),
    }
}

fn read_value(
    reading: &mut Reading,
    resource: &Resource,
    field: Field,
    is_metric: bool,
    text: &str,
) -> Result<(), NumberError> {
    match (field, resource) {
        (Field::GpsFix, _) => reading.gps_fix = Some(GpsFix(small(text)?)),
        (Field::Quality, _) => reading.quality = Some(QualityLevel(small(text)?)),
        (Field::ExtendedQuality, _) => reading.extended_quality = Some(QualityLevel(small(text)?)),
        (Field::Main, Resource::ClockClass) => {
            reading.clock_class.get_or_insert(ClockClass(small(text)?));
        }
        (Field::Main, Resource::SynceQuality) => {
            reading.quality.get_or_insert(QualityLevel(small(text)?));
        }
        // A SyncE state is labelled as a metric when pushed (docs/protocol.md §1).
        (Field::Main, Resource::SynceState) => {
            reading.state.get_or_insert_with(|| SyncState::from(text));
        }
        // The first metric counts: a stray "0" may follow (docs/protocol.md §2).
        (Field::Main, _) if is_metric => {
            let nanos = decimal(text)?;
            reading.offset.get_or_insert(Measurement::from_nanos(nanos));
        }
        (Field::Main, _) => {
            reading.state.get_or_insert_with(|| SyncState::from(text));
        }
    }
    Ok(())
}
