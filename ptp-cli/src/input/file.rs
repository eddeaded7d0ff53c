//! One file: opened, unpacked, and read as what it is.

use std::fs;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::recording::{ReadError, Recorded, Sequence, decompress};

use super::metrics::Told;
use super::parallel::{Parallel, Pool};
use crate::interrupt;
use crate::parts::Parts;
use crate::refused::InputError;
use crate::source::Source;

/// How much is fetched at once of all files together, and of each at most and at least, in bytes.
const BLOCKS: usize = 1 << 22;
const LARGEST_BLOCK: usize = 1 << 18;
const LEAST_BLOCK: usize = 1 << 13;

pub(super) type Input = Box<dyn io::BufRead + Send>;

/// A file that is being read.
pub(crate) enum File {
    Recording(Box<Parallel<Input>>),
    Metrics(Told),
}

impl Iterator for File {
    type Item = Result<Recorded, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Recording(recording) => recording.next(),
            Self::Metrics(told) => told.next(),
        }
    }
}

impl File {
    /// A file of events, or a log.
    pub(super) fn recording(
        source: &Source,
        input: Input,
        daemon: &DaemonSettings,
        pool: Pool,
    ) -> Self {
        let settings = DaemonSettings {
            written: source.written,
            name_is_sure: source.named,
            ..daemon.clone()
        };
        let log = DaemonLog::new(source.node.clone(), settings);
        Self::Recording(Box::new(Parallel::new(input, log, pool)))
    }

    /// What was counted of its lines; `None` of metrics.
    pub(crate) fn sequence(&self) -> Option<&Sequence> {
        match self {
            Self::Recording(recording) => Some(recording.sequence()),
            Self::Metrics(_) => None,
        }
    }

    pub(super) fn daemons(&self) -> impl Iterator<Item = &DaemonLog> {
        self.sequence().into_iter().flat_map(Sequence::daemons)
    }
}

/// Opens a file, one of so many `files` that are open at once.
pub(super) fn open(
    source: &mut Source,
    progress: &Progress,
    files: usize,
) -> Result<Input, InputError> {
    interrupt::watch();
    let block = (BLOCKS / files.max(1)).clamp(LEAST_BLOCK, LARGEST_BLOCK);
    let counted = |input: Box<dyn Read + Send>| {
        let read = Arc::clone(&progress.read);
        BufReader::with_capacity(block, Counting { input, read })
    };
    // It was unpacked when it was looked at.
    if let Some(input) = source.once.take() {
        return Ok(Box::new(counted(Box::new(input))));
    }
    if source.parts.len() > 1 {
        let read = Arc::clone(&progress.read);
        let parts = Parts::new(&source.parts, move |file| {
            let (input, read) = (Box::new(file), Arc::clone(&read));
            Box::new(BufReader::with_capacity(block, Counting { input, read }))
        });
        return Ok(Box::new(BufReader::with_capacity(block, parts)));
    }
    let fail = |error| InputError::Open { path: source.shown.clone(), source: error };
    let file = fs::File::open(&source.path).map_err(fail)?;
    decompress(counted(Box::new(file))).map_err(fail)
}

/// How far reading has come, in bytes of the files as they are on disk.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    pub(crate) read: Arc<AtomicU64>,
}

impl Progress {
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

/// Counts what is read, and ends when an interrupt comes.
struct Counting {
    input: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if interrupt::came() {
            return Ok(0);
        }
        let n = self.input.read(out)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}
