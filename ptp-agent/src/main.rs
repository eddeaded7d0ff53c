//! `ptp-agent`: see the library.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use ptp_agent::app::{App, sinks};
use ptp_agent::config::{Config, ConfigError, Given, Options, read};
use ptp_agent::rights;
use ptp_agent::{demo, mcp};
use ptp_events::Received;
use ptp_events::chain;
use ptp_sinks::try_all;
use ptp_subscriber::discovery::kubernetes;
use ptp_subscriber::discovery::rights::{Needed, missing};
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
    /// Check the configuration, say all that is wrong with it, or print it with where each value is from
    CheckConfig,
    /// Send one harmless alert to each sink of the configuration and print what it answered
    TestAlert {
        /// Only to this one: slack, alertmanager-0, webhook, …
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
}

fn main() -> ExitCode {
    let given = match read(Cli::command(), std::env::args_os().collect()) {
        Ok(given) => given,
        Err(error) => error.exit(),
    };
    match run(&given) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "logging may not be set up")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

/// The configuration, without mistakes on its way here or in itself.
fn checked(given: &Given, options: Options) -> anyhow::Result<Config> {
    Ok(given.checked(Config::new(options))?)
}

fn run(given: &Given) -> anyhow::Result<ExitCode> {
    let cli = Cli::from_arg_matches(&given.matches);
    // Of a command line that makes no sense, that is the mistake; not what is missing without it.
    let cli = if cli.is_err() { given.checked(Ok(())).map(|()| cli)?? } else { cli? };
    let mut out = std::io::stdout();
    if let Some(Command::CheckConfig) = cli.command {
        let config = checked(given, cli.options)?;
        let needed = rights::of(&config);
        if needed.is_empty() {
            writeln!(out, "the configuration works")?;
        } else {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let tried = runtime.block_on(on_the_cluster(given, needed))?;
            writeln!(out, "{tried}")?;
        }
        write!(out, "\n{}", given.effective())?;
        return Ok(ExitCode::SUCCESS);
    }
    let quiet = cli.command.is_some();
    let usual = if quiet { "warn" } else { "info" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("PTP_AGENT_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    // JSON, so that no text from an event can look like a line of the log.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if quiet {
        use std::io::IsTerminal as _;
        log.compact().with_ansi(std::io::stderr().is_terminal()).init();
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
            Some(Command::Demo(options)) => {
                given.checked(Ok(()))?;
                demo::run(&options, &mut out).await?;
            }
            Some(Command::Mcp(options)) => {
                given.checked(Ok(()))?;
                mcp::run(options).await?;
            }
            Some(Command::TestAlert { sink }) => {
                let mut options = cli.options;
                // Nobody posts to us meanwhile, and where publishers would is no matter.
                options.endpoint.get_or_insert_with(|| "http://localhost".to_owned());
                return test_alert(checked(given, options)?, sink.as_deref()).await;
            }
            Some(Command::CheckConfig) | None => serve(checked(given, cli.options)?).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Tries the configuration on the cluster, if one is found from here; missing rights are mistakes.
async fn on_the_cluster(given: &Given, needed: Vec<Needed>) -> anyhow::Result<String> {
    const UNTRIED: &str = "the options make sense; they were not tried on a cluster";
    let Ok(client) = kubernetes::client().await else {
        return Ok(format!("{UNTRIED}, as none is found from here"));
    };
    match missing(&client, needed).await {
        Ok(missing) if missing.is_empty() => Ok("the configuration works".to_owned()),
        Ok(missing) => {
            let mistakes = missing.iter().map(ToString::to_string).collect();
            given.checked(Err::<(), _>(ConfigError { mistakes }))?;
            unreachable!("there are mistakes")
        }
        Err(error) => {
            Ok(format!("{UNTRIED}, as its API server does not answer: {}", chain(&error)))
        }
    }
}

/// Exits with 0 when every sink took it, and 1 when one did not.
async fn test_alert(config: Config, only: Option<&str>) -> anyhow::Result<ExitCode> {
    let identity = Arc::new(config.identity.clone());
    let mut sinks = sinks(&config, &identity, &[]).await?;
    let names: Vec<_> = sinks.iter().map(|sink| sink.name.clone()).collect();
    anyhow::ensure!(
        !names.is_empty(),
        "no sink is configured; see --slack-webhook-url, --alertmanager, --webhook and \
         --kubernetes-events"
    );
    if let Some(only) = only {
        let numbered = |name: &str| name.strip_prefix(only).is_some_and(|n| n.starts_with('-'));
        sinks.retain(|sink| sink.name == only || numbered(&sink.name));
        anyhow::ensure!(
            !sinks.is_empty(),
            "there is no sink `{only}`; configured are {}",
            names.join(", ")
        );
    }
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let mut out = std::io::stdout();
    let mut code = ExitCode::SUCCESS;
    for tried in try_all(sinks, Received::from_nanos(now)).await {
        match tried.outcome {
            Ok(answer) => writeln!(out, "{}: taken: {answer}", tried.sink)?,
            Err(error) => {
                let why = chain(&error);
                writeln!(out, "{}: not taken: {why}", tried.sink)?;
                code = ExitCode::from(1);
            }
        }
    }
    Ok(code)
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
