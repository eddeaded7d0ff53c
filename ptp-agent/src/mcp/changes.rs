//! What subscribers are told of: which resource is another one now.

use std::sync::Arc;

use futures_util::StreamExt as _;
use ptp_diagnostics::ChangeKind;
use rmcp::RoleServer;
use rmcp::model::ResourceUpdatedNotificationParam;
use rmcp::service::Peer;
use serde_json::Value;
use tokio::sync::broadcast;

use super::source::Remote;
use super::{Reach, Server, resources};
use crate::engine_task::{EngineTask, Notification};

/// Something that subscribers may want to look at again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// The resource of this URI.
    Resource(String),
    /// Which resources there are.
    ResourceList,
}

/// What a change of an incident changes.
fn changes(opened: bool, incident: &str, nodes: impl Iterator<Item = String>) -> Vec<Change> {
    let mut changes = vec![
        Change::Resource(resources::CURRENT_ALERTS.to_owned()),
        Change::Resource(resources::FLEET.to_owned()),
        Change::Resource(resources::incident(incident)),
    ];
    changes.extend(nodes.map(|node| Change::Resource(resources::node(&node))));
    if opened {
        changes.push(Change::ResourceList);
    }
    changes
}

/// Tells of what the engine task tells, until that ends or we do.
pub async fn follow_engine(engine: EngineTask, reach: Arc<Reach>) {
    let mut notifications = engine.notifications.subscribe();
    drop(engine);
    loop {
        let notification = tokio::select! {
            () = reach.shutdown.cancelled() => return,
            notification = notifications.recv() => notification,
        };
        match notification {
            Ok(Notification { change, incident, .. }) => {
                let nodes = incident.affected_nodes.iter().map(ToString::to_string);
                for change in changes(change == ChangeKind::Opened, &incident.id, nodes) {
                    // Without subscribers there is nobody to tell.
                    let _ = reach.changes.send(change);
                }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// How long to wait before asking for a stream again that broke off.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Tells of what an agent elsewhere tells.
pub(super) async fn from_stream(remote: Remote, reach: Arc<Reach>) {
    loop {
        if let Ok(answer) = remote.stream().await {
            let mut events = sse_stream::SseStream::from_bytes_stream(answer.bytes_stream());
            while let Some(Ok(event)) = events.next().await {
                let incident: Value = event
                    .data
                    .and_then(|data| serde_json::from_str(&data).ok())
                    .unwrap_or_default();
                let Some(id) = incident["id"].as_str() else { continue };
                let nodes = incident["affected_nodes"].as_array().into_iter().flatten();
                let nodes = nodes.filter_map(Value::as_str).map(str::to_owned);
                for change in changes(event.event.as_deref() == Some("opened"), id, nodes) {
                    let _ = reach.changes.send(change);
                }
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Tells one session of what it follows, in revisions that have sessions.
pub(super) async fn forward(
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
