//! No bytes panic the decoder, and what it accepts survives being written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ptp_events::Event;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(event) = Event::from_slice(bytes) {
        let again = Event::from_slice(&event.to_vec());
        // A resource we have no name for is not written as it came.
        if !matches!(event.resource, ptp_events::Resource::Other(_)) {
            assert_eq!(again.map(|e| e.node).ok(), Some(event.node));
        }
    }
});
