//! What tells a receiver that is starting from one that is failing when we first hear of it.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::fixture::diagnose;

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
