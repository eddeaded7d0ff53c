//! SIGINT and SIGTERM: whatever runs ends soon, with what it has.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

static STOP: AtomicBool = AtomicBool::new(false);

/// The same for who awaits it.
#[cfg(feature = "live")]
static STOPPED: LazyLock<tokio_util::sync::CancellationToken> = LazyLock::new(Default::default);

/// What is to be removed when the program ends without unwinding.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes this folder if the program is ended at once.
pub(crate) fn remove_at_exit(folder: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
}

/// Notes the first SIGINT or SIGTERM from now on, see [`came`]; the second ends the program at once, as
/// somebody who presses Ctrl-C again wants.
pub(crate) fn watch() {
    static HANDLER: LazyLock<Result<(), ctrlc::Error>> = LazyLock::new(|| {
        ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                for folder in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    // Nobody is left to be told when it cannot be removed.
                    let _ = std::fs::remove_dir_all(folder);
                }
                std::process::exit(130);
            }
            #[cfg(feature = "live")]
            STOPPED.cancel();
        })
    });
    if let Err(error) = &*HANDLER {
        anstream::eprintln!("warning: an interrupt will not be heard: {error}");
    }
}

/// Whether an interrupt came since the first [`watch`].
pub(crate) fn came() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Waits for the first interrupt from now on.
#[cfg(feature = "live")]
pub(crate) async fn wait() {
    watch();
    STOPPED.cancelled().await;
}

/// How much is fetched from standard input at once, in bytes, and how often it is looked whether an
/// interrupt came while nothing does.
const BLOCK: usize = 1 << 16;
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Standard input, which ends when an interrupt comes: reading it alone would wait for whoever
/// writes to it.
pub(crate) struct Stdin {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
}

impl Stdin {
    pub(crate) fn new() -> Self {
        let (sender, blocks) = sync_channel(4);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut block = vec![0; BLOCK];
                let read = stdin.read(&mut block).map(|count| {
                    block.truncate(count);
                    block
                });
                let over = read.as_ref().map_or(true, Vec::is_empty);
                if sender.send(read).is_err() || over {
                    return;
                }
            }
        });
        watch();
        Self { blocks, block: Cursor::default() }
    }
}

impl Read for Stdin {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.block.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            match self.blocks.recv_timeout(LOOK_EVERY) {
                Ok(block) => self.block = Cursor::new(block?),
                Err(RecvTimeoutError::Timeout) if !came() => continue,
                Err(_) => return Ok(0),
            }
            if self.block.get_ref().is_empty() {
                return Ok(0);
            }
        }
    }
}
