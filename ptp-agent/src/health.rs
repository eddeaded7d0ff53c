//! How the agent itself is: what people must know when it cannot do its work.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::store::Store;

/// Something that keeps the agent from its work.
#[derive(Clone, Debug, Serialize)]
pub struct Condition {
    /// What suffers: `journal`, `discovery`, or the name of a publisher.
    pub name: String,
    /// Why, for people.
    pub why: String,
}

/// How many conditions are kept, and so listed.
const MAX_CONDITIONS: usize = 1000;

/// What is known of the agent's own state.
#[derive(Clone, Debug, Default)]
pub struct Health {
    ready: Arc<AtomicBool>,
    conditions: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Health {
    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says whether requests should be sent here.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Something is wrong with `name`.
    pub fn set(&self, name: &str, why: &str) {
        let mut conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        if conditions.len() < MAX_CONDITIONS || conditions.contains_key(name) {
            conditions.insert(name.to_owned(), why.to_owned());
        }
    }

    /// Nothing is wrong with `name` any more.
    pub fn clear(&self, name: &str) {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// Everything that is wrong.
    #[must_use]
    pub fn conditions(&self, store: &Store) -> Vec<Condition> {
        let journal = store.failure().map(|why| ("journal".to_owned(), why));
        let conditions = self.conditions.lock().unwrap_or_else(PoisonError::into_inner);
        let others = conditions.iter().map(|(name, why)| (name.clone(), why.clone()));
        journal.into_iter().chain(others).map(|(name, why)| Condition { name, why }).collect()
    }
}
