//! The program from outside: exit code, stdout and stderr together.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod conform;
mod field;
mod laws;
mod linuxptp;
#[cfg(feature = "live")]
mod live;
mod metrics;
mod must_gather;
mod parts;
mod recordings;
#[cfg(feature = "live")]
mod remote;
mod stability;
#[cfg(feature = "live")]
#[path = "../../../tests/support/tls.rs"]
mod tls;
mod topology;
mod usage;
mod wrappers;

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;

/// Runs the program at the top of the workspace, without the caller's environment.
fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("ptp-cli"));
    command.current_dir(top()).args(args);
    for variable in ["ALERT_OFFSET_THRESHOLD", "ALERT_SYNC_STATES", "ALERT_EVENT_TYPES"] {
        command.env_remove(variable);
    }
    command
}

fn top() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All that a run shows.
fn shown(output: &Output) -> String {
    format!(
        "exit code {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
