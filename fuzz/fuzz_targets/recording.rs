//! No file panics the reader, compressed or not, or keeps it busy for ever; and read in batches it
//! says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ptp_events::recording::{Batches, ReadError, Reader, Recorded, Sequence, decompress};

fn tell(item: Result<Recorded, ReadError>) -> String {
    item.map_or_else(|error| error.to_string(), |recorded| format!("{recorded:?}"))
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(input) = decompress(bytes) {
        let read = Reader::new(input).take(100_000).count();
        assert!(read <= bytes.len().saturating_mul(1000) + 1);
    }
    let mut sequence = Sequence::new();
    for batch in Batches::new(bytes).flatten() {
        sequence.handle_decoded(batch.decode());
    }
    sequence.finish();
    let batched = std::iter::from_fn(|| sequence.poll_recorded());
    assert!(batched.map(tell).eq(Reader::new(bytes).map(tell)));
});
