//! Holdovers that are waited out: until true time leaves 1500 ns, and longer.
//!
//! Publishers that go on saying HOLDOVER for as long, once with the offset from before the loss and
//! once with what something else measures meanwhile (see `HoldoverOffsets`).

use super::Kind;
use super::site::{Site, minutes, name};
use crate::fault::Effect;
use crate::oscillator::OscillatorKind;
use crate::plan::Plan;
use crate::random::Random;
use crate::topology::HoldoverOffsets::{self, Measured, Repeated};
use ptp_events::SyncState;

/// How long a clock is left alone, in minutes: almost all are beyond 1500 ns by then.
const ALONE_MIN: (f64, f64) = (1_080.0, 1_440.0);

fn grandmaster(offsets: HoldoverOffsets, random: &mut Random) -> Plan {
    let site = Site::sized(4, 6, random).polled();
    let gm = site.grandmaster();
    let start = minutes(20.0, 60.0, random);
    let length = minutes(ALONE_MIN.0, ALONE_MIN.1, random);
    let effect = Effect::GnssSignalLoss { state: SyncState::FailureNofix };
    site.holds(&gm, OscillatorKind::Ocxo, offsets)
        .fault(effect, &[gm], start, None)
        .plan(start + length, random)
}

fn boundary(offsets: HoldoverOffsets, random: &mut Random) -> Plan {
    let site = Site::sized(4, 6, random).with_boundary(random).polled();
    let boundary = name("bc-0");
    let start = minutes(20.0, 60.0, random);
    let length = minutes(ALONE_MIN.0, ALONE_MIN.1, random);
    site.holds(&boundary, OscillatorKind::Ocxo, offsets)
        .fault(Effect::PathLoss {}, &[boundary], start, None)
        .plan(start + length, random)
}

/// Three followers, each for a reason of its own. Two network cards in three have a TCXO.
fn paths(offsets: HoldoverOffsets, random: &mut Random) -> Plan {
    let mut site = Site::sized(8, 12, random).polled();
    let mut start = 0;
    for worker in site.some_workers(3, random) {
        start += minutes(15.0, 40.0, random);
        let oscillator =
            random.pick(&[OscillatorKind::Tcxo, OscillatorKind::Tcxo, OscillatorKind::Ocxo]);
        site = site.holds(&worker, oscillator, offsets);
        site = site.fault(Effect::PathLoss {}, &[worker], start, None);
    }
    site.plan(start + minutes(ALONE_MIN.0, ALONE_MIN.1, random), random)
}

pub(super) const GRANDMASTER: Kind = Kind {
    name: "holdover-grandmaster",
    summary: "a grandmaster without GNSS for a day: an OCXO, offsets repeated",
    draw: |random| grandmaster(Repeated, random),
};

pub(super) const GRANDMASTER_MEASURED: Kind = Kind {
    name: "holdover-grandmaster-measured",
    summary: "a grandmaster without GNSS for a day: an OCXO, measured meanwhile",
    draw: |random| grandmaster(Measured, random),
};

pub(super) const BOUNDARY: Kind = Kind {
    name: "holdover-boundary",
    summary: "a boundary clock without its uplink for a day: an OCXO, offsets repeated",
    draw: |random| boundary(Repeated, random),
};

pub(super) const BOUNDARY_MEASURED: Kind = Kind {
    name: "holdover-boundary-measured",
    summary: "a boundary clock without its uplink for a day: an OCXO, measured meanwhile",
    draw: |random| boundary(Measured, random),
};

pub(super) const PATHS: Kind = Kind {
    name: "holdover-paths",
    summary: "three followers lose their paths for good: TCXOs and OCXOs, offsets repeated",
    draw: |random| paths(Repeated, random),
};

pub(super) const PATHS_MEASURED: Kind = Kind {
    name: "holdover-paths-measured",
    summary: "three followers lose their paths for good: TCXOs and OCXOs, measured meanwhile",
    draw: |random| paths(Measured, random),
};
