//! Reading ahead: the next block is fetched, and decompressed, while this one is decoded.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, channel};

/// How much is fetched at once; a buffered reader hands as much through without a copy of its own.
pub(super) const BLOCK: usize = 1 << 18;

/// How many blocks are under way: one is filled while another is decoded, and one evens out which of
/// them is faster.
const BLOCKS: usize = 3;

/// Reads an input on a thread of its own. Dropping it stops the thread after its present block.
pub(super) struct ReadAhead {
    filled: Receiver<io::Result<Vec<u8>>>,
    emptied: Sender<Vec<u8>>,
    block: Vec<u8>,
    at: usize,
}

impl ReadAhead {
    pub(super) fn new(input: impl Read + Send + 'static) -> io::Result<Self> {
        let (emptied, empty) = channel();
        let (full, filled) = channel();
        for _ in 1..BLOCKS {
            let _ = emptied.send(Vec::new());
        }
        std::thread::Builder::new().name("read-ahead".to_owned()).spawn(move || {
            let mut input = input;
            while let Ok(block) = empty.recv() {
                let outcome = fill(&mut input, block);
                let is_last = outcome.as_ref().map_or(true, Vec::is_empty);
                if full.send(outcome).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self { filled, emptied, block: Vec::new(), at: 0 })
    }
}

/// What one call of `read` gives, which for a pipe is what there is; nothing at the end.
fn fill(input: &mut impl Read, mut block: Vec<u8>) -> io::Result<Vec<u8>> {
    block.resize(BLOCK, 0);
    let length = loop {
        match input.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    block.truncate(length);
    Ok(block)
}

impl BufRead for ReadAhead {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.block.len() {
            self.at = 0;
            // After the last block, and after an error, nobody sends any more.
            let next = self.filled.recv().unwrap_or_else(|_| Ok(Vec::new()));
            let used = std::mem::take(&mut self.block);
            self.block = next?;
            let _ = self.emptied.send(used);
        }
        Ok(&self.block[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.block.len());
    }
}

impl Read for ReadAhead {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(out)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out `left` in pieces of `piece` bytes, then fails if `fails`.
    struct Pieces {
        left: Vec<u8>,
        piece: usize,
        fails: bool,
    }

    impl Read for Pieces {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            if self.left.is_empty() && self.fails {
                return Err(io::Error::other("the disk is gone"));
            }
            let length = self.piece.min(self.left.len()).min(out.len());
            out[..length].copy_from_slice(&self.left[..length]);
            self.left.drain(..length);
            Ok(length)
        }
    }

    /// Never ends, and says when it is dropped by closing the channel.
    struct Endless(#[expect(dead_code, reason = "its drop is what is observed")] Sender<()>);

    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            out.fill(b'\n');
            Ok(out.len())
        }
    }

    #[test]
    fn nothing_is_lost_or_added() {
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        for piece in [997, 40_000, BLOCK, usize::MAX] {
            let input = Pieces { left: bytes.clone(), piece, fails: false };
            let mut got = Vec::new();
            ReadAhead::new(input).unwrap().read_to_end(&mut got).unwrap();
            assert!(got == bytes, "in pieces of {piece}");
        }
    }

    #[test]
    fn an_error_comes_after_what_was_read_before_it_and_the_end_after_that() {
        let input = Pieces { left: b"one line\n".to_vec(), piece: 4, fails: true };
        let mut ahead = ReadAhead::new(input).unwrap();
        let mut got = Vec::new();
        let error = ahead.read_to_end(&mut got).unwrap_err();
        assert_eq!(
            (got.as_slice(), error.to_string()),
            (&b"one line\n"[..], "the disk is gone".to_owned())
        );
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn dropping_it_stops_the_thread() {
        let (told, dropped) = channel::<()>();
        let mut ahead = ReadAhead::new(Endless(told)).unwrap();
        assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 8);
        drop(ahead);
        assert!(dropped.recv().is_err());
    }
}
