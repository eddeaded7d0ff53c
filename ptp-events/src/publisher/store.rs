//! What a publisher remembers: its subscriptions and the latest data.

use std::collections::{BTreeMap, HashMap};

use smol_str::SmolStr;

use crate::{Event, Reading, Resource, Subscription, SubscriptionId};

/// So many deliveries in a row must fail before an endpoint is given up (docs/protocol.md §3).
const FAILURES_ALLOWED: u32 = 10;

#[derive(Default)]
pub(super) struct Store {
    subscriptions: Vec<Subscription>,
    data: BTreeMap<Resource, Vec<Reading>>,
    failures: HashMap<String, u32>,
}

impl Store {
    pub(super) fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    pub(super) fn find(&self, id: &str) -> Option<&Subscription> {
        self.subscriptions.iter().find(|s| s.id.as_str() == id)
    }

    pub(super) fn holds(&self, endpoint: &str, address: &str) -> bool {
        self.subscriptions.iter().any(|s| s.endpoint == endpoint && s.address == address)
    }

    pub(super) fn is_subscribed(&self, address: &str) -> bool {
        self.subscriptions.iter().any(|s| s.address == address)
    }

    pub(super) fn add(&mut self, subscription: Subscription) {
        self.subscriptions.push(subscription);
    }

    /// Whether there was one of this id.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|s| s.id.as_str() != id);
        self.subscriptions.len() < before
    }

    pub(super) fn clear(&mut self) {
        self.subscriptions.clear();
        self.failures.clear();
    }

    pub(super) fn endpoints_of(&self, address: &str) -> Vec<String> {
        self.subscriptions
            .iter()
            .filter(|s| s.address == address)
            .map(|s| s.endpoint.clone())
            .collect()
    }

    pub(super) fn delivered(&mut self, endpoint: &str) {
        self.failures.remove(endpoint);
    }

    pub(super) fn undelivered(&mut self, endpoint: &str) {
        let failures = self.failures.entry(endpoint.to_owned()).or_default();
        *failures += 1;
        if *failures >= FAILURES_ALLOWED {
            self.failures.remove(endpoint);
            self.subscriptions.retain(|s| s.endpoint != endpoint);
        }
    }

    /// Keeps the latest reading of each instance: CurrentState merges interfaces whose changes
    /// are pushed one by one.
    pub(super) fn remember(&mut self, event: &Event) {
        if event.is_placeholder() {
            return;
        }
        let known = self.data.entry(event.resource.clone()).or_default();
        for reading in &event.readings {
            match known.iter_mut().find(|k| k.instance == reading.instance) {
                Some(known) => *known = reading.clone(),
                None => known.push(reading.clone()),
            }
        }
    }

    pub(super) fn forget_data(&mut self) {
        self.data.clear();
    }

    /// The latest readings; `None` when there are none.
    pub(super) fn readings(&self, resource: &Resource) -> Option<Vec<Reading>> {
        self.data.get(resource).cloned()
    }

    /// Whether there is data on anything at all.
    pub(super) fn has_data(&self) -> bool {
        !self.data.is_empty()
    }
}

/// An id such as publishers give: a random UUID (RFC 9562 §5.4).
pub(super) fn fresh_id() -> SubscriptionId {
    use std::hash::{BuildHasher, RandomState};
    // Each `RandomState` is seeded from the system once and counted up after that: unique, which
    // is all an id needs to be.
    let (high, low) = (RandomState::new().hash_one(1), RandomState::new().hash_one(2));
    let bits = u128::from(high) << 64 | u128::from(low);
    let uuid = bits & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{uuid:032x}");
    let text = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
    SubscriptionId::try_from(SmolStr::from(text)).expect("a UUID is letters, digits and hyphens")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_4_uuids() {
        let id = fresh_id();
        let text = id.as_str();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "4");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert_ne!(id, fresh_id());
    }

    #[test]
    fn ten_failures_in_a_row_drop_all_of_an_endpoint() {
        let mut store = Store::default();
        for (address, endpoint) in [("/a", "http://x"), ("/b", "http://x"), ("/a", "http://y")] {
            store.add(Subscription {
                address: address.to_owned(),
                endpoint: endpoint.to_owned(),
                id: fresh_id(),
                location: None,
            });
        }
        for _ in 0..9 {
            store.undelivered("http://x");
        }
        store.delivered("http://x");
        for _ in 0..9 {
            store.undelivered("http://x");
        }
        assert_eq!(store.subscriptions().len(), 3);
        store.undelivered("http://x");
        assert_eq!(store.endpoints_of("/a"), ["http://y"]);
        assert!(!store.is_subscribed("/b"));
    }
}
