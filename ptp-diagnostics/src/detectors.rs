//! The built-in detectors: one file each, whose module comment is its manual page.

mod clock_class_degraded;
mod contradictions;
mod detector;
mod frequent_class_changes;
mod frequent_state_changes;
mod gnss_fault;
mod grandmaster_switch;
mod high_offset;
mod holdover;
mod inconsistent_state;
mod loss_of_lock;
mod never_locked;
mod node_clock_skew;
mod offset_drift;
mod offset_noise;
mod offset_step;
mod os_clock_unsynchronised;
mod persistent_freerun;
mod process_restart;
mod publisher_artefact;
mod silence;
mod synce_degraded;
mod threshold_hugging;
mod time_jump;
mod view;

use ptp_events::Resource;

pub use self::detector::{Assessment, Detector, Scope, Shows};
pub use self::view::View;

/// The clocks that report FREERUN, HOLDOVER or LOCKED.
const STATE_CLOCKS: &[Resource] = &[Resource::LockState, Resource::OsClock, Resource::SyncState];

/// All built-in detectors, in causal order: what comes first is nearer to the cause.
pub const BUILT_IN: &[Detector] = &[
    silence::DETECTOR,
    publisher_artefact::DETECTOR,
    gnss_fault::DETECTOR,
    process_restart::DETECTOR,
    grandmaster_switch::DETECTOR,
    time_jump::DETECTOR,
    offset_step::DETECTOR,
    offset_drift::DETECTOR,
    offset_noise::DETECTOR,
    threshold_hugging::DETECTOR,
    high_offset::DETECTOR,
    holdover::DETECTOR,
    loss_of_lock::DETECTOR,
    persistent_freerun::DETECTOR,
    frequent_state_changes::DETECTOR,
    never_locked::DETECTOR,
    clock_class_degraded::DETECTOR,
    frequent_class_changes::DETECTOR,
    synce_degraded::DETECTOR,
    os_clock_unsynchronised::DETECTOR,
    inconsistent_state::DETECTOR,
    node_clock_skew::DETECTOR,
];
