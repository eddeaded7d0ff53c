//! `ptp-cli diagnose`: files in, diagnosis out.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ptp_diagnostics::report::{Generator, NodeReport, Report};
use ptp_diagnostics::stability::Gatherer;
use ptp_diagnostics::{Engine, NodeState, Settings, Severity};
use ptp_events::Received;
use ptp_events::daemon::DaemonSettings;
use ptp_events::recording::{ReadError, Recorded};

use crate::args::{DiagnoseArgs, Format};
use crate::input::{self, InputError, Message, Progress};
use crate::pods::Pods;
use crate::sources::{self, STDIN, Source, Sources};
use crate::{Outcome, interrupt, journal, output, render, thresholds, topology, what};

/// How many bad lines of one file are shown before they are only counted.
const SHOWN_BAD_LINES: u64 = 10;
/// From how much input on a progress bar is worth the space, in bytes.
const BIG_INPUT: u64 = 64 << 20;

/// How long an offset in a log must be over the threshold to count as FREERUN: a log holds every
/// measurement, and one bad one, corrected with the next, was observed on a healthy system
/// (docs/protocol.md §5).
const LOG_SETTLE: Duration = Duration::from_secs(1);
const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default().bold();

pub(crate) fn run(args: &DiagnoseArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    // Before anything is unpacked, and before an input is read that cannot be read again.
    interrupt::token();
    if let Some(path) = args.output.as_deref().filter(|path| *path != Path::new(STDIN)) {
        output::check(path, args.force)?;
        output::is_no_input(path, args.files.iter().chain(&args.journal))?;
    }
    if let (Some(since), Some(until)) = (args.since, args.until)
        && since >= until
    {
        return Err(InputError::NoTime { since, until }.into());
    }
    let mut settings = thresholds::load(args.thresholds.as_deref(), &args.original)?;
    if let Some(path) = &args.topology {
        settings.topology = topology::load(path)?;
    }
    if args.what {
        let mut sources = find(args)?;
        let any = what::tell(&mut sources, &log_settings(&settings), args.format, out)?;
        return Ok(if any { Outcome::Healthy } else { Outcome::Unsure });
    }
    let (mut report, whole) = diagnose(args, &settings)?;
    report.generator = Generator { name: "ptp-cli", version: env!("CARGO_PKG_VERSION") };
    let files = args.files.iter().chain(&args.journal);
    report.input.files = files.map(|path| path.display().to_string()).collect();
    known(&report, args)?;
    select(&mut report, args);
    match args.output.as_deref().filter(|path| *path != Path::new(STDIN)) {
        None => {
            let told = render(args.format, &report, out).and_then(|()| out.flush());
            // Who closes a pipe has read enough; what was found is so all the same.
            if told.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
                told?;
            }
        }
        Some(path) => {
            let mut text = Vec::new();
            render(args.format, &report, &mut text)?;
            let mut file = output::create(path, args.force)?;
            // A file is no terminal: without colours.
            let plain = anstream::adapter::strip_bytes(&text).into_vec();
            file.write_all(&plain)
                .and_then(|()| file.finish())
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
    }
    if report.incidents.iter().any(|incident| incident.severity >= Severity::Warning) {
        return Ok(Outcome::Findings);
    }
    if !whole {
        anstream::eprintln!("not everything was read: this is no all-clear");
        return Ok(Outcome::Unsure);
    }
    if let Some(unwell) = unwell(&report) {
        anstream::eprintln!("{unwell}, and there is too little to say why: this is no all-clear");
        return Ok(Outcome::Unsure);
    }
    Ok(Outcome::Healthy)
}

/// Who was not LOCKED at the end although no incident says so: one sample, or the first minutes of a start.
fn unwell(report: &Report) -> Option<String> {
    let explained = |node: &NodeReport| {
        let mut firing = report.incidents.iter().filter(|incident| incident.resolved_at.is_none());
        firing.any(|incident| incident.affected_nodes.contains(&node.node))
    };
    let mut unwell =
        report.nodes.iter().filter(|node| node.state != NodeState::Locked && !explained(node));
    let first = unwell.next()?;
    let name = &first.node;
    let was = match first.state {
        NodeState::Unknown => format!("the state of {name} is not known"),
        state => format!("{name} was {} at the end", state.as_str()),
    };
    Some(match unwell.count() {
        0 => was,
        more => format!("{was}, and {more} more were not LOCKED"),
    })
}

fn render(format: Format, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => render::human(report, out),
        Format::Json => render::json(report, out),
        Format::Ndjson => render::ndjson(report, out),
        Format::Markdown => render::markdown(report, out),
        Format::Junit => render::junit(report, out),
    }
}

/// A node that is asked for and that nobody speaks of is a mistake, not a healthy node.
fn known(report: &Report, args: &DiagnoseArgs) -> Result<(), InputError> {
    let is_known = |name: &&String| report.nodes.iter().any(|node| node.node.as_str() == **name);
    match args.node.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(name) => Err(InputError::UnknownNode {
            name: name.clone(),
            known: report.nodes.iter().map(|node| node.node.to_string()).collect(),
        }),
    }
}

/// Keeps what was asked for; what is left out was evidence all the same.
fn select(report: &mut Report, args: &DiagnoseArgs) {
    let min = Severity::from(args.min_severity);
    let wanted = |names: &[ptp_events::NodeName]| {
        args.node.is_empty()
            || names.iter().any(|name| args.node.iter().any(|node| node == name.as_str()))
    };
    report.incidents.retain(|i| i.severity >= min && wanted(&i.affected_nodes));
    report.alerts.retain(|a| a.severity >= min && wanted(&a.affected_nodes));
    report.nodes.retain(|n| wanted(std::slice::from_ref(&n.node)));
    report.blind_windows.retain(|w| wanted(std::slice::from_ref(&w.node)));
    if let Some(stability) = &mut report.stability {
        stability.retain(|s| wanted(std::slice::from_ref(&s.node)));
    }
}

/// What to read: standard input, when that comes from somewhere and nothing else is named.
fn files(args: &DiagnoseArgs) -> Result<Vec<PathBuf>, InputError> {
    match args.files.as_slice() {
        [] if io::stdin().is_terminal() => Err(InputError::NothingNamed),
        [] => Ok(vec![PathBuf::from(STDIN)]),
        named => Ok(named.to_vec()),
    }
}

/// Everything there is to read.
fn find(args: &DiagnoseArgs) -> Result<Sources, InputError> {
    let mut sources = sources::find(&files(args)?, args.node_name.as_ref())?;
    if let Some(path) = &args.pods {
        sources.pods.extend(Pods::load(path)?);
    }
    Ok(sources)
}

/// The report, and whether everything could be read.
fn diagnose(args: &DiagnoseArgs, settings: &Settings) -> Result<(Report, bool), InputError> {
    if let Some(journal) = &args.journal {
        return Ok((journal::diagnose(journal, args, settings)?, true));
    }
    let mut sources = find(args)?;
    let rereadable = input::can_reread(&sources.list);
    // What cannot be read twice is sorted at once.
    let read = match read(args, &mut sources, settings, !rereadable)? {
        Some(read) => read,
        None => read(args, &mut sources, settings, true)?.expect("sorted input is in order"),
    };
    Ok((read.0, read.1 && sources.whole))
}

/// How logs are read.
fn log_settings(settings: &Settings) -> DaemonSettings {
    DaemonSettings {
        offset_ns: settings.offset_ns,
        settle: LOG_SETTLE,
        ..DaemonSettings::default()
    }
}

/// Reads and diagnoses everything; `None` when the input is not in order and must be sorted.
fn read(
    args: &DiagnoseArgs,
    sources: &mut Sources,
    settings: &Settings,
    sort: bool,
) -> Result<Option<(Report, bool)>, InputError> {
    let (pods, sources) = (&sources.pods, sources.list.as_mut_slice());
    let progress = Progress::default();
    let bar = bar(sources);
    let daemon = log_settings(settings);
    let stop = interrupt::token();
    let reading = input::read(sources, &daemon, settings.reorder_window, sort, &progress)?;
    let settings = match reading.looked_every {
        Some(every) => settings.clone().looked_at_every(every),
        None => settings.clone(),
    };
    let mut engine = Engine::new(settings);
    let mut gatherer = args.stability.then(Gatherer::default);
    let mut bad: BTreeMap<PathBuf, u64> = BTreeMap::new();
    let mut unread = Vec::new();
    let mut read: u64 = 0;
    // Who interrupts a pipe wants what it gave until then.
    let piped = !input::can_reread(sources);
    let mut whole = true;
    let mut ended = false;
    let mut span: Option<(Received, Received)> = None;
    // An interrupt ends what is read: what came until then is still told.
    for message in reading.messages {
        match message {
            Message::Events(events) => {
                bar.set_position(progress.read());
                read += events.len() as u64;
                for mut recorded in events {
                    if let Some(node) = pods.node_of(recorded.evidence.node()) {
                        recorded.evidence.set_node(node.clone());
                    }
                    let time = recorded.time();
                    span = Some(span.map_or((time, time), |(a, b)| (a.min(time), b.max(time))));
                    feed(&mut engine, &mut gatherer, recorded, args);
                }
            }
            Message::Bad(path, problem) if args.strict => {
                return Err(InputError::Strict { path, source: problem });
            }
            Message::Unread(path, mut lines) => {
                lines.set_malformed(bad.get(&path).copied().unwrap_or(0));
                unread.push(lines);
            }
            Message::Bad(path, problem) => {
                let count = bad.entry(path.clone()).or_default();
                *count += 1;
                if *count <= SHOWN_BAD_LINES {
                    bar.suspend(|| warn(&path, &problem));
                }
            }
            Message::Torn(path, problem) if args.strict => {
                return Err(InputError::Read { path, source: problem });
            }
            Message::Torn(path, problem) => {
                whole = false;
                bar.suspend(|| torn(&path, &problem));
            }
            Message::ClockSet(path, jumps) => bar.suspend(|| clock_set(&path, jumps)),
            Message::NoWallClock(path) => bar.suspend(|| no_wall_clock(&path)),
            Message::End => ended = true,
            Message::Disorder => {
                bar.finish_and_clear();
                return Ok(None);
            }
        }
    }
    bar.finish_and_clear();
    if stop.is_cancelled() {
        anstream::eprintln!("interrupted; this is what was read until then");
        whole &= piped;
    }
    if !ended {
        return Err(InputError::Stopped);
    }
    let malformed = bad.values().sum();
    engine.end(args.settle);
    if let (Some((first, last)), None) = (span, engine.latest()) {
        return Err(InputError::NothingInRange { read, first, last });
    }
    if engine.counts().events == 0 {
        let known = sources.iter().find_map(|source| input::looks_like(&source.path));
        let told = || unread.iter().find_map(|lines| Some(format!("of it {}", lines.rest()?)));
        let found = known.map(str::to_owned).or_else(told);
        let paths = sources.iter().map(|source| source.shown.clone()).collect();
        return Err(InputError::NoEvents { paths, found });
    }
    for (path, count) in bad.iter().filter(|(_, count)| **count > SHOWN_BAD_LINES) {
        let more = count - SHOWN_BAD_LINES;
        anstream::eprintln!("warning: `{}`: {more} more lines are not events", path.display());
    }
    let mut report = engine.report();
    report.input.malformed = malformed;
    report.stability = gatherer.map(|gatherer| gatherer.report(&report.nodes));
    Ok(Some((report, whole)))
}

fn feed(
    engine: &mut Engine,
    gatherer: &mut Option<Gatherer>,
    recorded: Recorded,
    args: &DiagnoseArgs,
) {
    let time = recorded.time();
    let too_early = args.since.is_some_and(|since| time < since);
    let too_late = args.until.is_some_and(|until| time >= until);
    if !too_early && !too_late {
        if let Some(gatherer) = gatherer
            && let Some(event) = recorded.evidence.clone().published()
        {
            gatherer.handle_event(&event, time);
        }
        engine.handle_evidence(recorded.evidence, time);
    }
}

fn torn(path: &Path, problem: &ReadError) {
    // What a decompressor says of its insides helps nobody.
    let cause = std::error::Error::source(problem).map(|cause| format!(": {cause}"));
    anstream::eprintln!(
        "{YELLOW}warning{YELLOW:#}: `{}`: {problem}{}; what came before is diagnosed",
        path.display(),
        cause.unwrap_or_default()
    );
}

fn no_wall_clock(path: &Path) {
    let path = path.display();
    anstream::eprintln!(
        "{YELLOW}warning{YELLOW:#}: no line of `{path}` tells the time of day; its times count from \
         1970, as seconds since the node started do (`oc logs --timestamps` adds the time)"
    );
}

fn clock_set(path: &Path, jumps: u64) {
    let times = if jumps == 1 { "once".to_owned() } else { format!("{jumps} times") };
    anstream::eprintln!(
        "{YELLOW}warning{YELLOW:#}: the wall clock was set {times} while `{}` was written; its times go on as \
         they were before, by the time in linuxptp's brackets",
        path.display()
    );
}

fn warn(path: &Path, problem: &dyn std::error::Error) {
    anstream::eprintln!("{YELLOW}warning{YELLOW:#}: `{}`, {problem}", path.display());
    let mut cause = problem.source();
    while let Some(inner) = cause {
        anstream::eprintln!("  because: {inner}");
        cause = inner.source();
    }
}

/// A progress bar on a terminal's stderr, for big input.
fn bar(sources: &[Source]) -> ProgressBar {
    let sizes = sources.iter().filter_map(|source| std::fs::metadata(&source.path).ok());
    let total: u64 = sizes.map(|metadata| metadata.len()).sum();
    if total < BIG_INPUT || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {binary_bytes}/{binary_total_bytes} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()).with_style(style)
}
