//! One writer for everything that is kept, and one order for everything the engine is given.
//!
//! What arrives is stamped and queued under one lock, so that the order of the queue is the order
//! of the receive times. A thread of its own takes what has gathered, has it committed in one go, tells
//! those who wait, and passes it on to the engine. So what is answered with 204 is in the journal,
//! and what the engine saw is what reading the journal gives again; unless the disk takes longer than a
//! second: then what waits is diagnosed first and written later, within bounds.

mod disk;
mod opened;
mod sequencer;
mod tables;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ptp_api::{Delivery, Silence};
use ptp_events::journal::{Journal, JournalError};
use ptp_events::{Input, ReceiveClock, Received, Stamped};
use tokio::sync::mpsc;
use tokio::sync::oneshot;

pub use opened::{Opened, Replayed};
pub use tables::{DELIVERIES, IncidentQuery, StoredAlert, StoredIncident, Undelivered};

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

/// How near a node's clock must be for ours to be believed.
const AGREES: Duration = Duration::from_hours(1);

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

impl Given {
    /// How many bytes it holds beside its own fields.
    const fn weight(&self) -> usize {
        match self {
            Self::Input(_, input) => input.weight(),
            Self::Time(_) => 0,
        }
    }
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
    /// What became of a message to a sink.
    Delivery(Box<Delivery>),
    /// A silence was made or ended.
    Silence(Silence),
}

impl Record {
    /// How many bytes it holds beside its own fields, about.
    fn weight(&self) -> usize {
        let of = |undelivered: &Undelivered| undelivered.messages.as_ref().map_or(0, String::len);
        let bytes = match self {
            Self::Incident(incident) => incident.json.len(),
            Self::Alert(alert) => alert.json.len(),
            Self::Silence(silence) => silence.comment.len(),
            Self::Delivery(_) => 0,
            Self::Handed { waiting, .. } => waiting.iter().map(of).sum(),
            Self::Undelivered(undelivered) => of(undelivered),
        };
        bytes + BESIDE_RECORD
    }
}

/// How much a record takes beside its texts.
const BESIDE_RECORD: usize = 256;

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
    /// Whether our clock is known to be right enough to remove what is old by it.
    pub clock_agrees: AtomicBool,
    /// How many batches a slow disk has not written yet.
    pub behind: AtomicU64,
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
        let bytes = inputs.iter().map(Input::weight).sum();
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
            let bytes = input.weight();
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
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failure.or_else(|| {
            let behind = self.counts.behind.load(Ordering::Relaxed);
            let slow = format!("the disk is slow: {behind} batches wait to be written");
            (behind > 0).then_some(slow)
        })
    }

    /// Notes when an event was received and when its node says that it happened: where they agree, our clock
    /// is right enough to remove what is old by it.
    pub fn compare_clocks(&self, received: Received, stamped: Option<Stamped>) {
        let apart = stamped.map(|at| received.as_nanos().abs_diff(at.as_nanos()));
        if apart.is_some_and(|apart| u128::from(apart) < AGREES.as_nanos()) {
            self.counts.clock_agrees.store(true, Ordering::Relaxed);
        }
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
    pub fn finish(&self) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use ptp_events::recording::Origin;

    /// More than fits anywhere, while nobody takes it out.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_seen_waits_for_room_and_is_not_lost() {
        let clock = ReceiveClock::new(|| Received::from_nanos(0));
        let opened = Opened::open(None);
        let (store, mut given, writer) = opened.start(None, Retention::default(), clock, None);
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
            Opened::open(None).start(None, Retention::default(), clock, None);
        let body = vec![b' '; 64 << 10];
        let large = Input::Event { origin: Origin::Push, node: None, body };
        let item = |received| Item::Given(Given::Input(received, large.clone()), None);
        let most = (BATCHES + 2) * QUEUE_BYTES / (64 << 10) + 1;
        let taken = (0..2 * most)
            .take_while(|_| store.enqueue(std::iter::once(item), large.weight()).is_ok())
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

    fn event(number: usize) -> Input {
        let body = format!("{{\"number\":{number}}}").into_bytes();
        Input::Event { origin: Origin::Push, node: None, body }
    }

    /// Somebody else holds a lock on the database for longer than anybody waits for an answer.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_slow_disk_keeps_nobody_waiting_and_gets_everything_in_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let clock = ReceiveClock::new(|| Received::from_nanos(1));
        let opened = Opened::open(Some(&path));
        let (store, mut given, writer) =
            opened.start(Some(path.clone()), Retention::default(), clock, None);
        store.give(event(0)).await.unwrap();
        let other = ptp_events::journal::rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = std::time::Instant::now();
        for number in 1..=10 {
            store.give(event(number)).await.unwrap();
        }
        assert!(begun.elapsed() < Duration::from_millis(1700), "{:?}", begun.elapsed());
        assert!(store.failure().is_some_and(|why| why.contains("the disk is slow")));
        let mut seen = 0;
        while seen < 11 {
            seen += given.recv().await.unwrap().len();
        }
        other.execute_batch("ROLLBACK").unwrap();
        store.finish();
        tokio::task::spawn_blocking(move || writer.join()).await.unwrap().unwrap();
        let journal = Journal::open_read_only(&path).unwrap();
        assert_eq!(journal.after(0, 100).unwrap().len(), 11);
    }

    #[test]
    fn a_damaged_journal_is_gone_on_with_and_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let mut journal = Journal::open(&path).unwrap();
        let inputs: Vec<_> = (0..2000).map(event).collect();
        journal.append(inputs.iter().map(|input| (Received::from_nanos(1), input))).unwrap();
        drop(journal);
        let mut bytes = std::fs::read(&path).unwrap();
        // The first byte of a page says what kind of page it is.
        let page = bytes.len() / 4096 / 2;
        bytes[page * 4096] ^= 0xFF;
        std::fs::write(&path, bytes).unwrap();
        let until = Received::from_nanos(i64::MAX);
        let mut opened = Opened::open(Some(&path));
        if let Err(error) = opened.replay(until, |_, _| {}) {
            opened.mend(&error);
        }
        let kept = opened.replay(until, |_, _| {}).unwrap().inputs;
        assert!((1000..2000).contains(&kept), "{kept}");
        let trouble = opened.trouble.clone().unwrap();
        assert!(trouble.contains("entries could be read"), "{trouble}");
        assert!(dir.path().join("journal.db.unreadable-0").exists());
        drop(opened);
        // The next start finds nothing wrong.
        assert!(Opened::open(Some(&path)).trouble.is_none());
    }

    #[test]
    fn what_a_wrong_clock_stamped_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.db");
        let mut journal = Journal::open(&path).unwrap();
        for at in [1, 2, 1_000_000] {
            journal.append([(Received::from_nanos(at), &event(0))].into_iter()).unwrap();
        }
        drop(journal);
        let opened = Opened::open(Some(&path));
        let mut seen = Vec::new();
        let replayed = opened.replay(Received::from_nanos(100), |at, _| seen.push(at.as_nanos()));
        let Replayed { inputs, left_out } = replayed.unwrap();
        assert_eq!((inputs, left_out, seen), (2, 1, vec![1, 2]));
    }
}
