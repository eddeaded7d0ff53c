//! The built-in detectors: one file each, whose module comment is its manual page.

mod clock_class_degraded;
mod clock_contended;
mod configuration_refused;
mod contradictions;
mod counts_from_1970;
mod detector;
mod dpll_unlocked;
mod frequent_class_changes;
mod frequent_master_changes;
mod frequent_state_changes;
mod gnss_fault;
mod grandmaster_switch;
mod high_offset;
mod holdover;
mod inconsistent_state;
mod loss_of_lock;
mod master_changed;
mod never_locked;
mod node_clock_skew;
mod nothing_measured;
mod offset_drift;
mod offset_noise;
mod offset_step;
mod os_clock_unsynchronised;
mod persistent_freerun;
mod process_restart;
mod publisher_artefact;
mod pulse_fault;
mod redundancy_lost;
mod rogue_peer;
mod samples_stopped;
mod servo_saturated;
mod silence;
mod synce_degraded;
mod threshold_hugging;
mod time_jump;
mod time_of_day_lost;
mod timescale_doubted;
mod timestamps_missed;
mod view;

use ptp_events::Resource;

pub use self::detector::{Assessment, Detector, Scope, Shows, When};
pub use self::view::View;

/// The clocks that report FREERUN, HOLDOVER or LOCKED.
const STATE_CLOCKS: &[Resource] = &[Resource::LockState, Resource::OsClock, Resource::SyncState];

/// All built-in detectors, in causal order: what comes first is nearer to the cause.
pub const BUILT_IN: &[Detector] = &[
    silence::DETECTOR,
    publisher_artefact::DETECTOR,
    gnss_fault::DETECTOR,
    time_of_day_lost::DETECTOR,
    dpll_unlocked::DETECTOR,
    pulse_fault::DETECTOR,
    timestamps_missed::DETECTOR,
    configuration_refused::DETECTOR,
    rogue_peer::DETECTOR,
    timescale_doubted::DETECTOR,
    counts_from_1970::DETECTOR,
    servo_saturated::DETECTOR,
    clock_contended::DETECTOR,
    frequent_master_changes::DETECTOR,
    process_restart::DETECTOR,
    grandmaster_switch::DETECTOR,
    master_changed::DETECTOR,
    time_jump::DETECTOR,
    offset_step::DETECTOR,
    offset_drift::DETECTOR,
    offset_noise::DETECTOR,
    threshold_hugging::DETECTOR,
    high_offset::DETECTOR,
    samples_stopped::DETECTOR,
    holdover::DETECTOR,
    loss_of_lock::DETECTOR,
    persistent_freerun::DETECTOR,
    frequent_state_changes::DETECTOR,
    never_locked::DETECTOR,
    nothing_measured::DETECTOR,
    redundancy_lost::DETECTOR,
    clock_class_degraded::DETECTOR,
    frequent_class_changes::DETECTOR,
    synce_degraded::DETECTOR,
    os_clock_unsynchronised::DETECTOR,
    inconsistent_state::DETECTOR,
    node_clock_skew::DETECTOR,
];
