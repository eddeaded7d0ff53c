//! One recording, read and cut by a thread of its own and decoded by all cores.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, sync_channel};

use ptp_events::daemon::DaemonLog;
use ptp_events::recording::{Batches, Decoded, ReadError, Recorded, Sequence};

/// How many batches are under way for each core: one is decoded while another waits its turn.
const BATCHES_PER_CORE: usize = 3;

/// A batch that is being decoded, or why there are no more.
type Coming = Result<Receiver<Decoded>, ReadError>;

/// Reads a recording. Dropping it stops its thread after its present batch.
pub(super) struct Parallel {
    coming: Receiver<Coming>,
    sequence: Sequence,
    ended: bool,
}

impl Parallel {
    pub(super) fn new(input: impl BufRead + Send + 'static, daemon: DaemonLog) -> io::Result<Self> {
        let (sender, coming) = sync_channel(BATCHES_PER_CORE * rayon::current_num_threads());
        std::thread::Builder::new().name("read".to_owned()).spawn(move || {
            for batch in Batches::new(input) {
                let next = batch.map(|batch| {
                    let (decoded, receiver) = sync_channel(1);
                    rayon::spawn_fifo(move || {
                        // Nobody waits for it when the recording is given up.
                        let _ = decoded.send(batch.decode());
                    });
                    receiver
                });
                if sender.send(next).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { coming, sequence: Sequence::with_daemon(daemon), ended: false })
    }

    pub(super) const fn daemon(&self) -> Option<&DaemonLog> {
        self.sequence.daemon()
    }
}

impl Iterator for Parallel {
    type Item = Result<Recorded, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next = self.sequence.poll_recorded();
            if next.is_some() || self.ended {
                return next;
            }
            match self.coming.recv() {
                Ok(Ok(batch)) => {
                    let decoded = batch.recv().expect("a panic in the pool ends the program");
                    self.sequence.handle_decoded(decoded);
                }
                Ok(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Err(_) => {
                    self.ended = true;
                    self.sequence.finish();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};
    use std::sync::mpsc::{Sender, channel};

    use ptp_events::NodeName;
    use ptp_events::daemon::DaemonSettings;
    use ptp_events::recording::Reader;

    use super::*;

    fn log() -> DaemonLog {
        DaemonLog::new(NodeName::new("n1").unwrap(), DaemonSettings::default())
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
        let input = io::Cursor::new(bytes);
        let parallel: Vec<_> = Parallel::new(input, log()).unwrap().map(|i| tell(&i)).collect();
        assert!(alone.len() > 1000, "{}", alone.len());
        assert!(alone == parallel);
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
        let mut parallel = Parallel::new(input, log()).unwrap();
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

    /// Never ends, and says when it is dropped by closing the channel.
    struct Endless(#[expect(dead_code, reason = "its drop is what is observed")] Sender<()>);

    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            out.fill(b'x');
            out[0] = b'\n';
            Ok(out.len())
        }
    }

    #[test]
    fn dropping_it_stops_the_thread() {
        let (told, dropped) = channel::<()>();
        let parallel = Parallel::new(BufReader::new(Endless(told)), log()).unwrap();
        drop(parallel);
        assert!(dropped.recv().is_err());
    }
}
