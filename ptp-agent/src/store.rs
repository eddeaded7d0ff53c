//! One writer for everything that is kept, and one order for everything the engine is given.
//!
//! What arrives is stamped and queued under one lock, so that the order of the queue is the order
//! of the receive times. A thread of its own takes what has gathered, commits it in one go, tells
//! those who wait, and passes it on to the engine. So what is answered with 204 is in the journal,
//! and what the engine saw is what reading the journal gives again.

mod tables;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ptp_events::journal::{Journal, JournalError};
use ptp_events::{Input, ReceiveClock, Received};
use tokio::sync::mpsc;
use tokio::sync::oneshot;

pub use tables::{IncidentQuery, Silence, StoredAlert, StoredIncident, Undelivered};

/// How many inputs may wait to be written; a publisher sends at most about 1500 per second
/// (observed, see docs/protocol.md §3).
const QUEUE: usize = 20_000;
/// How many bytes they may have together: more than as many real events of 600 bytes have, and a bound on what a hostile publisher can make us hold.
const QUEUE_BYTES: usize = 16 << 20;
/// How many batches may wait for the engine, each of which may have as many bytes as the queue.
const BATCHES: usize = 16;
/// How many are committed together.
const BATCH: usize = 2_000;
/// How long to wait for room in the queue.
const ROOM: Duration = Duration::from_millis(50);
/// How often age and size are looked at.
const PRUNE_EVERY: Duration = Duration::from_mins(5);
/// How often it is tried whether the journal is free.
const RELEASE: Duration = Duration::from_millis(100);
/// How long an agent that is being replaced may take to let go of the journal.
const HANDOVER: Duration = Duration::from_secs(5);
/// How long after a failure writing is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// What is kept, and for how long.
#[derive(Clone, Debug)]
pub struct Retention {
    /// How old an entry may get.
    pub age: Duration,
    /// How large the journal may get, in bytes.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Duration::from_hours(7 * 24), bytes: 1 << 30 }
    }
}

/// Something the engine is given, with its time.
#[derive(Debug)]
pub enum Given {
    /// An input.
    Input(Received, Input),
    /// Nothing but the time.
    Time(Received),
}

/// Something to be kept that is not an input.
#[derive(Debug)]
pub enum Record {
    /// An incident as it is now.
    Incident(Box<StoredIncident>),
    /// People are to be told.
    Alert(Box<StoredAlert>),
    /// An alert was handed to the sinks, and these are to deliver it.
    Handed {
        /// The incident, the status and the time of the alert.
        alert: (String, String, Received),
        /// What waits for each sink from now on.
        waiting: Vec<Undelivered>,
    },
    /// What waits for a sink has changed.
    Undelivered(Undelivered),
    /// A silence was made or ended.
    Silence(Silence),
}

enum Item {
    Given(Given, Option<oneshot::Sender<Result<(), NotStored>>>),
    Record(Record),
    /// Nothing more is given; what comes of what was may still be recorded.
    End,
}

/// Where items wait to be written.
#[derive(Debug)]
struct Queue {
    /// Gone once nothing more is taken at all.
    sender: Option<mpsc::Sender<Item>>,
    /// The place of [`Item::End`], so that there is one however full the queue is.
    end: Option<mpsc::OwnedPermit<Item>>,
}

/// Why something was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStored {
    /// The queue is full.
    #[error("too much is waiting to be written")]
    Busy,
    /// The writer has stopped.
    #[error("the store has stopped")]
    Stopped,
}

/// What the writer counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Inputs written.
    pub written: AtomicU64,
    /// Inputs that went to the engine without being written, because the disk failed.
    pub unwritten: AtomicU64,
    /// Inputs and records refused because the queue was full.
    pub refused: AtomicU64,
    /// The size of the journal in bytes, when it was last looked at.
    pub bytes: AtomicU64,
}

/// The sending end of the store.
#[derive(Clone, Debug)]
pub struct Store {
    queue: Arc<Mutex<Queue>>,
    clock: ReceiveClock,
    counts: Arc<Counts>,
    failure: Arc<Mutex<Option<String>>>,
    /// How many bytes wait in the queue.
    held: Arc<AtomicUsize>,
    path: Option<PathBuf>,
}

impl Store {
    /// Gives the engine an input; returns once it is durable.
    ///
    /// While the disk fails this returns all the same, because a subscription cannot be made
    /// unless its first event is accepted, and the engine goes on; [`Self::failure`] says so.
    ///
    /// # Errors
    /// When the queue is full, or the store has stopped.
    pub async fn give(&self, input: Input) -> Result<(), NotStored> {
        self.give_all(vec![input]).await
    }

    /// Gives the engine several inputs, one after another with nothing between, under the rules of
    /// [`Self::give`]; all of them or none.
    ///
    /// # Errors
    /// When they do not all fit into the queue, or the store has stopped.
    pub async fn give_all(&self, inputs: Vec<Input>) -> Result<(), NotStored> {
        if inputs.is_empty() {
            return Ok(());
        }
        let (done, wait) = oneshot::channel();
        // What is behind in the queue is never durable before what is ahead.
        let (mut done, last) = (Some(done), inputs.len() - 1);
        let bytes = inputs.iter().map(weight).sum();
        let items = inputs.into_iter().enumerate().map(|(index, input)| {
            let done = if index == last { done.take() } else { None };
            move |received| Item::Given(Given::Input(received, input), done)
        });
        self.enqueue(items, bytes)?;
        wait.await.unwrap_or(Err(NotStored::Stopped))
    }

    /// Gives the engine an input, and does not wait until it is durable; while too much is waiting
    /// to be written, waits for room.
    ///
    /// For what nobody was promised to keep: waiting for the disk each time, a thousand nodes'
    /// states would take longer to come in than until they are asked for again.
    ///
    /// # Errors
    /// When the store has stopped.
    pub async fn give_soon(&self, input: Input) -> Result<(), NotStored> {
        loop {
            let input = input.clone();
            let bytes = weight(&input);
            let item = |received| Item::Given(Given::Input(received, input), None);
            match self.enqueue(std::iter::once(item), bytes) {
                Err(NotStored::Busy) => tokio::time::sleep(ROOM).await,
                outcome => return outcome,
            }
        }
    }

    /// Tells the engine the time, after everything that was given before.
    ///
    /// # Errors
    /// When the queue is full, or the store has stopped.
    pub fn tell_time(&self) -> Result<(), NotStored> {
        self.enqueue(std::iter::once(|received| Item::Given(Given::Time(received), None)), 0)
    }

    /// Keeps a record, soon.
    ///
    /// # Errors
    /// When the queue is full, or the store has stopped.
    pub fn record(&self, record: Record) -> Result<(), NotStored> {
        let queue = self.queue();
        let sender = queue.sender.as_ref().ok_or(NotStored::Stopped)?;
        sender.try_send(Item::Record(record)).map_err(|error| self.refused(&error, 1))
    }

    fn enqueue<I, F>(&self, items: I, bytes: usize) -> Result<(), NotStored>
    where
        I: ExactSizeIterator<Item = F>,
        F: FnOnce(Received) -> Item,
    {
        // Held for stamps and pushes: no I/O, and nothing that waits.
        let queue = self.queue();
        let Queue { sender: Some(sender), end: Some(_) } = &*queue else {
            return Err(NotStored::Stopped);
        };
        let count = items.len();
        if self.held.load(Ordering::Relaxed).saturating_add(bytes) > QUEUE_BYTES {
            self.counts.refused.fetch_add(count as u64, Ordering::Relaxed);
            return Err(NotStored::Busy);
        }
        let places = sender.try_reserve_many(count).map_err(|error| self.refused(&error, count))?;
        self.held.fetch_add(bytes, Ordering::Relaxed);
        for (place, item) in places.zip(items) {
            place.send(item(self.clock.stamp()));
        }
        Ok(())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused<T>(&self, error: &mpsc::error::TrySendError<T>, count: usize) -> NotStored {
        match error {
            mpsc::error::TrySendError::Full(_) => {
                self.counts.refused.fetch_add(count as u64, Ordering::Relaxed);
                NotStored::Busy
            }
            mpsc::error::TrySendError::Closed(_) => NotStored::Stopped,
        }
    }

    /// Why nothing is being written, if the disk is failing.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was counted.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How many items wait to be written.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let queue = self.queue();
        let taken = |sender: &mpsc::Sender<Item>| sender.max_capacity() - sender.capacity();
        let reserved = usize::from(queue.end.is_some());
        queue.sender.as_ref().map_or(0, taken).saturating_sub(reserved)
    }

    /// Gives the engine nothing more: it ends once it was given what waits. What it finds until
    /// then is still recorded, or it would be told again after the next start.
    pub fn close(&self) {
        if let Some(place) = self.queue().end.take() {
            place.send(Item::End);
        }
    }

    /// Records nothing more; the writer ends once what waits is written.
    pub(crate) fn finish(&self) {
        self.close();
        self.queue().sender = None;
    }

    /// The clock that stamps what is given.
    #[must_use]
    pub const fn clock(&self) -> &ReceiveClock {
        &self.clock
    }

    /// A connection for reading; `None` when nothing is kept on disk.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> Result<Option<Journal>, JournalError> {
        self.path.as_deref().map(Journal::open_read_only).transpose()
    }

    /// Incidents in the journal that are not among `held`, the newest first.
    ///
    /// # Errors
    /// When reading fails.
    pub fn older_incidents(
        &self,
        wanted: &IncidentQuery,
        held: &[String],
        skip: usize,
        limit: usize,
    ) -> Result<Vec<serde_json::Value>, JournalError> {
        let Some(mut journal) = self.reader()? else { return Ok(Vec::new()) };
        tables::older_incidents(&mut journal, wanted, held, skip, limit)
    }

    /// The incident of this id, as the journal has it.
    ///
    /// # Errors
    /// When reading fails.
    pub fn incident(&self, id: &str) -> Result<Option<serde_json::Value>, JournalError> {
        let Some(mut journal) = self.reader()? else { return Ok(None) };
        tables::incident(&mut journal, id)
    }
}

/// A journal that was opened, and what happened to the one before it.
#[derive(Debug)]
pub struct Opened {
    journal: Option<Journal>,
    /// What went wrong on opening, for people.
    pub trouble: Option<String>,
}

impl Opened {
    /// Opens the journal at `path`; without one, nothing is kept.
    ///
    /// A file that cannot be read is put aside under another name and a new one begun: an agent
    /// that does not start is blind, and so worse than one that forgot.
    #[must_use]
    pub fn open(path: Option<&Path>) -> Self {
        let Some(path) = path else { return Self { journal: None, trouble: None } };
        let error = match open_with_tables(path) {
            Ok(journal) => return Self { journal: Some(journal), trouble: None },
            Err(error) => error,
        };
        let why = chain(&error);
        if !error.is_unreadable() || is_text(path) {
            // Somebody else's file, no right to it, no room: nothing that moving it would mend.
            return Self { journal: None, trouble: Some(format!("{why}; nothing is being kept")) };
        }
        let aside = put_aside(path);
        let journal = open_with_tables(path).ok();
        let trouble = match (&journal, aside) {
            (Some(_), Some(aside)) => {
                format!("{why}; begun anew, the old one is `{}`", aside.display())
            }
            _ => format!("{why}; nothing is being kept"),
        };
        Self { journal, trouble: Some(trouble) }
    }

    /// Hands everything kept to `each`, oldest first.
    ///
    /// # Errors
    /// When reading fails.
    pub fn replay(&self, mut each: impl FnMut(Received, Input)) -> Result<u64, JournalError> {
        let Some(journal) = &self.journal else { return Ok(0) };
        let (mut seq, mut count) = (0, 0);
        loop {
            let entries = journal.after(seq, 10_000)?;
            let Some(last) = entries.last() else { return Ok(count) };
            seq = last.seq;
            for entry in entries {
                count += 1;
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
    ) -> (Store, mpsc::Receiver<Vec<Given>>, JoinHandle<()>) {
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
        let writer = Writer {
            journal: self.journal,
            retention,
            counts: Arc::clone(&store.counts),
            failure: Arc::clone(&store.failure),
            held: Arc::clone(&store.held),
            clock: store.clock.clone(),
        };
        let thread = std::thread::spawn(move || writer.run(items, out));
        (store, given, thread)
    }
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

fn open_with_tables(path: &Path) -> Result<Journal, JournalError> {
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

/// An error and its causes in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let sentence = inner.to_string();
        // Some libraries repeat a cause in the sentence before it.
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        cause = inner.source();
    }
    text
}

/// How many bytes an input holds beside its own fields.
const fn weight(input: &Input) -> usize {
    match input {
        Input::Event { body, .. } => body.len(),
        Input::Blind { why, .. } | Input::Missed { why, .. } => why.len(),
        _ => 0,
    }
}

fn count_inputs(batch: &[Item]) -> u64 {
    let inputs = batch.iter().filter(|item| matches!(item, Item::Given(Given::Input(..), _)));
    inputs.count() as u64
}

struct Writer {
    journal: Option<Journal>,
    retention: Retention,
    counts: Arc<Counts>,
    failure: Arc<Mutex<Option<String>>>,
    held: Arc<AtomicUsize>,
    clock: ReceiveClock,
}

impl Writer {
    fn run(mut self, mut items: mpsc::Receiver<Item>, out: mpsc::Sender<Vec<Given>>) {
        let mut out = Some(out);
        let mut batch = Vec::with_capacity(BATCH);
        let mut pruned: Option<Received> = None;
        let mut failed: Option<Received> = None;
        while items.blocking_recv_many(&mut batch, BATCH) > 0 {
            let now = self.clock.stamp();
            let rest = failed.is_some_and(|at| now.since(at) < RETRY);
            if rest {
                self.counts.unwritten.fetch_add(count_inputs(&batch), Ordering::Relaxed);
            } else {
                failed = self.write(&batch).err().map(|()| now);
            }
            let taken = batch.iter().map(|item| match item {
                Item::Given(Given::Input(_, input), _) => weight(input),
                Item::Given(Given::Time(_), _) | Item::Record(_) | Item::End => 0,
            });
            self.held.fetch_sub(taken.sum(), Ordering::Relaxed);
            let mut given = Vec::with_capacity(batch.len());
            let mut ended = false;
            for item in batch.drain(..) {
                match item {
                    Item::Given(what, waiting) => {
                        if let Some(waiting) = waiting {
                            let _ = waiting.send(Ok(()));
                        }
                        given.push(what);
                    }
                    Item::Record(_) => {}
                    Item::End => ended = true,
                }
            }
            if let Some(out) = &out
                && !given.is_empty()
                && out.blocking_send(given).is_err()
            {
                return;
            }
            if ended {
                out = None;
            }
            if pruned.is_none_or(|at| now.since(at) >= PRUNE_EVERY) {
                // With more to remove, go on after the next batch.
                pruned = Some(now).filter(|_| !self.prune(now));
            }
        }
    }

    /// Writes a batch in one transaction per kind; inputs first.
    fn write(&mut self, batch: &[Item]) -> Result<(), ()> {
        let inputs = || {
            batch.iter().filter_map(|item| match item {
                Item::Given(Given::Input(received, input), _) => Some((*received, input)),
                _ => None,
            })
        };
        let count = count_inputs(batch);
        let Some(journal) = &mut self.journal else {
            self.counts.unwritten.fetch_add(count, Ordering::Relaxed);
            return Ok(());
        };
        let records = batch.iter().filter_map(|item| match item {
            Item::Record(record) => Some(record),
            Item::Given(..) | Item::End => None,
        });
        let appended = if count > 0 { journal.append(inputs()) } else { Ok(()) };
        let counter = if appended.is_ok() { &self.counts.written } else { &self.counts.unwritten };
        counter.fetch_add(count, Ordering::Relaxed);
        let outcome = appended.and_then(|()| tables::keep(journal, records));
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => {
                if failure.take().is_some() {
                    tracing::info!("the journal is being written again");
                }
                Ok(())
            }
            Err(error) => {
                let why = chain(&error);
                if failure.as_ref() != Some(&why) {
                    tracing::error!(why, "cannot write the journal; diagnosing goes on without it");
                }
                *failure = Some(why);
                Err(())
            }
        }
    }

    /// Removes some of what is too old; true when there may be more.
    fn prune(&mut self, now: Received) -> bool {
        let Some(journal) = &mut self.journal else { return false };
        let removed = match journal.prune(now.before(self.retention.age), self.retention.bytes) {
            Ok(removed) => removed,
            Err(error) => {
                tracing::warn!(why = chain(&error), "cannot remove old entries");
                0
            }
        };
        if removed > 0 {
            tracing::info!(removed, "removed old entries from the journal");
        }
        if let Err(error) = tables::prune(journal, now.before(self.retention.age)) {
            tracing::warn!(why = chain(&error), "cannot remove old incidents");
        }
        if let Ok(bytes) = journal.size() {
            self.counts.bytes.store(bytes, Ordering::Relaxed);
        }
        removed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ptp_events::recording::Origin;

    /// More than fits anywhere, while nobody takes it out.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_seen_waits_for_room_and_is_not_lost() {
        let clock = ReceiveClock::new(|| Received::from_nanos(0));
        let opened = Opened::open(None);
        let (store, mut given, writer) = opened.start(None, Retention::default(), clock);
        let count = 2 * QUEUE + 20 * BATCH;
        let giving = store.clone();
        let all = tokio::spawn(async move {
            for _ in 0..count {
                giving.give_soon(Input::Resumed).await.unwrap();
            }
        });
        while store.waiting() < QUEUE - 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(store.give(Input::Resumed).await, Err(NotStored::Busy), "nobody else waits");
        let mut taken = 0;
        while taken < count {
            taken += given.recv().await.unwrap().len();
        }
        all.await.unwrap();
        assert_eq!((taken, store.waiting()), (count, 0));
        store.finish();
        writer.join().unwrap();
        assert_eq!(store.give(Input::Resumed).await, Err(NotStored::Stopped));
    }

    /// A few large ones are as much as many small ones.
    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes() {
        let clock = ReceiveClock::new(|| Received::from_nanos(0));
        let (store, mut given, writer) =
            Opened::open(None).start(None, Retention::default(), clock);
        let body = vec![b' '; 64 << 10];
        let large = Input::Event { origin: Origin::Push, node: None, body };
        let item = |received| Item::Given(Given::Input(received, large.clone()), None);
        let most = (BATCHES + 2) * QUEUE_BYTES / (64 << 10) + 1;
        let taken = (0..2 * most)
            .take_while(|_| store.enqueue(std::iter::once(item), weight(&large)).is_ok())
            .count();
        assert!((QUEUE_BYTES / (64 << 10)..most).contains(&taken), "{taken} of {most}");
        assert_eq!(store.counts().refused.load(Ordering::Relaxed), 1);
        store.finish();
        let mut came = 0;
        while let Some(batch) = given.recv().await {
            came += batch.len();
        }
        assert_eq!((came, store.held.load(Ordering::Relaxed)), (taken, 0));
        writer.join().unwrap();
    }
}
