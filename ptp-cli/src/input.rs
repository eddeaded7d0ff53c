//! From files to events, in time order, on a thread of its own.

mod file;
mod metrics;
mod parallel;

use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ptp_events::Received;
use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::metrics::{History, Metrics};
use ptp_events::recording::{Merge, ReadError, Recorded, decompress};

use crate::interrupt;
use crate::refused::InputError;
use crate::source::Source;
use crate::what::Lines;
pub(crate) use file::{File, Progress};
use metrics::Gathered;
use parallel::Pool;

/// How many events travel together, and how many such batches may wait.
const BATCH: usize = 1024;
const BATCHES: usize = 8;

/// What the reading thread hands over.
pub(crate) enum Message {
    /// Events, in time order but for at most the window.
    Events(Vec<Recorded>),
    /// A line of a file was passed over.
    Bad(PathBuf, ReadError),
    /// A file holds a log of linuxptp-daemon in which no line tells the time of day.
    NoWallClock(PathBuf),
    /// The wall clock was set so often while a log was written.
    ClockSet(PathBuf, u64),
    /// Nothing in a file is an event, or understood.
    Unread(PathBuf, Lines),
    /// A file could not be read on: it was cut off, or is damaged.
    Torn(PathBuf, ReadError),
    /// An event came later than any window allows: read again, with sorting.
    Disorder,
    /// Everything has been read.
    End,
}

/// The threads that decode.
fn pool() -> Result<Pool, InputError> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|n| format!("decode-{n}")).build();
    Ok(Pool::new(pool.map_err(|source| InputError::Threads { source })?))
}

/// Reads one file alone, to see what is in it.
pub(crate) fn read_one(source: &mut Source, daemon: &DaemonSettings) -> Result<File, InputError> {
    let mut input = file::open(source, &Progress::default(), 1)?;
    if !Gathered::are_next(&mut input) {
        return Ok(File::recording(source, input, daemon, pool()?));
    }
    let mut metrics = Gathered::default();
    metrics.read(0, source.shown.clone(), input, source.written)?;
    Ok(File::Metrics(
        metrics.finish().map_or_else(|| Box::new(std::iter::empty()) as _, |(_, told)| told),
    ))
}

/// What comes of the files.
pub(crate) struct Reading {
    pub(crate) messages: Receiver<Message>,
    /// How often was looked, where some of them are metrics.
    pub(crate) looked_every: Option<Duration>,
    /// The scrapes themselves, where lines are told as they are.
    pub(crate) scrapes: Vec<(Received, Metrics)>,
}

/// Reads the files on a thread. Dropping the receiver stops it.
///
/// With `sort`, all events are held in memory and put in order; otherwise they stream, and
/// [`Message::Disorder`] says when that does not do.
pub(crate) fn read(
    files: &mut [Source],
    daemon: &DaemonSettings,
    window: Duration,
    sort: bool,
    progress: &Progress,
) -> Result<Reading, InputError> {
    let pool = pool()?;
    let mut readers = Vec::new();
    let count = files.len();
    let mut metrics = Gathered::default();
    for (index, source) in files.iter_mut().enumerate() {
        let mut input = file::open(source, progress, count)?;
        if Gathered::are_next(&mut input) {
            metrics.read(index, source.shown.clone(), input, source.written)?;
            readers.push(File::Metrics(Box::new(std::iter::empty())));
        } else {
            readers.push(File::recording(source, input, daemon, pool.clone()));
        }
    }
    let looked_every = metrics.interval();
    let scrapes = if daemon.verbatim { metrics.scrapes() } else { Vec::new() };
    if let Some((index, told)) = metrics.finish() {
        readers[index] = File::Metrics(told);
    }
    let (sender, messages) = sync_channel(BATCHES);
    let paths: Vec<_> = files.iter().map(|source| source.shown.clone()).collect();
    let reading = std::thread::Builder::new().name("read".to_owned());
    let spawned = reading.spawn(move || {
        let merge = Merge::new(readers);
        if sort {
            sorted(merge, &paths, &sender);
        } else {
            streamed(merge, &paths, window, &sender);
        }
    });
    spawned.map_err(|source| InputError::Thread { source })?;
    Ok(Reading { messages, looked_every, scrapes })
}

/// Whether reading again is possible, which it is not for pipes.
pub(crate) fn can_reread(files: &[Source]) -> bool {
    files.iter().all(|source| source.once.is_none())
}

fn streamed(
    mut merge: Merge<File>,
    paths: &[PathBuf],
    window: Duration,
    sender: &SyncSender<Message>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut latest: Option<Received> = None;
    for (source, item) in merge.by_ref() {
        match item {
            Ok(recorded) => {
                let time = recorded.time();
                if latest.is_some_and(|latest| latest.since(time) > window) {
                    let _ = sender.send(Message::Disorder);
                    return;
                }
                latest = latest.max(Some(time));
                batch.push(recorded);
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    if sender.send(Message::Events(full)).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                if pass_on(error, &paths[source], sender).is_err() {
                    return;
                }
            }
        }
    }
    let _ = sender.send(Message::Events(batch));
    end(&merge, paths, sender);
}

/// Says that this is the end, and before that what is only known then.
fn end(merge: &Merge<File>, paths: &[PathBuf], sender: &SyncSender<Message>) {
    for (source, path) in merge.sources().iter().zip(paths) {
        if let Some(sequence) = source.sequence().filter(|sequence| sequence.is_without_evidence())
        {
            let _ = sender.send(Message::Unread(path.clone(), Lines::of(sequence)));
        }
        let mut read = source.daemons().filter(|log| log.understood_lines() > 0);
        if read.any(|log| !log.has_wall_clock()) {
            let _ = sender.send(Message::NoWallClock(path.clone()));
        }
        let jumps = source.daemons().map(DaemonLog::wall_clock_jumps).sum();
        if jumps > 0 {
            let _ = sender.send(Message::ClockSet(path.clone(), jumps));
        }
    }
    let _ = sender.send(Message::End);
}

fn sorted(mut merge: Merge<File>, paths: &[PathBuf], sender: &SyncSender<Message>) {
    let mut all = Vec::new();
    for (source, item) in merge.by_ref() {
        match item {
            Ok(recorded) => all.push(recorded),
            Err(error) => {
                if pass_on(error, &paths[source], sender).is_err() {
                    return;
                }
            }
        }
    }
    all.sort_by_key(Recorded::time);
    let _ = sender.send(Message::Events(all));
    end(&merge, paths, sender);
}

/// The receiver is gone, or should be.
struct Stop;

fn pass_on(error: ReadError, path: &Path, sender: &SyncSender<Message>) -> Result<(), Stop> {
    let path = path.to_owned();
    match error {
        error @ ReadError::Line { .. } => sender.send(Message::Bad(path, error)).map_err(|_| Stop),
        // What is compressed and not read to its end looks torn.
        _ if interrupt::came() => Ok(()),
        error => sender.send(Message::Torn(path, error)).map_err(|_| Stop),
    }
}

/// What a file without events is, from its first bytes; nothing can be told of what is read once.
pub(crate) fn looks_like(path: &Path) -> Option<&'static str> {
    let mut head = Vec::new();
    let file = fs::File::open(path).ok()?;
    let input = decompress(BufReader::new(file)).ok()?;
    input.take(4096).read_to_end(&mut head).ok()?;
    let text = String::from_utf8_lossy(&head);
    if text.trim().is_empty() {
        Some("the file is empty")
    } else if History::looks_like(&text) {
        Some(
            "these are metrics, and none of linuxptp-daemon's (`openshift_ptp_clock_state` and others)",
        )
    } else if text.contains("\"request\"") && text.contains("\"status\"") {
        Some("this looks like a record of REST calls")
    } else if text.chars().filter(|c| is_no_text(*c)).count() * 8 > text.chars().count() {
        Some("this is no text")
    } else {
        None
    }
}

fn is_no_text(c: char) -> bool {
    c == char::REPLACEMENT_CHARACTER
        || (c.is_control() && !c.is_ascii_whitespace() && c != '\u{1b}')
}
