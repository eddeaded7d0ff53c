//! Logs of the daemon against what the real publisher made of the same lines.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;
use ptp_events::daemon::{DaemonLog, DaemonSettings, LineKind, LogEvidence, LogLine};
use ptp_events::{Event, NodeName, Received, Stamped};

fn recording(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../recordings").join(name);
    fs::read_to_string(path).unwrap()
}

fn log(settings: DaemonSettings) -> DaemonLog {
    DaemonLog::new(NodeName::new("n").unwrap(), settings)
}

/// What a publisher would say, and the line it is from.
#[derive(Debug, PartialEq)]
struct Said {
    event: Event,
    line: u64,
}

/// What a publisher would say of what a log tells.
fn published(log: &mut DaemonLog) -> Vec<Said> {
    let told = std::iter::from_fn(|| log.poll_evidence());
    told.filter_map(|LogEvidence { evidence, line, .. }| {
        Some(Said { event: evidence.published()?, line })
    })
    .collect()
}

/// Everything a log says, and what its lines were.
fn read(mut log: DaemonLog, lines: &[&str]) -> (Vec<Said>, Vec<LineKind>) {
    let (mut events, mut kinds) = (Vec::new(), Vec::new());
    for (number, text) in (1..).zip(lines) {
        // What a capture wrote before a line is when that was received.
        let captured = text.split_once(' ').filter(|(time, _)| time.len() == 19);
        let received = captured.and_then(|(time, _)| time.parse().ok()).map(Received::from_nanos);
        kinds.push(log.handle_line(LogLine { received, ..LogLine::new(number, text) }));
        events.extend(published(&mut log));
    }
    log.finish();
    events.extend(published(&mut log));
    (events, kinds)
}

/// The lines of a `.fed` recording as the daemon wrote them, each after its time.
fn fed(name: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Fed {
        t_ns: i64,
        line: String,
    }
    let line = |line: &str| match serde_json::from_str(line) {
        Ok(Fed { t_ns, line }) => format!("{t_ns} {line}"),
        Err(_) => line.to_owned(),
    };
    recording(name).lines().map(line).collect()
}

/// One line per change: the clock and what it says; measurements in between left out.
fn changes<'a>(
    events: impl IntoIterator<Item = &'a Event>,
    interfaces: bool,
) -> Vec<(String, Stamped)> {
    let mut last = std::collections::BTreeMap::new();
    let mut all = Vec::new();
    for event in events.into_iter().filter(|event| !event.is_placeholder()) {
        for reading in &event.readings {
            let mut without = reading.clone();
            (without.offset, without.port, without.master) = (None, None, None);
            let key = (event.resource.clone(), reading.instance.clone());
            if last.insert(key, without.clone()).as_ref() == Some(&without) {
                continue;
            }
            let mut said = event.resource.name().to_owned();
            if interfaces {
                write!(said, " {}", reading.instance).unwrap();
            }
            let state = reading.state.as_ref().map(|state| format!(" {state}"));
            said += &state.unwrap_or_default();
            for number in [
                reading.offset.map(|offset| format!(" {} ns", offset.as_nanos())),
                reading.clock_class.map(|class| format!(" class {class}")),
                reading.gps_fix.map(|fix| format!(" fix {fix}")),
            ] {
                said += &number.unwrap_or_default();
            }
            all.push((said, event.stamped.unwrap()));
        }
    }
    all
}

/// Decodes a log, and holds it against what the publisher said about the same lines: `initial` are
/// the states that were no news to a publisher that had run for long.
#[track_caller]
fn check(fed_name: &str, published: &str, settings: DaemonSettings, initial: &[&str]) {
    let lines = fed(fed_name);
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    let (events, _) = read(log(settings), &lines);
    let interfaces = fed_name != "real-ptp4l-linkdown.fed.log";
    let mut ours = changes(events.iter().map(|said| &said.event), interfaces);
    for initial in initial {
        let at = ours.iter().position(|(said, _)| said == initial);
        ours.remove(at.unwrap_or_else(|| panic!("`{initial}` was not said")));
    }
    let published: Vec<Event> = recording(published)
        .lines()
        .map(|line| Event::from_slice(line.as_bytes()).unwrap())
        .collect();
    let theirs = changes(&published, interfaces);
    let said = |all: &[(String, Stamped)]| {
        all.iter().map(|(said, _)| said.clone()).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(&ours), said(&theirs));
    for ((said, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        let apart = theirs.since(*ours).max(ours.since(*theirs));
        // The line was fed, then published: 1.5 ms at the median, 5 ms seen.
        assert!(apart < Duration::from_millis(10), "{said}: {ours} and {theirs}");
    }
}

#[test]
fn a_boundary_clocks_start_is_what_was_published() {
    check("bc_lock.fed.jsonl", "bc_lock.jsonl", DaemonSettings::default(), &[]);
}

#[test]
fn a_grandmasters_start_is_what_was_published() {
    check("gm_lock.fed.jsonl", "gm_lock.jsonl", DaemonSettings::default(), &[]);
}

#[test]
fn a_lost_signal_is_what_was_published() {
    let initial = [
        "gnss-sync-status ens2fx/master SYNCHRONIZED 5 ns fix 3",
        // Heard before the PTP clock's HOLDOVER, which does not change it.
        "os-clock-sync-state CLOCK_REALTIME LOCKED 5 ns",
    ];
    check("gnss_loss.fed.jsonl", "gnss_loss.jsonl", DaemonSettings::default(), &initial);
}

#[test]
fn a_pulled_cable_is_what_was_published() {
    // That publisher's threshold fitted software timestamps.
    let settings = DaemonSettings { offset_ns: 20_000, ..DaemonSettings::default() };
    let initial =
        ["lock-state LOCKED 82 ns", "sync-state LOCKED", "os-clock-sync-state LOCKED 6 ns"];
    check("real-ptp4l-linkdown.fed.log", "real-ptp4l-linkdown.jsonl", settings, &initial);
}

/// Every event of a log, one per line.
fn told(settings: DaemonSettings, lines: &str) -> String {
    let lines: Vec<_> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let (events, kinds) = read(log(settings), &lines);
    let mut told = String::new();
    for Said { event, line } in events {
        let reading = &event.readings[0];
        write!(told, "{} {} {}", event.stamped.unwrap(), event.resource, reading.instance).unwrap();
        let mut part = |name: &str, value: Option<String>| {
            told += &value.map(|value| format!(" {name}{value}")).unwrap_or_default();
        };
        part("", reading.state.as_ref().map(ToString::to_string));
        part("offset ", reading.offset.map(|offset| offset.as_nanos().to_string()));
        part("class ", reading.clock_class.map(|class| class.to_string()));
        part("fix ", reading.gps_fix.map(|fix| fix.to_string()));
        part("ql ", reading.quality.map(|level| level.to_string()));
        part("ext ", reading.extended_quality.map(|level| level.to_string()));
        writeln!(told, " ({} of line {line})", event.id).unwrap();
    }
    for (number, kind) in (1..).zip(kinds).filter(|(_, kind)| *kind != LineKind::Understood) {
        writeln!(told, "line {number}: {kind:?}").unwrap();
    }
    told
}

#[test]
fn times_come_from_the_nearest_wall_clock() {
    assert_snapshot!(told(DaemonSettings::default(), "
        phc2sys[100.500]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1100
        ptp4l[1795416001]:[ptp4l.0.config] CLOCK_CLASS_CHANGE 6.000000
        ptp4l[101.250]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED
        ptp4l[101.375]: [ptp4l.0.config:6] master offset 7 s2 freq 0 path delay 9
        I1123 06:40:02.500000       1 daemon.go:77] phc2sys[102.000]: [ptp4l.0.config] CLOCK_REALTIME phc offset 900 s2 freq 0 delay 1100
        I1123 06:40:02.600000       1 daemon.go:77] Recreating the configuration
        ptp4l[102.700]: [ptp4l.0.config] nobody knows what this says
    "));
    let written = Received::parse("2026-11-24T00:00:00Z").ok();
    let settings = DaemonSettings { written, ..DaemonSettings::default() };
    assert_snapshot!(told(settings, "
        I1123 06:40:02.500000       1 daemon.go:77] phc2sys[102.000]: [ptp4l.0.config] CLOCK_REALTIME phc offset 900 s2 freq 0 delay 1100
        phc2sys[103.000]: [ptp4l.0.config] CLOCK_REALTIME phc offset 9 s2 freq 0 delay 1100
    "));
}

#[test]
fn without_a_wall_clock_times_count_from_1970_and_it_shows() {
    let mut log = log(DaemonSettings::default());
    let text = "phc2sys[100.500]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1";
    log.handle_line(LogLine::new(1, text));
    assert_eq!(published(&mut log), []);
    log.finish();
    let said = published(&mut log).remove(0);
    assert_eq!(said.event.stamped.unwrap().to_string(), "1970-01-01T00:01:40.5Z");
    assert!(!log.has_wall_clock());
}

/// ptp4l's offsets name no interface; the line that does may come later, or never.
#[test]
fn a_clock_gets_its_name_before_its_first_event_goes_out() {
    assert_snapshot!(told(DaemonSettings::default(), "
        1795416000000000000 ptp4l[1.0]: [ptp4l.0.config] master offset 7 s2 freq 0 path delay 9
        1795416001000000000 ptp4l[2.0]: [ptp4l.0.config] port 2 (ens2f1): LISTENING to MASTER on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
        1795416002000000000 ptp4l[3.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to UNCALIBRATED on SYNCHRONIZATION_FAULT
        1795416003000000000 ptp4l[4.0]: [ptp4l.1.config] master offset 7 s2 freq 0 path delay 9
    "));
}

#[test]
fn measurements_come_once_a_second_and_changes_at_once() {
    let lines: Vec<_> = (0..40)
        .map(|n| {
            let t = 1_795_416_000_000_000_000_i64 + n * 125_000_000;
            let offset = if n == 20 { 150 } else { n };
            format!(
                "{t} ptp4l[1.0]: [ptp4l.0.config] master offset {offset} s2 freq 0 path delay 9"
            )
        })
        .collect();
    assert_snapshot!(told(DaemonSettings::default(), &lines.join("\n")));
}

/// Where offsets are left out (`logReduce`), a port that follows is all that is said of a lock.
#[test]
fn a_port_that_follows_is_a_lock_when_no_offset_is_told() {
    // What the other ports of the clock do meanwhile says nothing of it.
    assert_snapshot!(told(DaemonSettings::default(), "
        1795416000000000000 ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED
        1795416001000000000 ptp4l[2.0]: [ptp4l.0.config] port 2 (ens1f1): LISTENING to MASTER on ANNOUNCE_RECEIPT_TIMEOUT_EXPIRES
        1795416010000000000 ptp4l[11.0]: [ptp4l.0.config] port 1 (ens1f0): new foreign master 507c6f.fffe.1fb16c-1
    "));
    // A holdover ends when its time is up, and the lock is found after that.
    assert_snapshot!(told(DaemonSettings::default(), "
        1795416000000000000 ptp4l[1.0]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED
        1795416001000000000 ptp4l[2.0]: [ptp4l.0.config] master offset 5 s2 freq 0 path delay 9
        1795416002000000000 ptp4l[3.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to FAULTY on FAULT_DETECTED
        1795416006000000000 ptp4l[7.0]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED
        1795416020000000000 ptp4l[21.0]: [ptp4l.0.config] port 1 (ens1f0): new foreign master 507c6f.fffe.1fb16c-1
    "));
    // What ts2phc measures of a receiver's device is no port's.
    assert_snapshot!(told(DaemonSettings::default(), "
        1795416000000000000 ts2phc[1.0]: [ts2phc.0.config] /dev/ptp4 offset summary: cnt=10, min=-5, max=7, avg=1
        1795416001000000000 ts2phc[2.0]: [ts2phc.0.config] ens1f0 offset summary: cnt=10, min=-5, max=7, avg=1
    "));
}

#[test]
fn what_the_recordings_do_not_show() {
    // A process that ends, T-BC and SyncE: as in ptp4l_crash, tbc_lock and synce, whose lines were
    // not kept. A port that turns PASSIVE says nothing; a ts2phc without DPLL decides by itself.
    assert_snapshot!(told(DaemonSettings::default(), "
        1795416000000000000 phc2sys[1.0]: [ptp4l.0.config] CLOCK_REALTIME phc offset 5 s2 freq 0 delay 1100
        1795416000100000000 ptp4l[1.1]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED
        1795416000200000000 ptp4l[1.2]: [ptp4l.0.config] master offset 5 s2 freq 0 path delay 9
        1795416001000000000 ptp4l[1795416001]:[ptp4l.0.config] PTP_PROCESS_STATUS:0
        1795416002000000000 ptp4l[3.0]: [ptp4l.0.config] master offset 80 s2 freq 0 path delay 9
        1795416003000000000 ptp4l[4.0]: [ptp4l.0.config] port 1 (ens1f0): SLAVE to PASSIVE on RS_PASSIVE
        1795416004000000000 T-BC[1795416004]:[ptp4l.1.config] ens2f0 offset 123 T-BC-STATUS s0
        1795416005000000000 T-BC[1795416005]:[ptp4l.1.config] ens2f0 offset 5 T-BC-STATUS s2
        1795416006000000000 synce4l[1795416006]:[synce4l.0.config] ens7f0 device synce1 eec_state EEC_LOCKED_HO_ACQ network_option 1 s2
        1795416007000000000 synce4l[1795416007]:[synce4l.0.config] ens7f0 clock_quality PRTC device synce1 ext_ql 0x20 network_option 2 ql 0x1 s2
        1795416008000000000 synce4l[1795416008]:[synce4l.0.config] ens7f0 device synce1 eec_state EEC_HOLDOVER network_option 1 s1
        1795416009000000000 ts2phc[9.0]: [ts2phc.5.config] ens9f0 master offset 4 s2 freq -0
        1795416010000000000 ts2phc[10.0]: [ts2phc.5.config] ens9f0 offset 3 s3 freq +1 holdover
    "));
}

/// What lines are made of, in any order.
fn words() -> impl Strategy<Value = String> {
    let pieces = [
        "ptp4l[1.5]:",
        "phc2sys[99999]:",
        "ts2phc[1795416019]:",
        "GM[1]:",
        "dpll[2]:",
        "gnss[3]:",
        "synce4l[4.000000001]:",
        "T-BC[9999999999]:",
        "[ptp4l.0.config]",
        "[ts2phc.1.config:6]",
        "[synce4l..config]",
        "port",
        "1",
        "(ens1f0):",
        "(é):",
        "SLAVE",
        "to",
        "FAULTY",
        "UNCALIBRATED",
        "on",
        "RS_SLAVE",
        "master",
        "CLOCK_REALTIME",
        "phc",
        "offset",
        "-9223372036854775808",
        "99999999999999999999",
        "1e99",
        "5",
        "s0",
        "s1",
        "s2",
        "s3",
        "freq",
        "holdover",
        "CLOCK_CLASS_CHANGE",
        "6.0",
        "gnss_status",
        "frequency_status",
        "T-GM-STATUS",
        "T-BC-STATUS",
        "eec_state",
        "clock_quality",
        "device",
        "synce1",
        "ql",
        "0xff",
        "ext_ql",
        "PTP_PROCESS_STATUS:0",
        "9223372036854775807",
        "2026-11-23T06:40:30Z",
        "I1123",
        "é",
        "06:40:30.5",
        "a.go:1]",
        "\u{7}",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..14)
        .prop_map(|all| all.join(" "))
}

proptest! {
    #[test]
    fn no_line_panics_and_all_that_is_said_reads_back(
        lines in prop::collection::vec(prop_oneof![words(), any::<String>()], 0..60),
        received in prop::option::of(any::<i64>()),
        limit: u64,
    ) {
        let written = received.map(Received::from_nanos);
        let settings = DaemonSettings { offset_ns: limit, written, ..DaemonSettings::default() };
        let mut log = log(settings);
        let mut understood = 0;
        for (number, text) in (1..).zip(&lines) {
            let kind = log.handle_line(LogLine { number, text, received: written, written });
            understood += u64::from(kind == LineKind::Understood);
            for said in published(&mut log) {
                prop_assert!(said.line <= number);
                prop_assert_eq!(said.event.readings.len(), 1);
            }
        }
        prop_assert_eq!(log.understood_lines(), understood);
    }

    /// A line twice is a line once: what does not change is not said.
    #[test]
    fn repetition_says_nothing_new(nth in 0usize..14) {
        let lines = fed("bc_lock.fed.jsonl");
        let once: Vec<_> = lines.iter().map(String::as_str).collect();
        let mut twice = once.clone();
        twice.insert(nth, once[nth]);
        let said = |lines: &[&str]| {
            let (events, _) = read(log(DaemonSettings::default()), lines);
            events.into_iter().map(|said| (said.event.resource, said.event.readings)).collect::<Vec<_>>()
        };
        prop_assert_eq!(said(&once), said(&twice));
    }
}
