//! `ptp-cli diagnose`: files in, diagnosis out.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use ptp_diagnostics::report::{Generator, NodeReport, Report};
use ptp_diagnostics::stability::Gatherer;
use ptp_diagnostics::{Engine, NodeState, Settings, Severity};
use ptp_events::daemon::DaemonSettings;
use ptp_events::recording::Recorded;

use crate::args::{DiagnoseArgs, Format};
use crate::input;
use crate::pods::Pods;
use crate::reading::{Ended, How, Started};
use crate::refused::InputError;
use crate::source::STDIN;
use crate::sources::{self, Sources};
use crate::{Outcome, interrupt, journal, output, render, thresholds, topology, what};

/// How long an offset in a log must be over the threshold to count as FREERUN: a log holds every
/// measurement, and one bad one, corrected with the next, was observed on a healthy system
/// (docs/protocol.md §5).
const LOG_SETTLE: Duration = Duration::from_secs(1);

/// How wide what goes into a file is.
const WIDTH: usize = 80;

pub(crate) fn run(args: &DiagnoseArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    // Before anything is unpacked, and before an input is read that cannot be read again.
    interrupt::watch();
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
    if args.format == Format::Html {
        settings.curve_points = ptp_view::CURVE_POINTS;
    }
    let (mut report, whole) = diagnose(args, &settings)?;
    report.generator =
        Generator { name: "ptp-cli".into(), version: env!("CARGO_PKG_VERSION").into() };
    let files = args.files.iter().chain(&args.journal);
    report.input.files = files.map(|path| path.display().to_string()).collect();
    known(&report, args)?;
    select(&mut report, args);
    match args.output.as_deref().filter(|path| *path != Path::new(STDIN)) {
        None => {
            let told =
                render(args, render::terminal_width(), &report, out).and_then(|()| out.flush());
            // Who closes a pipe has read enough; what was found is so all the same.
            if told.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe) {
                told?;
            }
        }
        Some(path) => {
            let mut text = Vec::new();
            render(args, WIDTH, &report, &mut text)?;
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

fn render(
    args: &DiagnoseArgs,
    width: usize,
    report: &Report,
    out: &mut dyn Write,
) -> io::Result<()> {
    match args.format {
        Format::Human if args.brief => render::brief(report, out),
        Format::Human => render::human(report, width, out),
        Format::Json => render::json(report, out),
        Format::Ndjson => render::ndjson(report, out),
        Format::Html => out.write_all(ptp_view::report(report).as_bytes()),
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
    let how = How { window: settings.reorder_window, sort, strict: args.strict };
    let reading = Started::begin(sources, &log_settings(settings), how)?;
    let settings = match reading.looked_every() {
        Some(every) => settings.clone().looked_at_every(every),
        None => settings.clone(),
    };
    let mut engine = Engine::new(settings);
    let mut gatherer = args.stability.then(Gatherer::default);
    let take = |recorded| feed(&mut engine, &mut gatherer, recorded, args);
    let Some(Ended { whole, malformed, read, span, refusal }) = reading.each(take)? else {
        return Ok(None);
    };
    engine.end(args.settle);
    if let (Some((first, last)), None) = (span, engine.latest()) {
        return Err(InputError::NothingInRange { read, first, last });
    }
    if engine.counts().events == 0 {
        return Err(refusal());
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
