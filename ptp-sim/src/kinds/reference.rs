//! Faults of the reference: GNSS, the grandmaster, what all followers share.

use super::Kind;
use super::site::{Site, minutes, perhaps};
use crate::fault::Effect;
use crate::plan::Plan;
use crate::random::Random;
use ptp_events::SyncState;

pub(super) const GNSS_OUTAGE_SHORT: Kind = Kind {
    name: "gnss-outage-short",
    summary: "the grandmaster loses its satellites and recovers in holdover",
    draw: |random| {
        let start = minutes(10.0, 40.0, random);
        let length = minutes(0.5, 14.0, random);
        let site = Site::draw(random);
        let gm = site.grandmaster();
        let tail = minutes(8.0, 20.0, random);
        site.fault(signal_loss(), &[gm], start, Some(length)).plan(start + length + tail, random)
    },
};

fn signal_loss() -> Effect {
    Effect::GnssSignalLoss { state: SyncState::FailureNofix }
}

pub(super) const GNSS_OUTAGE_LONG: Kind = Kind {
    name: "gnss-outage-long",
    summary: "the grandmaster loses its satellites for longer than it can hold: 7, 140, 248",
    draw: |random| {
        let site = Site::draw(random);
        let gm = site.grandmaster();
        let start = minutes(10.0, 40.0, random);
        let timeout = site.holdover_timeout_s(&gm);
        let length = timeout + minutes(5.0, 60.0, random);
        let tail = minutes(10.0, 30.0, random);
        let lasts = perhaps(length, random);
        site.fault(signal_loss(), &[gm], start, lasts).plan(start + length + tail, random)
    },
};

pub(super) const GNSS_ANTENNA_FAULT: Kind = Kind {
    name: "gnss-antenna-fault",
    summary: "the antenna is cut off or short-circuited, and the publisher says so",
    draw: |random| {
        let site = Site::draw(random);
        let gm = site.grandmaster();
        let start = minutes(10.0, 40.0, random);
        let length = minutes(2.0, 90.0, random);
        let tail = minutes(8.0, 20.0, random);
        let short = random.chance(0.4);
        let lasts = perhaps(length, random);
        site.fault(Effect::GnssAntennaFault { short }, &[gm], start, lasts)
            .plan(start + length + tail, random)
    },
};

pub(super) const GNSS_RECEIVER_FAULT: Kind = Kind {
    name: "gnss-receiver-fault",
    summary: "the GNSS receiver loses its oscillator loop, or boots on and on",
    draw: |random| {
        let site = Site::draw(random);
        let gm = site.grandmaster();
        let start = minutes(10.0, 40.0, random);
        let length = minutes(6.0, 90.0, random);
        let tail = minutes(8.0, 20.0, random);
        let boots = random.chance(0.4);
        let lasts = perhaps(length, random);
        site.fault(Effect::GnssReceiverFault { boots }, &[gm], start, lasts)
            .plan(start + length + tail, random)
    },
};

pub(super) const GRANDMASTER_DEGRADED: Kind = Kind {
    name: "grandmaster-degraded",
    summary: "an upstream grandmaster that is not ours loses its reference: classes change",
    draw: |random| {
        let site = Site::draw(random).upstream_grandmaster().relaying_class(random);
        let gm = site.grandmaster();
        let start = minutes(10.0, 40.0, random);
        let length = minutes(5.0, 150.0, random);
        let tail = minutes(8.0, 20.0, random);
        let lasts = perhaps(length, random);
        site.fault(signal_loss(), &[gm], start, lasts).plan(start + length + tail, random)
    },
};

pub(super) const GRANDMASTER_SWITCH: Kind = Kind {
    name: "grandmaster-switch",
    summary: "followers turn to another grandmaster: a brief transient everywhere",
    draw: |random| {
        let site = Site::draw(random).upstream_grandmaster().relaying_class(random);
        let gm = site.grandmaster();
        let start = minutes(10.0, 40.0, random);
        let tail = minutes(10.0, 30.0, random);
        // Two grandmasters within ITU-T G.8272 differ by 200 ns at most; paths add to it.
        let step_ns = random.between(60.0, 400.0) * random.sign();
        let reselects = random.chance(0.6) || step_ns.abs() < 150.0;
        let effect = Effect::GrandmasterSwitch { step_ns, reselects };
        site.fault(effect, &[gm], start, None).plan(start + tail, random)
    },
};

/// The grandmaster is ours or another's.
fn either_grandmaster(site: Site, random: &mut Random) -> Site {
    if random.chance(0.5) { site.upstream_grandmaster() } else { site }
}

/// The switch that so many followers share is gone.
fn switch_lost(site: Site, count: usize, random: &mut Random) -> Plan {
    let lost = site.some_workers(count, random);
    let start = minutes(10.0, 40.0, random);
    let length = minutes(0.5, 45.0, random);
    let tail = minutes(8.0, 20.0, random);
    let lasts = perhaps(length, random);
    site.fault(Effect::UpstreamLoss {}, &lost, start, lasts).plan(start + length + tail, random)
}

pub(super) const UPSTREAM_LOSS: Kind = Kind {
    name: "upstream-loss",
    summary: "the switch that half or all of the followers share is gone",
    draw: |random| {
        let site = either_grandmaster(Site::sized(6, 19, random), random);
        let total = site.workers().len();
        let share = usize::try_from(random.whole(50, 100)).unwrap_or(100);
        let count = (total * share).div_ceil(100).max(3);
        switch_lost(site, count, random)
    },
};

pub(super) const BRANCH_LOSS: Kind = Kind {
    name: "branch-loss",
    summary: "the switch that a few of many followers share is gone",
    draw: |random| {
        let site = either_grandmaster(Site::sized(8, 24, random), random);
        let few = u32::try_from(site.workers().len() / 2 - 1).unwrap_or(3);
        let count = usize::try_from(random.whole(3, few.max(3))).unwrap_or(3);
        switch_lost(site, count, random)
    },
};
