//! `cargo xtask bench`: a whole diagnosis of a million events, and what of it is decoding.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, root, run};

const EVENTS: u64 = 1_000_000;

pub(crate) fn run_all() -> Result<(), Failure> {
    run(Command::new("cargo").args(["build", "--release", "--package", "ptp-cli"]))?;
    let folder = root().join("target/bench");
    std::fs::create_dir_all(&folder)?;
    for nodes in [1, 100, 10_000] {
        let path = folder.join(format!("{nodes}-nodes.jsonl"));
        crate::corpus::write(
            std::io::BufWriter::new(std::fs::File::create(&path)?),
            EVENTS,
            nodes,
        )?;
        whole_process(&path, nodes)?;
        if nodes == 100 {
            let mut bench = Command::new("cargo");
            bench.args(["bench", "--quiet", "--package", "ptp-cli", "--bench", "throughput"]);
            run(bench.env("PTP_CORPUS", std::fs::canonicalize(&path)?))?;
        }
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// Times `ptp-cli diagnose` from outside: wall time, and its largest resident size.
fn whole_process(path: &Path, nodes: u64) -> Result<(), Failure> {
    let program = root().join("target/release/ptp-cli");
    let mut times = Vec::new();
    let mut peak = 0;
    for _ in 0..5 {
        let begin = Instant::now();
        let mut child = Command::new(&program)
            .args(["diagnose", "--format", "json"])
            .arg(path)
            .stdout(Stdio::null())
            .spawn()?;
        let status = format!("/proc/{}/status", child.id());
        while child.try_wait()?.is_none() {
            peak = peak.max(peak_kb(&status));
            std::thread::sleep(Duration::from_millis(5));
        }
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let median = times[times.len() / 2];
    println!(
        "ptp-cli diagnose, {EVENTS} events of {nodes} nodes: median {:.2} s (best {:.2}), \
         peak {} MB",
        median.as_secs_f64(),
        times[0].as_secs_f64(),
        peak / 1000
    );
    Ok(())
}

fn peak_kb(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
