//! `cargo xtask torture`: what the tests try briefly, at full length, and a table of what came of it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{Failure, root};

/// A test, how it is made longer, and what was measured before the agent was made to stand it.
struct Trial {
    test: &'static str,
    longer: &'static [(&'static str, &'static str)],
    before: &'static str,
}

const TRIALS: &[Trial] = &[
    Trial {
        test: "an_alert_is_told_once_however_the_agent_ends",
        longer: &[("PTP_KILLS", "100")],
        before: "alerts told at most once; lost with the process",
    },
    Trial {
        test: "what_was_acknowledged_survives_kill_9",
        longer: &[("PTP_KILLS", "1000")],
        before: "none lost in 450 kills",
    },
    Trial {
        test: "strangers_that_hold_connections_keep_no_publisher_out",
        longer: &[("PTP_STRANGERS", "4225")],
        before: "4,225 idle connections: no event for an hour",
    },
    Trial {
        test: "who_reads_the_journal_keeps_no_publisher_waiting",
        longer: &[("PTP_ENTRIES", "200000")],
        before: "16 readers: median 3 ms, then 1,600 ms",
    },
    Trial {
        test: "sessions_nobody_uses_take_no_memory",
        longer: &[("PTP_SESSIONS", "10000")],
        before: "10,000 sessions: 17 MB, then 513 MB",
    },
    Trial {
        test: "one_damaged_byte_costs_a_page_and_not_the_history",
        longer: &[("PTP_DAMAGES", "500")],
        before: "15 of 50 damaged journals lost everything",
    },
    Trial {
        test: "a_slow_disk_keeps_nobody_waiting_and_gets_everything_in_the_end",
        longer: &[],
        before: "a disk that hangs: nothing answered, nothing diagnosed",
    },
    Trial {
        test: "a_clock_holds_as_much_after_a_million_events_as_after_ten_thousand",
        longer: &[],
        before: "56,209 bytes after 10^4, 55,035 after 10^6",
    },
];

/// The targets of cargo-fuzz, and for how many seconds each runs.
const TARGETS: &[&str] = &["decode", "recording", "evidence", "engine"];
const FUZZED_S: u64 = 3_600;
const FUZZED_BRIEFLY_S: u64 = 60;

pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let (brief, seconds) = match arguments {
        [] => (false, FUZZED_S),
        ["--brief"] => (true, FUZZED_BRIEFLY_S),
        ["--fuzz", seconds] => (false, seconds.parse()?),
        _ => return Err("torture takes --brief, or --fuzz SECONDS, or nothing".into()),
    };
    println!("| trial | came of it | before |\n|---|---|---|");
    let mut failed = Vec::new();
    for trial in TRIALS {
        let outcome = try_one(trial, brief)?;
        println!("| {} | {} | {} |", trial.test.replace('_', " "), outcome.said, trial.before);
        failed.extend((!outcome.passed).then_some(trial.test));
    }
    for target in TARGETS {
        let outcome = fuzz(target, seconds)?;
        println!("| fuzz {target}, {seconds} s | {} | |", outcome.said);
        failed.extend((!outcome.passed).then_some(*target));
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
}

/// What a trial came to.
struct Outcome {
    passed: bool,
    said: String,
}

fn try_one(trial: &Trial, brief: bool) -> Result<Outcome, Failure> {
    // As the tests are built otherwise, so that nothing is built again.
    let mut command = Command::new("cargo");
    command.current_dir(root()).args([
        "test",
        "--quiet",
        "--workspace",
        "--all-features",
        trial.test,
    ]);
    command.args(["--", "--nocapture"]);
    if !brief {
        command.envs(trial.longer.iter().copied());
    }
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut figures = Vec::new();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line?;
            figures.extend(line.split_once("figure: ").map(|(_, figure)| figure.to_owned()));
        }
    }
    let passed = child.wait()?.success();
    let verdict = if passed { "passed" } else { "FAILED" };
    let took = format!("{verdict} in {:.0} s", begun.elapsed().as_secs_f64());
    let said = std::iter::once(took).chain(figures).collect::<Vec<_>>().join("; ");
    Ok(Outcome { passed, said })
}

/// Needs nightly Rust and cargo-fuzz; where they are not there, that is said.
fn fuzz(target: &str, seconds: u64) -> Result<Outcome, Failure> {
    let there = Command::new("cargo").args(["+nightly", "fuzz", "--version"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        let said = "not tried: no nightly Rust with cargo-fuzz here".to_owned();
        return Ok(Outcome { passed: true, said });
    }
    let limits = [format!("-max_total_time={seconds}"), "-rss_limit_mb=2048".to_owned()];
    let output = Command::new("cargo")
        .current_dir(root())
        .args(["+nightly", "fuzz", "run", target, "--"])
        .args(limits)
        .arg("-print_final_stats=1")
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let passed = output.status.success();
    let said = match count {
        Some(count) if passed => format!("{} executions, no fault", count.trim()),
        _ => format!("FAILED: {}", text.lines().rev().find(|line| !line.is_empty()).unwrap_or("")),
    };
    Ok(Outcome { passed, said })
}
