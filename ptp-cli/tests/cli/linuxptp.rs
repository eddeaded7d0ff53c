//! What linuxptp, phc2sys, ts2phc and chronyd print, line by line, and what is made of it.

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;
use tempfile::TempDir;

use crate::run;

/// One line a second.
type Lines = fn(u32) -> String;

fn well(t: u32) -> String {
    let offset = [3, -5, 2, -1, 4, -3][t as usize % 6];
    let frequency = 13_863 + t % 7;
    format!("ptp4l[{t}.100]: master offset {offset:10} s2 freq -{frequency} path delay 141")
}

/// What a log is about, for how many seconds, and its lines.
const LOGS: &[(&str, u32, Lines)] = &[
    ("healthy", 300, well),
    ("software timestamps: noise of microseconds about zero", 300, |t| {
        let offset = [5_393, -1_452, -866, 2_139, -4_108, 1_733, -2_950][t as usize % 7];
        let frequency = 8_000 + 13 * (t % 11);
        format!("ptp4l[{t}.100]: master offset {offset:10} s2 freq +{frequency} path delay 35072")
    }),
    ("a step of 20 us in a clock that is known to measure well", 300, |t| {
        if t < 200 {
            return well(t);
        }
        format!("ptp4l[{t}.100]: master offset      20003 s2 freq -{} path delay 141", 9_000 + t)
    }),
    ("a counter that overflows, once in a while", 300, |t| {
        if t % 60 != 59 {
            return well(t);
        }
        format!("ptp4l[{t}.100]: rms 33592410 max 134217731 freq -13863 +/- 6 delay 141 +/- 0")
    }),
    ("the correction stands at its limit, and the clock moves away", 12, |t| {
        let offset = -23_000_000 - i64::from(t) * 500_000;
        format!("ptp4l[{t}.100]: master offset {offset} s2 freq -31000000 path delay 900")
    }),
    ("no transmit timestamp of a peer's answer", 120, |t| match t % 20 {
        0 => {
            format!("ptp4l[{t}.100]: port 1: missing timestamp on transmitted peer delay response")
        }
        1 => format!("ptp4l[{t}.100]: port 1: MASTER to FAULTY on FAULT_DETECTED (FT_UNSPECIFIED)"),
        17 => format!("ptp4l[{t}.100]: port 1: FAULTY to LISTENING on INIT_COMPLETE"),
        _ => format!("ptp4l[{t}.100]: port 1: link up"),
    }),
    ("more than one peer answers", 120, |t| match t % 16 {
        0 => format!("ptp4l[{t}.100]: port 1: rogue peer delay response"),
        _ => format!("ptp4l[{t}.100]: port 1: link up"),
    }),
    ("the card cannot stamp messages as configured", 3, |t| match t {
        0 => {
            "ptp4l[0.100]: interface 'eth0' does not support requested timestamping mode".to_owned()
        }
        _ => format!("ptp4l[{t}.100]: failed to create a clock"),
    }),
    ("a port that may only be a slave, and no master since the start", 300, |t| match t % 7 {
        0 => format!("ptp4l[{t}.100]: port 1 (eth1): master state recommended in slave only mode"),
        _ => format!("ptp4l[{t}.100]: port 1 (eth1): defaultDS.priority1 probably misconfigured"),
    }),
    ("a socket of management clients is no interface", 60, |t| match t {
        0 => "ptp4l[0.100]: port 0 (/var/run/ptp4lro): INITIALIZING to LISTENING on INIT_COMPLETE"
            .to_owned(),
        _ => well(t),
    }),
    ("a master whose UTC offset cannot be", 120, |t| match t {
        30 => "ptp4l[30.100]: running in a temporal vortex".to_owned(),
        _ => well(t),
    }),
    ("phc2sys that only measures, for chronyd", 120, |t| {
        let offset = [131, -59, 88, -140, 12, -77][t as usize % 6];
        format!("phc2sys[{t}.100]: CLOCK_REALTIME phc offset {offset} s0 freq +0 delay 1100")
    }),
    ("a system clock that nobody steers", 120, |t| {
        let offset = -50 + i64::from(t) * 410;
        format!("phc2sys[{t}.100]: CLOCK_REALTIME phc offset {offset} s0 freq +0 delay 1100")
    }),
    ("a system clock that follows one that runs away", 60, |t| {
        let offset = [5, -3, 4, -6][t as usize % 4];
        let frequency = 62_509_743 + 7 * t;
        format!(
            "phc2sys[{t}.100]: CLOCK_REALTIME phc offset {offset} s2 freq -{frequency} delay 1100"
        )
    }),
    ("an old phc2sys, which names no clock", 120, |t| {
        let offset = [9_710, -8_031, 7_450, -6_642][t as usize % 4];
        format!("phc2sys[{t}.100]: phc offset {offset} s2 freq +{} delay 87084", 16_651 + t)
    }),
    ("phc2sys steers a card, and it moves away", 60, |t| {
        let offset = 4_000 + i64::from(t) * 700;
        format!("phc2sys[{t}.100]: eth1 sys offset {offset} s2 freq +{} delay 1100", 500 + t)
    }),
    ("a pulse of which none is taken", 60, |t| {
        format!("ts2phc[{t}.100]: /dev/ptp0 SKIP extts index 0 at {t}.900690580 src 74.900717423")
    }),
    ("the table of leap seconds is out of date", 2, |t| {
        format!("ts2phc[{t}.100]: UTC time is past leap second table expiry date")
    }),
    ("a receiver without a fix", 60, |t| {
        let status = if t < 20 { "A" } else { "V" };
        format!(
            "ts2phc[{t}.100]: nmea sentence: GNRMC,0625{t:02}.00,{status},,,,,,,060224,,,N,V*1B"
        )
    }),
    ("a sentence decades old", 180, |t| {
        format!("ts2phc[{t}.100]: nmea delay: 1668086054147466182 ns")
    }),
    ("pulses a second off, in pairs", 60, |t| {
        let offset = if t % 10 == 5 { 999_999_999 } else { [1, -2, 3][t as usize % 3] };
        format!("ts2phc[{t}.100]: eth0 master offset {offset} s2 freq -{}", 40 + t % 5)
    }),
    ("chronyd steps the clock by twice 37 s", 60, |t| match t {
        0 => "chronyd[77]: Selected source PPS".to_owned(),
        30 => "chronyd[77]: System clock wrong by -74.000006 seconds".to_owned(),
        _ => format!("ptp4l[{t}.100]: port 1: link up"),
    }),
    ("chronyd ends", 20, |t| match t {
        10 => "chronyd[77]: Fatal error : Invalid refclock option".to_owned(),
        _ => format!("ptp4l[{t}.100]: port 1: link up"),
    }),
];

#[test]
fn every_line_is_told_for_what_it_is() {
    let folder = TempDir::new().unwrap();
    let mut told = String::new();
    for (about, seconds, line) in LOGS {
        let mut text = String::new();
        for t in 0..*seconds {
            let (minute, second) = (t / 60, t % 60);
            writeln!(text, "2026-03-04T10:{minute:02}:{second:02}.100Z {}", line(t)).unwrap();
        }
        let path = folder.path().join("n1.log");
        fs::write(&path, text).unwrap();
        let output = run(&["diagnose", "--format", "json", path.to_str().unwrap()]);
        let code = output.status.code().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let incidents = report["incidents"].as_array().into_iter().flatten().map(|incident| {
            let text = |key: &str| incident[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("severity"), text("root_cause"))
        });
        let incidents: Vec<_> = incidents.collect();
        let incidents = if incidents.is_empty() { "-".to_owned() } else { incidents.join(", ") };
        let state = report["nodes"][0]["state"].as_str().unwrap_or("refused");
        writeln!(told, "{about}: {incidents}; {state}, exit {code}").unwrap();
    }
    assert_snapshot!(told, @"
    healthy: -; LOCKED, exit 0
    software timestamps: noise of microseconds about zero: -; LOCKED, exit 0
    a step of 20 us in a clock that is known to measure well: CRITICAL path-asymmetry; FREERUN, exit 1
    a counter that overflows, once in a while: CRITICAL timestamping-fault; LOCKED, exit 1
    the correction stands at its limit, and the clock moves away: CRITICAL servo-saturated; FREERUN, exit 1
    no transmit timestamp of a peer's answer: WARNING timestamping-fault; UNKNOWN, exit 1
    more than one peer answers: WARNING ptp-path-unstable; UNKNOWN, exit 1
    the card cannot stamp messages as configured: CRITICAL misconfiguration; UNKNOWN, exit 1
    a port that may only be a slave, and no master since the start: CRITICAL misconfiguration; UNKNOWN, exit 1
    a socket of management clients is no interface: -; LOCKED, exit 0
    a master whose UTC offset cannot be: WARNING timescale-mismatch; LOCKED, exit 1
    phc2sys that only measures, for chronyd: -; LOCKED, exit 0
    a system clock that nobody steers: CRITICAL os-clock-fault; FREERUN, exit 1
    a system clock that follows one that runs away: CRITICAL servo-saturated; LOCKED, exit 1
    an old phc2sys, which names no clock: -; LOCKED, exit 0
    phc2sys steers a card, and it moves away: CRITICAL path-asymmetry; FREERUN, exit 1
    a pulse of which none is taken: CRITICAL pps-fault; UNKNOWN, exit 1
    the table of leap seconds is out of date: CRITICAL time-of-day-fault; UNKNOWN, exit 1
    a receiver without a fix: WARNING gnss-signal-loss; UNKNOWN, exit 1
    a sentence decades old: CRITICAL time-of-day-fault; UNKNOWN, exit 1
    pulses a second off, in pairs: CRITICAL time-of-day-fault; LOCKED, exit 1
    chronyd steps the clock by twice 37 s: CRITICAL timescale-mismatch; LOCKED, exit 1
    chronyd ends: CRITICAL process-down; FREERUN, exit 1
    ");
}
