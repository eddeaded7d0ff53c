//! `ptp-cli diagnose --what`: what each file is taken for, and how much of it is understood.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use ptp_diagnostics::text::moment;
use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::recording::{ReadError, Sequence};
use ptp_events::{EventId, Received};
use serde::Serialize;

use crate::args::Format;
use crate::input::{self, File};
use crate::pods::Pods;
use crate::refused::InputError;
use crate::source::Source;
use crate::sources::Sources;

/// How many names are listed of a file.
const SHOWN_NODES: usize = 5;

/// What was found in one file.
#[derive(Debug, Serialize)]
pub(crate) struct What {
    file: String,
    /// `events`, `log`, `metrics`, or several of these; `nothing`.
    taken_for: String,
    nodes: Vec<String>,
    processes: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Received>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Received>,
    /// Events that a publisher sent.
    events: u64,
    lines: Lines,
    /// Why not all of it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    torn: Option<String>,
}

/// The lines of a file that are no events.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Lines {
    /// linuxptp's, and understood.
    understood: u64,
    /// linuxptp's, and nothing that is known to mean anything.
    ignored: u64,
    /// What claims to be an event and is none.
    malformed: u64,
    /// Anything else.
    foreign: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_ignored: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_malformed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_foreign: Option<String>,
}

impl What {
    /// Reads `source` to its end.
    pub(crate) fn is(
        source: &mut Source,
        pods: &Pods,
        daemon: &DaemonSettings,
    ) -> Result<Self, InputError> {
        let file = source.shown.display().to_string();
        let mut reading = input::read_one(source, daemon)?;
        let is_metrics = matches!(reading, File::Metrics(_));
        let mut nodes = BTreeSet::new();
        let (mut first, mut last): (Option<Received>, Option<Received>) = (None, None);
        let (mut events, mut evidence) = (0, 0);
        let mut lines = Lines::default();
        let mut torn = None;
        for recorded in &mut reading {
            match recorded {
                Ok(recorded) => {
                    let time = recorded.time();
                    first = Some(first.map_or(time, |first| first.min(time)));
                    last = last.max(Some(time));
                    evidence += 1;
                    let event = recorded.evidence.event();
                    events += u64::from(event.is_some_and(|event| is_published(&event.id)));
                    let node = recorded.evidence.node();
                    let node = pods.node_of(node).unwrap_or(node);
                    if !nodes.contains(node) {
                        nodes.insert(node.clone());
                    }
                }
                Err(ReadError::Line { excerpt, .. }) => {
                    lines.push_malformed(&excerpt);
                }
                Err(error) => torn = Some(error.to_string()),
            }
        }
        let mut processes = BTreeSet::new();
        if let Some(sequence) = reading.sequence() {
            lines = Lines {
                malformed: lines.malformed,
                first_malformed: lines.first_malformed,
                ..Lines::of(sequence)
            };
            processes = sequence.daemons().flat_map(DaemonLog::processes).collect();
        }
        if is_metrics {
            events = 0;
        }
        let kinds = [
            ("metrics", is_metrics && evidence > 0),
            ("events", events > 0),
            ("log", !processes.is_empty()),
        ];
        let kinds: Vec<_> = kinds.into_iter().filter(|(_, is)| *is).map(|(kind, _)| kind).collect();
        let taken_for = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(" and ") };
        Ok(Self {
            file,
            taken_for,
            nodes: nodes.iter().map(ToString::to_string).collect(),
            processes: processes.into_iter().collect(),
            first,
            last,
            events,
            lines,
            torn,
        })
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.taken_for == "nothing"
    }
}

impl Lines {
    /// What was counted while a recording was read.
    pub(crate) fn of(sequence: &Sequence) -> Self {
        let daemons = || sequence.daemons();
        Self {
            understood: daemons().map(DaemonLog::understood_lines).sum(),
            ignored: daemons().map(DaemonLog::ignored_lines).sum(),
            foreign: sequence.foreign_lines(),
            malformed: 0,
            first_ignored: daemons().find_map(DaemonLog::first_ignored).map(str::to_owned),
            first_foreign: sequence.first_foreign().map(str::to_owned),
            first_malformed: None,
        }
    }

    /// Notes how many lines claim to be events.
    pub(crate) const fn set_malformed(&mut self, count: u64) {
        self.malformed = count;
    }

    /// Notes a line that claims to be an event.
    fn push_malformed(&mut self, excerpt: &str) {
        self.malformed += 1;
        self.first_malformed.get_or_insert_with(|| excerpt.to_owned());
    }

    /// What tells nothing, in a sentence.
    pub(crate) fn rest(&self) -> Option<String> {
        let kinds = [
            (self.ignored, "linuxptp's, telling nothing of a clock", &self.first_ignored),
            (self.malformed, "JSON and no event of PTP", &self.first_malformed),
            (self.foreign, "neither linuxptp's nor events", &self.first_foreign),
        ];
        let mut told = String::new();
        for (count, what, sample) in kinds.into_iter().filter(|(count, ..)| *count > 0) {
            let so = if count == 1 { "line is" } else { "lines are" };
            let join = if told.is_empty() { "" } else { "; " };
            let _ = write!(told, "{join}{count} {so} {what}");
            if let Some(sample) = sample {
                let _ = write!(told, ", such as `{}`", sample.trim().escape_debug());
            }
        }
        (!told.is_empty()).then_some(told)
    }
}

/// Whether an event was sent, and is not drawn from a line of a log.
fn is_published(id: &EventId) -> bool {
    let id = id.to_string();
    !id.strip_prefix("line-").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Tells what each of `sources` is; whether any of them is anything.
pub(crate) fn tell(
    sources: &mut Sources,
    daemon: &DaemonSettings,
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut told = Vec::new();
    for source in &mut sources.list {
        let what = What::is(source, &sources.pods, daemon)?;
        match format {
            Format::Json => told.push(what),
            Format::Ndjson => {
                serde_json::to_writer(&mut *out, &what)?;
                writeln!(out)?;
                told.push(what);
            }
            Format::Human | Format::Html | Format::Markdown | Format::Junit => {
                human(&what, out)?;
                told.push(what);
            }
        }
    }
    if matches!(format, Format::Json) {
        serde_json::to_writer_pretty(&mut *out, &told)?;
        writeln!(out)?;
    }
    Ok(told.iter().any(|what| !what.is_nothing()))
}

fn human(what: &What, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", what.file)?;
    let processes = match what.processes.as_slice() {
        [] => String::new(),
        processes => format!(" of {}", processes.join(", ")),
    };
    writeln!(out, "  taken for  {}{processes}", what.taken_for)?;
    if let (Some(first), Some(last)) = (what.first, what.last) {
        writeln!(out, "  from       {} to {}", moment(first), moment(last))?;
    }
    if !what.nodes.is_empty() {
        let shown: Vec<_> = what.nodes.iter().take(SHOWN_NODES).map(String::as_str).collect();
        let more = what.nodes.len() - shown.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        writeln!(out, "  nodes      {}{more}", shown.join(", "))?;
    }
    if what.events > 0 {
        writeln!(out, "  events     {}", what.events)?;
    }
    if what.lines.understood > 0 {
        writeln!(out, "  understood {} lines", what.lines.understood)?;
    }
    if let Some(rest) = what.lines.rest() {
        writeln!(out, "  otherwise  {rest}")?;
    }
    if let Some(torn) = &what.torn {
        writeln!(out, "  torn       {torn}")?;
    }
    Ok(())
}
