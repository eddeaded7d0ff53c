//! `cargo xtask idle`: what an agent takes while nothing happens.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Failure, root, run};

/// How many nodes, and how long they are watched.
const NODES: usize = 5;
const SETTLE: Duration = Duration::from_secs(10);
const WATCH: Duration = Duration::from_mins(1);
/// What it may take: resident kB, and share of a core.
const MOST_KB: u64 = 25_000;
const MOST_SHARE: f64 = 0.01;

pub(crate) fn measure() -> Result<(), Failure> {
    run(Command::new("cargo").args([
        "build",
        "--release",
        "--package",
        "ptp-cli",
        "--features",
        "ptp-cli/full",
        "--package",
        "ptp-agent",
    ]))?;
    let folder = root().join("target/idle");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    let quiet = std::fs::read_to_string(root().join("recordings/initial_locked.jsonl"))?;
    let fleet: String =
        (1..=NODES).map(|n| quiet.replace("/node1/", &format!("/worker-{n}/"))).collect();
    let recording = folder.join("fleet.jsonl");
    std::fs::write(&recording, fleet)?;

    let mut replay = Command::new(root().join("target/release/ptp-cli"))
        .args(["replay", "--linger", "10m"])
        .arg(&recording)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(replay.stdout.take().ok_or("no output")?).lines();
    let mut agent = Command::new(root().join("target/release/ptp-agent"));
    agent.args(["--listen", "127.0.0.1:0", "--api-address", "127.0.0.1", "--port", "0"]);
    agent.arg("--journal").arg(folder.join("journal.db")).stderr(Stdio::null());
    for _ in 0..NODES {
        let line = lines.next().ok_or("the replay named too few publishers")??;
        let url = line.split_whitespace().nth(1).ok_or("no URL")?;
        agent.args(["--publisher", url]);
    }
    let mut agent = agent.spawn()?;
    let measured = watch(&agent);
    agent.kill()?;
    agent.wait()?;
    replay.kill()?;
    replay.wait()?;
    let (kb, share) = measured?;
    println!(
        "ptp-agent with {NODES} nodes, idle for {} s: {:.1} MB resident, {:.2} % of a core",
        WATCH.as_secs(),
        kb as f64 / 1000.0,
        share * 100.0
    );
    if kb > MOST_KB || share > MOST_SHARE {
        return Err(format!("more than {MOST_KB} kB or {} %", MOST_SHARE * 100.0).into());
    }
    Ok(())
}

/// The largest resident size, and the share of a core, once it has settled.
fn watch(agent: &Child) -> Result<(u64, f64), Failure> {
    std::thread::sleep(SETTLE);
    let (begun, before) = (Instant::now(), cpu_ticks(agent.id())?);
    std::thread::sleep(WATCH);
    // The kernel counts 100 ticks a second on every Linux that runs Kubernetes.
    let seconds = (cpu_ticks(agent.id())? - before) as f64 / 100.0;
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok((kb.ok_or("no VmHWM")?, seconds / begun.elapsed().as_secs_f64()))
}

/// User and system time so far, in ticks (proc(5), fields 14 and 15).
fn cpu_ticks(id: u32) -> Result<u64, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no name")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    Ok(field(11).ok_or("no utime")? + field(12).ok_or("no stime")?)
}
