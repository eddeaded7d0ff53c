//! Opening a journal, whatever state it is in.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use ptp_api::{Delivery, Silence};
use ptp_events::journal::{Journal, JournalError};
use ptp_events::{Input, ReceiveClock, Received};
use tokio::sync::mpsc;

use ptp_events::chain;

use super::disk::Disk;
use super::sequencer::Sequencer;
use super::{BATCHES, Given, QUEUE, Queue, Retention, Store, StoredAlert, Undelivered, tables};

/// How often it is tried whether the journal is free.
const RELEASE: Duration = Duration::from_millis(100);
/// How long an agent that is being replaced may take to let go of the journal.
const HANDOVER: Duration = Duration::from_secs(5);

/// A journal that was opened, and what happened to the one before it.
#[derive(Debug)]
pub struct Opened {
    journal: Option<Journal>,
    path: Option<PathBuf>,
    /// What went wrong on opening, for people.
    pub trouble: Option<String>,
}

/// How much of a journal was read back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replayed {
    /// Inputs that were handed out.
    pub inputs: u64,
    /// Inputs that were left out, as their times have not come yet.
    pub left_out: u64,
}

impl Opened {
    /// Opens the journal at `path`; without one, nothing is kept.
    ///
    /// A file that is damaged is put aside under another name, and a new one begun with what can be read of
    /// it: an agent that does not start is blind, and so worse than one that forgot.
    #[must_use]
    pub fn open(path: Option<&Path>) -> Self {
        let Some(path) = path else { return Self { journal: None, path: None, trouble: None } };
        let path = path.to_owned();
        let error = match open_with_tables(&path) {
            Ok(journal) => {
                return Self { journal: Some(journal), path: Some(path), trouble: None };
            }
            Err(error) => error,
        };
        if !error.is_unreadable() || is_text(&path) {
            // Somebody else's file, no right to it, no room: nothing that moving it would mend.
            let trouble = Some(format!("{}; nothing is being kept", chain(&error)));
            return Self { journal: None, path: Some(path), trouble };
        }
        let (journal, trouble) = begin_anew(&path, &error);
        Self { journal, path: Some(path), trouble: Some(trouble) }
    }

    /// Puts a journal aside that turned out to be damaged, and goes on with what can be read of it.
    pub fn mend(&mut self, error: &JournalError) {
        let Some(path) = &self.path else { return };
        // A second writer is kept away, and that would be this one.
        self.journal = None;
        let (journal, trouble) = begin_anew(path, error);
        (self.journal, self.trouble) = (journal, Some(trouble));
    }

    /// Hands everything kept until `until` to `each`, oldest first; what is later was stamped by a clock that
    /// was wrong.
    ///
    /// # Errors
    /// When reading fails.
    pub fn replay(
        &self,
        until: Received,
        mut each: impl FnMut(Received, Input),
    ) -> Result<Replayed, JournalError> {
        let mut replayed = Replayed::default();
        let Some(journal) = &self.journal else { return Ok(replayed) };
        let mut seq = 0;
        loop {
            let entries = journal.after(seq, 10_000)?;
            let Some(last) = entries.last() else { return Ok(replayed) };
            if last.seq <= seq {
                // Numbers that go back are damaged; what follows would be read for ever.
                return Ok(replayed);
            }
            seq = last.seq;
            for entry in entries {
                if entry.received > until {
                    replayed.left_out += 1;
                    continue;
                }
                replayed.inputs += 1;
                each(entry.received, entry.input);
            }
        }
    }

    /// The alerts that were raised.
    ///
    /// # Errors
    /// When reading fails.
    pub fn told(&mut self) -> Result<Vec<StoredAlert>, JournalError> {
        match &mut self.journal {
            Some(journal) => Ok(tables::all_alerts(journal)?),
            None => Ok(Vec::new()),
        }
    }

    /// What no sink has taken yet, in the order in which it came.
    ///
    /// # Errors
    /// When reading fails.
    pub fn undelivered(&mut self) -> Result<Vec<Undelivered>, JournalError> {
        match &mut self.journal {
            Some(journal) => Ok(tables::undelivered(journal)?),
            None => Ok(Vec::new()),
        }
    }

    /// The latest deliveries, oldest first.
    ///
    /// # Errors
    /// When reading fails.
    pub fn deliveries(&mut self) -> Result<Vec<Delivery>, JournalError> {
        match &mut self.journal {
            Some(journal) => Ok(tables::all_deliveries(journal)?),
            None => Ok(Vec::new()),
        }
    }

    /// The silences that were made.
    ///
    /// # Errors
    /// When reading fails.
    pub fn silences(&mut self) -> Result<Vec<Silence>, JournalError> {
        match &mut self.journal {
            Some(journal) => Ok(tables::all_silences(journal)?),
            None => Ok(Vec::new()),
        }
    }

    /// Starts the writer. What is given comes out of the receiver in order, in batches.
    #[must_use]
    pub fn start(
        self,
        path: Option<PathBuf>,
        retention: Retention,
        clock: ReceiveClock,
        // Until a publisher agrees, a start long after the last entry may be a wrong clock's.
        latest: Option<Received>,
    ) -> (Store, mpsc::Receiver<Arc<Vec<Given>>>, JoinHandle<()>) {
        let (sender, items) = mpsc::channel(QUEUE);
        let (out, given) = mpsc::channel(BATCHES);
        let end = sender.clone().try_reserve_owned().ok();
        let store = Store {
            queue: Arc::new(Mutex::new(Queue { sender: Some(sender), end })),
            clock,
            counts: Arc::default(),
            failure: Arc::new(Mutex::new(self.trouble.clone().filter(|_| self.journal.is_none()))),
            held: Arc::default(),
            path: path.filter(|_| self.journal.is_some()),
        };
        let gap = latest.map(|latest| store.clock.stamp().since(latest));
        let is_sure = gap.is_none_or(|gap| gap <= retention.age);
        store.counts.clock_agrees.store(is_sure, Ordering::Relaxed);
        let disk = Disk::new(self.journal, store.path.clone(), retention, &store);
        let sequencer = Sequencer::new(&store);
        let thread = std::thread::spawn(move || sequencer.run(disk, items, out));
        (store, given, thread)
    }
}

/// Puts a damaged journal aside and begins a new one with what can be read of it; and what to tell people.
pub(super) fn begin_anew(path: &Path, error: &JournalError) -> (Option<Journal>, String) {
    let why = chain(error);
    let aside = put_aside(path);
    let (Ok(mut journal), Some(aside)) = (open_with_tables(path), aside) else {
        return (None, format!("{why}; nothing is being kept"));
    };
    let salvaged = match journal.salvage(&aside) {
        Ok(salvaged) => {
            tables::salvage(&mut journal, &aside);
            format!("{} entries could be read, {} are lost", salvaged.kept, salvaged.lost)
        }
        Err(error) => format!("what could be read cannot be written: {}", chain(&error)),
    };
    (Some(journal), format!("{why}; begun anew: {salvaged}; the old one is `{}`", aside.display()))
}

/// Whether a file begins with text: then it was never a journal, damaged or not, and is somebody's.
fn is_text(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    // So does a journal, for its first sixteen bytes.
    read.is_ok()
        && !head.is_empty()
        && head.iter().all(|b| matches!(b, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// Renames a journal and what belongs to it to a name that is not taken.
fn put_aside(path: &Path) -> Option<PathBuf> {
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free =
        (0..1000).map(|n| with(path, &format!(".unreadable-{n}"))).find(|to| !to.exists())?;
    std::fs::rename(path, &free).ok()?;
    for suffix in ["-wal", "-shm"] {
        // There may be none.
        let _ = std::fs::rename(with(path, suffix), with(&free, suffix));
    }
    Some(free)
}

pub(super) fn open_with_tables(path: &Path) -> Result<Journal, JournalError> {
    let mut tries = HANDOVER.as_millis() / RELEASE.as_millis();
    let mut journal = loop {
        match Journal::open(path) {
            Err(JournalError::InUse { .. }) if tries > 0 => tries -= 1,
            outcome => break outcome?,
        }
        std::thread::sleep(RELEASE);
    };
    tables::create(&mut journal)?;
    Ok(journal)
}
