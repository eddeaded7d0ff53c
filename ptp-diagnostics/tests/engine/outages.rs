//! A grandmaster that goes free, and takes all who follow it along.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_diagnostics::Settings;

use crate::fixture::report;

/// Who tells of the grandmaster.
#[derive(Clone, Copy, PartialEq)]
enum Teller {
    Receiver,
    Class,
    /// It is not ours.
    Nobody,
}

/// How an outage is told.
struct Outage {
    followers: u32,
    /// Within how many seconds after its class 248 they all lose their lock.
    over: f64,
    /// The clocks are asked once a minute.
    polled: bool,
    /// All of them are behind one boundary clock.
    behind_boundary: bool,
    teller: Teller,
}

/// A grandmaster loses its satellites, holds over for an hour with class 140, and goes free.
fn story(outage: &Outage) -> String {
    let Outage { followers, over, polled, behind_boundary, teller } = *outage;
    let mut told: Vec<(f64, String)> = Vec::new();
    let mut say = |at: f64, what: String| told.push((at, what));
    let names: Vec<String> = (0..followers).map(|n| format!("w{n:03}")).collect();
    let free = 600.0 + 3600.0;
    if teller == Teller::Receiver {
        say(0.0, "gm gnss SYNCHRONIZED 3 fix=3".to_owned());
        say(590.0, "gm gnss FAILURE-NOFIX 3 fix=0".to_owned());
    }
    let masters = ["gm".to_owned()].into_iter().chain(behind_boundary.then(|| "bc".to_owned()));
    for node in masters.chain(names.iter().cloned()) {
        say(0.1, format!("{node} lock LOCKED 3"));
        say(0.2, format!("{node} class 6"));
        say(0.3, format!("{node} os LOCKED 5"));
    }
    say(590.1, "gm lock HOLDOVER 3".to_owned());
    say(590.2, "gm class 7".to_owned());
    say(600.0, "gm class 140".to_owned());
    for node in &names {
        say(591.0, format!("{node} class 7"));
        say(601.0, format!("{node} class 140"));
    }
    say(free - 0.1, "gm lock FREERUN 3".to_owned());
    say(free, "gm class 248".to_owned());
    // The boundary clock is the first to turn away.
    let mut lost: Vec<(f64, &str)> = Vec::new();
    if behind_boundary {
        lost.push((free + 0.3, "bc"));
    }
    for (n, node) in names.iter().enumerate() {
        lost.push((free + 0.4 + over * n as f64 / f64::from(followers), node));
    }
    for (at, node) in &lost {
        say(*at, format!("{node} lock HOLDOVER 3"));
        say(at + 0.05, format!("{node} os HOLDOVER 5"));
        say(at + 5.0, format!("{node} lock FREERUN 3"));
        say(at + 5.05, format!("{node} os FREERUN 5"));
        say(at + 5.1, format!("{node} class 248"));
    }
    if polled {
        for minute in 1..90 {
            let at = f64::from(minute * 60) + 30.0;
            for node in &names {
                let lost = lost.iter().find(|(_, name)| name == node).unwrap().0;
                let state = match at - lost {
                    late if late > 5.0 => "FREERUN",
                    late if late > 0.0 => "HOLDOVER",
                    _ => "LOCKED",
                };
                let offset = if state == "LOCKED" { minute % 7 } else { 3 };
                say(at, format!("{node} lock {state} {offset}"));
            }
        }
    }
    told.retain(|(_, what)| teller != Teller::Nobody || !what.starts_with("gm "));
    told.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut story = String::new();
    for (at, what) in told {
        writeln!(story, "{at} {what}").unwrap();
    }
    story + "5400 end"
}

#[test]
fn a_grandmaster_that_goes_free_is_one_incident_of_three_alerts_at_most() {
    let mut told = BTreeSet::new();
    for followers in [20, 50, 200] {
        for over in [0.5, 6.0, 30.0] {
            for case in 0..12 {
                let outage = Outage {
                    followers,
                    over,
                    polled: case & 1 == 0,
                    behind_boundary: case & 2 == 0,
                    teller: [Teller::Receiver, Teller::Class, Teller::Nobody][case / 4],
                };
                let report = report(&story(&outage), Settings::default());
                let incidents: Vec<_> = report
                    .incidents
                    .iter()
                    .map(|incident| {
                        format!("{} from {}", incident.root_cause, incident.origin_nodes[0])
                    })
                    .collect();
                assert!(report.alerts.len() <= 3, "{followers} {over} {case}: {incidents:?}");
                let who = match outage.teller {
                    Teller::Receiver => "its receiver tells",
                    Teller::Class => "it tells its class",
                    Teller::Nobody => "it is not ours",
                };
                told.insert(format!("{who}: {}", incidents.join(", ")));
            }
        }
    }
    let told: Vec<_> = told.into_iter().collect();
    assert_snapshot!(told.join("\n"), @"
    it is not ours: upstream-loss from bc
    it is not ours: upstream-loss from w000
    it tells its class: gnss-signal-loss from gm
    its receiver tells: gnss-signal-loss from gm
    ");
}

/// One that has been free for long, or that left, is nobody's excuse: the others are LOCKED.
#[test]
fn a_grandmaster_that_is_free_for_long_masks_no_other_fault() {
    let mut begin = String::new();
    for node in ["gm-a", "gm-b", "w1", "w2", "w3", "w4"] {
        writeln!(begin, "0 {node} lock LOCKED 3\n0.1 {node} class 6").unwrap();
    }
    begin += "1 gm-a gnss SYNCHRONIZED 3 fix=3\n1 gm-b gnss SYNCHRONIZED 3 fix=3\n";
    begin += "10 gm-a gnss FAILURE-NOFIX fix=0\n10.1 gm-a lock HOLDOVER 3\n10.2 gm-a class 7\n";
    begin += "20 gm-a class 140\n30 gm-a lock FREERUN 3\n30.1 gm-a class 248\n";
    let lost = "3000 w1 lock HOLDOVER 3\n3005 w1 lock FREERUN 3\n3100 end";
    insta::assert_snapshot!(crate::fixture::tell_all([
        ("it is still free", format!("{begin}{lost}")),
        ("it left", format!("{begin}100 gm-a gone\n{lost}")),
    ]), @"
    it is still free
    CRITICAL gnss-signal-loss (confirmed), firing: since 10, known at 11.2; from gm-a, affects gm-a
      CRITICAL gm-a clock-class-degraded [clock-class] since 10.2, known at 11.2: class 140: T-GM in holdover, out of specification (category 1)
      CRITICAL gm-a gnss-fault [gnss-sync-status] since 10, known at 13: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm-a holdover [lock-state] since 10.1, known at 13.1, until 30: HOLDOVER
      CRITICAL gm-a loss-of-lock [lock-state] since 30, known at 40: FREERUN
      CRITICAL gm-a persistent-freerun [lock-state] since 30, known at 330: FREERUN without a break for more than 5 min
    CRITICAL ptp-path-loss (confirmed), firing: since 3000, known at 3003; from w1, affects w1
      WARNING w1 holdover [lock-state] since 3000, known at 3003, until 3005: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 3005, known at 3015: FREERUN
    alert at 11.2: opened WARNING GNSS signal lost on gm-a
    alert at 20: escalated CRITICAL GNSS signal lost on gm-a
    alert at 3003: opened WARNING PTP path lost on w1
    alert at 3015: escalated CRITICAL PTP path lost on w1

    it left
    CRITICAL gnss-signal-loss (confirmed), resolved: since 10, known at 11.2, over at 130; from gm-a, affects gm-a
      CRITICAL gm-a clock-class-degraded [clock-class] since 10.2, known at 11.2, until 100: class 140: T-GM in holdover, out of specification (category 1)
      CRITICAL gm-a gnss-fault [gnss-sync-status] since 10, known at 13, until 100: GNSS FAILURE-NOFIX, gpsFix 0
      WARNING gm-a holdover [lock-state] since 10.1, known at 13.1, until 30: HOLDOVER
      CRITICAL gm-a loss-of-lock [lock-state] since 30, known at 40, until 100: FREERUN
    CRITICAL ptp-path-loss (confirmed), firing: since 3000, known at 3003; from w1, affects w1
      WARNING w1 holdover [lock-state] since 3000, known at 3003, until 3005: HOLDOVER
      CRITICAL w1 loss-of-lock [lock-state] since 3005, known at 3015: FREERUN
    alert at 11.2: opened WARNING GNSS signal lost on gm-a
    alert at 20: escalated CRITICAL GNSS signal lost on gm-a
    alert at 130: resolved CRITICAL Resolved: GNSS signal lost on gm-a
    alert at 3003: opened WARNING PTP path lost on w1
    alert at 3015: escalated CRITICAL PTP path lost on w1
    ");
}
