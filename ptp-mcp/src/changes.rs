//! What subscribers are told of: which resource is another one now.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use ptp_api::Http;
use ptp_diagnostics::report::IncidentReport;
use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::Peer;
use tokio::sync::broadcast;

use crate::context::Context;
use crate::resources;
use crate::server::Server;

/// Something that subscribers may want to look at again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The resource of this URI.
    Resource(String),
    /// Which resources there are.
    ResourceList,
}

/// What a change of an incident changes; `opened` when it is a new one.
#[must_use]
pub fn changes_of(opened: bool, incident: &IncidentReport) -> Vec<Change> {
    let mut changes = vec![
        Change::Resource(resources::CURRENT_ALERTS.to_owned()),
        Change::Resource(resources::FLEET.to_owned()),
        Change::Resource(resources::incident(&incident.id)),
    ];
    let nodes = incident.affected_nodes.iter();
    changes.extend(nodes.map(|node| Change::Resource(resources::node(node.as_str()))));
    if opened {
        changes.push(Change::ResourceList);
    }
    changes
}

/// How long to wait before asking for a stream again that broke off.
const AGAIN: Duration = Duration::from_secs(5);

/// Tells of what an agent elsewhere tells, for ever.
pub async fn follow_stream(agent: Http, context: Arc<Context>) {
    loop {
        if let Ok(answer) = agent.stream().await {
            let mut events = sse_stream::SseStream::from_bytes_stream(answer.bytes_stream());
            while let Some(Ok(event)) = events.next().await {
                let incident = event.data.as_deref().map(serde_json::from_str);
                let Some(Ok(incident)) = incident else { continue };
                for change in changes_of(event.event.as_deref() == Some("opened"), &incident) {
                    // Without subscribers there is nobody to tell.
                    let _ = context.changes.send(change);
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Tells one session of what it follows, in revisions that have sessions.
pub(crate) async fn forward(
    mut changes: broadcast::Receiver<Change>,
    peer: Peer<RoleServer>,
    server: Server,
) {
    loop {
        let sent = match changes.recv().await {
            Ok(Change::Resource(uri)) if server.follows(&uri) => {
                peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await
            }
            Ok(Change::ResourceList) => peer.notify_resource_list_changed().await,
            Ok(Change::Resource(_)) | Err(broadcast::error::RecvError::Lagged(_)) => continue,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}
