//! `cargo xtask`: the project's own chores.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to whoever runs it")]

mod bench;
mod corpus;
mod crates;
mod dashboards;
mod docs;
mod figures;
mod idle;
mod layers;
mod package;
mod score;
mod tidy;
mod torture;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

const HELP: &str = "\
Usage: cargo xtask COMMAND

  test                      run every test, the doc tests and the tidy checks
  lint                      rustfmt, clippy and rustdoc, warnings as errors
  tidy                      check what no compiler checks: layout, dependencies, words
  docs [--check]            write the pages that come from the sources
  package                   whether the crates can be published, compile from their packages alone, need all they
                            depend on, and keep their public API
  bench                     time a whole diagnosis of 1,000,000 events against decoding alone
  eval [--agent COMMAND] [--only TEXT]
                            ask the questions of evals/ of a command-line agent, or of a script; print a table
  mcp-latency               measure each MCP tool of an agent with 1,000 nodes and 10,000 incidents
  idle                      measure what an agent takes while nothing happens
  torture [--brief | --fuzz SECONDS]
                            attack and damage it at full length (hours), and print what came of it
  corpus FILE EVENTS NODES  write a synthetic recording, the same one every time
  score [--seeds dev|score] [--quick] [--check] [--explain] [--kind NAME]
                            how good the diagnosis is, over simulated faults; with the scoring
                            seeds docs/quality.md is written, with --check the floor is held
";

/// Why a chore was not done.
type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["test"] => test(),
        ["lint"] => lint(),
        ["tidy"] => tidy::run(),
        ["docs"] => docs::run(false),
        ["docs", "--check"] => docs::run(true),
        ["package"] => package::check(),
        ["bench"] => bench::run_all(),
        ["eval", rest @ ..] => eval(rest),
        ["mcp-latency"] => cargo(&["bench", "--package", "ptp-tests", "--bench", "mcp_latency"]),
        ["idle"] => idle::measure(),
        ["torture", rest @ ..] => torture::run(rest),
        ["score", rest @ ..] => score::run(rest),
        ["corpus", file, events, nodes] => write_corpus(file, events, nodes),
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<(), Failure> {
    let nextest = Command::new("cargo").args(["nextest", "--version"]).output();
    if nextest.is_ok_and(|output| output.status.success()) {
        cargo(&["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"])?;
        cargo(&["test", "--workspace", "--all-features", "--doc", "--quiet"])?;
    } else {
        cargo(&["test", "--workspace", "--all-features"])?;
    }
    docs::run(true)?;
    tidy::run()
}

fn lint() -> Result<(), Failure> {
    cargo(&["fmt", "--all", "--check"])?;
    let clippy = |what: &[&str]| {
        let args = [&["clippy", "--all-targets", "--quiet"], what, &["--", "-D", "warnings"]];
        cargo(&args.concat())
    };
    clippy(&["--workspace", "--all-features"])?;
    // What a first command builds.
    clippy(&["--package", "ptp-cli"])?;
    let mut doc = Command::new("cargo");
    doc.args(["doc", "--workspace", "--all-features", "--no-deps", "--quiet"])
        .env("RUSTDOCFLAGS", "-D warnings");
    run(&mut doc)
}

fn write_corpus(file: &str, events: &str, nodes: &str) -> Result<(), Failure> {
    let file = std::fs::File::create(file)?;
    corpus::write(std::io::BufWriter::new(file), events.parse()?, nodes.parse()?)?;
    Ok(())
}

/// Asks the questions of `evals/`, of an agent if one is named.
fn eval(args: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new("cargo");
    command.args(["test", "--package", "ptp-tests", "--test", "evals", "--", "--nocapture"]);
    command.arg("every_question_can_be_answered_from_text").env("PTP_SHOW", "1");
    let mut args = args.iter();
    while let Some(option) = args.next() {
        let variable = match *option {
            "--agent" => "PTP_EVAL_AGENT",
            "--only" => "PTP_EVAL_ONLY",
            other => return Err(format!("eval knows no `{other}`; see `cargo xtask`").into()),
        };
        let value = args.next().ok_or_else(|| format!("`{option}` needs a value"))?;
        command.env(variable, value);
    }
    // What an agent starts is beside the tests.
    cargo(&["build", "--package", "ptp-agent"])?;
    run(&mut command)
}

fn cargo(args: &[&str]) -> Result<(), Failure> {
    run(Command::new("cargo").args(args))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    command.current_dir(root());
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The top of the workspace.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
