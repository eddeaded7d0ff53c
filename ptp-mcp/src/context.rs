//! What tools can reach.

use std::sync::{Mutex, PoisonError};

use ptp_api::{Client, Secret};
use ptp_diagnostics::Settings;
use ptp_events::Received;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::clean;
use crate::cluster::access::Cluster;
use crate::ordered::Ordered;

/// Something that subscribers may want to look at again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The resource of this URI.
    Resource(String),
    /// Which resources there are.
    ResourceList,
}

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

/// There is no agent to ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no agent is configured: PTP_AGENT_URL names it")]
pub struct NoAgent;

/// Who asks, as their token shows; whoever serves this over HTTP puts it into the extensions of a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whether they may change things.
    pub may_change: bool,
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

    /// The agent; a tool that needs it is not offered without.
    pub(crate) fn agent(&self) -> Result<&Client, NoAgent> {
        self.agent.as_ref().ok_or(NoAgent)
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
