//! What subscribers are told of: which resource is another one now.

use std::sync::Arc;
use std::time::Duration;

use crate::context::{Change, Context};
use crate::resources;
use futures_util::StreamExt as _;
use ptp_api::Http;
use ptp_diagnostics::report::IncidentReport;

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
