//! How the agent itself is: what people must know when it cannot do its work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ptp_api::{Condition, Gravity};
use ptp_store::Store;

/// The condition that says that publishers are not found.
pub const DISCOVERY: &str = "discovery";

/// How many conditions are kept, and so listed.
const MAX_CONDITIONS: usize = 1000;

/// What is known of the agent's own state.
#[derive(Clone, Debug, Default)]
pub struct Health {
    ready: Arc<AtomicBool>,
    /// How many publishers there are, and whether there ever was one.
    publishers: Arc<AtomicU64>,
    found: Arc<AtomicBool>,
    /// How many subscriptions have been wanted and not there for a minute.
    missing: Arc<AtomicU64>,
    conditions: Arc<Mutex<BTreeMap<String, (String, Gravity)>>>,
}

impl Health {
    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says how many publishers were found.
    pub fn set_publishers(&self, publishers: usize) {
        self.publishers.store(publishers as u64, Ordering::Relaxed);
        self.found.fetch_or(publishers > 0, Ordering::Relaxed);
    }

    /// Says how many subscriptions have been wanted and not there for a minute.
    pub fn set_missing(&self, subscriptions: usize) {
        self.missing.store(subscriptions as u64, Ordering::Relaxed);
    }

    /// How many subscriptions have been wanted and not there for a minute.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing.load(Ordering::Relaxed)
    }

    /// How many publishers there are.
    #[must_use]
    pub fn publishers(&self) -> u64 {
        self.publishers.load(Ordering::Relaxed)
    }

    /// Why there never was a publisher since the start, if there was none: whoever installs the agent
    /// looks at whether it gets ready.
    #[must_use]
    pub fn why_none(&self) -> Option<String> {
        if self.found.load(Ordering::Relaxed) {
            return None;
        }
        let starting = || "the API server has not said yet which publishers there are".to_owned();
        Some(self.why(DISCOVERY).unwrap_or_else(starting))
    }

    /// Why the condition of this name is there, if it is.
    #[must_use]
    pub fn why(&self, name: &str) -> Option<String> {
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        conditions.get(name).map(|(why, _)| why.clone())
    }

    /// Says whether requests should be sent here.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Something is wrong with `name`, and the agent cannot do its work.
    pub fn set(&self, name: &str, why: &str) {
        self.insert(name, why, Gravity::Failing);
    }

    /// Something is wrong with `name`, on which observing and diagnosing do not depend.
    pub fn set_degraded(&self, name: &str, why: &str) {
        self.insert(name, why, Gravity::Degraded);
    }

    fn insert(&self, name: &str, why: &str, gravity: Gravity) {
        let mut conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        if conditions.len() < MAX_CONDITIONS || conditions.contains_key(name) {
            conditions.insert(name.to_owned(), (why.to_owned(), gravity));
        }
    }

    /// Nothing is wrong with `name` any more.
    pub fn clear(&self, name: &str) {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn conditions(&self, store: &Store) -> Vec<Condition> {
        let journal = store.failure().map(|why| Condition {
            name: "journal".to_owned(),
            why,
            gravity: Gravity::Failing,
        });
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let others = conditions.iter().map(|(name, (why, gravity))| Condition {
            name: name.clone(),
            why: why.clone(),
            gravity: *gravity,
        });
        journal.into_iter().chain(others).collect()
    }
}
