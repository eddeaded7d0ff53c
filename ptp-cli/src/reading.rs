//! Reads everything there is, in the order of time, and says what was not read.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ptp_events::Received;
use ptp_events::daemon::DaemonSettings;
use ptp_events::metrics::Metrics;
use ptp_events::recording::{ReadError, Recorded};

use crate::input::{self, Message, Progress, Reading};
use crate::interrupt;
use crate::pods::Pods;
use crate::refused::InputError;
use crate::source::Source;
use crate::sources::Sources;

/// How many bad lines of one file are shown before they are only counted.
const SHOWN_BAD_LINES: u64 = 10;
/// From how much input on a progress bar is worth the space, in bytes.
const BIG_INPUT: u64 = 64 << 20;

const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default().bold();

/// How to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    /// How far out of order events may come.
    pub(crate) window: Duration,
    /// Whether to hold everything in memory and put it in order.
    pub(crate) sort: bool,
    /// Whether what cannot be read is an error.
    pub(crate) strict: bool,
}

/// Reading that has begun.
pub(crate) struct Started<'a> {
    reading: Reading,
    sources: &'a [Source],
    pods: &'a Pods,
    progress: Progress,
    bar: ProgressBar,
    strict: bool,
}

/// What came of it.
pub(crate) struct Ended<'a> {
    /// Whether everything could be read.
    pub(crate) whole: bool,
    /// How many lines were no events.
    pub(crate) malformed: u64,
    /// How many events there were, and from when to when.
    pub(crate) read: u64,
    pub(crate) span: Option<(Received, Received)>,
    /// What to say where nothing came of it.
    pub(crate) refusal: Box<dyn FnOnce() -> InputError + 'a>,
}

impl<'a> Started<'a> {
    pub(crate) fn begin(
        sources: &'a mut Sources,
        daemon: &DaemonSettings,
        how: How,
    ) -> Result<Self, InputError> {
        let (pods, list) = (&sources.pods, sources.list.as_mut_slice());
        let progress = Progress::default();
        let bar = bar(list);
        let reading = input::read(list, daemon, how.window, how.sort, &progress)?;
        Ok(Self { reading, sources: list, pods, progress, bar, strict: how.strict })
    }

    /// How often was looked, where some of it are metrics.
    pub(crate) fn looked_every(&self) -> Option<Duration> {
        self.reading.looked_every
    }

    /// The scrapes, where some of it are metrics.
    pub(crate) fn scrapes(&self) -> &[(Received, Metrics)] {
        &self.reading.scrapes
    }

    /// Hands out everything; `None` when the input is not in order and must be sorted.
    pub(crate) fn each(
        self,
        mut take: impl FnMut(Recorded),
    ) -> Result<Option<Ended<'a>>, InputError> {
        let Self { reading, sources, pods, progress, bar, strict } = self;
        interrupt::watch();
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
                        take(recorded);
                    }
                }
                Message::Bad(path, problem) if strict => {
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
                Message::Torn(path, problem) if strict => {
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
        if interrupt::came() {
            anstream::eprintln!("interrupted; this is what was read until then");
            whole &= piped;
        }
        if !ended {
            return Err(InputError::Stopped);
        }
        for (path, count) in bad.iter().filter(|(_, count)| **count > SHOWN_BAD_LINES) {
            let more = count - SHOWN_BAD_LINES;
            anstream::eprintln!("warning: `{}`: {more} more lines are not events", path.display());
        }
        let refusal = move || {
            let known = sources.iter().find_map(|source| input::looks_like(&source.path));
            let told = || unread.iter().find_map(|lines| Some(format!("of it {}", lines.rest()?)));
            let found = known.map(str::to_owned).or_else(told);
            let paths = sources.iter().map(|source| source.shown.clone()).collect();
            InputError::NoEvents { paths, found }
        };
        let malformed = bad.values().sum();
        Ok(Some(Ended { whole, malformed, read, span, refusal: Box::new(refusal) }))
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
