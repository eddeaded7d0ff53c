//! The thread that writes the journal, however slow, full, deleted or damaged it is.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ptp_events::journal::{Journal, JournalError, PRUNED_AT_ONCE};
use ptp_events::{ReceiveClock, Received, chain};

use super::opened::{begin_anew, open_with_tables};
use super::{BATCH, Counts, Given, Record, Retention, Store, tables};

/// How often age and size are looked at.
const PRUNE_EVERY: Duration = Duration::from_mins(5);
/// How long after a failure writing is tried again.
const RETRY: Duration = Duration::from_secs(10);
/// How often it is looked whether the file is still there.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What is written in one go.
pub(super) struct Job {
    pub(super) given: Arc<Vec<Given>>,
    pub(super) records: Vec<Record>,
    /// How many bytes it holds.
    pub(super) bytes: usize,
}

impl Job {
    fn inputs(&self) -> u64 {
        let inputs = self.given.iter().filter(|given| matches!(given, Given::Input(..)));
        inputs.count() as u64
    }
}

/// What became of a journal that could not be written.
enum Failed {
    /// It was damaged, and another one is written now.
    Mended,
    /// Nothing can be written.
    Not,
}

/// The journal, and what is known of its disk.
pub(super) struct Disk {
    journal: Option<Journal>,
    path: Option<PathBuf>,
    /// Which file it is, as the system counts them.
    file: Option<(u64, u64)>,
    retention: Retention,
    counts: Arc<Counts>,
    failure: Arc<Mutex<Option<String>>>,
    clock: ReceiveClock,
    failed: Option<Received>,
    pruned: Option<Received>,
    looked: Received,
}

impl Disk {
    pub(super) fn new(
        journal: Option<Journal>,
        path: Option<PathBuf>,
        retention: Retention,
        store: &Store,
    ) -> Self {
        let clock = store.clock.clone();
        Self {
            file: path.as_deref().and_then(file_of),
            journal,
            path,
            retention,
            counts: Arc::clone(&store.counts),
            failure: Arc::clone(&store.failure),
            failed: None,
            pruned: None,
            looked: clock.stamp(),
            clock,
        }
    }

    /// Writes what is to do, and says of each job when it is done and how many bytes it had.
    pub(super) fn run(mut self, todo: &Receiver<Job>, done: &Sender<usize>) {
        loop {
            match todo.recv_timeout(LOOK_EVERY) {
                Ok(job) => {
                    // What gathered while the disk was slow is written in one go: job by job it would never
                    // catch up.
                    let mut batch = vec![job];
                    let mut inputs = batch[0].given.len();
                    while inputs < BATCH
                        && let Ok(more) = todo.try_recv()
                    {
                        inputs += more.given.len();
                        batch.push(more);
                    }
                    self.take(&batch);
                    for job in &batch {
                        // Nobody may wait any more.
                        let _ = done.send(job.bytes);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.look_after();
        }
    }

    fn take(&mut self, jobs: &[Job]) {
        let now = self.clock.stamp();
        if self.failed.is_some_and(|at| now.since(at) < RETRY) {
            let inputs = jobs.iter().map(Job::inputs).sum();
            self.counts.unwritten.fetch_add(inputs, Ordering::Relaxed);
            return;
        }
        self.failed = match self.write(jobs) {
            Ok(()) => None,
            // It was damaged, and begun anew with what could be read: this goes there.
            Err(Failed::Mended) => self.write(jobs).err().map(|_| now),
            Err(Failed::Not) => Some(now),
        };
    }

    /// What is due from time to time.
    fn look_after(&mut self) {
        let now = self.clock.stamp();
        if now.since(self.looked) >= LOOK_EVERY {
            self.looked = now;
            self.look_for_file();
        }
        if self.pruned.is_none_or(|at| now.since(at) >= PRUNE_EVERY) {
            // With more to remove, go on after the next batch.
            self.pruned = Some(now).filter(|_| !self.prune(now));
        }
    }

    /// Whether the file is still the one that is written: SQLite goes on writing one that was deleted, and
    /// nobody would ever read it.
    fn look_for_file(&mut self) {
        let Some(path) = self.path.clone().filter(|_| self.journal.is_some()) else { return };
        if file_of(&path) == self.file {
            return;
        }
        tracing::error!(path = %path.display(), "the journal was deleted or exchanged; begun anew");
        self.reopen(&path, |path| open_with_tables(path).map_err(|error| chain(&error)));
    }

    fn reopen(&mut self, path: &Path, open: impl FnOnce(&Path) -> Result<Journal, String>) {
        // Its lock would keep ourselves away.
        self.journal = None;
        match open(path) {
            Ok(journal) => {
                self.journal = Some(journal);
                self.file = file_of(path);
            }
            Err(why) => self.fail(why),
        }
    }

    /// Writes jobs in one transaction per kind; inputs first.
    fn write(&mut self, jobs: &[Job]) -> Result<(), Failed> {
        let inputs = || {
            jobs.iter().flat_map(|job| job.given.iter()).filter_map(|given| match given {
                Given::Input(received, input) => Some((*received, input)),
                Given::Time(_) => None,
            })
        };
        let count = jobs.iter().map(Job::inputs).sum();
        if self.journal.is_none()
            && let Some(path) = self.path.clone()
        {
            self.reopen(&path, |path| open_with_tables(path).map_err(|error| chain(&error)));
        }
        let Some(journal) = &mut self.journal else {
            self.counts.unwritten.fetch_add(count, Ordering::Relaxed);
            return if self.path.is_some() { Err(Failed::Not) } else { Ok(()) };
        };
        let appended = if count > 0 { journal.append(inputs()) } else { Ok(()) };
        let counter = if appended.is_ok() { &self.counts.written } else { &self.counts.unwritten };
        counter.fetch_add(count, Ordering::Relaxed);
        let mut records = jobs.iter().flat_map(|job| &job.records).peekable();
        let outcome = if records.peek().is_none() {
            appended
        } else {
            appended.and_then(|()| tables::keep(journal, records))
        };
        match outcome {
            Ok(()) => {
                let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
                if failure.take().is_some() {
                    tracing::info!("the journal is being written again");
                }
                Ok(())
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&mut self, error: &JournalError) -> Failed {
        if let Some(path) = self.path.clone().filter(|_| error.is_unreadable()) {
            self.reopen(&path, |path| match begin_anew(path, error) {
                (Some(journal), told) => {
                    tracing::error!(told, "the journal is damaged");
                    Ok(journal)
                }
                (None, told) => Err(told),
            });
            return if self.journal.is_some() { Failed::Mended } else { Failed::Not };
        }
        self.fail(chain(error));
        Failed::Not
    }

    fn fail(&self, why: String) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref() != Some(&why) {
            tracing::error!(why, "cannot write the journal; diagnosing goes on without it");
        }
        *failure = Some(why);
    }

    /// Removes some of what is too old; true when there may be more.
    fn prune(&mut self, now: Received) -> bool {
        let Some(journal) = &mut self.journal else { return false };
        // What seems old by a clock that nobody agrees with may be all there is.
        let sure = self.counts.clock_agrees.load(Ordering::Relaxed);
        let oldest =
            if sure { now.before(self.retention.age) } else { Received::from_nanos(i64::MIN) };
        let removed = match journal.prune(oldest, self.retention.bytes) {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(why = chain(&error), "cannot remove old entries");
                0
            }
        };
        if removed > 0 {
            tracing::info!(removed, "removed old entries from the journal");
        }
        if let Err(error) = tables::prune(journal, oldest) {
            tracing::warn!(why = chain(&error), "cannot remove old incidents");
        }
        if let Ok(bytes) = journal.size() {
            self.counts.bytes.store(bytes, Ordering::Relaxed);
        }
        removed >= PRUNED_AT_ONCE
    }
}

/// Which file there is at a path, by its device and its number there; `None` when there is none.
fn file_of(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}
