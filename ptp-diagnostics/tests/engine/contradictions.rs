//! What a node says that cannot be so: known bugs of publishers, and states that do not fit together.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::fixture::{diagnose, tell_all};

/// A node that is asked once a minute, from one minute to another: what each of its clocks says,
/// `{n}` standing for the minute's last digit.
fn polled(from: u32, to: u32, says: &[&str]) -> String {
    let mut story = String::new();
    for minute in from..to {
        for (nth, line) in says.iter().enumerate() {
            let line = line.replace("{n}", &(minute % 10).to_string());
            writeln!(story, "{}.{} {line}", minute * 60, nth + 1).unwrap();
        }
    }
    story
}

#[test]
fn a_freerun_whose_offsets_are_those_of_a_lock_is_an_artefact() {
    let well = polled(0, 10, &["w1 lock LOCKED {n}", "w1 os LOCKED 4", "w1 sync LOCKED"]);
    let cases = [
        ("stuck, then mended", "w1 lock FREERUN {n}", ""),
        ("stuck, and then it really drifts", "w1 lock FREERUN {n}", "1210 w1 lock FREERUN 350\n"),
        ("the same offset again and again", "w1 lock FREERUN 5", ""),
        ("offsets it never had while LOCKED", "w1 lock FREERUN 1{n}", ""),
        ("offsets over the threshold", "w1 lock FREERUN 35{n}", ""),
    ];
    let stories = cases.map(|(name, says, then)| {
        let stuck = polled(10, 20, &[says, "w1 os LOCKED 4", "w1 sync FREERUN"]);
        let mended = "1300 w1 lock LOCKED 3\n1301 w1 sync LOCKED\n1400 end";
        (name, format!("{well}{stuck}{then}{mended}"))
    });
    let class = polled(10, 20, &["w1 lock FREERUN {n}", "w1 class 248"]);
    let class = ("the class got worse too", format!("0 w1 class 6\n{well}{class}1300 end"));
    let held = "600 w1 lock HOLDOVER 3\n601 w1 lock FREERUN 3\n".to_owned()
        + &polled(11, 20, &["w1 lock FREERUN {n}"]);
    let held = ("out of HOLDOVER", format!("{well}{held}1300 end"));
    let fresh = polled(0, 9, &["w1 lock FREERUN {n}"]) + "560 end";
    let fresh = ("never seen LOCKED", fresh);
    assert_snapshot!(tell_all(stories.into_iter().chain([class, held, fresh])), @"
    stuck, then mended
    CRITICAL ptp-path-loss (inconclusive), resolved: since 600.1, known at 610.1, over at 930.3; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1, until 900.1: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 600.3, known at 610.3, until 900.3: FREERUN
      WARNING w1 inconsistent-state [os-clock-sync-state] since 600.1, known at 660.2, until 900.2: CLOCK_REALTIME LOCKED while PTP is FREERUN
    INFO publisher-artefact (confirmed), resolved: since 660.1, known at 900.1, over at 1331; from w1, affects w1
      INFO w1 publisher-artefact [lock-state] since 660.1, known at 900.1, until 1300: FREERUN is repeated with offsets of a locked clock (OCPBUGS-85092)
    alert at 610.1: opened CRITICAL PTP path lost on w1
    alert at 930.3: resolved CRITICAL Resolved: PTP path lost on w1

    stuck, and then it really drifts
    CRITICAL ptp-path-loss (inconclusive), firing: since 600.1, known at 610.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1, until 900.1: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 600.3, known at 610.3, until 900.3: FREERUN
      WARNING w1 inconsistent-state [os-clock-sync-state] since 600.1, known at 660.2, until 900.2: CLOCK_REALTIME LOCKED while PTP is FREERUN
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 1210, until 1300: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 600.1, known at 1210, until 1300: FREERUN without a break for more than 5 min
    INFO publisher-artefact (confirmed), resolved: since 660.1, known at 900.1, over at 1331; from w1, affects w1
      INFO w1 publisher-artefact [lock-state] since 660.1, known at 900.1, until 1210: FREERUN is repeated with offsets of a locked clock (OCPBUGS-85092)
    alert at 610.1: opened CRITICAL PTP path lost on w1
    alert at 930.3: resolved CRITICAL Resolved: PTP path lost on w1
    alert at 1210: opened CRITICAL Again: PTP path lost on w1

    the same offset again and again
    CRITICAL ptp-path-loss (inconclusive), resolved: since 600.1, known at 610.1, over at 1331; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1, until 1300: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 600.3, known at 610.3, until 1301: FREERUN
      WARNING w1 inconsistent-state [os-clock-sync-state] since 600.1, known at 660.2, until 1300: CLOCK_REALTIME LOCKED while PTP is FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 600.1, known at 900.1, until 1300: FREERUN without a break for more than 5 min
      CRITICAL w1 persistent-freerun [sync-state] since 600.3, known at 900.3, until 1301: FREERUN without a break for more than 5 min
    alert at 610.1: opened CRITICAL PTP path lost on w1
    alert at 1331: resolved CRITICAL Resolved: PTP path lost on w1

    offsets it never had while LOCKED
    CRITICAL ptp-path-loss (inconclusive), resolved: since 600.1, known at 610.1, over at 1331; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1, until 1300: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 600.3, known at 610.3, until 1301: FREERUN
      WARNING w1 inconsistent-state [os-clock-sync-state] since 600.1, known at 660.2, until 1300: CLOCK_REALTIME LOCKED while PTP is FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 600.1, known at 900.1, until 1300: FREERUN without a break for more than 5 min
      CRITICAL w1 persistent-freerun [sync-state] since 600.3, known at 900.3, until 1301: FREERUN without a break for more than 5 min
    alert at 610.1: opened CRITICAL PTP path lost on w1
    alert at 1331: resolved CRITICAL Resolved: PTP path lost on w1

    offsets over the threshold
    CRITICAL path-asymmetry (inconclusive), firing: since 600.1, known at 610.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1, until 1300: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 600.3, known at 610.3, until 1301: FREERUN
      WARNING w1 inconsistent-state [os-clock-sync-state] since 600.1, known at 660.2, until 1300: CLOCK_REALTIME LOCKED while PTP is FREERUN
      WARNING w1 high-offset [lock-state] since 600.1, known at 720.1, until 1300: 3 samples in a row over 100 ns, up to 352 ns
      CRITICAL w1 persistent-freerun [lock-state] since 600.1, known at 900.1, until 1300: FREERUN without a break for more than 5 min
      CRITICAL w1 persistent-freerun [sync-state] since 600.3, known at 900.3, until 1301: FREERUN without a break for more than 5 min
    alert at 610.1: opened CRITICAL Path asymmetry on w1

    the class got worse too
    CRITICAL ptp-path-loss (inconclusive), firing: since 600.1, known at 610.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 600.1, known at 610.1: FREERUN
      CRITICAL w1 clock-class-degraded [clock-class] since 600.2, known at 610.2: class 248: free-running, or default
      CRITICAL w1 persistent-freerun [lock-state] since 600.1, known at 900.1: FREERUN without a break for more than 5 min
    alert at 610.1: opened CRITICAL PTP path lost on w1

    out of HOLDOVER
    CRITICAL ptp-path-loss (likely), resolved: since 601, known at 611, over at 990.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 601, known at 611, until 960.1: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 601, known at 901, until 960.1: FREERUN without a break for more than 5 min
    INFO publisher-artefact (confirmed), firing: since 660.1, known at 960.1; from w1, affects w1
      INFO w1 publisher-artefact [lock-state] since 660.1, known at 960.1: FREERUN is repeated with offsets of a locked clock (OCPBUGS-85092)
    alert at 611: opened CRITICAL PTP path lost on w1
    alert at 990.1: resolved CRITICAL Resolved: PTP path lost on w1

    never seen LOCKED
    CRITICAL ptp-path-loss (inconclusive), firing: since 0.1, known at 10.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0.1, known at 10.1: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 0.1, known at 300.1: FREERUN without a break for more than 5 min
    alert at 10.1: opened CRITICAL PTP path lost on w1
    ");
}

#[test]
fn a_system_clock_that_two_publishers_speak_for_is_an_artefact() {
    let flips = |free: i32, locked: i32| {
        let mut story = "0 w1 lock LOCKED 3\n0 w1 os LOCKED 4\n".to_owned();
        for n in 0..15 {
            writeln!(story, "{}   w1 os FREERUN {free}", 100 + 4 * n).unwrap();
            writeln!(story, "{}.5 w1 os LOCKED  {locked}", 100 + 4 * n).unwrap();
        }
        story
    };
    let unlocked =
        flips(6, 7).replace("0 w1 os LOCKED 4\n", "1 w1 os LOCKED 4\n99 w1 lock FREERUN 2000\n");
    assert_snapshot!(tell_all([
        ("offsets tell nothing", flips(6, 7) + "900 end"),
        ("a threshold tells them apart", flips(60, 7) + "900 end"),
        ("PTP was not LOCKED all the time", unlocked + "900 end"),
    ]), @"
    offsets tell nothing
    INFO publisher-artefact (confirmed), resolved: since 100, known at 108.5, over at 478.001; from w1, affects w1
      INFO w1 publisher-artefact [os-clock-sync-state] since 100, known at 108.5, until 448.001: two publishers contradict each other (OCPBUGS-84900)

    a threshold tells them apart
    WARNING os-clock-fault (confirmed), firing: since 100, known at 120; from w1, affects w1
      WARNING w1 frequent-state-changes [os-clock-sync-state] since 100, known at 120: more than 10 state changes within 60 min
    alert at 120: opened WARNING System clock not synchronised on w1

    PTP was not LOCKED all the time
    CRITICAL path-asymmetry (likely), firing: since 99, known at 102; from w1, affects w1
      CRITICAL w1 high-offset [lock-state] since 99, known at 102: 1 sample in a row over 100 ns, up to 2000 ns
      CRITICAL w1 loss-of-lock [lock-state] since 99, known at 109: FREERUN
      WARNING w1 frequent-state-changes [os-clock-sync-state] since 100, known at 120: more than 10 state changes within 60 min
      CRITICAL w1 persistent-freerun [lock-state] since 99, known at 399: FREERUN without a break for more than 5 min
    alert at 102: opened CRITICAL Path asymmetry on w1
    ");
}

#[test]
fn class_6_that_is_said_again_in_holdover_is_stale_or_dangerous() {
    let well = "0 {} lock LOCKED 3\n0.1 {} class 6\n";
    let holdover = "100 {} lock HOLDOVER 3\n";
    let again = "150 {} class 6\n170 {} class 6\n190 end";
    let of = |node: &str, texts: &[&str]| texts.concat().replace("{}", node);
    let gnss = "0 gm gnss SYNCHRONIZED 4 fix=3\n";
    assert_snapshot!(tell_all([
        ("of a boundary clock", of("bc", &[well, holdover, again])),
        ("of a grandmaster", gnss.to_owned() + &of("gm", &[well, holdover, again])),
        ("not said again", of("bc", &[well, holdover, "150 {} class 6\n190 end"])),
        ("changed to it late", of("bc", &[well, "99 {} class 248\n", holdover, "170 {} class 6\n190 end"])),
        ("back in time", of("bc", &[well, holdover, "155 {} lock LOCKED 3\n170 {} class 6\n190 end"])),
    ]), @"
    of a boundary clock
    WARNING ptp-path-loss (likely), firing: since 100, known at 103; from bc, affects bc
      WARNING bc holdover [lock-state] since 100, known at 103: HOLDOVER
    INFO publisher-artefact (confirmed), firing: since 100, known at 170; from bc, affects bc
      INFO bc publisher-artefact [clock-class] since 100, known at 170: class 6 is repeated in HOLDOVER (OCPBUGS-98868)
    alert at 103: opened WARNING PTP path lost on bc

    of a grandmaster
    CRITICAL gnss-receiver-fault (inconclusive), firing: since 100, known at 103; from gm, affects gm
      WARNING gm holdover [lock-state] since 100, known at 103: HOLDOVER
      CRITICAL gm inconsistent-state [clock-class] since 100, known at 170: class 6 is announced in HOLDOVER
    alert at 103: opened WARNING GNSS receiver fault on gm
    alert at 170: escalated CRITICAL GNSS receiver fault on gm

    not said again
    WARNING ptp-path-loss (likely), firing: since 100, known at 103; from bc, affects bc
      WARNING bc holdover [lock-state] since 100, known at 103: HOLDOVER
    alert at 103: opened WARNING PTP path lost on bc

    changed to it late
    CRITICAL ptp-path-loss (likely), firing: since 99, known at 103; from bc, affects bc
      WARNING bc holdover [lock-state] since 100, known at 103: HOLDOVER
      CRITICAL bc clock-class-degraded [clock-class] since 99, known at 109, until 170: class 248: free-running, or default
    alert at 103: opened WARNING PTP path lost on bc
    alert at 109: escalated CRITICAL PTP path lost on bc

    back in time
    WARNING ptp-path-loss (likely), resolved: since 100, known at 103, over at 185; from bc, affects bc
      WARNING bc holdover [lock-state] since 100, known at 103, until 155: HOLDOVER
    alert at 103: opened WARNING PTP path lost on bc
    alert at 185: resolved WARNING Resolved: PTP path lost on bc
    ");
}

#[test]
fn a_name_without_an_interface_is_an_artefact() {
    assert_snapshot!(diagnose("0 w1 lock:/master LOCKED 3\n60 end"), @"
    INFO publisher-artefact (confirmed), firing: since 0, known at 0; from w1, affects w1
      INFO w1 publisher-artefact [lock-state] since 0, known at 0: its name has no interface (ptp-operator#93)
    ");
}

#[test]
fn states_that_do_not_fit_together_are_inconsistent() {
    let minutes = |says: &[&str]| polled(0, 5, says) + "290 end";
    let well = ["w1 lock LOCKED {n}", "w1 os LOCKED 4", "w1 sync LOCKED"];
    let cases: &[(&str, &[&str])] = &[
        ("all well", &well),
        ("sync-state better", &["w1 lock HOLDOVER 3", "w1 os LOCKED 4", "w1 sync LOCKED"]),
        ("sync-state worse", &["w1 lock LOCKED {n}", "w1 os LOCKED 4", "w1 sync HOLDOVER"]),
        (
            "two PTP clocks",
            &[
                "w1 lock LOCKED 3",
                "w1 lock:b/master HOLDOVER 3",
                "w1 os LOCKED 4",
                "w1 sync LOCKED",
            ],
        ),
        (
            "HOLDOVER and the system clock well",
            &["w1 lock HOLDOVER 3", "w1 os LOCKED 4", "w1 sync HOLDOVER"],
        ),
        (
            "the system clock LOCKED to nothing",
            &["w1 lock FREERUN 9{n}9", "w1 os LOCKED 4", "w1 sync FREERUN"],
        ),
        ("both", &["w1 lock FREERUN 9{n}9", "w1 os LOCKED 4", "w1 sync LOCKED"]),
    ];
    let stories = cases.iter().map(|(name, says)| (*name, minutes(says)));
    let once = "0 w1 lock HOLDOVER 3\n1 w1 os LOCKED 4\n2 w1 sync LOCKED\n290 end".to_owned();
    let start = "0 w1 lock placeholder\n".to_owned()
        + &minutes(&["w1 lock FREERUN 9{n}9", "w1 os LOCKED 4", "w1 sync LOCKED"]);
    let others = [("said only once", once), ("a start", start)];
    assert_snapshot!(tell_all(stories.chain(others)), @"
    all well
    nothing

    sync-state better
    WARNING ptp-path-loss (likely), firing: since 0.1, known at 60.1; from w1, affects w1
      WARNING w1 holdover [lock-state] since 0.1, known at 60.1: HOLDOVER
      WARNING w1 inconsistent-state [sync-state] since 0.3, known at 120.3: sync-state LOCKED, and the worst clock is HOLDOVER
    alert at 60.1: opened WARNING PTP path lost on w1

    sync-state worse
    WARNING ptp-path-loss (likely), firing: since 0.3, known at 3.3; from w1, affects w1
      WARNING w1 holdover [sync-state] since 0.3, known at 3.3: HOLDOVER
      WARNING w1 inconsistent-state [sync-state] since 0.3, known at 120.3: sync-state HOLDOVER, and the worst clock is LOCKED
    alert at 3.3: opened WARNING PTP path lost on w1

    two PTP clocks
    WARNING ptp-path-loss (likely), firing: since 0.2, known at 60.2; from w1, affects w1
      WARNING w1 holdover [lock-state] since 0.2, known at 60.2: HOLDOVER
    alert at 60.2: opened WARNING PTP path lost on w1

    HOLDOVER and the system clock well
    WARNING ptp-path-loss (likely), firing: since 0.1, known at 3.1; from w1, affects w1
      WARNING w1 holdover [lock-state] since 0.1, known at 3.1: HOLDOVER
      WARNING w1 holdover [sync-state] since 0.3, known at 3.3: HOLDOVER
    alert at 3.1: opened WARNING PTP path lost on w1

    the system clock LOCKED to nothing
    CRITICAL misconfiguration (inconclusive), firing: since 0.1, known at 10.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0.1, known at 10.1: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 0.3, known at 10.3: FREERUN
      WARNING w1 high-offset [lock-state] since 0.1, known at 120.1: 3 samples in a row over 100 ns, up to 929 ns
      WARNING w1 inconsistent-state [os-clock-sync-state] since 0.2, known at 120.2: CLOCK_REALTIME LOCKED while PTP is FREERUN
    alert at 10.1: opened CRITICAL PTP path lost on w1

    both
    CRITICAL misconfiguration (inconclusive), firing: since 0.1, known at 60.1; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0.1, known at 60.1: FREERUN
      WARNING w1 high-offset [lock-state] since 0.1, known at 120.1: 3 samples in a row over 100 ns, up to 929 ns
      WARNING w1 inconsistent-state [os-clock-sync-state] since 0.2, known at 120.2: CLOCK_REALTIME LOCKED while PTP is FREERUN
      WARNING w1 inconsistent-state [sync-state] since 0.3, known at 120.3: sync-state LOCKED, and the worst clock is FREERUN
    alert at 60.1: opened CRITICAL PTP path lost on w1

    said only once
    nothing

    a start
    nothing
    ");
}

#[test]
fn a_class_from_when_the_node_was_lost_is_its_own() {
    let story = |lost: &str, back: &str| {
        format!(
            "
            0   gm gnss SYNCHRONIZED 3
            0   gm class 6
            0   w1 lock LOCKED 3
            0   w1 class 6
            0   w1 sync LOCKED
            {lost}
            100 w1 class 7
            {back}
            200 end
            "
        )
    };
    assert_snapshot!(tell_all([
        // As was that which took the class back, each time.
        ("the event of the clock was lost", story("99 w1 sync HOLDOVER", "110 w1 sync LOCKED")),
        ("nothing else was lost", story("99 w1 lock HOLDOVER 3", "110 w1 lock LOCKED 3")),
        ("it never lost its lock: it is its grandmaster's", story("", "")),
        ("nor did it where only its system clock did", story("50 w1 sync FREERUN", "")),
    ]), @"
    the event of the clock was lost
    WARNING ptp-path-loss (likely), firing: since 99, known at 102; from w1, affects w1
      WARNING w1 holdover [sync-state] since 99, known at 102, until 110: HOLDOVER
      WARNING w1 clock-class-degraded [clock-class] since 100, known at 103: class 7: T-GM in holdover, within specification
    alert at 102: opened WARNING PTP path lost on w1

    nothing else was lost
    WARNING gnss-signal-loss (likely), firing: since 99, known at 102; from w1, affects w1
      WARNING w1 holdover [lock-state] since 99, known at 102, until 110: HOLDOVER
      WARNING w1 clock-class-degraded [clock-class] since 100, known at 103: class 7: T-GM in holdover, within specification
    alert at 102: opened WARNING GNSS signal lost on w1

    it never lost its lock: it is its grandmaster's
    WARNING grandmaster-degraded (confirmed), firing: since 100, known at 103; from w1, affects w1
      WARNING w1 clock-class-degraded [clock-class] since 100, known at 103: class 7: T-GM in holdover, within specification
    alert at 103: opened WARNING Upstream grandmaster degraded on w1

    nor did it where only its system clock did
    CRITICAL os-clock-fault (likely), firing: since 50, known at 60; from w1, affects w1
      CRITICAL w1 loss-of-lock [sync-state] since 50, known at 60: FREERUN
    WARNING grandmaster-degraded (confirmed), firing: since 100, known at 103; from w1, affects w1
      WARNING w1 clock-class-degraded [clock-class] since 100, known at 103: class 7: T-GM in holdover, within specification
    alert at 60: opened CRITICAL System clock not synchronised on w1
    alert at 103: opened WARNING Upstream grandmaster degraded on w1
    ");
}
