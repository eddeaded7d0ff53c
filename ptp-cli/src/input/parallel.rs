//! One recording, decoded by all cores while it is read on.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use ptp_events::daemon::DaemonLog;
use ptp_events::recording::{Batch, Batches, Decoded, ReadError, Recorded, Sequence};
use rayon::ThreadPool;

/// How many batches all recordings together have under way for each core: one is decoded while
/// others wait their turn.
const BATCHES_PER_CORE: usize = 3;

/// How many texts are in a batch that another thread decodes: waking one costs as much as decoding a hundred
/// lines. And in one that is decoded here, of which every recording may hold one.
const HANDED_OVER: usize = 2048;
const DECODED_HERE: usize = 32;

/// The threads that decode, and how many more batches they may have under way.
#[derive(Clone)]
pub(super) struct Pool {
    threads: Arc<ThreadPool>,
    free: Arc<AtomicUsize>,
}

impl Pool {
    pub(super) fn new(threads: ThreadPool) -> Self {
        let free = AtomicUsize::new(BATCHES_PER_CORE * threads.current_num_threads());
        Self { threads: Arc::new(threads), free: Arc::new(free) }
    }

    /// Takes a place for a batch, if there is one.
    fn take_place(&self) -> bool {
        let one_less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
    }

    fn give_back(&self) {
        self.free.fetch_add(1, Ordering::Relaxed);
    }
}

/// A recording, cut as it is asked for, some batches ahead.
///
/// Of many recordings that are merged one is mostly read at a time: that one has the threads, and of the others
/// only the beginning is decoded.
pub(crate) struct Parallel<R> {
    batches: Batches<R>,
    pool: Pool,
    /// Being decoded, in the order of the recording.
    coming: VecDeque<Receiver<Decoded>>,
    sequence: Sequence,
    /// Why nothing follows what is coming.
    failed: Option<ReadError>,
    begun: bool,
    ended: bool,
    finished: bool,
}

impl<R: BufRead> Parallel<R> {
    pub(super) fn new(input: R, daemon: DaemonLog, pool: Pool) -> Self {
        Self {
            batches: Batches::of(DECODED_HERE, input),
            coming: VecDeque::new(),
            pool,
            sequence: Sequence::with_daemon(daemon),
            failed: None,
            begun: false,
            ended: false,
            finished: false,
        }
    }

    pub(super) const fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// The next batch, of so many texts.
    fn cut(&mut self, texts: usize) -> Option<Batch> {
        self.batches.set_texts(texts);
        match self.batches.next() {
            Some(Ok(batch)) => return Some(batch),
            Some(Err(error)) => self.failed = Some(error),
            None => {}
        }
        self.ended = true;
        None
    }

    fn read_ahead(&mut self) {
        while !self.ended && self.pool.take_place() {
            let Some(batch) = self.cut(HANDED_OVER) else {
                self.pool.give_back();
                return;
            };
            let (sender, receiver) = sync_channel(1);
            self.pool.threads.spawn_fifo(move || {
                // Nobody waits for it when the recording is given up.
                let _ = sender.send(batch.decode());
            });
            self.coming.push_back(receiver);
        }
    }
}

impl<R: BufRead> Iterator for Parallel<R> {
    type Item = Result<Recorded, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(next) = self.sequence.poll_recorded() {
                return Some(next);
            }
            if std::mem::replace(&mut self.begun, true) {
                self.read_ahead();
            }
            if let Some(batch) = self.coming.pop_front() {
                let decoded = batch.recv().expect("a panic in the pool ends the program");
                self.pool.give_back();
                self.sequence.handle_decoded(decoded);
                // While this one is handed out.
                self.read_ahead();
            } else if !self.ended {
                if let Some(batch) = self.cut(DECODED_HERE) {
                    self.sequence.handle_decoded(batch.decode());
                }
            } else if !std::mem::replace(&mut self.finished, true) {
                self.sequence.finish();
            } else {
                return self.failed.take().map(Err);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use ptp_events::NodeName;
    use ptp_events::daemon::DaemonSettings;
    use ptp_events::recording::Reader;

    use super::*;

    fn log() -> DaemonLog {
        DaemonLog::new(NodeName::new("n1").unwrap(), DaemonSettings::default())
    }

    fn pool() -> Pool {
        Pool::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap())
    }

    fn tell(item: &Result<Recorded, ReadError>) -> String {
        match item {
            Ok(recorded) => format!("{recorded:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Every form, several batches of each, in turn; the last batch is a small one.
    fn everything() -> Vec<u8> {
        let files = [
            "gnss_loss.jsonl",
            "bc_holdover_timeout.http.jsonl",
            "gm_lock.fed.jsonl",
            "real-ptp4l-linkdown.fed.log",
        ]
        .map(|name| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings");
            std::fs::read(std::path::Path::new(folder).join(name)).unwrap()
        });
        let mut bytes = b"not an event\n".to_vec();
        bytes.extend_from_slice(&b"x".repeat(3 << 20));
        bytes.push(b'\n');
        for file in &files {
            for _ in 0..40 {
                bytes.extend_from_slice(file);
                bytes.extend_from_slice(b"\n{\"id\":1}\n");
            }
        }
        bytes
    }

    #[test]
    fn it_gives_what_one_thread_gives() {
        let bytes = everything();
        let alone: Vec<_> = Reader::with_daemon(&bytes[..], log()).map(|i| tell(&i)).collect();
        assert!(alone.len() > 1000, "{}", alone.len());
        let all_places_taken = pool();
        while all_places_taken.take_place() {}
        for pool in [pool(), all_places_taken] {
            let parallel = Parallel::new(&bytes[..], log(), pool);
            assert!(alone == parallel.map(|i| tell(&i)).collect::<Vec<_>>());
        }
    }

    /// Fails once everything is read.
    struct Failing(&'static [u8]);

    impl Read for Failing {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            match self.0.read(out)? {
                0 => Err(io::Error::other("the disk is gone")),
                n => Ok(n),
            }
        }
    }

    #[test]
    fn an_error_comes_after_what_was_read_before_it_and_the_end_after_that() {
        let input = BufReader::new(Failing(b"{\"id\":1}\n{\"id\":2}\n"));
        let mut parallel = Parallel::new(input, log(), pool());
        let said: Vec<_> = parallel.by_ref().map(|item| tell(&item)).collect();
        assert_eq!(
            said,
            [
                r#"line 1 is not an event: {\"id\":1}"#,
                r#"line 2 is not an event: {\"id\":2}"#,
                "cannot read on at line 3"
            ]
        );
        assert!(parallel.next().is_none());
    }
}
