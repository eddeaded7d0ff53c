//! Scenarios in which nothing is wrong.

use super::Kind;
use super::site::{Site, minutes};
use crate::fault::Effect;

pub(super) const CLEAN_DAY: Kind = Kind {
    name: "clean-day",
    summary: "a day on which nothing happens",
    draw: |random| {
        let site = Site::sized(8, 19, random);
        site.plan(86_400, random)
    },
};

pub(super) const NORMAL_START: Kind = Kind {
    name: "normal-start",
    summary: "some followers are switched on and lock",
    draw: |random| {
        let site = Site::draw(random);
        let count = random.pick(&[1, 2, 3]);
        let cold = site.some_workers(count, random);
        let length = minutes(15.0, 40.0, random);
        site.cold_at(&cold).plan(length, random)
    },
};

pub(super) const GRANDMASTER_START: Kind = Kind {
    name: "grandmaster-start",
    summary: "a whole site is switched on: GNSS finds its satellites, then everybody locks",
    draw: |random| {
        let length = minutes(20.0, 40.0, random);
        Site::draw(random).cold().plan(length, random)
    },
};

pub(super) const SAMPLE_SPIKES: Kind = Kind {
    name: "sample-spikes",
    summary: "a few single bad measurements: FREERUN for a second or two, no fault",
    draw: |random| {
        let mut site = Site::draw(random);
        let length = minutes(60.0, 180.0, random);
        for _ in 0..random.whole(1, 3) {
            let node = site.worker(random);
            let at = minutes(5.0, 55.0, random);
            let ns = random.between(150.0, 900.0) * random.sign();
            site = site.fault(Effect::SampleSpike { ns }, &[node], at, Some(1));
        }
        site.plan(length, random)
    },
};
