//! What is said when nodes leave, come back, or are not heard.

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_diagnostics::Settings;

use crate::fixture::{diagnose, report};

#[test]
fn a_node_that_left_is_not_missed() {
    let mut story = String::new();
    for minute in 0..10 {
        writeln!(story, "{} w1 lock LOCKED 3", minute * 60).unwrap();
    }
    assert_snapshot!(diagnose(&(story + "600 w1 gone\n4000 end")), @"nothing");
}

/// Who was told of two nodes must learn that it is the whole cluster.
#[test]
fn an_outage_of_all_telemetry_is_told_again_as_it_grows() {
    let mut story = String::new();
    for node in 0..20 {
        writeln!(story, "0 w{node} lock LOCKED 3").unwrap();
    }
    for node in 0..20 {
        writeln!(story, "{} w{node} blind", 100 + node).unwrap();
    }
    let told = diagnose(&(story + "200 end"));
    let alerts: Vec<_> = told.lines().filter(|line| line.starts_with("alert")).collect();
    assert_snapshot!(alerts.join("\n"), @"
    alert at 100: opened WARNING No telemetry from w0
    alert at 101: escalated WARNING No telemetry from w0 and w1
    alert at 107: escalated WARNING No telemetry from w0 and 7 more nodes
    alert at 109: escalated CRITICAL No telemetry from w0 and 9 more nodes
    ");
}

#[test]
fn a_fault_leaves_with_its_node_and_comes_back_with_it() {
    // Its pod is replaced; the new one finds it as bad as it was, or well.
    let story = |then: &str| {
        diagnose(&format!(
            "0 w1 lock LOCKED 3\n10 w1 lock HOLDOVER 4\n20 w1 lock FREERUN 1200\n100 w1 gone\n{then}"
        ))
    };
    assert_snapshot!(story("20000 end"), @"
    CRITICAL ptp-path-loss (likely), resolved: since 10, known at 13, over at 130; from w1, affects w1
      WARNING w1 holdover [lock-state] since 10, known at 13, until 20: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 30, until 100: FREERUN
    alert at 13: opened WARNING PTP path lost on w1
    alert at 30: escalated CRITICAL PTP path lost on w1
    alert at 130: resolved CRITICAL Resolved: PTP path lost on w1
    ");
    assert_snapshot!(story("400 w1 lock FREERUN 1200\n1000 end"), @"
    CRITICAL ptp-path-loss (likely), firing: since 10, known at 13; from w1, affects w1
      WARNING w1 holdover [lock-state] since 10, known at 13, until 20: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 30, until 100: FREERUN
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 400: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 20, known at 400: FREERUN without a break for more than 5 min
    alert at 13: opened WARNING PTP path lost on w1
    alert at 30: escalated CRITICAL PTP path lost on w1
    alert at 130: resolved CRITICAL Resolved: PTP path lost on w1
    alert at 400: opened CRITICAL Again: PTP path lost on w1
    ");
    assert_snapshot!(story("400 w1 lock LOCKED 3\n1000 end"), @"
    CRITICAL ptp-path-loss (likely), resolved: since 10, known at 13, over at 130; from w1, affects w1
      WARNING w1 holdover [lock-state] since 10, known at 13, until 20: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 30, until 100: FREERUN
    alert at 13: opened WARNING PTP path lost on w1
    alert at 30: escalated CRITICAL PTP path lost on w1
    alert at 130: resolved CRITICAL Resolved: PTP path lost on w1
    ");
    // Only its system clock speaks: of its PTP clock the last word holds.
    assert_snapshot!(story("400 w1 os LOCKED 3\n1000 end"), @"
    CRITICAL ptp-path-loss (likely), firing: since 10, known at 13; from w1, affects w1
      WARNING w1 holdover [lock-state] since 10, known at 13, until 20: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 30, until 100: FREERUN
      CRITICAL w1 loss-of-lock [lock-state] since 20, known at 410: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 20, known at 410: FREERUN without a break for more than 5 min
    alert at 13: opened WARNING PTP path lost on w1
    alert at 30: escalated CRITICAL PTP path lost on w1
    alert at 130: resolved CRITICAL Resolved: PTP path lost on w1
    alert at 410: opened CRITICAL Again: PTP path lost on w1
    ");
    let left = "0 w1 lock LOCKED 3\n10 w1 lock FREERUN 1200\n100 w1 gone\n200 end";
    let report = report(left, Settings::default());
    let details = &report.alerts.last().unwrap().details;
    assert!(details.contains("still so when the last of its nodes left"), "{details}");
}
