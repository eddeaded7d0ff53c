//! The command line, declared once: help, completions and the man page come from here.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ptp_conform::ClockKind;
use ptp_diagnostics::Severity;
use ptp_events::{MomentError, NodeName, Received, Side, moment};

/// Names what went wrong in recorded PTP events.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 healthy, 1 an incident of WARNING or worse, 2 could not tell (an error is on stderr).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Diagnose recorded events: what broke, where, since when, how we know, what to do.
    #[command(after_long_help = DIAGNOSE_HELP)]
    Diagnose(DiagnoseArgs),
    /// Judge what was recorded against the published requirements of T-GM, T-BC and T-TSC.
    #[command(after_long_help = CONFORM_HELP)]
    Conform(ConformArgs),
    /// Print the manual page of a finding or a root cause.
    Explain(ExplainArgs),
    /// Simulate clocks and faults: a recording, and beside it the truth.
    #[command(after_long_help = SIMULATE_HELP)]
    #[command(mut_args(only_when_served))]
    Simulate(SimulateArgs),
    /// What is firing at a running agent; or an incident in full.
    Incidents(IncidentsArgs),
    /// The nodes that a running agent observes; or one with its clocks.
    Nodes(NodesArgs),
    /// A running agent's fleet, incidents and curves in the terminal, kept up to date.
    Watch(WatchArgs),
    /// Who is not told of what by a running agent: list, add and end silences.
    Silence(SilenceArgs),
    /// Subscribe to publishers and write what they send into a recording, until interrupted.
    Record(RecordArgs),
    /// Play a recording back: each of its nodes becomes a publisher to subscribe to.
    Replay(ReplayArgs),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page, in troff.
    Man,
}

const CONFORM_HELP: &str = "\
Examples:
  ptp-cli conform night.jsonl                       # events
  ptp-cli conform night.jsonl daemon.log            # events, and the daemon's log of the same time
  ptp-cli conform --kind worker-3=t-bc worker-3.log metrics.txt
  ptp-cli conform --format junit night.jsonl > conform.xml
  ptp-cli conform --list                            # every requirement, and what shows it

Each requirement is judged for each node of its kind: it held whenever it could be seen, or as far as it
can be seen; it failed, with where; or it cannot be seen, with what would show it. Events alone show
states and classes; with the daemon's log beside them it shows what should have been sent, and when; and
scrapes show what is exported. What is measured by the node itself is no proof of its accuracy.

Exit codes: 0 nothing failed, 1 a requirement failed, 2 nothing could be judged.";

const DIAGNOSE_HELP: &str = "\
Examples:
  ptp-cli diagnose recordings/gnss_loss.jsonl
  ptp-cli diagnose --format json node-*.jsonl.gz | jq '.incidents[].root_cause'
  oc logs ds/linuxptp-daemon -c cloud-event-proxy | ptp-cli diagnose -
  oc logs --timestamps -c linuxptp-daemon-container POD | ptp-cli diagnose --node-name worker-3 -
  ptp-cli diagnose must-gather.local.1234/
  ptp-cli diagnose must-gather.tar.gz -o report.txt
  ptp-cli diagnose --format html -o report.html night.jsonl
  ptp-cli diagnose --node worker-3 --since 03:00 all.jsonl
  ptp-cli diagnose --what logs/           # what is read, and what is not

A file may hold one event per line, JSON arrays, {\"received\":…,\"event\":{…}} lines as the agent
writes them, recorded HTTP requests, a log with events inside, a log of linuxptp or linuxptp-daemon, or
the daemon's metrics (a scrape, or what Prometheus answers); plain, gzip, bzip2, xz or zstd. Several files are read as one, in time order. Of a folder or an archive the logs of
linuxptp-daemon-container and cloud-event-proxy are read where must-gather puts them, or else whatever
holds events or lines of linuxptp. An interrupt (Ctrl-C) ends reading, and what was read is diagnosed.

A log of linuxptp-daemon is read as cloud-event-proxy reads it: an offset over the threshold (100 ns,
or as set) is FREERUN once it lasts 1 s, and HOLDOVER becomes FREERUN after 5 s.

Exit codes: 0 healthy, 1 an incident of WARNING or worse, 2 could not tell.";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct DiagnoseArgs {
    /// Events, logs of linuxptp and linuxptp-daemon, metrics, and folders or archives of these (tar, zip,
    /// gzip, bzip2, xz, zstd), must-gathers too; `-`, or nothing at the end of a pipe, is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Diagnose the journal of an agent instead, also while the agent is running
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "strict"])]
    pub(crate) journal: Option<PathBuf>,

    /// Say what each file is taken for, from when to when, of which nodes and processes, and how much of it
    /// is understood, instead of diagnosing it
    #[arg(long, conflicts_with_all = ["journal", "stability", "output"])]
    pub(crate) what: bool,

    /// How to write the diagnosis
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,

    /// Only a line for each incident, for people
    #[arg(long, conflicts_with = "format")]
    pub(crate) brief: bool,

    /// Where to write it, instead of to standard output; `.gz` and `.zst` are compressed
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite what is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,

    /// Tell only what concerns this node (repeatable); the others remain evidence
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Vec<String>,

    /// Whose the logs of linuxptp-daemon are, which do not say; otherwise their paths tell
    #[arg(long, value_name = "NAME", value_parser = NodeName::new, conflicts_with = "journal")]
    pub(crate) node_name: Option<NodeName>,

    /// On which nodes the pods run that logs are named after: what `oc -n openshift-ptp get pods -o json`
    /// prints (or `-o yaml`, `-o wide`)
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    pub(crate) pods: Option<PathBuf>,

    /// Use only events received at or after this time: 1h (ago), 03:00, "yesterday 22:30" (all in UTC), or
    /// in full (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    pub(crate) since: Option<Received>,

    /// Use only events received before this time
    #[arg(long, value_name = "TIME", value_parser = past, allow_hyphen_values = true)]
    pub(crate) until: Option<Received>,

    /// Tell only incidents at least this bad
    #[arg(long, value_enum, default_value_t = MinSeverity::Info)]
    pub(crate) min_severity: MinSeverity,

    /// Thresholds, in TOML; `ptp-cli explain` names the settings
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) thresholds: Option<PathBuf>,

    /// Who follows whom, in TOML (docs/topology.md); otherwise all nodes are taken to share one timing
    /// domain
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) topology: Option<PathBuf>,

    /// How much time passes after the last event with nothing new, such as 60s or 10m; it lets what must
    /// last become a finding, and counts in no figure
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = ptp_events::length)]
    pub(crate) settle: Duration,

    /// Add how steady the clocks say they are while LOCKED: max|TE|, cTE, MTIE and TDEV against the
    /// masks of G.8272 and G.8273.2; indicative, self-reported
    #[arg(long)]
    pub(crate) stability: bool,

    /// Treat a line that is not an event as an error instead of passing it over
    #[arg(long)]
    pub(crate) strict: bool,

    #[command(flatten)]
    pub(crate) original: OriginalEnv,
}

/// The environment variables of the service this one replaces.
#[derive(Debug, Args)]
#[command(next_help_heading = "Thresholds by environment")]
pub(crate) struct OriginalEnv {
    /// Offset threshold in nanoseconds
    #[arg(long = "offset-threshold", env = "ALERT_OFFSET_THRESHOLD", value_name = "NS")]
    pub(crate) offset_threshold: Option<u64>,

    /// States that count as a lost lock
    #[arg(long, env = "ALERT_SYNC_STATES", value_name = "STATE,…", value_delimiter = ',')]
    pub(crate) lost_states: Option<Vec<String>>,

    /// Resources that may raise alerts; all are evidence. `sync-state` includes lock-state
    #[arg(long, env = "ALERT_EVENT_TYPES", value_name = "RESOURCE,…", value_delimiter = ',')]
    pub(crate) alert_resources: Option<Vec<String>>,
}

/// Which agent, and how to be let in.
#[derive(Clone, Debug, Args)]
pub(crate) struct AgentArgs {
    /// The agent's API
    #[arg(
        long,
        global = true,
        env = "PTP_AGENT_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8081"
    )]
    pub(crate) agent: String,

    /// The token to show: the read token, or the write token for changing things
    #[arg(
        long,
        global = true,
        env = "PTP_AGENT_TOKEN",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,

    /// Certificate authorities to trust, in PEM; otherwise the system's
    #[arg(long, global = true, value_name = "FILE.pem")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentsArgs {
    /// An incident's id, to see it in full
    pub(crate) id: Option<String>,

    /// Those that are over, too
    #[arg(long, conflicts_with = "id")]
    pub(crate) all: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArgs {
    /// A node's name, to see its clocks
    #[arg(value_parser = NodeName::new)]
    pub(crate) node: Option<NodeName>,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// How often to look
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = ptp_events::length)]
    pub(crate) every: Duration,

    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SilenceArgs {
    #[command(subcommand)]
    pub(crate) command: SilenceCommand,

    #[command(flatten)]
    pub(crate) agent: AgentArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SilenceCommand {
    /// Those in force, and those to come.
    List,
    /// Tell nobody for a while.
    Add {
        /// Only of this node
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
        /// Only of this root cause
        #[arg(long, value_name = "CODE")]
        root_cause: Option<String>,
        /// Of everything
        #[arg(long, conflicts_with_all = ["node", "root_cause"])]
        everything: bool,
        /// For how long, such as 2h
        #[arg(long, value_name = "DURATION")]
        duration: String,
        /// Why, for the next shift
        #[arg(long, value_name = "TEXT")]
        comment: String,
        /// Who asks for it
        #[arg(long = "by", env = "USER", value_name = "NAME")]
        created_by: String,
    },
    /// End one at once.
    End {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Publishers, by URL, each with its node if you know it
    #[arg(required = true, value_name = "URL[=NODE]", value_parser = publisher)]
    pub(crate) publishers: Vec<(String, Option<NodeName>)>,

    /// Where to write; `-` is standard output; `.gz` and `.zst` are compressed
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,

    /// Certificate authorities to trust in publishers whose URL is https, in PEM; otherwise the system's
    #[arg(long, value_name = "FILE.pem")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Where publishers can reach us
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,

    /// The URL under which they can, when it is not that address
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,

    /// Stop after so long
    #[arg(long, value_name = "DURATION", value_parser = ptp_events::length)]
    pub(crate) duration: Option<Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Recordings of events
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

/// Where publishers of ours listen, and how fast they go.
#[derive(Debug, Args)]
pub(crate) struct LiveArgs {
    /// Address the publishers listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    pub(crate) address: std::net::IpAddr,

    /// Port of the first publisher, the others follow; 0 chooses free ones
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(crate) port: u16,

    /// How much faster than it was recorded or simulated
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    pub(crate) speed: f64,

    /// Wait for a subscriber before beginning, at most this long
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = ptp_events::length)]
    pub(crate) wait: Duration,

    /// Go on answering this long after the last event
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = ptp_events::length)]
    pub(crate) linger: Duration,
}

impl LiveArgs {
    /// What the types do not check.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let range = 0.001..=1e6;
        anyhow::ensure!(range.contains(&self.speed), "--speed must be from 0.001 to 1000000");
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A code such as `loss-of-lock` or `gnss-signal-loss`; without one, all are listed
    pub(crate) code: Option<String>,
}

const SIMULATE_HELP: &str = "\
Examples:
  ptp-cli simulate gnss-outage-long --seed 7 -o outage.jsonl
  ptp-cli diagnose outage.jsonl
  ptp-cli simulate path-loss | ptp-cli diagnose -
  ptp-cli simulate path-loss --log reduced -o journal.log
  ptp-cli simulate --scenario mine.toml -o mine.jsonl
  ptp-cli simulate gnss-outage-short --serve --speed 10 --port 9100
  ptp-agent --publisher http://127.0.0.1:9100 --publisher http://127.0.0.1:9101

Served, the nodes speak the publishers' protocol, and nothing is spoilt on the way. Faster than real
time durations shrink, but not those that an agent waits for.

A kind and a seed always give the same bytes. The label in outage.label.json says which faults there
were, where, from when to when, and when true time left 1500 ns.

A scenario in TOML:
  length = \"2h\"
  poll-every = \"1m\"             # ask for CurrentState; leave out for pushes only
  [[node]]
  name = \"gm-0\"
  role = \"grandmaster\"         # or boundary-clock, follower
  offsets-in-holdover = \"measured\"  # by a local 1PPS, say; else the last one is \"repeated\"
  [[node]]
  name = \"worker-0\"
  role = \"follower\"
  parent = \"gm-0\"
  [[fault]]
  kind = \"gnss-signal-loss\"
  nodes = [\"gm-0\"]
  start = \"30m\"
  length = \"20m\"               # leave out for one that lasts
  [mess]
  duplicates = 0.1             # shares of the events; also late, missing";

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// Which kind of scenario; `--list` names them
    #[arg(required_unless_present_any = ["list", "scenario"])]
    pub(crate) kind: Option<String>,

    /// What chance is drawn from
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// Tell it by the logs of the nodes instead, as `journalctl -o short-iso` prints them: the log of every node in
    /// one file
    #[arg(long, value_name = "FORM", conflicts_with_all = ["serve", "list"])]
    pub(crate) log: Option<Log>,

    /// Where to write the recording; the label goes to FILE.label.json beside it. Without it the
    /// recording goes to standard output
    #[arg(long, short, value_name = "FILE.jsonl")]
    pub(crate) output: Option<PathBuf>,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,

    /// Play a scenario of your own
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["kind", "list"])]
    pub(crate) scenario: Option<PathBuf>,

    /// Write who follows whom, as `diagnose --topology` reads it
    #[arg(long, value_name = "FILE.toml", conflicts_with = "list")]
    pub(crate) write_topology: Option<PathBuf>,

    /// Serve the nodes live over HTTP, one publisher each, until the scenario is over; prints their
    /// URLs and the truth
    #[arg(long, conflicts_with = "list")]
    pub(crate) serve: bool,

    #[command(flatten)]
    pub(crate) live: LiveArgs,

    /// List the kinds of scenarios
    #[arg(long, conflicts_with_all = ["kind", "output"])]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConformArgs {
    /// Events, logs of linuxptp-daemon, metrics, and folders or archives of these, as `diagnose` reads them
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Judge the journal of an agent instead
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    pub(crate) journal: Option<PathBuf>,

    /// What part a node plays: t-gm, t-bc or t-tsc (repeatable); otherwise its receiver, classes and ports tell
    #[arg(long, value_name = "NODE=KIND", value_parser = part)]
    pub(crate) kind: Vec<(NodeName, ClockKind)>,

    /// How to write it
    #[arg(long, value_enum, default_value_t = ConformFormat::Human)]
    pub(crate) format: ConformFormat,

    /// Tell only what failed
    #[arg(long)]
    pub(crate) failed: bool,

    /// Print every requirement, and what shows it
    #[arg(long, conflicts_with_all = ["files", "journal", "kind"])]
    pub(crate) list: bool,

    /// Whose the logs are, which do not say; otherwise their paths tell
    #[arg(long, value_name = "NAME", value_parser = NodeName::new, conflicts_with = "journal")]
    pub(crate) node_name: Option<NodeName>,

    /// On which nodes the pods run that logs are named after: what `oc -n openshift-ptp get pods -o json`
    /// prints (or `-o yaml`, `-o wide`)
    #[arg(long, value_name = "FILE", conflicts_with = "journal")]
    pub(crate) pods: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ConformFormat {
    /// For people
    Human,
    /// One document, schema ptp-conform/v1
    Json,
    /// For CI systems: a test case per requirement, a suite per node
    Junit,
}

fn part(text: &str) -> Result<(NodeName, ClockKind), String> {
    let (node, kind) = text.split_once('=').ok_or("it is NODE=KIND, such as worker-3=t-bc")?;
    let node = NodeName::new(node).map_err(|error| error.to_string())?;
    let kinds = [ClockKind::TGm, ClockKind::TBc, ClockKind::TTsc];
    let kind = kinds.into_iter().find(|known| known.as_str() == kind);
    Ok((node, kind.ok_or("the kinds are t-gm, t-bc and t-tsc")?))
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Log {
    /// Every line of linuxptp and its daemon
    Full,
    /// `logReduce: "true"`: without any `master offset`
    Reduced,
    /// `logReduce: enhanced`: a summary of the offsets every 30 s
    Enhanced,
    /// Root mean squares of eight measurements a second
    Rms,
    /// `ptp4l -m` and `phc2sys -m`, without the daemon
    Plain,
}

impl From<Log> for ptp_sim::LogForm {
    fn from(log: Log) -> Self {
        match log {
            Log::Full => Self::Full,
            Log::Reduced => Self::Reduced,
            Log::Enhanced => Self::Enhanced,
            Log::Rms => Self::Rms,
            Log::Plain => Self::Plain,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people, as wide as the terminal
    Human,
    /// One document, schema ptp-report/v1
    Json,
    /// One document per line: input, nodes, incidents, alerts
    Ndjson,
    /// A page with curves, in one file, for browsers and printers
    Html,
    /// For tickets and chats
    Markdown,
    /// For CI systems: a test case per node
    Junit,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum MinSeverity {
    Info,
    Warning,
    Critical,
}

impl From<MinSeverity> for Severity {
    fn from(min: MinSeverity) -> Self {
        match min {
            MinSeverity::Info => Self::Info,
            MinSeverity::Warning => Self::Warning,
            MinSeverity::Critical => Self::Critical,
        }
    }
}

/// Simulating without serving, nobody listens and nothing waits.
fn only_when_served(arg: clap::Arg) -> clap::Arg {
    match arg.get_id().as_str() {
        "address" | "port" | "speed" | "wait" | "linger" => arg.requires("serve"),
        _ => arg,
    }
}

#[cfg(feature = "live")]
use ptp_subscriber::discovery::publisher;

/// Nobody subscribes to it.
#[cfg(not(feature = "live"))]
#[expect(clippy::unnecessary_wraps, reason = "it stands for one that may fail")]
fn publisher(text: &str) -> Result<(String, Option<NodeName>), String> {
    Ok((text.to_owned(), None))
}

fn past(text: &str) -> Result<Received, MomentError> {
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    moment(text, Received::from_nanos(now), Side::Past)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
