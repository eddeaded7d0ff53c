//! No file panics the reader, compressed or not, or keeps it busy for ever.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ptp_events::recording::{Reader, decompress};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(input) = decompress(bytes) {
        let read = Reader::new(input).take(100_000).count();
        assert!(read <= bytes.len().saturating_mul(1000) + 1);
    }
});
