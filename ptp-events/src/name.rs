//! Names that arrive in events, and the bounds we hold them to.

use std::fmt;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The longest name we accept, in bytes: a DNS subdomain (RFC 1123), the longest a Kubernetes
/// node or an interface path can honestly be.
const MAX_NAME_BYTES: usize = 253;

/// Why a text cannot be a name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing in it.
    #[error("the name is empty")]
    Empty,
    /// Longer than any real name.
    #[error("the name is {bytes} bytes long, the limit is {MAX_NAME_BYTES}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A control character, such as a line break that would forge a log line.
    #[error("the name contains the control character U+{code:04X}")]
    Control {
        /// The character's code point.
        code: u32,
    },
}

fn check(text: &str) -> Result<(), NameError> {
    if text.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { bytes: text.len() });
    }
    // Nearly all names are plain ASCII, which is told apart many bytes at a time.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return Ok(());
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(NameError::Control { code: c.into() }),
        None => Ok(()),
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "SmolStr", into = "SmolStr")]
        pub struct $name(SmolStr);

        impl $name {
            /// The name as it was sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<SmolStr> for $name {
            type Error = NameError;

            fn try_from(text: SmolStr) -> Result<Self, NameError> {
                Self::new(&text)
            }
        }

        impl From<$name> for SmolStr {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name! {
    /// A Kubernetes node, as the publisher names it.
    ///
    /// Never empty, at most 253 bytes, no control characters. Otherwise it is whatever the sender
    /// wrote: quote it before it reaches a shell, a page or a model.
    NodeName
}

impl NodeName {
    /// Accepts a node name.
    ///
    /// # Errors
    /// When it is empty, too long, or contains a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        check(text)?;
        Ok(Self(SmolStr::new(text)))
    }
}

name! {
    /// Which of a node's clocks of one kind: `ens1fx/master`, `CLOCK_REALTIME`, `synce1/ens7f0`.
    ///
    /// Empty for a resource that exists once per node, such as the overall sync-state. Interfaces
    /// are the publisher's aliases: `ens1fx` stands for the ports `ens1f0`, `ens1f1`, … of one card.
    Instance
}

impl Instance {
    /// The instance of a resource that a node has only one of.
    pub const NODE: Self = Self(SmolStr::new_static(""));

    /// An instance known when the program is written; it must be an acceptable one.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// Accepts an instance name; empty is [`Instance::NODE`].
    ///
    /// # Errors
    /// When it is too long, or contains a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        check(text)?;
        Ok(Self(SmolStr::new(text)))
    }

    /// Whether this stands for "no data yet" rather than for a clock.
    ///
    /// `ptp-not-set` and `event-not-found` are sent with state FREERUN and offset 0 when a
    /// publisher has nothing to say (observed, see docs/protocol.md §4).
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        matches!(self.as_str(), "ptp-not-set" | "event-not-found")
    }

    /// The network interface in it, if it names one: `ens1fx` of `ens1fx/master`.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        let text = self.as_str();
        let interface = match text.split_once('/')? {
            (interface, "master") => interface,
            (device, interface) if device.starts_with("synce") => interface,
            _ => return None,
        };
        (!interface.is_empty()).then_some(interface)
    }
}

name! {
    /// A network port by the name the node has for it: `ens1f0`.
    ///
    /// Publishers write aliases instead, see [`Port::alias`]; logs write the name.
    Port
}

impl Port {
    /// Accepts a port's name.
    ///
    /// # Errors
    /// When it is empty, too long, or contains a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        check(text)?;
        Ok(Self(SmolStr::new(text)))
    }

    /// The publisher's name for all ports of the card: `ens1fx` of `ens1f0` and of `ens1f10np0`.
    ///
    /// An ending `npN` (the physical port, systemd 249 and later), then all trailing digits are cut,
    /// and `x` is put there; a VLAN's number stays (docs/protocol.md §10).
    #[must_use]
    pub fn alias(&self) -> String {
        let (port, vlan) = match self.0.split_once('.') {
            Some((port, vlan)) => (port, Some(vlan)),
            None => (self.0.as_str(), None),
        };
        let card = without_physical_port(port).trim_end_matches(|c: char| c.is_ascii_digit());
        match vlan {
            Some(vlan) => format!("{card}x.{vlan}"),
            None => format!("{card}x"),
        }
    }

    /// Whether a card is known to have several ports by this name alone: it numbers the card's
    /// function, as in `ens1f0`. Of `eno1` and `eno2` nothing says that they share a clock.
    #[must_use]
    pub fn numbers_a_function(&self) -> bool {
        let port = self.0.split_once('.').map_or(self.0.as_str(), |(port, _)| port);
        let port = without_physical_port(port);
        let card = port.trim_end_matches(|c: char| c.is_ascii_digit());
        card.len() < port.len()
            && card
                .strip_suffix('f')
                .is_some_and(|slot| slot.ends_with(|c: char| c.is_ascii_digit()))
    }
}

/// `ens5f0` of `ens5f0np0`; a name such as `enp3` is left as it is.
fn without_physical_port(port: &str) -> &str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match port.rsplit_once("np") {
        Some((rest, number)) if digits(number) && rest.ends_with(|c: char| c.is_ascii_digit()) => {
            rest
        }
        _ => port,
    }
}

/// The name among `known` that was most likely meant by what was typed, if any is similar; none is
/// similar to what is too long to be a name.
#[must_use]
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > MAX_NAME_BYTES {
        return None;
    }
    let typed = typed.to_ascii_lowercase();
    let distance =
        |name: &str| strsim::normalized_damerau_levenshtein(&typed, &name.to_ascii_lowercase());
    let scored = known.into_iter().map(|name| (distance(name), name));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > 0.5).then_some(best.1)
}

/// The id of one delivery of an event, unique per publisher.
///
/// Publishers use UUIDs; those are kept in 16 bytes, anything else as text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct EventId(Id);

#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Id {
    Uuid(u128),
    Text(SmolStr),
}

impl EventId {
    /// Accepts an event id.
    ///
    /// # Errors
    /// When it is empty, too long, or contains a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if let Some(uuid) = parse_uuid(text) {
            return Ok(Self(Id::Uuid(uuid)));
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        check(text)?;
        Ok(Self(Id::Text(SmolStr::new(text))))
    }
}

/// Reads a UUID as publishers write it, and only so: the same text must come out again.
fn parse_uuid(text: &str) -> Option<u128> {
    let written_so =
        text.len() == Hyphenated::LENGTH && !text.bytes().any(|b| b.is_ascii_uppercase());
    let uuid = written_so.then(|| Uuid::try_parse(text).ok())??;
    Some(uuid.as_u128())
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Id::Uuid(uuid) => fmt::Display::fmt(&Uuid::from_u128(*uuid), f),
            Id::Text(text) => f.write_str(text),
        }
    }
}

impl TryFrom<SmolStr> for EventId {
    type Error = NameError;

    fn try_from(text: SmolStr) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<EventId> for SmolStr {
    fn from(id: EventId) -> Self {
        match id.0 {
            Id::Text(text) => text,
            uuid @ Id::Uuid(_) => smol_str::format_smolstr!("{}", EventId(uuid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        assert_eq!(NodeName::new(""), Err(NameError::Empty));
        assert_eq!(NodeName::new("a\nb"), Err(NameError::Control { code: 0x0A }));
        assert_eq!(NodeName::new(&"x".repeat(254)), Err(NameError::TooLong { bytes: 254 }));
    }

    #[test]
    fn an_id_comes_out_as_it_went_in() {
        for text in [
            "5f519ae8-7787-4862-986f-8edf2dfc3688",
            "00000000-0000-0000-0000-000000000000",
            "5F519AE8-7787-4862-986F-8EDF2DFC3688",
            "5f519ae8-7787-4862-986f-8edf2dfc368",
            "5f519ae877874862986f8edf2dfc36880000",
            "1",
        ] {
            assert_eq!(EventId::new(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn aliases_are_the_publishers() {
        for (port, alias, numbered) in [
            ("ens1f0", "ens1fx", true),
            ("ens7f1", "ens7fx", true),
            ("ens1f10", "ens1fx", true),
            ("ens5f0np0", "ens5fx", true),
            ("enP2s2f0np0", "enP2s2fx", true),
            ("eno8703", "enox", false),
            ("enp3s0", "enp3sx", false),
            ("enp3s0np1", "enp3sx", false),
            ("enp3", "enpx", false),
            ("eth0.100", "ethx.100", false),
            ("lo", "lox", false),
        ] {
            let port = Port::new(port).unwrap();
            assert_eq!((&*port.alias(), port.numbers_a_function()), (alias, numbered), "{port}");
        }
    }

    #[test]
    fn an_instance_knows_its_interface() {
        let interface = |text| Instance::new(text).unwrap().interface().map(str::to_owned);
        assert_eq!(interface("ens1fx/master").as_deref(), Some("ens1fx"));
        assert_eq!(interface("synce1/ens7f0").as_deref(), Some("ens7f0"));
        assert_eq!(interface("CLOCK_REALTIME"), None);
        assert_eq!(interface("/master"), None);
    }
}
