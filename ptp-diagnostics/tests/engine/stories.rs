//! What an engineer would expect to be told, story by story.

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_diagnostics::Settings;

use crate::fixture::{diagnose, report, tell};

#[test]
fn one_freerun_is_found_though_only_others_speak() {
    let mut story = "0 w1 lock FREERUN 350\n".to_owned();
    for second in 1..=600 {
        writeln!(story, "{second} w2 lock LOCKED 3\n{second}.5 w3 os LOCKED 4").unwrap();
    }
    assert_snapshot!(diagnose(&story), @"
    CRITICAL ptp-path-loss (likely), firing: since 0, known at 10; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0, known at 10: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 0, known at 300: FREERUN without a break for more than 5 min
    alert at 10: opened CRITICAL PTP path lost on w1
    ");
}

#[test]
fn one_freerun_is_found_though_nobody_speaks() {
    assert_snapshot!(diagnose("
        0   w1 lock FREERUN 350
        100 time
        602 end
    "), @"
    CRITICAL misconfiguration (inconclusive), firing: since 0, known at 10; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0, known at 10: FREERUN
      CRITICAL w1 persistent-freerun [lock-state] since 0, known at 300: FREERUN without a break for more than 5 min
      WARNING w1 never-locked [lock-state] since 0, known at 600: never LOCKED in 10 min
    alert at 10: opened CRITICAL PTP path lost on w1
    ");
}

#[test]
fn a_freerun_that_ends_in_time_is_nothing() {
    assert_snapshot!(diagnose("
        0    w1 lock LOCKED 3
        10   w1 lock FREERUN 350
        19.9 w1 lock LOCKED 80
        100  end
    "), @"nothing");
}

#[test]
fn a_second_interface_does_not_hide_the_first() {
    assert_snapshot!(diagnose("
        0  w1 lock:ens1fx/master FREERUN 350
        1  w1 lock:ens3fx/master LOCKED 3
        60 end
    "), @"
    CRITICAL ptp-path-loss (inconclusive), firing: since 0, known at 10; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 0, known at 10: FREERUN
    alert at 10: opened CRITICAL PTP path lost on w1
    ");
}

#[test]
fn placeholders_and_a_normal_start_are_nothing() {
    assert_snapshot!(diagnose("
        0   w1 lock  placeholder
        0   w1 os    placeholder
        0.1 w1 class 248
        0.2 w1 lock  FREERUN 54321
        0.2 w1 sync  FREERUN
        40  w1 lock  LOCKED 45
        41  w1 os    FREERUN -12345
        44  w1 os    LOCKED 30
        44  w1 sync  LOCKED
        45  w1 class 6
        900 end
    "), @"nothing");
}

#[test]
fn a_start_that_never_ends_is_a_misconfiguration() {
    assert_snapshot!(diagnose("
        0   w1 lock  placeholder
        0.1 w1 class 248
        0.2 w1 lock  FREERUN 54321
        700 end
    "), @"
    CRITICAL misconfiguration (confirmed), firing: since 0.2, known at 300.2; from w1, affects w1
      CRITICAL w1 persistent-freerun [lock-state] since 0.2, known at 300.2: FREERUN without a break for more than 5 min
      WARNING w1 never-locked [lock-state] since 0.2, known at 600.2: never LOCKED in 10 min
    alert at 300.2: opened CRITICAL Never synchronised on w1
    ");
}

/// A grandmaster loses its satellites for long; followers pass on what it announces.
fn gnss_outage(followers: usize, recover: bool) -> String {
    let mut story = "0 gm gnss SYNCHRONIZED 4 fix=3\n0 gm lock LOCKED 2\n0 gm class 6\n".to_owned();
    let all = |story: &mut String, second: f64, what: &str| {
        for n in 0..followers {
            let when = second + 0.001 * (n + 1) as f64;
            writeln!(story, "{when:.3} w{n:02} {what}").unwrap();
        }
    };
    all(&mut story, 0.0, "lock LOCKED 3");
    all(&mut story, 0.1, "class 6");
    story +=
        "100 gm gnss FAILURE-NOFIX 99999999 fix=0\n100.2 gm lock HOLDOVER 4\n100.3 gm class 7\n";
    all(&mut story, 100.3, "class 7");
    story += "400.0 gm class 140\n";
    all(&mut story, 400.0, "class 140");
    story += "400.5 gm lock FREERUN 99999\n400.6 gm class 248\n400.7 gm os FREERUN 12\n";
    all(&mut story, 400.6, "class 248");
    all(&mut story, 402.0, "lock FREERUN 900");
    all(&mut story, 402.5, "os FREERUN 900");
    if recover {
        story += "500 gm gnss SYNCHRONIZED 4 fix=3\n520 gm lock LOCKED 2\n521 gm class 6\n";
        story += "522 gm os LOCKED 9\n";
        all(&mut story, 521.0, "class 6");
        all(&mut story, 525.0, "lock LOCKED 60");
        all(&mut story, 526.0, "os LOCKED 40");
        story += "700 end\n";
    } else {
        story += "460 end\n";
    }
    story
}

/// The lines of a story before a second.
fn before(story: &str, second: f64) -> String {
    let early = story.lines().filter(|line| {
        let time = line.split_whitespace().next().and_then(|t| t.parse::<f64>().ok());
        time.is_some_and(|t| t < second)
    });
    early.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn one_outage_with_twenty_followers_is_one_incident_and_three_alerts() {
    let report = report(&gnss_outage(20, true), Settings::default());
    assert_eq!(report.incidents.len(), 1);
    assert_eq!(report.incidents[0].affected_nodes.len(), 21);
    let alerts: Vec<_> = report
        .alerts
        .iter()
        .map(|a| format!("{} {} {}", a.status.as_str(), a.severity, a.summary))
        .collect();
    assert_snapshot!(alerts.join("\n"), @"
    opened WARNING GNSS signal lost on gm
    escalated CRITICAL GNSS signal lost on gm, 20 more nodes affected
    resolved CRITICAL Resolved: GNSS signal lost on gm, 20 more nodes affected
    ");
}

#[test]
fn one_outage_with_one_follower_in_full() {
    assert_snapshot!(diagnose(&gnss_outage(1, true)), @"
    CRITICAL gnss-signal-loss (confirmed), resolved: since 100, known at 101.3, over at 556.001; from gm, affects gm w00
      CRITICAL gm clock-class-degraded [clock-class] since 100.3, known at 101.3, until 521: class 140: T-GM in holdover, out of specification (category 1)
      CRITICAL gm gnss-fault [gnss-sync-status] since 100, known at 103, until 500: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm holdover [lock-state] since 100.2, known at 103.2, until 400.5: HOLDOVER
      CRITICAL w00 clock-class-degraded [clock-class] since 100.301, known at 103.301, until 521.001: class 140: T-GM in holdover, out of specification (category 1)
      CRITICAL gm loss-of-lock [lock-state] since 400.5, known at 410.5, until 520: FREERUN
      CRITICAL gm loss-of-lock [os-clock-sync-state] since 400.7, known at 410.7, until 522: FREERUN
      CRITICAL w00 loss-of-lock [lock-state] since 402.001, known at 412.001, until 525.001: FREERUN
      CRITICAL w00 loss-of-lock [os-clock-sync-state] since 402.501, known at 412.501, until 526.001: FREERUN
    alert at 101.3: opened WARNING GNSS signal lost on gm
    alert at 400: escalated CRITICAL GNSS signal lost on gm, 1 more node affected
    alert at 556.001: resolved CRITICAL Resolved: GNSS signal lost on gm, 1 more node affected
    ");
}

#[test]
fn another_fault_during_an_outage_is_its_own_incident() {
    let story = gnss_outage(4, false).replace(
        "400.0 gm class 140\n",
        "
            200 w01 os FREERUN 900
            250 w02 lock HOLDOVER 5
            250.2 w02 class 248
            255 w02 lock FREERUN 5
            255.3 w02 os FREERUN 11
            400.0 gm class 140
        ",
    );
    // Only what happened before the grandmaster itself left its specification.
    let story = before(&story, 390.0);
    assert_snapshot!(diagnose(&(story + "390 end")), @"
    WARNING gnss-signal-loss (confirmed), firing: since 100, known at 101.3; from gm, affects gm w00 w01 w02 w03
      WARNING gm clock-class-degraded [clock-class] since 100.3, known at 101.3: class 7: T-GM in holdover, within specification
      WARNING gm gnss-fault [gnss-sync-status] since 100, known at 103: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm holdover [lock-state] since 100.2, known at 103.2: HOLDOVER
      WARNING w00 clock-class-degraded [clock-class] since 100.301, known at 103.301: class 7: T-GM in holdover, within specification
      WARNING w01 clock-class-degraded [clock-class] since 100.302, known at 103.302: class 7: T-GM in holdover, within specification
      WARNING w02 clock-class-degraded [clock-class] since 100.303, known at 103.303, until 250.2: class 7: T-GM in holdover, within specification
      WARNING w03 clock-class-degraded [clock-class] since 100.304, known at 103.304: class 7: T-GM in holdover, within specification
    CRITICAL os-clock-fault (confirmed), firing: since 200, known at 210; from w01, affects w01
      CRITICAL w01 loss-of-lock [os-clock-sync-state] since 200, known at 210: FREERUN
      CRITICAL w01 os-clock-unsynchronised [os-clock-sync-state] since 200, known at 210: CLOCK_REALTIME FREERUN while PTP is LOCKED
    CRITICAL ptp-path-loss (confirmed), firing: since 250, known at 250.2; from w02, affects w02
      CRITICAL w02 clock-class-degraded [clock-class] since 250.2, known at 250.2: class 248: free-running, or default
      WARNING w02 holdover [lock-state] since 250, known at 253, until 255: HOLDOVER
      CRITICAL w02 loss-of-lock [lock-state] since 255, known at 265: FREERUN
      CRITICAL w02 loss-of-lock [os-clock-sync-state] since 255.3, known at 265.3: FREERUN
    alert at 101.3: opened WARNING GNSS signal lost on gm
    alert at 210: opened CRITICAL System clock not synchronised on w01
    alert at 250.2: opened CRITICAL PTP path lost on w02
    ");
}

#[test]
fn a_system_clock_that_flaps_during_an_outage_is_its_own_incident() {
    let mut story = before(&gnss_outage(4, false), 390.0);
    for n in 0..12 {
        let second = 130 + 20 * n;
        writeln!(story, "{second} w01 os FREERUN 3000\n{} w01 os LOCKED 40", second + 3).unwrap();
    }
    let report = report(&(story + "390 end"), Settings::default());
    let told = report.incidents.iter().map(|i| (i.root_cause.code(), i.origin_nodes[0].as_str()));
    assert_eq!(told.collect::<Vec<_>>(), [("gnss-signal-loss", "gm"), ("os-clock-fault", "w01")]);
}

#[test]
fn a_clock_that_flaps_for_an_hour_is_one_incident() {
    let mut story = "0 w1 lock LOCKED 3\n0 w2 lock LOCKED 3\n".to_owned();
    for minute in 1..=60 {
        let second = minute * 60;
        writeln!(story, "{second} w1 lock FREERUN 400\n{} w1 lock LOCKED 50", second + 15).unwrap();
    }
    story += "9000 end";
    let report = report(&story, Settings::default());
    assert_eq!(report.incidents.len(), 1);
    let alerts: Vec<_> = report
        .alerts
        .iter()
        .map(|a| format!("{} {} {}", a.status.as_str(), a.severity, a.summary))
        .collect();
    assert_snapshot!(alerts.join("\n"), @"
    opened CRITICAL Path asymmetry on w1
    resolved CRITICAL Resolved: PTP path unstable on w1
    ");
}

#[test]
fn followers_that_drop_one_by_one_still_end_as_one_incident() {
    let mut story = String::new();
    for n in 0..6 {
        writeln!(story, "0.{n} w{n} lock LOCKED 3").unwrap();
    }
    for n in 0..6 {
        writeln!(story, "10{n} w{n} lock HOLDOVER 3").unwrap();
    }
    story += "150 end";
    assert_snapshot!(diagnose(&story), @"
    WARNING upstream-loss (confirmed), firing: since 100, known at 103; from w0 w1 w2 w3, affects w0 w1 w2 w3 w4 w5
      WARNING w0 holdover [lock-state] since 100, known at 103: HOLDOVER
      WARNING w1 holdover [lock-state] since 101, known at 104: HOLDOVER
      WARNING w2 holdover [lock-state] since 102, known at 105: HOLDOVER
      WARNING w3 holdover [lock-state] since 103, known at 106: HOLDOVER
      WARNING w4 holdover [lock-state] since 104, known at 107: HOLDOVER
      WARNING w5 holdover [lock-state] since 105, known at 108: HOLDOVER
    alert at 103: opened WARNING Grandmaster or shared path lost on w0 and 3 more nodes
    ");
}

#[test]
fn one_cable_is_one_node() {
    assert_snapshot!(diagnose("
        0     w1 lock LOCKED 3
        0     w2 lock LOCKED 3
        100   w1 lock HOLDOVER 4
        100   w1 sync HOLDOVER
        100.1 w1 os   HOLDOVER 9
        100.2 w1 class 7
        160   w1 lock FREERUN 4
        160   w1 sync FREERUN
        160.4 w1 os   FREERUN 11
        161   w1 class 248
        200   w1 lock LOCKED 80
        200.1 w1 class 6
        200.2 w1 os   LOCKED 44
        200.2 w1 sync LOCKED
        300   end
    "), @"
    CRITICAL ptp-path-loss (confirmed), resolved: since 100, known at 103, over at 230.2; from w1, affects w1
      WARNING w1 holdover [lock-state] since 100, known at 103, until 160: HOLDOVER
      WARNING w1 holdover [sync-state] since 100, known at 103, until 160: HOLDOVER
      WARNING w1 holdover [os-clock-sync-state] since 100.1, known at 103.1, until 160.4: HOLDOVER
      WARNING w1 clock-class-degraded [clock-class] since 100.2, known at 103.2, until 161: class 7: T-GM in holdover, within specification
      CRITICAL w1 loss-of-lock [lock-state] since 160, known at 170, until 200: FREERUN
      CRITICAL w1 loss-of-lock [sync-state] since 160, known at 170, until 200.2: FREERUN
      CRITICAL w1 loss-of-lock [os-clock-sync-state] since 160.4, known at 170.4, until 200.2: FREERUN
    alert at 103: opened WARNING PTP path lost on w1
    alert at 170: escalated CRITICAL PTP path lost on w1
    alert at 230.2: resolved CRITICAL Resolved: PTP path lost on w1
    ");
}

#[test]
fn holdover_becomes_critical_before_its_limit() {
    assert_snapshot!(diagnose("
        0     w1 lock LOCKED 300
        100   w1 lock HOLDOVER 300
        20000 end
    "), @"
    CRITICAL ptp-path-loss (likely), firing: since 100, known at 103; from w1, affects w1
      CRITICAL w1 holdover [lock-state] since 100, known at 103: HOLDOVER
    alert at 103: opened WARNING PTP path lost on w1
    alert at 460: escalated CRITICAL PTP path lost on w1
    ");
}

#[test]
fn an_os_clock_alone_is_not_ptp() {
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        0   w1 os   LOCKED 3
        50  w1 os   FREERUN -450
        50  w1 sync FREERUN
        120 w1 os   LOCKED -20
        120 w1 sync LOCKED
        300 end
    "), @"
    CRITICAL os-clock-fault (confirmed), resolved: since 50, known at 60, over at 150; from w1, affects w1
      CRITICAL w1 loss-of-lock [os-clock-sync-state] since 50, known at 60, until 120: FREERUN
      CRITICAL w1 os-clock-unsynchronised [os-clock-sync-state] since 50, known at 60, until 120: CLOCK_REALTIME FREERUN while PTP is LOCKED
      CRITICAL w1 loss-of-lock [sync-state] since 50, known at 60, until 120: FREERUN
    alert at 60: opened CRITICAL System clock not synchronised on w1
    alert at 150: resolved CRITICAL Resolved: System clock not synchronised on w1
    ");
}

#[test]
fn a_restart_is_noted_and_nobody_is_told() {
    assert_snapshot!(diagnose("
        0    w1 lock LOCKED 3
        0    w1 os   LOCKED 3
        50   w1 lock FREERUN down
        50   w1 os   FREERUN down
        70   w1 lock LOCKED 80
        71   w1 os   LOCKED 44
        300  end
    "), @"
    INFO process-restart (confirmed), resolved: since 50, known at 70, over at 131; from w1, affects w1
      INFO w1 process-restart [lock-state] since 50, known at 70, until 100: FREERUN with its process down, then LOCKED again
      INFO w1 process-restart [os-clock-sync-state] since 50, known at 71, until 101: FREERUN with its process down, then LOCKED again
    ");
}

#[test]
fn a_process_that_stays_down_is_a_fault() {
    assert_snapshot!(diagnose("
        0    w1 lock LOCKED 3
        50   w1 lock FREERUN down
        120  end
    "), @"
    CRITICAL process-down (confirmed), firing: since 50, known at 80; from w1, affects w1
      CRITICAL w1 loss-of-lock [lock-state] since 50, known at 80: FREERUN: its process is down
    alert at 80: opened CRITICAL A linuxptp process is down on w1
    ");
}

#[test]
fn classes_alone_are_the_upstream_grandmasters() {
    assert_snapshot!(diagnose("
        0   w1 lock  LOCKED 3
        0   w1 class 6
        0   w2 lock  LOCKED 3
        0   w2 class 6
        50  w1 class 7
        50  w2 class 7
        90  w1 class 140
        90  w2 class 140
        150 w1 class 6
        150 w2 class 6
        300 end
    "), @"
    CRITICAL grandmaster-degraded (confirmed), resolved: since 50, known at 53, over at 180; from w1, affects w1 w2
      CRITICAL w1 clock-class-degraded [clock-class] since 50, known at 53, until 150: class 140: T-GM in holdover, out of specification (category 1)
      CRITICAL w2 clock-class-degraded [clock-class] since 50, known at 53, until 150: class 140: T-GM in holdover, out of specification (category 1)
    alert at 53: opened WARNING Upstream grandmaster degraded on w1
    alert at 90: escalated CRITICAL Upstream grandmaster degraded on w1, 1 more node affected
    alert at 180: resolved CRITICAL Resolved: Upstream grandmaster degraded on w1, 1 more node affected
    ");
}

#[test]
fn class_255_and_a_default_class_are_normal() {
    assert_snapshot!(diagnose("
        0   w1 class 255
        1   w1 lock  LOCKED 3
        2   w2 class 248
        3   w2 lock  LOCKED 3
        100 end
    "), @"nothing");
}

#[test]
fn high_offsets_while_locked() {
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        60  w1 lock LOCKED 150
        120 w1 lock LOCKED 170
        180 w1 lock LOCKED 160
        240 w1 lock LOCKED 1500
        300 w1 lock LOCKED 30
        360 w1 lock LOCKED 90
        420 w1 lock LOCKED 30
        480 w1 lock LOCKED 30
        500 end
    "), @"
    CRITICAL unknown (inconclusive), resolved: since 60, known at 180, over at 330; from w1, affects w1
      CRITICAL w1 high-offset [lock-state] since 60, known at 180, until 300: 4 samples in a row over 100 ns, up to 1500 ns
    alert at 180: opened WARNING Synchronisation fault of unknown cause on w1
    alert at 240: escalated CRITICAL Synchronisation fault of unknown cause on w1
    alert at 330: resolved CRITICAL Resolved: Synchronisation fault of unknown cause on w1
    ");
}

#[test]
fn one_bad_sample_is_nothing() {
    assert_snapshot!(diagnose("
        0     w1 lock LOCKED 3
        10    w1 lock FREERUN 28911
        10.12 w1 lock LOCKED -41
        100   end
    "), @"nothing");
}

#[test]
fn synce_alone_is_synce() {
    assert_snapshot!(diagnose("
        0   w1 synce   LOCKED
        0   w1 quality 1
        10  w1 synce   HOLDOVER
        10  w1 quality 11
        90  w1 synce   LOCKED
        90  w1 quality 2
        200 end
    "), @"
    WARNING synce-degraded (likely), resolved: since 10, known at 10, over at 120; from w1, affects w1
      WARNING w1 synce-degraded [synce-lock-state] since 10, known at 10, until 90: SyncE HOLDOVER
      WARNING w1 synce-degraded [synce-clock-quality] since 10, known at 10, until 90: SyncE quality level 11
    alert at 10: opened WARNING SyncE degraded on w1
    alert at 120: resolved WARNING Resolved: SyncE degraded on w1
    ");
}

#[test]
fn what_may_have_been_missed_is_a_window_and_no_fault() {
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        100 w1 missed 70
        100 w1 missed 65
        101 w1 missed 100
        150 w1 missed 140
        160 w1 missed 900
        200 end
    "), @"
    blind to w1 65..101: its publisher forgot us
    blind to w1 140..150: its publisher forgot us
    ");
    // What is blind already is so for longer.
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        200 w1 blind
        201 w1 missed 190
        202 w1 sighted
        203 w1 missed 195
        300 end
    "), @"
    WARNING telemetry-gap (confirmed), resolved: since 200, known at 200, over at 232; from w1, affects w1
      WARNING w1 silence [node] since 200, known at 200, until 202: its publisher is gone
    alert at 200: opened WARNING No telemetry from w1
    alert at 232: resolved WARNING Resolved: No telemetry from w1
    blind to w1 190..203: its publisher is gone
    ");
}

#[test]
fn silence_after_polling_is_a_blind_window_and_not_health() {
    let mut story = String::new();
    for minute in 0..10 {
        writeln!(story, "{} w1 lock LOCKED 3\n{} w2 lock LOCKED 3", minute * 60, minute * 60)
            .unwrap();
    }
    for minute in 10..30 {
        writeln!(story, "{} w2 lock LOCKED 3", minute * 60).unwrap();
    }
    for minute in 30..40 {
        writeln!(story, "{} w1 lock LOCKED 3\n{} w2 lock LOCKED 3", minute * 60, minute * 60)
            .unwrap();
    }
    assert_snapshot!(diagnose(&(story + "2400 end")), @"
    WARNING telemetry-gap (confirmed), resolved: since 540, known at 840, over at 1830; from w1, affects w1
      WARNING w1 silence [node] since 540, known at 840, until 1800: its regular samples stopped
    alert at 840: opened WARNING No telemetry from w1
    alert at 1830: resolved WARNING Resolved: No telemetry from w1
    blind to w1 540..1800: its regular samples stopped
    ");
}

#[test]
fn quiet_without_polling_is_normal() {
    assert_snapshot!(diagnose("
        0     w1 lock LOCKED 3
        86400 end
    "), @"nothing");
}

#[test]
fn unreachable_publishers_together_are_one_incident() {
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        0   w2 lock LOCKED 3
        100 w1 blind
        101 w2 blind
        400 w1 sighted
        401 w2 sighted
        500 end
    "), @"
    WARNING telemetry-gap (confirmed), resolved: since 100, known at 100, over at 431; from w1 w2, affects w1 w2
      WARNING w1 silence [node] since 100, known at 100, until 400: its publisher is gone
      WARNING w2 silence [node] since 101, known at 101, until 401: its publisher is gone
    alert at 100: opened WARNING No telemetry from w1
    alert at 101: escalated WARNING No telemetry from w1 and w2
    alert at 431: resolved WARNING Resolved: No telemetry from w1 and w2
    blind to w1 100..400: its publisher is gone
    blind to w2 101..401: its publisher is gone
    ");
}

#[test]
fn what_comes_back_within_ten_minutes_is_the_same_incident() {
    assert_snapshot!(diagnose("
        0   w1 lock LOCKED 3
        0   w2 lock LOCKED 3
        100 w1 lock HOLDOVER 3
        120 w1 lock LOCKED 3
        300 w1 lock HOLDOVER 3
        320 w1 lock LOCKED 3
        900 end
    "), @"
    WARNING ptp-path-loss (confirmed), resolved: since 100, known at 103, over at 440; from w1, affects w1
      WARNING w1 holdover [lock-state] since 100, known at 103, until 120: HOLDOVER
      WARNING w1 holdover [lock-state] since 300, known at 303, until 320: HOLDOVER
    alert at 103: opened WARNING PTP path lost on w1
    alert at 150: resolved WARNING Resolved: PTP path lost on w1
    alert at 303: opened WARNING Again: PTP path lost on w1
    alert at 440: resolved WARNING Resolved: PTP path lost on w1
    ");
}

#[test]
fn what_may_raise_alerts_does_not_limit_what_is_evidence() {
    let settings =
        Settings { alert_resources: Some(vec![ptp_events::Resource::Gnss]), ..Settings::default() };
    let report = report(
        "
        0     w1 lock LOCKED 3
        10    w1 lock HOLDOVER 3
        60    end
    ",
        settings,
    );
    assert_snapshot!(tell(&report), @"
    WARNING ptp-path-loss (likely), firing: since 10, known at 13; from w1, affects w1
      WARNING w1 holdover [lock-state] since 10, known at 13: HOLDOVER
    ");
}

#[test]
fn invented_nodes_and_clocks_are_bounded_and_counted() {
    let settings = Settings { max_nodes: 2, max_clocks_per_node: 2, ..Settings::default() };
    let mut engine = ptp_diagnostics::Engine::new(settings);
    for n in 0..10 {
        let (event, at) = crate::fixture::event(&format!("{n} n{n} lock LOCKED 1"), n);
        engine.handle_event(event, at);
        let (event, at) = crate::fixture::event(&format!("{n} n0 lock:c{n} LOCKED 1"), 100 + n);
        engine.handle_event(event, at);
    }
    engine.finish(crate::fixture::at(100.0));
    assert_eq!(engine.report().nodes.len(), 2);
    assert_eq!((engine.counts().nodes_refused, engine.counts().clocks_refused), (8, 9));
}

#[test]
fn a_recovery_does_not_rename_the_cause() {
    assert_snapshot!(diagnose("
        0    gm gnss  SYNCHRONIZED 4 fix=3
        0    gm lock  LOCKED 2
        0    gm class 6
        10   gm gnss  FAILURE-NOFIX fix=0
        10.1 gm lock  HOLDOVER 4
        10.2 gm class 7
        40   gm gnss  SYNCHRONIZED 4 fix=3
        41   gm lock  LOCKED 2
        41.1 gm class 6
        100  end
    "), @"
    WARNING gnss-signal-loss (confirmed), resolved: since 10, known at 11.2, over at 71.1; from gm, affects gm
      WARNING gm clock-class-degraded [clock-class] since 10.2, known at 11.2, until 41.1: class 7: T-GM in holdover, within specification
      WARNING gm gnss-fault [gnss-sync-status] since 10, known at 13, until 40: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm holdover [lock-state] since 10.1, known at 13.1, until 41: HOLDOVER
    alert at 11.2: opened WARNING GNSS signal lost on gm
    alert at 71.1: resolved WARNING Resolved: GNSS signal lost on gm
    ");
}

/// The network may let a newer event overtake an older one; the older one is old news then.
#[test]
fn what_comes_late_does_not_overwrite_what_is_newer() {
    let mut engine = ptp_diagnostics::Engine::new(Settings::default());
    let (locked, at) = crate::fixture::event("10.0 w1 lock LOCKED 3", 1);
    engine.handle_event(locked, at);
    let (mut late, _) = crate::fixture::event("9.5 w1 lock FREERUN 350", 2);
    let (_, received) = crate::fixture::event("10.4 w1 lock FREERUN 350", 2);
    late.id = ptp_events::EventId::new("late").unwrap();
    engine.handle_event(late, received);
    engine.finish(crate::fixture::at(600.0));
    assert_eq!(engine.counts().overtaken, 1);
    assert_snapshot!(tell(&engine.report()), @"nothing");
}

#[test]
fn a_process_that_is_restarted_again_and_again_is_told() {
    let mut story = "0 w1 lock LOCKED 3\n".to_owned();
    for n in 1..=3 {
        let at = n * 300;
        writeln!(story, "{at} w1 lock FREERUN down\n{} w1 lock LOCKED 4", at + 8).unwrap();
    }
    insta::assert_snapshot!(diagnose(&(story + "1200 end")), @"
    WARNING process-restart (confirmed), firing: since 300, known at 308; from w1, affects w1
      INFO w1 process-restart [lock-state] since 300, known at 308, until 338: FREERUN with its process down, then LOCKED again
      INFO w1 process-restart [lock-state] since 600, known at 608, until 638: FREERUN with its process down, then LOCKED again
      WARNING w1 process-restart [lock-state] since 900, known at 908, until 938: FREERUN with its process down, then LOCKED again
    alert at 908: opened WARNING Again: PTP processes restarted on w1
    ");
}

/// Each time for less than a worse class must last.
#[test]
fn a_class_that_flaps_is_found_though_none_of_it_lasts() {
    let flaps = |node: &str, times: u32| {
        let mut story = format!("0 {node} lock LOCKED 3\n0.1 {node} class 6\n");
        for n in 1..=times {
            let at = 100 + n * 10;
            writeln!(story, "{at}.0 {node} class 140\n{at}.8 {node} class 6").unwrap();
        }
        story + "300 end"
    };
    insta::assert_snapshot!(crate::fixture::tell_all([
        ("of a grandmaster", format!("0 gm gnss SYNCHRONIZED 3 fix=3\n{}", flaps("gm", 12))),
        ("told by a follower", flaps("w1", 12)),
        ("not often enough", flaps("w1", 9)),
    ]), @"
    of a grandmaster
    WARNING grandmaster-unstable (confirmed), firing: since 110, known at 210; from gm, affects gm
      WARNING gm frequent-class-changes [clock-class] since 110, known at 210: the class got worse more than 10 times within 60 min
    alert at 210: opened WARNING Grandmaster unstable on gm

    told by a follower
    WARNING grandmaster-unstable (likely), firing: since 110, known at 210; from w1, affects w1
      WARNING w1 frequent-class-changes [clock-class] since 110, known at 210: the class got worse more than 10 times within 60 min
    alert at 210: opened WARNING Grandmaster unstable on w1

    not often enough
    nothing
    ");
}
