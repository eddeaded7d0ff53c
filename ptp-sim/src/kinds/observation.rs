//! Scenarios in which what we see is wrong, rather than time.

use jiff::SignedDuration;

use super::Kind;
use super::site::{Site, minutes, perhaps};
use crate::fault::Effect;

pub(super) const THRESHOLD_HUGGING: Kind = Kind {
    name: "threshold-hugging",
    summary: "the threshold is as tight as the noise, or a slow wander touches it",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let length = minutes(90.0, 180.0, random);
        if random.chance(0.5) {
            // Behind the fast servo's gain, offsets spread 1.35 times as far as the noise.
            let sigma = 1.35 * site.noise_ns(&node);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tens")]
            let ns = (sigma * random.between(2.6, 3.3)) as u32;
            return site
                .fault(Effect::ThresholdTooTight { ns }, &[node], 600, None)
                .plan(length, random);
        }
        let ns = random.between(95.0, 106.0);
        let period = SignedDuration::from_secs(random.whole(500, 1_000).into());
        site.slow_at(&node)
            .fault(Effect::Wander { ns, period }, &[node], 1_200, None)
            .plan(length, random)
    },
};

pub(super) const PUBLISHER_SILENCE: Kind = Kind {
    name: "publisher-silence",
    summary: "one node's publisher neither sends nor answers",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let start = minutes(15.0, 40.0, random);
        let length = minutes(12.0, 60.0, random);
        let lasts = perhaps(length, random);
        site.fault(Effect::PublisherSilence {}, &[node], start, lasts)
            .plan(start + length + 900, random)
    },
};

pub(super) const CLOCK_SKEW: Kind = Kind {
    name: "clock-skew",
    summary: "one node's system clock is seconds off, and its own processes are content",
    draw: |random| {
        let site = Site::draw(random).polled();
        let node = site.worker(random);
        let start = minutes(10.0, 40.0, random);
        let length = minutes(20.0, 60.0, random);
        // 37 s is UTC for TAI; the others are hands and rival daemons.
        let seconds = random.pick(&[37.0, 37.0, 5.0, 12.5, 90.0]) * random.sign();
        let lasts = perhaps(length, random);
        site.fault(Effect::ClockSkew { seconds }, &[node], start, lasts)
            .plan(start + length + 600, random)
    },
};
