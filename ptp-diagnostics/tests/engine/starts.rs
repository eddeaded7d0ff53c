//! What tells a receiver that is starting from one that is failing when we first hear of it.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::fixture::{diagnose, tell_all};

/// What a grandmaster says when we subscribe: the placeholders that come first, then this.
const FIRST_WORDS: &[(&str, &str)] = &[
    ("acquiring, and free-running", "0.1 gm gnss ACQUIRING-SYNC fix=0\n0.2 gm lock FREERUN 99999"),
    ("failing, and free-running", "0.1 gm gnss FAILURE-NOFIX fix=0\n0.2 gm lock FREERUN 99999"),
    ("failing, and the PTP clock is silent", "0.1 gm gnss FAILURE-NOFIX fix=0"),
    ("failing, and still locked", "0.1 gm gnss FAILURE-NOFIX fix=0\n0.2 gm lock LOCKED 3"),
    ("failing, in holdover", "0.1 gm gnss FAILURE-NOFIX fix=0\n0.2 gm lock HOLDOVER 4"),
    ("in holdover, failing", "0.1 gm lock HOLDOVER 4\n0.2 gm gnss FAILURE-NOFIX fix=0"),
    (
        "failing, in holdover that ran out",
        "0.1 gm gnss FAILURE-NOFIX fix=0\n0.2 gm lock HOLDOVER 4\n2 gm lock FREERUN 4",
    ),
];

#[test]
fn a_receiver_fails_rather_than_starts_when_its_clock_holds_over() {
    let mut told = String::new();
    for (name, words) in FIRST_WORDS {
        let story = format!("0 gm gnss placeholder\n0 gm lock placeholder\n{words}\n60 end");
        writeln!(told, "{name}\n{}", diagnose(&story)).unwrap();
    }
    assert_snapshot!(told, @"
    acquiring, and free-running
    nothing

    failing, and free-running
    nothing

    failing, and the PTP clock is silent
    nothing

    failing, and still locked
    nothing

    failing, in holdover
    WARNING gnss-signal-loss (confirmed), firing: since 0.1, known at 3.1; from gm, affects gm
      WARNING gm gnss-fault [gnss-sync-status] since 0.1, known at 3.1: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm holdover [lock-state] since 0.2, known at 3.2: HOLDOVER
    alert at 3.1: opened WARNING GNSS signal lost on gm

    in holdover, failing
    WARNING gnss-signal-loss (confirmed), firing: since 0.1, known at 3.1; from gm, affects gm
      WARNING gm holdover [lock-state] since 0.1, known at 3.1: HOLDOVER
      WARNING gm gnss-fault [gnss-sync-status] since 0.2, known at 3.2: GNSS FAILURE-NOFIX, gpsFix 0
    alert at 3.1: opened WARNING GNSS signal lost on gm

    failing, in holdover that ran out
    CRITICAL gnss-signal-loss (confirmed), firing: since 0.1, known at 3.1; from gm, affects gm
      CRITICAL gm gnss-fault [gnss-sync-status] since 0.1, known at 3.1: GNSS FAILURE-NOFIX, gpsFix 0
      CRITICAL gm loss-of-lock [lock-state] since 2, known at 12: FREERUN
    alert at 3.1: opened CRITICAL GNSS signal lost on gm
    ");
}

/// A slow servo that creeps to this offset within 20 minutes of its first lock, a minute a step.
fn creeps(to: i64) -> String {
    let mut story =
        "0 w1 lock placeholder\n60 w1 lock FREERUN 500000\n63 w1 lock LOCKED 2\n".to_owned();
    for minute in 2..=20 {
        let offset = to * minute / 20;
        let state = if offset.abs() > 100 { "FREERUN" } else { "LOCKED" };
        writeln!(story, "{} w1 lock {state} {offset}", minute * 60).unwrap();
    }
    story + "1260 end"
}

#[test]
fn what_was_lost_on_its_way_makes_no_fault_of_a_start() {
    let gnss = "
        0   gm lock placeholder
        0   gm gnss placeholder
        30  gm gnss FAILURE-NOFIX fix=0
        30  gm lock FREERUN 99999
        30  gm class 248
        160 gm lock LOCKED 6";
    assert_snapshot!(tell_all([
        ("a servo that creeps", creeps(900)),
        ("a servo that creeps, first heard of when it was LOCKED", creeps(900).replace("60 w1 lock FREERUN 500000\n", "")),
        ("the receiver's first fix, but class 6 tells of it", format!("{gnss}\n161 gm class 6\n1500 end")),
        ("the receiver's first fix, and nothing tells of it", format!("{gnss}\n1500 end")),
        ("that the node is LOCKED again", "
            0   w1 lock LOCKED 3
            0   w1 os   LOCKED 3
            0   w1 sync LOCKED
            100 w1 lock FREERUN 350
            100 w1 sync FREERUN
            101 w1 os   FREERUN 7
            102 w1 lock LOCKED 1
            103 w1 os   LOCKED 5
            900 end".to_owned()),
    ]), @"
    a servo that creeps
    INFO path-asymmetry (inconclusive), firing: since 180, known at 480; from w1, affects w1
      INFO w1 persistent-freerun [lock-state] since 180, known at 480: FREERUN without a break for more than 5 min

    a servo that creeps, first heard of when it was LOCKED
    INFO path-asymmetry (inconclusive), firing: since 180, known at 480; from w1, affects w1
      INFO w1 persistent-freerun [lock-state] since 180, known at 480: FREERUN without a break for more than 5 min

    the receiver's first fix, but class 6 tells of it
    nothing

    the receiver's first fix, and nothing tells of it
    WARNING gnss-signal-loss (likely), firing: since 30, known at 630; from gm, affects gm
      WARNING gm gnss-fault [gnss-sync-status] since 30, known at 630: GNSS FAILURE-NOFIX, gpsFix 0
    alert at 630: opened WARNING GNSS signal lost on gm

    that the node is LOCKED again
    nothing
    ");
}

#[test]
fn what_is_thrown_between_two_polls_is_no_slow_servo() {
    let story = |before: u32| {
        format!(
            "
            0    w1 lock placeholder
            40   w1 lock FREERUN 81761
            50   w1 lock LOCKED -15
            {before} w1 lock LOCKED 21
            600  w1 lock FREERUN 160
            700  w1 lock FREERUN 170
            900  w1 lock LOCKED 20
            1000 end
            "
        )
    };
    assert_snapshot!(tell_all([
        ("measured ten seconds before", story(590)),
        ("measured minutes before: it may have crept there", story(400)),
    ]), @"
    measured ten seconds before
    CRITICAL path-asymmetry (inconclusive), firing: since 600, known at 610; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600, known at 610, until 900: FREERUN
    alert at 610: opened CRITICAL Path asymmetry on w1

    measured minutes before: it may have crept there
    CRITICAL path-asymmetry (inconclusive), firing: since 600, known at 610; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600, known at 610, until 900: FREERUN
    alert at 610: opened CRITICAL Path asymmetry on w1
    ");
}

#[test]
fn a_servo_that_settles_after_a_long_loss_is_no_unstable_path() {
    assert_snapshot!(diagnose("
        0    w1 lock LOCKED 3
        100  w1 lock HOLDOVER 3
        400  w1 lock FREERUN 3
        1000 w1 lock LOCKED -21
        1002 w1 lock FREERUN 7269
        1003 w1 lock LOCKED 51
        1005 w1 lock FREERUN -4937
        1006 w1 lock LOCKED -77
        1007 w1 lock FREERUN -7712
        1008 w1 lock LOCKED -9
        1010 w1 lock FREERUN -7662
        1011 w1 lock LOCKED 61
        2000 end
    "), @"
    CRITICAL ptp-path-loss (likely), resolved: since 100, known at 103, over at 1041; from w1, affects w1
      WARNING w1 holdover [lock-state] since 100, known at 103, until 400: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 400, known at 410, until 1000: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 400, known at 700, until 1000: FREERUN without a break for more than 5 min
    alert at 103: opened WARNING PTP path lost on w1
    alert at 410: escalated CRITICAL PTP path lost on w1
    alert at 1041: resolved CRITICAL Resolved: PTP path lost on w1
    ");
}

/// What a clock says that has been well, and is then not.
const FAULTS: &[(&str, &str)] = &[
    ("its path is lost", "{0} w1 lock HOLDOVER 3\n{5} w1 lock FREERUN 3\n{5} w1 class 248"),
    ("its reference jumps", "{0} w1 lock FREERUN 300\n{20} w1 lock FREERUN 310"),
    ("its process dies", "{0} w1 lock FREERUN down"),
    ("its system clock is left", "{0} w1 os FREERUN 5000\n{20} w1 os FREERUN 9000"),
    ("its system clock has a rival", "RIVAL"),
    ("its master degrades", "{0} w1 class 140"),
];

/// How long after a fault it is known, when it begins so long after a start.
fn known_after(fault: &str, begins: f64, polled: bool) -> Option<f64> {
    let mut lines: Vec<(f64, String)> = Vec::new();
    for line in [
        "0 w1 lock placeholder",
        "0.1 w1 class 248",
        "8 w1 lock FREERUN 900",
        "14 w1 lock LOCKED 20",
        "15 w1 class 6",
        "16 w1 os LOCKED 5",
        "17 w1 sync LOCKED",
    ] {
        let (at, what) = line.split_once(' ').unwrap();
        lines.push((at.parse().unwrap(), what.to_owned()));
    }
    let mut polls = |until: f64| {
        let mut at = 30.0;
        while polled && at < until {
            lines.push((at, format!("w1 lock LOCKED {}", (at / 30.0) % 9.0)));
            at += 30.0;
        }
    };
    polls(begins);
    let text = if fault == "RIVAL" {
        let flip = |n: u32| {
            let at = f64::from(n) * 20.0;
            format!("{{{at}}} w1 os FREERUN 4000\n{{{}}} w1 os LOCKED 9\n", at + 2.0)
        };
        (0..30).map(flip).collect()
    } else {
        fault.to_owned()
    };
    for line in text.lines() {
        let (after, what) = line.strip_prefix('{').unwrap().split_once("} ").unwrap();
        lines.push((begins + after.parse::<f64>().unwrap(), what.to_owned()));
    }
    lines.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut story = String::new();
    for (at, what) in lines {
        writeln!(story, "{at} {what}").unwrap();
    }
    let report = crate::fixture::report(
        &format!("{story}{} end", begins + 900.0),
        ptp_diagnostics::Settings::default(),
    );
    let known = report
        .incidents
        .iter()
        .map(|incident| incident.detected_at.since(crate::fixture::at(begins)).as_secs_f64());
    known.min_by(f64::total_cmp)
}

#[test]
fn a_fault_soon_after_a_start_is_found_as_soon_as_any() {
    let mut told = String::new();
    for (what, fault) in FAULTS {
        for polled in [true, false] {
            let usual = known_after(fault, 4.0 * 3600.0, polled).unwrap_or(-1.0);
            let how = if polled { "polled" } else { "pushed" };
            write!(told, "{what}, {how}: {usual:.0} s when settled").unwrap();
            for minutes in [2.5, 10.0, 30.0] {
                let known = known_after(fault, minutes * 60.0, polled);
                match known {
                    Some(known) => write!(told, ", {known:.0} s after {minutes} min").unwrap(),
                    None => write!(told, ", never after {minutes} min").unwrap(),
                }
            }
            told.push('\n');
        }
    }
    insta::assert_snapshot!(told, @"
    its path is lost, polled: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    its path is lost, pushed: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    its reference jumps, polled: 10 s when settled, 10 s after 2.5 min, 10 s after 10 min, 10 s after 30 min
    its reference jumps, pushed: 10 s when settled, 10 s after 2.5 min, 10 s after 10 min, 10 s after 30 min
    its process dies, polled: 30 s when settled, 30 s after 2.5 min, 30 s after 10 min, 30 s after 30 min
    its process dies, pushed: 30 s when settled, 30 s after 2.5 min, 30 s after 10 min, 30 s after 30 min
    its system clock is left, polled: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    its system clock is left, pushed: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    its system clock has a rival, polled: 100 s when settled, 100 s after 2.5 min, 100 s after 10 min, 100 s after 30 min
    its system clock has a rival, pushed: 100 s when settled, 100 s after 2.5 min, 100 s after 10 min, 100 s after 30 min
    its master degrades, polled: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    its master degrades, pushed: 3 s when settled, 3 s after 2.5 min, 3 s after 10 min, 3 s after 30 min
    ");
}

/// By events alone a settling and a jitter look alike at first: for an hour, and no longer.
#[test]
fn jitter_that_begins_before_a_clock_has_settled_is_told_in_the_end() {
    let mut story =
        "0 w1 lock placeholder\n60 w1 lock FREERUN 500000\n63 w1 lock LOCKED 2\n".to_owned();
    for turn in 0_u32..200 {
        let at = 120 + turn * 25;
        let sign = if turn % 2 == 0 { "" } else { "-" };
        writeln!(story, "{at} w1 lock FREERUN {sign}40{}\n{} w1 lock LOCKED 20", turn % 10, at + 8)
            .unwrap();
    }
    story += "5200 end";
    assert_snapshot!(diagnose(&story), @"
    WARNING ptp-path-unstable (confirmed), firing: since 3670, known at 3795; from w1, affects w1
      WARNING w1 frequent-state-changes [lock-state] since 3670, known at 3795: more than 10 state changes within 60 min
    alert at 3795: opened WARNING PTP path unstable on w1
    ");
}
