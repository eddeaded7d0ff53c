//! The one order of everything: written first and then given to the engine, while the disk keeps up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use tokio::sync::mpsc;

use super::disk::{Disk, Job};
use super::{BATCH, Counts, Given, Item, Record, Store};

/// How long a commit may take before what it holds is answered and diagnosed all the same: the publisher waits
/// 2 s (observed, docs/protocol.md §2), and an alert must not wait for a disk.
const COMMIT_WITHIN: Duration = Duration::from_secs(1);
/// How many bytes may wait for a slow disk; what comes then is diagnosed and not kept.
const BACKLOG_BYTES: usize = 32 << 20;
/// How much an input takes beside its body.
const BESIDE_BODY: usize = 128;

/// Passes on what was written.
pub(super) struct Sequencer {
    counts: Arc<Counts>,
    held: Arc<AtomicUsize>,
    /// How many jobs the disk has not done yet, and how many bytes they have.
    outstanding: usize,
    backlog: usize,
}

impl Sequencer {
    pub(super) fn new(store: &Store) -> Self {
        let (counts, held) = (Arc::clone(&store.counts), Arc::clone(&store.held));
        Self { counts, held, outstanding: 0, backlog: 0 }
    }

    pub(super) fn run(
        mut self,
        disk: Disk,
        mut items: mpsc::Receiver<Item>,
        out: mpsc::Sender<Arc<Vec<Given>>>,
    ) {
        let (jobs, todo) = std_mpsc::channel();
        let (tell, done) = std_mpsc::channel();
        let disk = std::thread::spawn(move || disk.run(&todo, &tell));
        let mut out = Some(out);
        let mut batch = Vec::with_capacity(BATCH);
        while items.blocking_recv_many(&mut batch, BATCH) > 0 {
            let (mut given, mut records) = (Vec::with_capacity(batch.len()), Vec::new());
            let (mut waiting, mut ended) = (Vec::new(), false);
            for item in batch.drain(..) {
                match item {
                    Item::Given(what, who) => {
                        given.push(what);
                        waiting.extend(who);
                    }
                    Item::Record(record) => records.push(record),
                    Item::End => ended = true,
                }
            }
            let bytes = given.iter().map(Given::weight).sum();
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            let given = Arc::new(given);
            self.commit(Job { given: Arc::clone(&given), records, bytes }, &jobs, &done);
            for who in waiting {
                // Whoever asked may be gone.
                let _ = who.send(Ok(()));
            }
            if let Some(to) = &out
                && !given.is_empty()
                && to.blocking_send(given).is_err()
            {
                break;
            }
            if ended {
                out = None;
            }
        }
        drop(jobs);
        let _ = disk.join();
    }

    /// Has a job written, and waits until it is; but not for a disk that is behind.
    fn commit(&mut self, mut job: Job, jobs: &Sender<Job>, done: &Receiver<usize>) {
        while let Ok(bytes) = done.try_recv() {
            self.settle(bytes);
        }
        job.bytes += job.given.len() * BESIDE_BODY;
        job.bytes += job.records.iter().map(Record::weight).sum::<usize>();
        if self.backlog + job.bytes > BACKLOG_BYTES {
            let inputs = job.given.iter().filter(|given| matches!(given, Given::Input(..)));
            self.counts.unwritten.fetch_add(inputs.count() as u64, Ordering::Relaxed);
            if self.backlog > 2 * BACKLOG_BYTES {
                // Nor what becomes of incidents; the next start finds most of it again.
                return;
            }
            let bytes = job.records.iter().map(Record::weight).sum();
            job = Job { given: Arc::default(), bytes, ..job };
        }
        let was_behind = self.outstanding > 0;
        self.outstanding += 1;
        self.backlog += job.bytes;
        if jobs.send(job).is_ok() && !was_behind {
            match done.recv_timeout(COMMIT_WITHIN) {
                Ok(bytes) => self.settle(bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    tracing::warn!("the disk is slow; diagnosing goes on before it");
                }
            }
        }
        self.counts.behind.store(self.outstanding as u64, Ordering::Relaxed);
    }

    fn settle(&mut self, bytes: usize) {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.backlog = self.backlog.saturating_sub(bytes);
    }
}
