//! Two independent faults at once.

use super::Kind;
use super::site::{Site, minutes, perhaps};
use crate::fault::Effect;
use crate::plan::Plan;
use crate::random::Random;
use ptp_events::{NodeName, SyncState};

/// A fault and where it sits.
type Placed = (Effect, NodeName);

/// Two faults that overlap, each for a random time; the second begins within the first.
fn both(first: Placed, second: Placed, low: f64, high: f64, site: Site, r: &mut Random) -> Plan {
    let start = minutes(10.0, 30.0, r);
    let length = minutes(low, high, r);
    let later = start + minutes(0.5, (low * 0.8).max(1.0), r);
    let other = minutes(low, high, r);
    let end = (start + length).max(later + other);
    let (lasts, other_lasts) = (perhaps(length, r), perhaps(other, r));
    let tail = minutes(8.0, 20.0, r);
    site.clean()
        .fault(first.0, &[first.1], start, lasts)
        .fault(second.0, &[second.1], later, other_lasts)
        .plan(end + tail, r)
}

fn signal_loss(site: &Site) -> Placed {
    let state = SyncState::FailureNofix;
    (Effect::GnssSignalLoss { state }, site.grandmaster())
}

/// Two different followers.
fn two(site: &Site, random: &mut Random) -> (NodeName, NodeName) {
    let workers = site.some_workers(2, random);
    (workers[0].clone(), workers[1].clone())
}

pub(super) const GNSS_AND_OS_CLOCK: Kind = Kind {
    name: "gnss-and-os-clock",
    summary: "the grandmaster loses GNSS, and phc2sys is stuck on a follower",
    draw: |random| {
        let site = Site::draw(random);
        let worker = site.worker(random);
        let first = signal_loss(&site);
        let ns_per_s = random.between(5.0, 80.0) * random.sign();
        let second = (Effect::OsClockAdrift { ns_per_s }, worker);
        both(first, second, 8.0, 40.0, site, random)
    },
};

pub(super) const GNSS_AND_PATH: Kind = Kind {
    name: "gnss-and-path",
    summary: "the grandmaster loses GNSS, and one follower its cable",
    draw: |random| {
        let site = Site::draw(random);
        let worker = site.worker(random);
        let first = signal_loss(&site);
        both(first, (Effect::PathLoss {}, worker), 5.0, 40.0, site, random)
    },
};

pub(super) const PATH_AND_SYNCE: Kind = Kind {
    name: "path-and-synce",
    summary: "one follower loses its cable, another its SyncE reference",
    draw: |random| {
        let site = Site::draw(random);
        let (one, other) = two(&site, random);
        let site = site.synce_at(&other);
        let second = (Effect::SynceLoss {}, other);
        both((Effect::PathLoss {}, one), second, 5.0, 30.0, site, random)
    },
};

pub(super) const FLAPPING_AND_OS_CRASH: Kind = Kind {
    name: "flapping-and-os-crash",
    summary: "one follower's link flaps, phc2sys is gone on another",
    draw: |random| {
        let site = Site::draw(random);
        let (one, other) = two(&site, random);
        let second = (Effect::OsClockCrash {}, other);
        both((Effect::FlappingLink {}, one), second, 10.0, 40.0, site, random)
    },
};

pub(super) const TWO_PATHS: Kind = Kind {
    name: "two-paths",
    summary: "two followers lose their cables, minutes apart and for different reasons",
    draw: |random| {
        let site = Site::sized(8, 19, random);
        let (one, other) = two(&site, random);
        let second = (Effect::PathLoss {}, other);
        both((Effect::PathLoss {}, one), second, 5.0, 30.0, site, random)
    },
};

pub(super) const DRIFT_AND_OS_CLOCK: Kind = Kind {
    name: "drift-and-os-clock",
    summary: "one follower's oscillator drifts, phc2sys is gone on another",
    draw: |random| {
        let site = Site::draw(random).polled();
        let (one, other) = two(&site, random);
        let ppb_per_h2 = random.between(0.1, 0.288) * random.sign();
        let site = site.slow_at(&one);
        let first = (Effect::OscillatorDrift { ppb_per_h2 }, one);
        both(first, (Effect::OsClockCrash {}, other), 60.0, 180.0, site, random)
    },
};
