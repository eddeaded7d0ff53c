//! Reading in three steps, so that the costly one, decoding, can be done on several threads.

use std::collections::VecDeque;
use std::io::BufRead;

use super::ReadError;
use super::form::{self, Form};
use super::item::Item;
use super::splitter::{Splitter, Text};

/// How many texts make a batch, however short they are: decoded, each takes as much as an event.
const BATCH_TEXTS: usize = 256;
/// How many bytes a text may have on average until a batch is full.
const TEXT_BYTES: usize = 256;

/// Some texts of a recording, cut out of it but not decoded.
///
/// ```
/// use ptp_events::recording::{Batches, Sequence};
///
/// let input = br#"nothing of interest
/// {"specversion":"1.0","id":"1","source":"/sync/sync-status/sync-state","type":"event.sync.sync-status.synchronization-state-change","time":"2026-11-23T06:40:30Z","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/n1/sync/sync-status/sync-state","data_type":"notification","value_type":"enumeration","value":"LOCKED"}]}}
/// "#;
/// let mut sequence = Sequence::new();
/// for batch in Batches::new(&input[..]) {
///     let batch = batch?;
///     // On another thread, if you like; only the sequence needs the batches in order.
///     sequence.handle_decoded(batch.decode());
/// }
/// sequence.finish();
/// let first = sequence.poll_recorded().unwrap()?;
/// assert_eq!((first.evidence.node().as_str(), first.line), ("n1", 2));
/// assert!(sequence.poll_recorded().is_none());
/// assert_eq!(sequence.other_lines(), 1);
/// # Ok::<(), ptp_events::recording::ReadError>(())
/// ```
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    texts: Vec<Cut>,
}

/// A text that ends at `end`, where the next begins.
#[derive(Debug)]
struct Cut {
    line: u64,
    end: usize,
    too_long: bool,
}

impl Batch {
    fn push(&mut self, line: u64, text: Text<'_>) {
        let (text, too_long) = match text {
            Text::Whole(text) => (text, false),
            Text::TooLong(text) => (text, true),
        };
        self.bytes.extend_from_slice(text);
        self.texts.push(Cut { line, end: self.bytes.len(), too_long });
    }

    /// Decodes what can be decoded without knowing what came before.
    #[must_use]
    pub fn decode(&self) -> Decoded {
        let mut items = VecDeque::with_capacity(self.texts.len());
        let mut form = Form::Bare;
        let mut start = 0;
        for Cut { line, end, too_long } in &self.texts {
            let text = &self.bytes[start..*end];
            let text = if *too_long { Text::TooLong(text) } else { Text::Whole(text) };
            form::read(text, *line, &mut form, &mut items);
            start = *end;
        }
        Decoded { items }
    }
}

/// A decoded [`Batch`], for [`super::Sequence::handle_decoded`].
#[derive(Debug)]
pub struct Decoded {
    pub(super) items: VecDeque<Item>,
}

/// Cuts a recording into batches.
pub struct Batches<R> {
    splitter: Splitter<R>,
    /// What follows after the last batch.
    failed: Option<ReadError>,
    ended: bool,
    texts: usize,
}

impl<R: BufRead> Batches<R> {
    /// Cuts `input`; compressed input goes through [`super::decompress`] first.
    pub const fn new(input: R) -> Self {
        Self::of(BATCH_TEXTS, input)
    }

    /// Cuts `input` into batches of so many texts: more of them are handed over at less cost, and take more
    /// memory.
    pub const fn of(texts: usize, input: R) -> Self {
        Self { splitter: Splitter::new(input), failed: None, ended: false, texts }
    }

    /// From now on batches are of so many texts.
    pub const fn set_texts(&mut self, texts: usize) {
        self.texts = texts;
    }
}

impl<R: BufRead> Iterator for Batches<R> {
    type Item = Result<Batch, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut batch = Batch::default();
        let bytes = self.texts * TEXT_BYTES;
        while !self.ended && batch.bytes.len() < bytes && batch.texts.len() < self.texts {
            match self.splitter.next() {
                Ok(Some((line, text))) => batch.push(line, text),
                Ok(None) => self.ended = true,
                Err(source) => {
                    self.failed = Some(ReadError::Io { line: self.splitter.line(), source });
                    self.ended = true;
                }
            }
        }
        if batch.texts.is_empty() {
            return self.failed.take().map(Err);
        }
        Some(Ok(batch))
    }
}
