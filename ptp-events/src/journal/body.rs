//! How bodies of events are kept: packed, as nearly everything in one stands in all of them.
//!
//! LZ4 with a dictionary of one event of each kind, as cloud-event-proxy sends them. A packed body begins with a
//! byte that no JSON begins with, so that journals of before are read as they are.

use std::borrow::Cow;

use lz4_flex::block::{compress_with_dict, decompress_with_dict};

use crate::MAX_EVENT_BYTES;

/// What a body begins with that is packed with [`DICTIONARY`]. A change of the dictionary is another number.
const PACKED: u8 = 1;
/// How many bytes stand before the packed ones: the mark, and how long they are when unpacked.
const HEAD: usize = 5;
/// Never to be changed: what is packed with it can be unpacked with it alone.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// Packs a body, where that makes it smaller.
pub(super) fn pack(body: &[u8]) -> Cow<'_, [u8]> {
    let Ok(length) = u32::try_from(body.len()) else { return Cow::Borrowed(body) };
    let packed = compress_with_dict(body, DICTIONARY);
    // One that begins like a packed one must be, or it would be taken for one.
    if packed.len() + HEAD >= body.len() && body.first() != Some(&PACKED) {
        return Cow::Borrowed(body);
    }
    let mut out = Vec::with_capacity(HEAD + packed.len());
    out.push(PACKED);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&packed);
    Cow::Owned(out)
}

/// A body as it was received; `None` where it is damaged, or larger than any.
pub(super) fn unpack(body: Vec<u8>) -> Option<Vec<u8>> {
    let [PACKED, a, b, c, d, packed @ ..] = body.as_slice() else { return Some(body) };
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    if length > MAX_EVENT_BYTES.max(crate::MAX_BODY_BYTES) {
        return None;
    }
    let unpacked = decompress_with_dict(packed, length, DICTIONARY).ok()?;
    (unpacked.len() == length).then_some(unpacked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENT: &[u8] = br#"{"specversion":"1.0","id":"5c1f9b1e-8d0c-4a52-9a38-0f4bd2f6a0c1","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-24T03:12:44.921530117Z","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/worker-17.example.com/ens2fx/master","data_type":"notification","value_type":"enumeration","value":"LOCKED"},{"ResourceAddress":"/cluster/node/worker-17.example.com/ens2fx/master","data_type":"metric","value_type":"decimal64.3","value":"-7"}]}}"#;

    #[test]
    fn an_event_takes_a_third_of_its_length() {
        let packed = pack(EVENT);
        assert!(packed.len() * 3 <= EVENT.len(), "{} of {}", packed.len(), EVENT.len());
        assert_eq!(unpack(packed.into_owned()).as_deref(), Some(EVENT));
    }

    #[test]
    fn what_is_damaged_is_nothing() {
        let packed = pack(EVENT).into_owned();
        assert_eq!(unpack(packed[..packed.len() - 3].to_vec()), None);
        assert_eq!(unpack(vec![PACKED, 255, 255, 255, 255, 0]), None);
        assert_eq!(unpack(vec![PACKED]), Some(vec![PACKED]), "too short to be packed");
    }

    proptest! {
        #[test]
        fn any_body_comes_back(body in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(unpack(pack(&body).into_owned()), Some(body));
        }

        #[test]
        fn no_damage_panics(mut body in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..400) {
            let mut packed = pack(EVENT).into_owned();
            if let Some(byte) = packed.get_mut(at) {
                *byte = body.pop().unwrap_or_default();
            }
            unpack(packed);
            body.insert(0, PACKED);
            unpack(body);
        }
    }
}
