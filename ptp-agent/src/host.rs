//! What sinks ask of the agent, and where it shows how they are.

use std::sync::Arc;

use ptp_diagnostics::report::Report;
use ptp_sinks::Host;
use tokio::sync::watch;

use crate::engine_task::Snapshot;
use crate::health::Health;

/// The agent, as its sinks see it.
pub(crate) struct SinkHost {
    pub snapshot: watch::Receiver<Arc<Snapshot>>,
    pub health: Health,
}

impl SinkHost {
    fn condition(sink: &str) -> String {
        format!("sink {sink}")
    }
}

impl Host for SinkHost {
    fn known(&self) -> Arc<dyn AsRef<Report> + Send + Sync> {
        self.snapshot.borrow().clone()
    }

    fn sink_works(&self, sink: &str) {
        self.health.clear(&Self::condition(sink));
    }

    fn sink_fails(&self, sink: &str, why: &str) {
        self.health.set_degraded(&Self::condition(sink), why);
    }
}
