//! `ptp-cli`: names what went wrong in recorded PTP events.

mod absent;
mod archive;
mod args;
mod conform;
mod diagnose;
mod error;
mod explain;
#[cfg(feature = "live")]
mod fleet;
mod input;
mod interrupt;
#[cfg(feature = "journal")]
mod journal;
#[cfg(feature = "live")]
mod live;
mod node_name;
mod output;
mod parts;
mod pods;
mod reading;
mod refused;
#[cfg(feature = "live")]
mod remote;
mod render;
mod simulate;
mod source;
mod sources;
mod thresholds;
mod topology;
mod what;

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

#[cfg(not(feature = "journal"))]
use absent::journal;
#[cfg(not(feature = "live"))]
use absent::{live, remote};
use args::{Cli, Command};

/// What a command found, as its exit code tells it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Nothing is wrong: 0.
    Healthy,
    /// Something is: 1.
    Findings,
    /// Nothing was found, and not everything could be read: 2.
    Unsure,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(Outcome::Healthy) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Unsure) => ExitCode::from(2),
        Err(error) if error::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            error::print(&error);
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Outcome> {
    // Not locked: other threads of a command may write to it as well.
    let mut out = BufWriter::with_capacity(1 << 16, anstream::stdout());
    match cli.command {
        Command::Diagnose(args) => diagnose::run(&args, &mut out),
        Command::Conform(args) => conform::run(&args, &mut out),
        Command::Explain(args) => explain::run(&args, &mut out),
        Command::Simulate(args) => simulate::run(&args, &mut out),
        Command::Incidents(args) => remote::incidents(&args, &mut out),
        Command::Nodes(args) => remote::nodes(&args, &mut out),
        Command::Watch(args) => remote::watch(&args),
        Command::Silence(args) => remote::silence(&args, &mut out),
        Command::Record(args) => live::record(&args),
        Command::Replay(args) => live::replay(&args, &mut out),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "ptp-cli", &mut out);
            out.flush()?;
            Ok(Outcome::Healthy)
        }
        Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut out)?;
            out.flush()?;
            Ok(Outcome::Healthy)
        }
    }
}
