//! Several recordings, read as one in time order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{ReadError, Recorded};
use crate::Received;

/// Hands out the events of several recordings, always the one with the earliest time next.
///
/// Each source must be in time order by itself; what is out of order in a source stays so by the
/// same distance. Equal times come in the order of the sources.
pub struct Merge<I> {
    sources: Vec<I>,
    /// The next event of each source, in `sources`' order.
    heads: Vec<Option<Recorded>>,
    order: BinaryHeap<Reverse<(Received, usize)>>,
    /// Sources whose next event has not been fetched yet.
    empty: Vec<usize>,
}

impl<I: Iterator<Item = Result<Recorded, ReadError>>> Merge<I> {
    /// Merges `sources`.
    #[must_use]
    pub fn new(sources: Vec<I>) -> Self {
        let n = sources.len();
        Self {
            sources,
            heads: std::iter::repeat_with(|| None).take(n).collect(),
            order: BinaryHeap::with_capacity(n),
            empty: (0..n).rev().collect(),
        }
    }

    /// The sources, to ask what they counted.
    #[must_use]
    pub fn sources(&self) -> &[I] {
        &self.sources
    }
}

impl<I: Iterator<Item = Result<Recorded, ReadError>>> Iterator for Merge<I> {
    /// Which source, and what it gave.
    type Item = (usize, Result<Recorded, ReadError>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(index) = self.empty.last().copied() {
            match self.sources[index].next() {
                Some(Ok(recorded)) => {
                    self.order.push(Reverse((recorded.time(), index)));
                    self.heads[index] = Some(recorded);
                    self.empty.pop();
                }
                Some(Err(error)) => return Some((index, Err(error))),
                None => {
                    self.empty.pop();
                }
            }
        }
        let Reverse((_, index)) = self.order.pop()?;
        self.empty.push(index);
        let recorded = self.heads[index].take()?;
        Some((index, Ok(recorded)))
    }
}
