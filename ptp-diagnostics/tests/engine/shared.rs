//! What several nodes share, and lose together.

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_diagnostics::Settings;
use ptp_events::NodeName;

use crate::fixture::{diagnose, report};

/// Twenty nodes, of which these lose their lock: the second, the node, and what it says besides.
fn of_twenty(losses: &[(f64, usize, &str)]) -> Vec<String> {
    let mut story = String::new();
    for n in 0..20 {
        writeln!(story, "0.{n:02} w{n:02} lock LOCKED 3").unwrap();
    }
    for (second, n, what) in losses {
        writeln!(story, "{second} w{n:02} lock {what}").unwrap();
    }
    let report = report(&(story + "200 end"), Settings::default());
    let incidents = report.incidents.iter();
    let told = incidents.map(|i| {
        let nodes: Vec<_> = i.origin_nodes.iter().map(NodeName::as_str).collect();
        format!("{} {}", i.root_cause.code(), nodes.join(" "))
    });
    told.collect()
}

#[test]
fn a_switch_that_few_nodes_share_is_one_incident() {
    let told: Vec<_> = [
        (
            "at once",
            of_twenty(&[
                (100.0, 4, "HOLDOVER 3"),
                (101.0, 5, "HOLDOVER 9"),
                (102.5, 6, "HOLDOVER 1"),
            ]),
        ),
        (
            "behind a node whose process died",
            of_twenty(&[
                (100.0, 4, "FREERUN down"),
                (101.0, 5, "HOLDOVER 9"),
                (102.5, 6, "HOLDOVER 1"),
            ]),
        ),
        (
            "one by one",
            of_twenty(&[
                (100.0, 4, "HOLDOVER 3"),
                (104.0, 5, "HOLDOVER 9"),
                (108.0, 6, "HOLDOVER 1"),
            ]),
        ),
        ("only two", of_twenty(&[(100.0, 4, "HOLDOVER 3"), (100.1, 5, "HOLDOVER 9")])),
        (
            "two, and one that was moved",
            of_twenty(&[
                (100.0, 4, "HOLDOVER 3"),
                (101.0, 5, "HOLDOVER 9"),
                (102.5, 6, "FREERUN 400"),
            ]),
        ),
    ]
    .into_iter()
    .map(|(what, incidents)| format!("{what}\n  {}", incidents.join("\n  ")))
    .collect();
    assert_snapshot!(told.join("\n"), @"
    at once
      upstream-loss w04 w05 w06
    behind a node whose process died
      process-down w04
    one by one
      ptp-path-loss w04
      ptp-path-loss w05
      ptp-path-loss w06
    only two
      ptp-path-loss w04
      ptp-path-loss w05
    two, and one that was moved
      ptp-path-loss w04
      ptp-path-loss w05
      path-asymmetry w06
    ");
}

#[test]
fn a_lost_grandmaster_is_one_incident_of_all_its_followers() {
    let mut story = String::new();
    for n in 0..8 {
        writeln!(story, "0.{n} w{n} lock LOCKED 3").unwrap();
    }
    for n in 0..8 {
        writeln!(story, "100.{n} w{n} lock HOLDOVER 3").unwrap();
    }
    for n in 0..8 {
        writeln!(story, "160.{n} w{n} lock FREERUN 3\n160.{n}5 w{n} class 248").unwrap();
    }
    story += "200 end";
    assert_snapshot!(diagnose(&story), @"
    CRITICAL upstream-loss (confirmed), firing: since 100, known at 103; from w0 w1 w2 w3 w4 w5 w6 w7, affects w0 w1 w2 w3 w4 w5 w6 w7
      WARNING w0 holdover [lock-state] since 100, known at 103, until 160: HOLDOVER
      WARNING w1 holdover [lock-state] since 100.1, known at 103.1, until 160.1: HOLDOVER
      WARNING w2 holdover [lock-state] since 100.2, known at 103.2, until 160.2: HOLDOVER
      WARNING w3 holdover [lock-state] since 100.3, known at 103.3, until 160.3: HOLDOVER
      WARNING w4 holdover [lock-state] since 100.4, known at 103.4, until 160.4: HOLDOVER
      WARNING w5 holdover [lock-state] since 100.5, known at 103.5, until 160.5: HOLDOVER
      WARNING w6 holdover [lock-state] since 100.6, known at 103.6, until 160.6: HOLDOVER
      WARNING w7 holdover [lock-state] since 100.7, known at 103.7, until 160.7: HOLDOVER
      CRITICAL w0 loss-of-lock [lock-state] since 160, known at 170: FREERUN
      CRITICAL w1 loss-of-lock [lock-state] since 160.1, known at 170.1: FREERUN
      CRITICAL w2 loss-of-lock [lock-state] since 160.2, known at 170.2: FREERUN
      CRITICAL w3 loss-of-lock [lock-state] since 160.3, known at 170.3: FREERUN
      CRITICAL w4 loss-of-lock [lock-state] since 160.4, known at 170.4: FREERUN
      CRITICAL w5 loss-of-lock [lock-state] since 160.5, known at 170.5: FREERUN
      CRITICAL w6 loss-of-lock [lock-state] since 160.6, known at 170.6: FREERUN
      CRITICAL w7 loss-of-lock [lock-state] since 160.7, known at 170.7: FREERUN
    alert at 103: opened WARNING Grandmaster or shared path lost on w0 and 7 more nodes
    alert at 170: escalated CRITICAL Grandmaster or shared path lost on w0 and 7 more nodes
    ");
}

#[test]
fn the_class_of_those_below_a_boundary_clock_is_its_own() {
    // Only the class of w1 and w2 was ever heard.
    assert_snapshot!(diagnose("
        0     bc lock LOCKED 3
        0     bc class 6
        0     w1 class 6
        0     w2 class 6
        100   bc lock HOLDOVER 3
        100.3 bc class 135
        100.9 w1 class 135
        101.4 w2 class 135
        200   end
    "), @"
    WARNING ptp-path-loss (likely), firing: since 100, known at 103; from bc, affects bc w1 w2
      WARNING bc holdover [lock-state] since 100, known at 103: HOLDOVER
      WARNING bc clock-class-degraded [clock-class] since 100.3, known at 103.3: class 135: T-BC in holdover, within specification
      WARNING w1 clock-class-degraded [clock-class] since 100.9, known at 103.9: class 135: T-BC in holdover, within specification
      WARNING w2 clock-class-degraded [clock-class] since 101.4, known at 104.4: class 135: T-BC in holdover, within specification
    alert at 103: opened WARNING PTP path lost on bc
    alert at 103.9: escalated WARNING PTP path lost on bc, 1 more node affected
    ");
}

/// Slow servos lag behind a boundary clock that is left to its oscillator, and stay LOCKED.
#[test]
fn followers_that_drift_with_a_boundary_clock_in_holdover_have_its_fault() {
    let mut story = String::from("0 bc class 6\n0 bc lock LOCKED 2\n");
    for minute in 0..180 {
        let at = minute * 60;
        if minute == 90 {
            writeln!(story, "{at} bc lock HOLDOVER 2\n{at} bc class 135").unwrap();
        }
        let lag = 3 * (minute - 90).max(0);
        for node in ["w1", "w2"] {
            writeln!(story, "{at} {node} lock LOCKED {}", lag + minute % 3).unwrap();
        }
    }
    story.push_str("10800 end");
    assert_snapshot!(diagnose(&story), @"
    WARNING ptp-path-loss (confirmed), firing: since 5400, known at 5403; from bc, affects bc w1 w2
      WARNING bc holdover [lock-state] since 5400, known at 5403: HOLDOVER
      WARNING bc clock-class-degraded [clock-class] since 5400, known at 5403: class 135: T-BC in holdover, within specification
      WARNING w1 offset-drift [lock-state] since 4200, known at 6180, until 6660: the offset drifts by +60 ns per hour (34 samples)
      WARNING w2 offset-drift [lock-state] since 4200, known at 6180, until 6660: the offset drifts by +60 ns per hour (34 samples)
      WARNING w1 offset-drift [lock-state] since 3000, known at 6780: the offset drifts by +42 ns per hour (64 samples)
      WARNING w2 offset-drift [lock-state] since 3000, known at 6780: the offset drifts by +42 ns per hour (64 samples)
      WARNING w1 high-offset [lock-state] since 7440, known at 7560: 3 samples in a row over 100 ns, up to 108 ns
      WARNING w2 high-offset [lock-state] since 7440, known at 7560: 3 samples in a row over 100 ns, up to 108 ns
    alert at 5403: opened WARNING PTP path lost on bc
    alert at 6180: escalated WARNING PTP path lost on bc, 1 more node affected
    ");
}
