//! The things a node reports on.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

/// One of the resources of the notification API, without its node.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Resource {
    /// `/sync/gnss-status/gnss-sync-status`: a GNSS receiver.
    Gnss,
    /// `/sync/ptp-status/lock-state`: a PTP clock.
    LockState,
    /// `/sync/ptp-status/clock-class`: the class a PTP clock announces.
    ClockClass,
    /// `/sync/sync-status/os-clock-sync-state`: the system clock, `CLOCK_REALTIME`.
    OsClock,
    /// `/sync/sync-status/sync-state`: the node as a whole.
    SyncState,
    /// `/sync/synce-status/lock-state`: a `SyncE` clock.
    SynceState,
    /// `/sync/synce-status/clock-quality`: its quality level.
    SynceQuality,
    /// A resource this version does not know, by its path.
    Other(SmolStr),
}

/// name, path, event type. API v1 and `StarlingX` differ only in the extra paths of `from_path`.
const TABLE: [(Resource, &str, &str, &str); 7] = [
    (
        Resource::Gnss,
        "gnss-sync-status",
        "/sync/gnss-status/gnss-sync-status",
        "event.sync.gnss-status.gnss-state-change",
    ),
    (
        Resource::LockState,
        "lock-state",
        "/sync/ptp-status/lock-state",
        "event.sync.ptp-status.ptp-state-change",
    ),
    (
        Resource::ClockClass,
        "clock-class",
        "/sync/ptp-status/clock-class",
        "event.sync.ptp-status.ptp-clock-class-change",
    ),
    (
        Resource::OsClock,
        "os-clock-sync-state",
        "/sync/sync-status/os-clock-sync-state",
        "event.sync.sync-status.os-clock-sync-state-change",
    ),
    (
        Resource::SyncState,
        "sync-state",
        "/sync/sync-status/sync-state",
        "event.sync.sync-status.synchronization-state-change",
    ),
    (
        Resource::SynceState,
        "synce-lock-state",
        "/sync/synce-status/lock-state",
        "event.sync.synce-status.synce-state-change",
    ),
    (
        Resource::SynceQuality,
        "synce-clock-quality",
        "/sync/synce-status/clock-quality",
        "event.sync.synce-status.synce-clock-quality-change",
    ),
];

impl Resource {
    /// The seven resources a publisher offers.
    pub const ALL: [Self; 7] = [
        Self::Gnss,
        Self::LockState,
        Self::ClockClass,
        Self::OsClock,
        Self::SyncState,
        Self::SynceState,
        Self::SynceQuality,
    ];

    fn row(&self) -> Option<&'static (Self, &'static str, &'static str, &'static str)> {
        let index = match self {
            Self::Gnss => 0,
            Self::LockState => 1,
            Self::ClockClass => 2,
            Self::OsClock => 3,
            Self::SyncState => 4,
            Self::SynceState => 5,
            Self::SynceQuality => 6,
            Self::Other(_) => return None,
        };
        Some(&TABLE[index])
    }

    /// A short name for people, unique among the resources.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Other(path) => path,
            known => known.row().map_or("", |row| row.1),
        }
    }

    /// The path below the node, as in an event's `source`.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Other(path) => path,
            known => known.row().map_or("", |row| row.2),
        }
    }

    /// The CloudEvents `type` of its events.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.row().map_or("event.sync", |row| row.3)
    }

    /// The resource whose events are of this CloudEvents `type`.
    pub(crate) fn from_event_type(kind: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.3 == kind).map(|row| row.0.clone())
    }

    /// The resource a path or address ends in; v1 spells the clock class its own way.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let path = path.trim_end_matches('/');
        if path.ends_with("/ptp-status/ptp-clock-class-change") {
            return Some(Self::ClockClass);
        }
        TABLE.iter().find(|row| path.ends_with(row.2)).map(|row| row.0.clone())
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// By its name; one that is not known by any is taken as it is.
impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = SmolStr::deserialize(deserializer)?;
        let known = TABLE.iter().find(|row| row.1 == name).map(|row| row.0.clone());
        Ok(known.unwrap_or(Self::Other(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for resource in Resource::ALL {
            assert_eq!(resource.row().map(|row| &row.0), Some(&resource));
            assert_eq!(Resource::from_path(resource.path()), Some(resource.clone()));
            assert_eq!(Resource::from_event_type(resource.event_type()), Some(resource));
        }
    }
}
