//! `ptp-agent`: see the library.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use ptp_agent::app::App;
use ptp_agent::config::{Config, Options, with_file};
use ptp_agent::{demo, mcp};
use tokio::signal::unix::{SignalKind, signal};

/// Diagnoses the synchronisation of a cluster's nodes live, and tells people.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Show it at work on a small simulated fleet, here and now, without a cluster
    Demo(demo::Options),
    /// Answer a model's questions on standard input and output (Model Context Protocol)
    Mcp(mcp::Options),
    /// Check the configuration, say what is wrong with it, and stop
    CheckConfig,
}

fn main() -> ExitCode {
    match configured().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "logging may not be set up")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

/// The command line, over the environment, over the file that either names.
fn configured() -> anyhow::Result<Cli> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let command = with_file(Cli::command(), &arguments)?;
    let matches = command.get_matches_from(arguments);
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

fn run(cli: Cli) -> anyhow::Result<()> {
    if let Some(Command::CheckConfig) = cli.command {
        Config::new(cli.options)?;
        #[expect(clippy::print_stdout, reason = "it is the answer")]
        {
            println!("the configuration works");
        }
        return Ok(());
    }
    let quiet = matches!(cli.command, Some(Command::Demo(_) | Command::Mcp(_)));
    let usual = if quiet { "warn" } else { "info" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PTP_AGENT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    // JSON, so that no text from an event can look like a line of the log.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if quiet {
        log.compact().init();
    } else {
        log.json().init();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    runtime.block_on(async {
        match cli.command {
            Some(Command::Demo(options)) => demo::run(&options, &mut std::io::stdout()).await,
            Some(Command::Mcp(options)) => mcp::run(options).await,
            _ => serve(Config::new(cli.options)?).await,
        }
    })
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let app = App::bind(config).await?;
    let (receiver, api) = (app.receiver_addr()?, app.api_addr()?);
    let mut running = app.start().await?;
    tracing::info!(%receiver, %api, "running");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        part = running.broken() => anyhow::bail!("{part} ended; so do we, to be started again"),
    }
    tracing::info!("stopping");
    if running.stop().await {
        tracing::info!("stopped");
    } else {
        tracing::warn!("stopped before everything was finished");
    }
    Ok(())
}
