//! The requirements, by kind of clock.

mod all;
mod tbc;
mod tgm;
mod ttsc;

use ptp_events::Resource;

use crate::kind::ClockKind;
use crate::requirement::Requirement;

/// Every requirement of each kind of clock, in the order of their numbers.
///
/// Sources: the operator project's published requirements for T-GM (draft of 2026-07-30), T-BC (release 5.1,
/// 2026-09-10) and T-TSC (draft of 2026-06-21), and their gap lists.
///
/// After them, what can be seen of ITU-T G.8275.1 and of O-RAN's notification API, which hold for all.
pub const REQUIREMENTS: &[(ClockKind, &[Requirement])] = &[
    (ClockKind::TGm, tgm::ROWS),
    (ClockKind::TBc, tbc::ROWS),
    (ClockKind::TTsc, ttsc::ROWS),
    (ClockKind::TGm, all::ROWS),
    (ClockKind::TBc, all::ROWS),
    (ClockKind::TTsc, all::ROWS),
];

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
