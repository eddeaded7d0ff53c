//! One recording, decoded by all cores while it is read on.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use ptp_events::daemon::DaemonLog;
use ptp_events::recording::{Batches, Decoded, ReadError, Recorded, Sequence};
use rayon::ThreadPool;

/// How many batches all recordings together have under way for each core: one is decoded while
/// others wait their turn.
const BATCHES_PER_CORE: usize = 3;

/// How many texts all recordings together have in one batch each: waking a thread costs as much as decoding a
/// hundred lines.
const TEXTS: usize = 8192;
/// How many one has at least and at most.
const LEAST_TEXTS: usize = 64;
const MOST_TEXTS: usize = 2048;

/// A recording, cut as it is asked for, some batches ahead.
pub(crate) struct Parallel<R> {
    batches: Batches<R>,
    pool: Arc<ThreadPool>,
    /// Being decoded, in the order of the recording.
    coming: VecDeque<Receiver<Decoded>>,
    ahead: usize,
    sequence: Sequence,
    /// Why nothing follows what is coming.
    failed: Option<ReadError>,
    ended: bool,
    finished: bool,
}

impl<R: BufRead> Parallel<R> {
    /// Reads `input`, one of so many `recordings` that are read at once.
    pub(super) fn new(
        input: R,
        daemon: DaemonLog,
        pool: Arc<ThreadPool>,
        recordings: usize,
    ) -> Self {
        Self {
            batches: Batches::of((TEXTS / recordings).clamp(LEAST_TEXTS, MOST_TEXTS), input),
            coming: VecDeque::new(),
            ahead: (BATCHES_PER_CORE * pool.current_num_threads() / recordings).max(1),
            pool,
            sequence: Sequence::with_daemon(daemon),
            failed: None,
            ended: false,
            finished: false,
        }
    }

    pub(super) const fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    fn read_ahead(&mut self) {
        while !self.ended && self.coming.len() < self.ahead {
            match self.batches.next() {
                Some(Ok(batch)) => {
                    let (sender, receiver) = sync_channel(1);
                    self.pool.spawn_fifo(move || {
                        // Nobody waits for it when the recording is given up.
                        let _ = sender.send(batch.decode());
                    });
                    self.coming.push_back(receiver);
                }
                Some(Err(error)) => {
                    self.failed = Some(error);
                    self.ended = true;
                }
                None => self.ended = true,
            }
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
            self.read_ahead();
            if let Some(batch) = self.coming.pop_front() {
                let decoded = batch.recv().expect("a panic in the pool ends the program");
                self.sequence.handle_decoded(decoded);
                // While this one is handed out.
                self.read_ahead();
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

    fn pool() -> Arc<ThreadPool> {
        Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap())
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
            &include_bytes!("../../../recordings/gnss_loss.jsonl")[..],
            include_bytes!("../../../recordings/bc_holdover_timeout.http.jsonl"),
            include_bytes!("../../../recordings/gm_lock.fed.jsonl"),
            include_bytes!("../../../recordings/real-ptp4l-linkdown.fed.log"),
        ];
        let mut bytes = b"not an event\n".to_vec();
        bytes.extend_from_slice(&b"x".repeat(3 << 20));
        bytes.push(b'\n');
        for file in files {
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
        for recordings in [1, 1000] {
            let parallel = Parallel::new(&bytes[..], log(), pool(), recordings);
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
        let mut parallel = Parallel::new(input, log(), pool(), 1);
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
