//! The silences in force, shared by the API and whoever tells people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use ptp_api::Silence;
use ptp_diagnostics::report::Alert;
use ptp_events::Received;

/// The silences in force, or planned.
#[derive(Clone, Debug, Default)]
pub struct Silences(Arc<Mutex<BTreeMap<String, Silence>>>);

/// How many silences may exist.
pub const MAX_SILENCES: usize = 1000;

impl Silences {
    /// Adds or replaces one, and forgets those that are over at `now`; false when there are too
    /// many.
    #[must_use]
    pub fn put(&self, silence: Silence, now: Received) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, silence| silence.until > now);
        let fits = all.len() < MAX_SILENCES || all.contains_key(&silence.id);
        if fits {
            all.insert(silence.id.clone(), silence);
        }
        fits
    }

    /// All of them, by id.
    #[must_use]
    pub fn all(&self) -> Vec<Silence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The silence that covers an alert at `now`.
    #[must_use]
    pub fn covering(&self, alert: &Alert, now: Received) -> Option<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().find(|silence| silence.covers(alert, now)).map(|silence| silence.id.clone())
    }
}
