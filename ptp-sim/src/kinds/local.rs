//! Faults of one node: its path, its oscillator, its clocks, its processes.

use jiff::SignedDuration;

use super::Kind;
use super::site::{Site, minutes, name, perhaps};
use crate::fault::{Effect, Mistake};
use crate::plan::Plan;
use crate::random::Random;

/// `effect` at one follower for a random time, half of the times for ever.
fn at_one(effect: Effect, low: f64, high: f64, site: Site, random: &mut Random) -> Plan {
    let node = site.worker(random);
    let start = minutes(10.0, 40.0, random);
    let length = minutes(low, high, random);
    let tail = minutes(8.0, 20.0, random);
    let lasts = perhaps(length, random);
    site.fault(effect, &[node], start, lasts).plan(start + length + tail, random)
}

pub(super) const PATH_LOSS: Kind = Kind {
    name: "path-loss",
    summary: "one follower's cable: HOLDOVER, then FREERUN unless it comes back in time",
    draw: |random| {
        let site = Site::draw(random);
        at_one(Effect::PathLoss {}, 0.5, 60.0, site, random)
    },
};

pub(super) const BOUNDARY_PATH_LOSS: Kind = Kind {
    name: "boundary-path-loss",
    summary: "a boundary clock's uplink: 135, 165, 248, and its followers with it",
    draw: |random| {
        let site = Site::draw(random).with_boundary(random);
        let start = minutes(10.0, 40.0, random);
        let length = minutes(1.0, 100.0, random);
        let tail = minutes(8.0, 20.0, random);
        let lasts = perhaps(length, random);
        site.fault(Effect::PathLoss {}, &[name("bc-0")], start, lasts)
            .plan(start + length + tail, random)
    },
};

pub(super) const FLAPPING_LINK: Kind = Kind {
    name: "flapping-link",
    summary: "one follower's link goes down every 30 to 90 s, for up to an hour",
    draw: |random| {
        let site = Site::draw(random);
        at_one(Effect::FlappingLink {}, 8.0, 60.0, site, random)
    },
};

pub(super) const NOISE_GROWTH: Kind = Kind {
    name: "noise-growth",
    summary: "packet delay comes to vary several times as much at one follower",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let start = minutes(30.0, 60.0, random);
        let length = minutes(60.0, 150.0, random);
        let factor = random.between(16.0, 30.0) / site.noise_ns(&node);
        let grows_over = SignedDuration::from_secs(minutes(0.0, 20.0, random));
        let effect = Effect::Noise { factor, grows_over };
        let lasts = perhaps(length, random);
        site.fault(effect, &[node], start, lasts).plan(start + length + 1_800, random)
    },
};

pub(super) const ASYMMETRY_STEP: Kind = Kind {
    name: "asymmetry-step",
    summary: "a slow follower's path becomes asymmetric: a step within the threshold",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let start = minutes(60.0, 120.0, random);
        let length = minutes(60.0, 120.0, random);
        let ns = random.between(40.0, 85.0) * random.sign();
        site.slow_at(&node)
            .fault(Effect::Asymmetry { ns }, &[node], start, None)
            .plan(start + length, random)
    },
};

pub(super) const ASYMMETRY_STEP_LARGE: Kind = Kind {
    name: "asymmetry-step-large",
    summary: "a path becomes asymmetric by more than the threshold: FREERUN until followed",
    draw: |random| {
        let mut site = Site::draw(random).polled();
        let node = site.worker(random);
        if random.chance(0.6) {
            site = site.slow_at(&node);
        }
        let start = minutes(30.0, 90.0, random);
        let length = minutes(30.0, 90.0, random);
        let ns = random.between(130.0, 900.0) * random.sign();
        site.fault(Effect::Asymmetry { ns }, &[node], start, None).plan(start + length, random)
    },
};

pub(super) const OSCILLATOR_DRIFT: Kind = Kind {
    name: "oscillator-drift",
    summary: "an oven fails behind a slow servo: the offset grows while LOCKED",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let start = minutes(60.0, 120.0, random);
        let length = minutes(120.0, 240.0, random);
        // Through the slow servo's integral gain: 20 to 80 ns per hour.
        let ppb_per_h2 = random.between(0.072, 0.288) * random.sign();
        let lasts = perhaps(length, random);
        site.slow_at(&node)
            .fault(Effect::OscillatorDrift { ppb_per_h2 }, &[node], start, lasts)
            .plan(start + length + 3_600, random)
    },
};

pub(super) const OS_CLOCK_CRASH: Kind = Kind {
    name: "os-clock-crash",
    summary: "phc2sys is gone on one node while PTP is LOCKED",
    draw: |random| {
        let site = Site::draw(random);
        at_one(Effect::OsClockCrash {}, 1.0, 60.0, site, random)
    },
};

pub(super) const OS_CLOCK_ADRIFT: Kind = Kind {
    name: "os-clock-adrift",
    summary: "phc2sys is stuck: the system clock leaves while PTP is LOCKED",
    draw: |random| {
        let site = Site::draw(random);
        let ns_per_s = random.between(2.0, 80.0) * random.sign();
        let effect = Effect::OsClockAdrift { ns_per_s };
        at_one(effect, 3.0, 60.0, site, random)
    },
};

pub(super) const OS_CLOCK_RIVAL: Kind = Kind {
    name: "os-clock-rival",
    summary: "another time daemon keeps setting the system clock",
    draw: |random| {
        let site = Site::draw(random);
        // chronyd polls every 64 s by default, and is some tens of us off over a network.
        let every = SignedDuration::from_secs(random.pick(&[16, 32, 64]));
        let jump_ns = random.between(4e3, 2e5) * random.sign();
        let effect = Effect::OsClockRival { jump_ns, every };
        at_one(effect, 10.0, 60.0, site, random)
    },
};

pub(super) const SYNCE_DEGRADED: Kind = Kind {
    name: "synce-degraded",
    summary: "one node loses its SyncE reference; PTP goes on",
    draw: |random| {
        let site = Site::draw(random);
        let node = site.worker(random);
        let start = minutes(10.0, 40.0, random);
        let length = minutes(1.0, 30.0, random);
        let lasts = perhaps(length, random);
        site.synce_at(&node)
            .fault(Effect::SynceLoss {}, &[node], start, lasts)
            .plan(start + length + 600, random)
    },
};

pub(super) const NEVER_LOCKED: Kind = Kind {
    name: "never-locked",
    summary: "a follower in another domain, or 37 s off: it never locks",
    draw: |random| {
        let site = Site::draw(random);
        let node = site.worker(random);
        let mistake = random.pick(&[Mistake::Domain, Mistake::UtcOffset]);
        let length = minutes(20.0, 60.0, random);
        site.cold_at(std::slice::from_ref(&node))
            .fault(Effect::Misconfiguration { mistake }, &[node], 0, None)
            .plan(length, random)
    },
};

pub(super) const PROCESS_RESTART: Kind = Kind {
    name: "process-restart",
    summary: "ptp4l and phc2sys, or the whole pod, are restarted on one node",
    draw: |random| {
        let site = Site::draw(random);
        let node = site.worker(random);
        let start = minutes(10.0, 40.0, random);
        let pod = random.chance(0.4);
        let length = i64::from(if pod { random.whole(4, 15) } else { random.whole(1, 8) });
        let tail = minutes(10.0, 30.0, random);
        site.fault(Effect::ProcessRestart { pod }, &[node], start, Some(length))
            .plan(start + tail, random)
    },
};
