//! Logs, and what must be said of them.

use super::{Row, caused};

/// Software timestamps are some microseconds off.
const SOFTWARE: &[&str] = &[
    "--node-name",
    "n1",
    "--settle",
    "15m",
    "--thresholds",
    "ptp-cli/tests/field/software-timestamps.toml",
];

/// What real ptp4l printed, and what people post of linuxptp, by other names and with other figures.
pub(super) const LOGS: &[Row] = &[
    Row {
        file: "real-ptp4l-healthy.log.gz",
        why: "real ptp4l 3.1.1 with software timestamps, and all is well",
        args: SOFTWARE,
        causes: &[],
        says: &[],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-jitter.log.gz",
        why: "4 ms of jitter from 70 s after the start; the clock had not been seen to settle",
        args: SOFTWARE,
        causes: &["ptp-path-unstable"],
        says: &["the offset swings"],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-jitter-noisy.log.gz",
        why: "the same on a busy machine: what is usual must not grow with the fault",
        args: SOFTWARE,
        causes: &["ptp-path-unstable"],
        says: &["the offset swings"],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-jitter-s0.log.gz",
        why: "the same: what is printed in s0 is no correction at its limit",
        args: SOFTWARE,
        causes: &["ptp-path-unstable"],
        says: &["the offset swings"],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-stop.log.gz",
        why: "its master is stopped",
        args: SOFTWARE,
        causes: &["ptp-path-loss"],
        says: &[],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-domain.log.gz",
        why: "its master is in another domain",
        args: SOFTWARE,
        causes: &["misconfiguration"],
        says: &[],
        unsaid: &[],
    },
    Row {
        file: "real-ptp4l-link.log.gz",
        why: "its link goes down and comes back",
        args: SOFTWARE,
        causes: &["ptp-path-loss"],
        says: &[],
        unsaid: &[],
    },
    caused(
        "nmea-corrupt.log.gz",
        "sentences damaged and stale from the first line on",
        &["time-of-day-fault"],
    ),
    caused(
        "txts-timeout-plain.log.gz",
        "ptp4l -m: a port of a master goes FAULTY, as it gets no transmit timestamp",
        &["timestamping-fault"],
    ),
    caused(
        "counts-from-1970-plain.log.gz",
        "one side counts from 1970, and the servo never leaves s0",
        &["timescale-mismatch"],
    ),
    caused(
        "freq-saturated.log.gz",
        "the correction stands at its limit while the offset grows",
        &["servo-saturated"],
    ),
    caused(
        "phc2sys-not-steering-syslog.log.gz",
        "phc2sys stays in s0; later PTP is lost to missing timestamps",
        &["os-clock-fault", "timestamping-fault"],
    ),
    caused("one-second-syslog.log.gz", "single offsets of one second", &["time-of-day-fault"]),
    caused("bad-pps.log.gz", "two pulses 200 ms off", &["pps-fault"]),
    caused(
        "phc-reset-37s.log.gz",
        "the link is back, and the clock 37 s off since",
        &["timescale-mismatch"],
    ),
    caused(
        "interface-tag.log.gz",
        "lines tagged with the interface; a lost link",
        &["ptp-path-loss"],
    ),
    caused(
        "rms-journal-zh.log.gz",
        "a journal in Chinese: the rms grows a hundredfold",
        &["ptp-path-unstable"],
    ),
    caused(
        "chronyd-no-source.log.gz",
        "chronyd has no source that it could select",
        &["os-clock-fault"],
    ),
    caused("listening-forever.log.gz", "no Announce arrives", &["misconfiguration"]),
    caused("nmea-status-0.log.gz", "no sentences for ten minutes", &["time-of-day-fault"]),
    caused("samples-stop.log.gz", "ptp4l is silent while phc2sys goes on", &["ptp-path-loss"]),
    caused("dpll-unlocked.log.gz", "class 6 while the DPLL is not locked", &["dpll-fault"]),
    caused("second-card-off.log.gz", "the second card's clock is 51 us off", &["unknown"]),
    caused("uncalibrated.log.gz", "UNCALIBRATED for ever", &["misconfiguration"]),
    caused("rms-healthy.log.gz", "nothing but rms summaries, and all is well", &[]),
];

/// Logs that we wrote after the words of linuxptp's sources: what nobody's log that we have shows.
pub(super) const MADE: &[Row] = &[
    caused(
        "zero-delay.log.gz",
        "offset and path delay are exactly nothing: no measurement",
        &["misconfiguration"],
    ),
    caused("neg-delay.log.gz", "the path delay is below zero", &["timestamping-fault"]),
    caused(
        "masters-in-turn.log.gz",
        "the best master goes back and forth",
        &["competing-grandmasters"],
    ),
    caused(
        "second-port-lost.log.gz",
        "a PASSIVE port is lost, and time is kept",
        &["redundancy-lost"],
    ),
    caused("rival-of-phc2sys.log.gz", "something else moves the system clock", &["phc-contention"]),
];
