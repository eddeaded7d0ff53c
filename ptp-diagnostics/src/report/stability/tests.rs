#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "what is made up here is small"
)]

use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use ptp_events::{
    ClockClass, Event, EventId, Instance, Measurement, NodeName, Offset, Reading, Received,
    Resource, Stamped, SyncState,
};

use super::deviation::{mtie, tdev};
use super::*;
use crate::Role;

/// Numbers that look like chance, the same every time (splitmix64), of mean 0 and deviation 1.
fn noise(count: usize) -> Vec<f64> {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    };
    // The sum of twelve has a variance of 1.
    (0..count).map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0).collect()
}

fn samples(offsets: &[i64], interval_s: u64) -> Vec<Sample> {
    let at = |n: usize| Received::from_nanos(0).after(Duration::from_secs(interval_s) * n as u32);
    offsets
        .iter()
        .enumerate()
        .map(|(n, offset)| Sample { at: at(n), offset: Offset::from_nanos(*offset) })
        .collect()
}

#[test]
fn white_phase_noise_falls_with_the_root_of_the_interval() {
    // TVAR of white phase noise of deviation σ over n samples is σ² / n.
    let sigma = 1000.0;
    let offsets: Vec<i64> = noise(50_000).iter().map(|x| (x * sigma).round() as i64).collect();
    for n in [1, 2, 4, 8, 16, 32, 64] {
        let expected = sigma / (n as f64).sqrt();
        let ratio = tdev(&offsets, n) / expected;
        assert!((0.95..1.05).contains(&ratio), "{n} intervals: {ratio} of the expected");
    }
}

#[test]
fn the_time_deviation_of_a_random_walk_grows() {
    let walk = noise(50_000).into_iter().scan(0.0, |sum, x| {
        *sum += x * 1000.0;
        Some(*sum as i64)
    });
    let walk: Vec<i64> = walk.collect();
    let [a, b, c] = [4, 16, 64].map(|n| tdev(&walk, n));
    assert!((1.7..2.3).contains(&(b / a)) && (1.7..2.3).contains(&(c / b)), "{a} {b} {c}");
}

#[test]
fn a_frequency_offset_makes_mtie_grow_with_the_interval_and_has_no_time_deviation() {
    let offsets: Vec<i64> = (0..1000).map(|n| 3 * n - 500).collect();
    for n in [1, 2, 7, 64, 999] {
        assert_eq!(mtie(&offsets, n), 3 * n as u64);
    }
    assert!((tdev(&offsets, 50)).abs() < f64::EPSILON);
}

#[test]
fn a_step_is_the_mtie_of_every_interval() {
    let offsets: Vec<i64> = (0..200).map(|n| if n < 90 { -20 } else { 35 }).collect();
    assert_eq!([1, 5, 60].map(|n| mtie(&offsets, n)), [55; 3]);
}

#[test]
fn the_sliding_window_is_what_searching_every_window_gives() {
    let offsets: Vec<i64> = noise(300).iter().map(|x| (x * 30.0) as i64).collect();
    for n in [1, 2, 3, 10, 100, 299] {
        let searched = offsets.windows(n + 1).map(|w| w.iter().max().zip(w.iter().min()));
        let searched = searched.flatten().map(|(high, low)| high.abs_diff(*low)).max();
        assert_eq!(Some(mtie(&offsets, n)), searched);
    }
}

#[test]
fn the_extremes_of_what_an_offset_can_be_do_not_overflow() {
    let offsets: Vec<i64> =
        (0..200).map(|n| if n % 2 == 0 { i64::MAX } else { i64::MIN }).collect();
    assert_eq!(mtie(&offsets, 1), u64::MAX);
    assert!(tdev(&offsets, 16).is_finite());
    assert!(measure(&samples(&offsets, 60)).is_ok());
}

#[test]
fn what_cannot_be_measured_is_refused_with_a_reason() {
    let steady: Vec<i64> = (0..64).map(|n| n % 5).collect();
    let regular = samples(&steady, 60);
    let mut gappy = samples(&steady.repeat(2), 60);
    for (at, sample) in gappy.iter_mut().enumerate() {
        sample.at = sample.at.after(Duration::from_hours(1) * u32::try_from(at / 50).unwrap());
    }
    let mut late = regular.clone();
    late[3].at = late[3].at.after(Duration::from_secs(20));
    let mut with_extras = regular.clone();
    with_extras.extend(regular.iter().skip(5).step_by(7).map(|sample| Sample {
        at: sample.at.after(Duration::from_millis(300)),
        offset: Offset::from_nanos(90),
    }));
    with_extras.reverse();
    let cases = [
        ("none", Vec::new()),
        ("too few", samples(&steady[1..], 60)),
        ("an hour missing every 50 min", gappy),
        ("one a second", samples(&steady, 1)),
        ("all at once", samples(&steady, 0)),
        ("placeholders", samples(&[0; 100], 60)),
        ("just enough", regular),
        ("one that is late", late),
        ("others in between, backwards", with_extras),
    ];
    let mut told = String::new();
    for (name, samples) in cases {
        match measure(&samples) {
            Ok(f) => writeln!(told, "{name}: {} samples, max|TE| {} ns", f.samples, f.max_te_ns),
            Err(refusal) => writeln!(told, "{name}: {refusal}"),
        }
        .unwrap();
    }
    insta::assert_snapshot!(told, @"
    none: only 0 offsets while LOCKED without a break, of at least 64
    too few: only 63 offsets while LOCKED without a break, of at least 64
    an hour missing every 50 min: gappy: at most 50 of 128 offsets come at regular distance, of at least 64
    one a second: short: regular offsets for 63 s, of at least 16.7 min
    all at once: gappy: at most 1 of 64 offsets come at regular distance, of at least 64
    placeholders: every offset is 0, which some publishers send in place of a measurement
    just enough: 64 samples, max|TE| 4 ns
    one that is late: 64 samples, max|TE| 4 ns
    others in between, backwards: 64 samples, max|TE| 4 ns
    ");
}

#[test]
fn figures_are_compared_with_the_masks_of_the_clocks_kind() {
    // A wander of ±8 ns around 6 ns with a period of 2 h.
    let wander = |n: i32| (f64::from(n) / 120.0 * std::f64::consts::TAU).sin().mul_add(8.0, 6.0);
    let offsets: Vec<i64> = (0..480).map(|n| wander(n).round() as i64).collect();
    let figures = measure(&samples(&offsets, 60)).unwrap();
    let mut told = String::new();
    for (resource, role) in [
        (Resource::LockState, Role::Grandmaster),
        (Resource::LockState, Role::BoundaryClock),
        (Resource::OsClock, Role::BoundaryClock),
    ] {
        writeln!(told, "{} of a {}", resource.name(), role.as_str()).unwrap();
        for mask in masks::compare(&resource, role, &figures) {
            let MaskReport { standard, class, measured_ns, limit_ns, .. } = mask;
            let at = mask.tau_s.map_or(String::new(), |tau| format!(" at {tau} s"));
            let figure = mask.figure.as_str();
            let verdict = if mask.within { "within" } else { "beyond" };
            writeln!(told, "  {standard} {class}: {figure}{at} {measured_ns} {verdict} {limit_ns}")
                .unwrap();
        }
    }
    insta::assert_snapshot!(told, @"
    lock-state of a t-gm
      G.8272 6.1 PRTC-A: max|TE| 14 within 100
      G.8272 6.2 PRTC-A: MTIE at 1920 s 12 within 100
      G.8272 6.2 PRTC-A: TDEV at 1920 s 4.411 within 30
      G.8272 6.1 PRTC-B: max|TE| 14 within 40
      G.8272 6.2 PRTC-B: MTIE at 1920 s 12 within 40
      G.8272 6.2 PRTC-B: TDEV at 1920 s 4.411 within 5
      G.8272.1 6.1 ePRTC: max|TE| 14 within 30
    lock-state of a t-bc
      G.8273.2 7.1 class A: max|TE| 14 within 100
      G.8273.2 7.1 class A: cTE 6 within 50
      G.8273.2 7.1 class A: MTIE at 960 s 7 within 40
      G.8273.2 7.1 class A: TDEV at 960 s 1.506 within 4
      G.8273.2 7.1 class B: max|TE| 14 within 70
      G.8273.2 7.1 class B: cTE 6 within 20
      G.8273.2 7.1 class B: MTIE at 960 s 7 within 40
      G.8273.2 7.1 class B: TDEV at 960 s 1.506 within 4
      G.8273.2 7.1 class C: max|TE| 14 within 30
      G.8273.2 7.1 class C: cTE 6 within 10
      G.8273.2 7.1 class C: MTIE at 960 s 7 within 10
      G.8273.2 7.1 class C: TDEV at 960 s 1.506 within 2
    os-clock-sync-state of a t-bc
    ");
}

/// An event of one clock: its state, or none, and its offset.
fn event(state: Option<SyncState>, offset: i64, at: Received) -> Event {
    let mut reading = Reading::new(Instance::from_static("ens1fx/master"));
    reading.state = state;
    reading.offset = Some(Measurement::from_nanos(offset));
    reading.clock_class = Some(ClockClass(6));
    Event {
        id: EventId::new("e").unwrap(),
        node: NodeName::new("w1").unwrap(),
        resource: Resource::LockState,
        stamped: Some(Stamped::from_nanos(at.as_nanos())),
        readings: [reading].into(),
    }
}

fn gathered(offsets: impl Iterator<Item = (Option<SyncState>, i64)>) -> StabilityReport {
    let mut gatherer = Gatherer::default();
    for (n, (state, offset)) in offsets.enumerate() {
        let at = Received::from_nanos(0).after(Duration::from_mins(1) * n as u32);
        gatherer.handle_event(&event(state, offset, at), at);
    }
    gatherer.report(&[]).remove(0)
}

#[test]
fn only_what_was_said_without_a_loss_of_lock_is_measured_together() {
    let locked = |n: i64| (Some(SyncState::Locked), n % 7);
    let holdover = std::iter::repeat_n((Some(SyncState::Holdover), 900), 30);
    let report = gathered((0..100).map(locked).chain(holdover).chain((0..80).map(locked)));
    let figures = report.figures.unwrap();
    assert_eq!((report.offered, figures.samples, figures.max_te_ns), (180, 100, 6));
}

#[test]
fn a_sentinel_is_no_sample() {
    let down = (Some(SyncState::Locked), -9_999_999_999_999_999);
    assert_eq!(gathered(std::iter::repeat_n(down, 100)).offered, 0);
}

#[test]
fn a_long_recording_is_thinned_out_evenly() {
    let count = 3 * MAX_SAMPLES_PER_CLOCK as i64;
    let figures = gathered((0..count).map(|n| (Some(SyncState::Locked), n % 9))).figures.unwrap();
    // One a minute, halved twice.
    assert_eq!(Duration::from_secs_f64(figures.interval_s), Duration::from_mins(4));
    assert!((70_000..=MAX_SAMPLES_PER_CLOCK).contains(&figures.samples), "{}", figures.samples);
}

proptest! {
    #[test]
    fn mtie_never_falls_and_knows_no_constant(
        offsets in prop::collection::vec(-1_000_000_i64..1_000_000, 2..200),
        shift in -1_000_000_000_i64..1_000_000_000,
    ) {
        let shifted: Vec<i64> = offsets.iter().map(|x| x + shift).collect();
        let mut before = 0;
        for n in 1..offsets.len() {
            let now = mtie(&offsets, n);
            prop_assert!(now >= before);
            prop_assert_eq!(now, mtie(&shifted, n));
            before = now;
        }
    }

    #[test]
    fn tdev_knows_no_constant_of_time_or_frequency(
        offsets in prop::collection::vec(-1_000_000_i64..1_000_000, 3..200),
        shift in -1_000_000_000_i64..1_000_000_000,
        slope in -1_000_000_i64..1_000_000,
    ) {
        let moved: Vec<i64> =
            offsets.iter().zip(0..).map(|(x, n): (_, i64)| x + shift + slope * n).collect();
        for n in 1..=offsets.len() / 3 {
            prop_assert_eq!(tdev(&offsets, n).to_bits(), tdev(&moved, n).to_bits());
        }
    }

    #[test]
    fn whatever_comes_is_measured_or_refused_whatever_its_order(
        mut times in prop::collection::vec((any::<i64>(), any::<i64>()), 0..200),
        regular in prop::collection::vec(any::<i64>(), 0..200),
    ) {
        let sample = |(at, offset)| Sample {
            at: Received::from_nanos(at),
            offset: Offset::from_nanos(offset),
        };
        let minutes = regular.iter().zip(1..).map(|(x, n): (_, i64)| (n * 60_000_000_000, *x));
        times.extend(minutes);
        let forwards: Vec<_> = times.iter().copied().map(sample).collect();
        let backwards: Vec<_> = times.iter().rev().copied().map(sample).collect();
        prop_assert_eq!(measure(&forwards), measure(&backwards));
    }
}
