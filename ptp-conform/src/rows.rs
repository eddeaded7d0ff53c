//! The requirements, by kind of clock.

pub(crate) mod all;
pub(crate) mod tbc;
pub(crate) mod tgm;
pub(crate) mod ttsc;

use ptp_events::Resource;

/// What a recording of events and logs cannot show.
const ANNOUNCE: &str =
    "a capture of Announce messages, or pmc's PARENT, TIME_PROPERTIES and CURRENT data sets";
const ONLY_CLASS: &str =
    "of what is announced only the class is in events; a capture or pmc shows the rest";
const CONFIG: &str = "the PtpConfig and the HardwareConfig of the node";
const PINS: &str = "the states of the DPLL's pins (`dpll` netlink) before and after";
const KUBERNETES: &str =
    "the objects and events of the cluster (`oc get -o yaml`, `oc get events`)";
const EXTERNAL: &str = "a measurement by an instrument with a reference of its own";
const ESTIMATE: &str =
    "the DPLL's estimate (`openshift_ptp_offset_ns`) against the configured limits";
const RECEIVER: &str = "the commands that the daemon sends to the receiver (ubxtool)";

/// The events that tell of a change.
const STATES: &[Resource] = &[
    Resource::LockState,
    Resource::ClockClass,
    Resource::OsClock,
    Resource::SyncState,
    Resource::Gnss,
];
