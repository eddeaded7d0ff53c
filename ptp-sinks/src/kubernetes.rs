//! Kubernetes Events on the node an incident began on, for `kubectl describe node`.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use ptp_diagnostics::report::AlertStatus;

use crate::{Answer, Message, SinkError};

/// The longest note that the API server accepts, in bytes.
const LONGEST: usize = 1000;

/// Records events.
pub struct KubernetesEvents {
    recorder: Recorder,
}

impl std::fmt::Debug for KubernetesEvents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KubernetesEvents").finish_non_exhaustive()
    }
}

impl KubernetesEvents {
    /// Records events through `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let reporter = Reporter { controller: "ptp-agent".to_owned(), instance: None };
        Self { recorder: Recorder::new(client, reporter) }
    }

    pub(super) async fn deliver(&self, message: &Message) -> Result<Answer, SinkError> {
        let alert = &message.alert;
        let said = |said: &str| Answer { status: None, said: said.to_owned() };
        let Some(node) = message.incident.origin_nodes.first() else {
            return Ok(said("nothing to do: events are about nodes, and this is about none"));
        };
        let (type_, reason) = match alert.status {
            AlertStatus::Opened => (EventType::Warning, "PtpIncidentOpened"),
            AlertStatus::Escalated => (EventType::Warning, "PtpIncidentEscalated"),
            AlertStatus::Resolved => (EventType::Normal, "PtpIncidentResolved"),
        };
        let mut note = format!("{} {}: {}", alert.severity, alert.summary, alert.details);
        while note.len() > LONGEST {
            note.pop();
        }
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note),
            // Part of what makes an event another one, so that two causes are two events.
            action: alert.root_cause.code().to_owned(),
            secondary: None,
        };
        let regarding = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Node".to_owned()),
            name: Some(node.to_string()),
            // What kubelet writes, and `kubectl describe node` looks for: a node is in no namespace, and
            // its name stands for its uid. Events of it are in `default` (observed: 1.36).
            namespace: None,
            uid: Some(node.to_string()),
            ..ObjectReference::default()
        };
        self.recorder
            .publish(&event, &regarding)
            .await
            .map(|()| said("recorded"))
            .map_err(|source| SinkError::Kubernetes { source: Box::new(source) })
    }
}
