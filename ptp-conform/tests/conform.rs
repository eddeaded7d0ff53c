//! Each requirement that can be seen, kept once and broken once.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_conform::{ClockKind, Conformance, Gatherer, Judgement, Verdict};
use ptp_events::daemon::{DaemonLog, DaemonSettings, LogLine};
use ptp_events::metrics::Metrics;
use ptp_events::observation::Evidence;
use ptp_events::recording::Origin;
use ptp_events::{
    ClockClass, Event, EventId, Instance, Measurement, NodeName, Reading, Received, Resource,
    Stamped, SyncState,
};

const START_NS: i64 = 1_795_416_000_000_000_000;

fn at(seconds: f64) -> Received {
    #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
    Received::from_nanos(START_NS + (seconds * 1e9) as i64 + 1)
}

/// A story: `SECONDS lock|os|sync|gnss STATE [OFFSET]`, `SECONDS class N`, `SECONDS asked …` for what was
/// asked for, and `SECONDS log LINE` for a line of the daemon's log.
fn gather(story: &str, metrics: &str) -> Gatherer {
    let node = NodeName::new("n1").unwrap();
    let settings = DaemonSettings { verbatim: true, ..DaemonSettings::default() };
    let mut log = DaemonLog::new(node.clone(), settings);
    let mut gatherer = Gatherer::default();
    for (number, line) in (1..).zip(story.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let (seconds, rest) = line.split_once(' ').unwrap();
        let time = at(seconds.parse().unwrap());
        if let Some(text) = rest.strip_prefix("log ") {
            let line = LogLine { received: Some(time), ..LogLine::new(number, text) };
            log.handle_line(line);
            while let Some(told) = log.poll_evidence() {
                gatherer.handle_evidence(&told.evidence, Origin::Unknown, time);
            }
            continue;
        }
        let (origin, rest) = match rest.strip_prefix("asked ") {
            Some(rest) => (Origin::Pull, rest),
            None => (Origin::Push, rest),
        };
        let mut words = rest.split(' ');
        let (what, value) = (words.next().unwrap(), words.next().unwrap());
        let (resource, instance) = match what {
            "lock" => (Resource::LockState, "ens1fx/master"),
            "class" => (Resource::ClockClass, "ens1fx/master"),
            "os" => (Resource::OsClock, "CLOCK_REALTIME"),
            "sync" => (Resource::SyncState, ""),
            "gnss" => (Resource::Gnss, "ens1fx/master"),
            other => panic!("{other}?"),
        };
        let mut reading = Reading::new(Instance::new(instance).unwrap_or(Instance::NODE));
        if what == "class" {
            reading.clock_class = Some(ClockClass(value.parse().unwrap()));
        } else {
            reading.state = Some(SyncState::from(value));
            reading.offset = words.next().map(|ns| Measurement::from_nanos(ns.parse().unwrap()));
        }
        let event = Event {
            id: EventId::new(&format!("e{number}")).unwrap(),
            node: node.clone(),
            resource,
            stamped: Some(Stamped::from_nanos(time.as_nanos())),
            readings: [reading].into(),
        };
        gatherer.handle_evidence(&Evidence::Event(event), origin, time);
    }
    log.finish();
    while let Some(told) = log.poll_evidence() {
        gatherer.handle_evidence(&told.evidence, Origin::Unknown, at(0.0));
    }
    if !metrics.is_empty() {
        gatherer.handle_metrics(&Metrics::parse(metrics).unwrap(), at(100.0));
    }
    gatherer
}

fn judge(kind: ClockKind, story: &str, metrics: &str) -> Conformance {
    gather(story, metrics).judge(&[(NodeName::new("n1").unwrap(), kind)])
}

fn find<'a>(judged: &'a Conformance, id: &str) -> &'a Judgement {
    let mut all = judged.nodes[0].judgements.iter();
    all.find(|judgement| judgement.requirement == id).unwrap_or_else(|| panic!("no {id}"))
}

/// Requirement, kind, a story that keeps it, one that breaks it.
const STORIES: &[(&str, ClockKind, &str, &str)] = &[
    (
        "FUNC-TGM001-R1",
        ClockKind::TGm,
        "0 log gnss[1]:[ts2phc.0.config] ens1f0 gnss_status 3 offset 5 s2
         0 log dpll[1]:[ts2phc.0.config] ens1f0 frequency_status 3 offset 2 phase_status 3 pps_status 1 s2
         1 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s2",
        "0 log gnss[1]:[ts2phc.0.config] ens1f0 gnss_status 0 offset 5 s0
         1 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s2",
    ),
    (
        "FUNC-TGM001-R2",
        ClockKind::TGm,
        "0 lock FREERUN 5\n0 class 248\n9 lock LOCKED 5\n9.5 class 6\n60 gnss SYNCHRONIZED 3",
        "0 lock FREERUN 5\n0 class 248\n9 lock LOCKED 5\n12 class 6\n60 gnss SYNCHRONIZED 3",
    ),
    (
        "FUNC-TGM002-R1",
        ClockKind::TGm,
        "0 gnss SYNCHRONIZED 3\n0 lock LOCKED 5\n60 gnss FAILURE-NOFIX 3\n61 lock HOLDOVER 5\n99 os LOCKED 1",
        "0 gnss SYNCHRONIZED 3\n0 lock LOCKED 5\n60 gnss FAILURE-NOFIX 3\n61 lock FREERUN 5\n99 os LOCKED 1",
    ),
    (
        "FUNC-TGM002-R2",
        ClockKind::TGm,
        "0 lock LOCKED 5\n0 class 6\n60 lock HOLDOVER 5\n60.2 class 7",
        "0 lock LOCKED 5\n0 class 6\n60 lock HOLDOVER 5\n60.2 class 140",
    ),
    (
        "FUNC-TGM003-R1",
        ClockKind::TGm,
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 class 140",
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 class 140\n900.1 lock FREERUN 5",
    ),
    (
        "FUNC-TGM003-R2",
        ClockKind::TGm,
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 class 140\n990 os LOCKED 1",
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 class 187\n990 os LOCKED 1",
    ),
    (
        "FUNC-TGM004-R1",
        ClockKind::TGm,
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 lock FREERUN 5\n900.3 class 248",
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 7\n900 class 248",
    ),
    (
        "FUNC-TGM007-R3",
        ClockKind::TGm,
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE\n5 lock FREERUN 5",
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE\n5 lock HOLDOVER 5",
    ),
    (
        "FUNC-TGM007-R4",
        ClockKind::TGm,
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE\n5 lock FREERUN 5",
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE\n5 lock LOCKED 5",
    ),
    (
        "FUNC-TGM010-R1",
        ClockKind::TGm,
        "0 lock LOCKED 5\n0 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s2
         60 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s1\n60.5 lock HOLDOVER 5",
        "0 lock LOCKED 5\n0 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s2
         60 log GM[1]:[ts2phc.0.config] ens1f0 T-GM-STATUS s1\n63 lock HOLDOVER 5",
    ),
    ("FUNC-TGM010-R2", ClockKind::TGm, "0 lock LOCKED 5", "0 lock LOCKED"),
    (
        "FUNC-TGM010-R3",
        ClockKind::TGm,
        "0 class 6\n0 log ptp4l[1]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 6.0
         60 log ptp4l[61]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 7.0\n60.4 class 7",
        "0 class 6\n0 log ptp4l[1]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 6.0
         60 log ptp4l[61]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 7.0\n90 os LOCKED 3",
    ),
    (
        "FUNC-TGM010-R4",
        ClockKind::TGm,
        "0 gnss SYNCHRONIZED 3\n0 log gnss[1]:[ts2phc.0.config] ens1f0 gnss_status 3 offset 5 s2
         60 log gnss[61]:[ts2phc.0.config] ens1f0 gnss_status 0 offset 5 s0\n60.4 gnss FAILURE-NOFIX 3",
        "0 gnss SYNCHRONIZED 3\n0 log gnss[1]:[ts2phc.0.config] ens1f0 gnss_status 3 offset 5 s2
         60 log gnss[61]:[ts2phc.0.config] ens1f0 gnss_status 0 offset 5 s0\n90 os LOCKED 3",
    ),
    (
        "FUNC-TGM010-R5",
        ClockKind::TGm,
        "0 lock LOCKED 5\n60 asked lock LOCKED 7\n90 lock HOLDOVER 5",
        "0 lock LOCKED 5\n60 lock LOCKED 7",
    ),
    (
        "FUNC-TGM011-R3",
        ClockKind::TGm,
        "0 log ts2phc[1.0]: [ts2phc.0.config] ens1f0 master offset 4 s2 freq -0
         1 log ptp4l[2.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE",
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE
         1 log ts2phc[2.0]: [ts2phc.0.config] ens1f0 master offset 4 s2 freq -0",
    ),
    (
        "FUNC-TGM011-R4",
        ClockKind::TGm,
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE
         1 log ts2phc[2.0]: [ts2phc.0.config] ens1f0 master offset 4 s2 freq -0
         2 log phc2sys[3.0]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1100",
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): INITIALIZING to LISTENING on INIT_COMPLETE
         1 log phc2sys[2.0]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1100
         2 log ts2phc[3.0]: [ts2phc.0.config] ens1f0 master offset 4 s2 freq -0",
    ),
    (
        "FUNC-TGM012-R1",
        ClockKind::TGm,
        "0 lock LOCKED 5\n60 log ts2phc[61]:[ts2phc.0.config] PTP_PROCESS_STATUS:0
         62 log ts2phc[63]:[ts2phc.0.config] PTP_PROCESS_STATUS:1\n90 os LOCKED 3",
        "0 lock LOCKED 5\n60 log ts2phc[61]:[ts2phc.0.config] PTP_PROCESS_STATUS:0\n61 lock FREERUN 5
         62 log ts2phc[63]:[ts2phc.0.config] PTP_PROCESS_STATUS:1\n90 os LOCKED 3",
    ),
    (
        "FUNC-TGM012-R5",
        ClockKind::TGm,
        "60 log ts2phc[61]:[ts2phc.0.config] PTP_PROCESS_STATUS:0
         62 log ts2phc[63]:[ts2phc.0.config] PTP_PROCESS_STATUS:1",
        "60 log ts2phc[61]:[ts2phc.0.config] PTP_PROCESS_STATUS:0
         200 log phc2sys[201.0]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1100",
    ),
    (
        "FUNC-TBC002-R1",
        ClockKind::TBc,
        "0 log T-BC[1]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s2
         60 log ptp4l[61.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to LISTENING on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
         61 log T-BC[62]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s1",
        "0 log T-BC[1]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s2
         60 log ptp4l[61.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to LISTENING on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
         90 log T-BC[91]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s2",
    ),
    (
        "FUNC-TBC014-R6",
        ClockKind::TBc,
        "0 log T-BC[1]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s2
         0 log dpll[1]:[ptp4l.1.config] ens1f0 frequency_status 2 offset 2 phase_status 2 pps_status 1 s2
         60 log ptp4l[61.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to LISTENING on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
         61 log T-BC[62]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s0",
        "0 log T-BC[1]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s2
         0 log dpll[1]:[ptp4l.1.config] ens1f0 frequency_status 2 offset 2 phase_status 2 pps_status 1 s2
         60 log ptp4l[61.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to LISTENING on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
         61 log T-BC[62]:[ptp4l.1.config] ens1f0 offset 5 T-BC-STATUS s1",
    ),
    (
        "FUNC-TBC010-R3",
        ClockKind::TBc,
        "0 lock LOCKED 5\n0 os LOCKED 1\n0 sync LOCKED\n60 lock HOLDOVER 5\n60.1 class 135\n60.2 sync HOLDOVER",
        "0 lock LOCKED 5\n0 os LOCKED 1\n0 sync LOCKED\n60 lock HOLDOVER 5\n60.1 class 135\n65 sync HOLDOVER",
    ),
    (
        "FUNC-TBC010-R10",
        ClockKind::TBc,
        "0 lock LOCKED 5\n0 os LOCKED 1\n60 lock HOLDOVER 5\n61 os HOLDOVER 1\n99 class 135",
        "0 lock LOCKED 5\n0 os LOCKED 1\n60 lock HOLDOVER 5\n99 class 135",
    ),
    (
        "FUNC-TBC018-R2",
        ClockKind::TBc,
        "0 lock FREERUN 5\n0 class 248\n9 lock LOCKED 5\n9.5 class 6",
        "0 lock FREERUN 5\n0 class 248\n9 lock LOCKED 5\n19 class 6",
    ),
    ("G.8275.1-CLASS", ClockKind::TBc, "0 class 6\n9 class 135", "0 class 6\n9 class 13"),
    (
        "O-RAN-SYNC-STATE",
        ClockKind::TBc,
        "0 lock LOCKED 5\n0 os LOCKED 1\n0 sync LOCKED\n60 os FREERUN 900\n60.2 sync FREERUN",
        "0 lock LOCKED 5\n0 os LOCKED 1\n0 sync LOCKED\n60 os FREERUN 900\n90 sync FREERUN",
    ),
    (
        "FUNC-TTSC001-R1",
        ClockKind::TTsc,
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED",
        "0 log ptp4l[1.0]: [ptp4l.0.config] port 2 (ens1f1): LISTENING to MASTER on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES",
    ),
    (
        "FUNC-TTSC001-R4",
        ClockKind::TTsc,
        "0 lock LOCKED 5\n60 lock HOLDOVER 5",
        "0 lock LOCKED 5\n60 lock HOLDOVER 5\n60.2 class 135",
    ),
];

#[test]
fn what_is_kept_passes_and_what_is_broken_is_found() {
    let mut told = String::new();
    for (id, kind, kept, broken) in STORIES {
        let good = judge(*kind, kept, "");
        let good = find(&good, id);
        assert!(matches!(good.verdict, Verdict::Pass | Verdict::Partly), "{id}: {good:?}");
        let bad = judge(*kind, broken, "");
        let bad = find(&bad, id);
        assert_eq!(bad.verdict, Verdict::Fail, "{id}: {bad:?}");
        writeln!(told, "{id}: {}", bad.failures[0].says).unwrap();
    }
    assert_snapshot!(told);
}

const METRICS: &str = r#"
openshift_ptp_clock_state{iface="ens1fx",node="n1",process="gnss"} 1
openshift_ptp_clock_state{iface="ens1fx",node="n1",process="dpll"} 1
openshift_ptp_clock_state{iface="ens1fx",node="n1",process="ts2phc"} 1
openshift_ptp_clock_state{iface="CLOCK_REALTIME",node="n1",process="phc2sys"} 1
openshift_ptp_interface_role{iface="ens1f0",node="n1",process="ptp4l"} 2
openshift_ptp_clock_class{node="n1",process="ptp4l"} 6
"#;

#[test]
fn metrics_are_judged_as_well() {
    let good = judge(ClockKind::TGm, "0 class 6", METRICS);
    for id in ["FUNC-TGM013-R1", "FUNC-TGM013-R4"] {
        assert_eq!(find(&good, id).verdict, Verdict::Pass, "{id}");
    }
    assert_eq!(find(&good, "FUNC-TGM013-R2").verdict, Verdict::Partly);
    let broken = METRICS
        .replace("process=\"dpll\"", "process=\"ptp4l\"")
        .replace("} 2", "} 1")
        .replace("} 6", "} 248");
    let bad = judge(ClockKind::TGm, "0 class 6", &broken);
    let says = |id| find(&bad, id).failures[0].says.clone();
    assert_eq!(says("FUNC-TGM013-R1"), "there is no ClockState of dpll");
    assert_eq!(says("FUNC-TGM013-R4"), "role 1 of ptp4l ens1f0");
    assert_eq!(says("FUNC-TGM013-R2"), "class 6 was sent, and another is exported");
    let slave = judge(ClockKind::TTsc, "0 lock LOCKED 3", METRICS);
    assert_eq!(find(&slave, "FUNC-TTSC001-R3").failures[0].says, "class 6 of ptp4l");
}

#[test]
fn what_was_not_read_passes_nothing() {
    let nothing = judge(ClockKind::TBc, "0 gnss SYNCHRONIZED 3", "");
    let seen = nothing.nodes[0].judgements.iter().filter(|j| j.verdict != Verdict::NotObservable);
    let seen: Vec<_> = seen.map(|judgement| judgement.requirement).collect();
    // "Any order" holds whatever is read.
    assert_eq!(seen, ["FUNC-TBC015-R5"]);
    assert!(nothing.nodes[0].judgements.iter().all(|j| j.failures.is_empty()));
}

#[test]
fn a_node_is_taken_for_what_it_shows() {
    let kind = |story: &str| gather(story, "").judge(&[]).nodes[0].kind;
    assert_eq!(kind("0 gnss SYNCHRONIZED 3"), Some(ClockKind::TGm));
    assert_eq!(kind("0 lock HOLDOVER 3\n0.1 class 7"), Some(ClockKind::TGm));
    assert_eq!(kind("0 lock HOLDOVER 3\n0.1 class 135"), Some(ClockKind::TBc));
    // A follower passes on what its master announces.
    assert_eq!(kind("0 lock LOCKED 3\n0.1 class 7\n9 class 135"), None);
    assert_eq!(kind("0 lock LOCKED 3\n0.1 class 255"), Some(ClockKind::TTsc));
    assert_eq!(kind("0 lock LOCKED 3"), None);
}

#[test]
fn numbers_are_listed_once() {
    for kind in [ClockKind::TGm, ClockKind::TBc, ClockKind::TTsc] {
        let rows = ptp_conform::REQUIREMENTS.iter().filter(|(of, _)| *of == kind);
        let mut ids: Vec<_> = rows.flat_map(|(_, rows)| *rows).map(|row| row.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{kind:?}");
    }
}
