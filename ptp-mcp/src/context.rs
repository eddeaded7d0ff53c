//! What tools can reach.

use std::sync::{Mutex, PoisonError};

use ptp_api::{Client, Secret};
use ptp_diagnostics::Settings;
use ptp_events::Received;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::changes::Change;
use crate::clean;
use crate::cluster::Cluster;
use crate::ordered::Ordered;

/// What tools can reach, and what must not get out.
#[derive(Debug)]
pub struct Context {
    /// The agent; `None` where only the cluster is asked.
    pub agent: Option<Client>,
    /// The cluster, where it can be asked.
    pub cluster: Option<Cluster>,
    /// Whether `exec_ptp_command` is there.
    pub may_run_commands: bool,
    /// Whether things may be changed by who is not known by a token: on a laptop.
    pub may_change: bool,
    /// What a given recording is diagnosed with.
    pub thresholds: Settings,
    /// What must never be shown.
    pub secrets: Vec<Secret>,
    /// What happens, for subscribers.
    pub changes: broadcast::Sender<Change>,
    /// Ends the streams.
    pub shutdown: CancellationToken,
    marks: Mutex<Marks>,
}

/// Between which times alerts are noted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    pub from: Option<Received>,
    pub until: Option<Received>,
}

/// How many changes a slow subscriber may be behind.
const LAG: usize = 1024;

impl Context {
    /// Of an agent, and nothing else.
    #[must_use]
    pub fn new(agent: Option<Client>) -> Self {
        Self {
            agent,
            cluster: None,
            may_run_commands: false,
            may_change: false,
            thresholds: Settings::default(),
            secrets: Vec::new(),
            changes: broadcast::channel(LAG).0,
            shutdown: CancellationToken::new(),
            marks: Mutex::default(),
        }
    }

    /// Removes from every text what must not go out.
    pub(crate) fn clean(&self, value: &mut Ordered) {
        clean::clean(value, &self.secrets);
    }

    /// The same of a text.
    pub(crate) fn clean_text(&self, mut text: String) -> String {
        clean::clean_text(&mut text, &self.secrets);
        text
    }

    pub(crate) fn marks(&self) -> Marks {
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_marks(&self, marks: Marks) {
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = marks;
    }
}
