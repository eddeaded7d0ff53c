//! The pods of linuxptp-daemon: one on each node that does PTP.

use k8s_openapi::api::core::v1::Pod;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Cluster;
use super::arguments::{OfNodes, cluster};
use super::names;
use crate::context::Context;
use crate::tool::{Answer, Refusal};

/// The daemon of a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Daemon {
    pub node: String,
    pub pod: String,
    /// Whether all its containers are.
    pub ready: bool,
    pub restarts: i64,
}

/// The daemon's pods, one per node, in the order of their nodes. A pod that ended or is on no node
/// is none; while one is replaced, the one that stays counts.
pub(super) fn daemons(pods: &[Pod]) -> Vec<Daemon> {
    let mut found: Vec<(bool, Daemon)> = Vec::new();
    for pod in pods {
        let status = pod.status.as_ref();
        let phase = status.and_then(|status| status.phase.as_deref());
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let (Some(node), Some(name)) = (node, pod.metadata.name.as_deref()) else { continue };
        if matches!(phase, Some("Succeeded" | "Failed")) {
            continue;
        }
        let containers = status.and_then(|status| status.container_statuses.as_deref());
        let containers = containers.unwrap_or_default();
        let stays = pod.metadata.deletion_timestamp.is_none();
        let daemon = Daemon {
            node: node.to_owned(),
            pod: name.to_owned(),
            ready: !containers.is_empty() && containers.iter().all(|container| container.ready),
            restarts: containers.iter().map(|container| i64::from(container.restart_count)).sum(),
        };
        match found.iter_mut().find(|(_, known)| known.node == node) {
            Some(known) if !known.0 && stays => *known = (stays, daemon),
            Some(_) => {}
            None => found.push((stays, daemon)),
        }
    }
    let mut found: Vec<_> = found.into_iter().map(|(_, daemon)| daemon).collect();
    found.sort_by(|one, other| one.node.cmp(&other.node));
    found
}

/// The daemon of a node, or of the only node there is.
pub(super) async fn daemon(cluster: &Cluster, node: Option<&str>) -> Result<Daemon, Refusal> {
    let node = node.map(|node| names::object("a node", node)).transpose()?;
    let (pods, _) = cluster.daemons(node).await?;
    let mut found = daemons(&pods);
    if let Some(node) = node {
        // The selector was the server's; which node it is, is ours to check.
        found.retain(|daemon| daemon.node == node);
    }
    match (found.len(), node) {
        (1, _) => Ok(found.swap_remove(0)),
        (0, Some(node)) => Err(Refusal::NotFound(format!(
            "linuxptp-daemon runs on no node `{node}`; list_ptp_pods lists where it does"
        ))),
        (0, None) => Err(Refusal::NotFound(format!(
            "there is no pod of linuxptp-daemon in namespace {}",
            cluster.namespace()
        ))),
        (count, _) => Err(Refusal::Arguments(format!(
            "linuxptp-daemon runs on {count} nodes; name one of them as `node`"
        ))),
    }
}

/// Where linuxptp-daemon runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Pods {
    /// The namespace.
    namespace: String,
    /// How many pods there are.
    count: usize,
    /// How many of them are not ready.
    not_ready: usize,
    /// Whether there are more than were looked at.
    more: bool,
    /// The pods, by node.
    pods: Vec<PodLine>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A pod.
#[derive(Debug, Serialize, JsonSchema)]
struct PodLine {
    /// Its name.
    name: String,
    /// Its node.
    node: Option<String>,
    /// Its phase.
    phase: String,
    /// Whether all its containers are ready.
    ready: bool,
    /// Its address.
    ip: Option<String>,
    /// When it started.
    started: Option<String>,
    /// Its containers.
    containers: Vec<Container>,
}

/// A container.
#[derive(Debug, Serialize, JsonSchema)]
struct Container {
    /// Its name.
    name: String,
    /// Whether it is ready.
    ready: bool,
    /// How often it was restarted.
    restarts: i32,
    /// `running`, or why not.
    state: String,
}

pub(super) async fn list_pods(context: &Context, wanted: OfNodes) -> Result<Answer<Pods>, Refusal> {
    let cluster = cluster(context)?;
    let node = wanted.node.as_deref().map(|node| names::object("a node", node)).transpose()?;
    let (pods, more) = cluster.daemons(node).await?;
    let mut all: Vec<_> = pods.iter().map(line).collect();
    all.sort_by(|one, other| one.node.cmp(&other.node));
    let count = all.len();
    let not_ready = all.iter().filter(|pod| !pod.ready).count();
    let (pods, next_cursor) = wanted.part().of(all)?;
    let says = format!("{count} pods of linuxptp-daemon, {not_ready} of them not ready.");
    let namespace = cluster.namespace().to_owned();
    Ok(Answer::new(says, Pods { namespace, count, not_ready, more, pods, next_cursor }))
}

fn line(pod: &Pod) -> PodLine {
    let status = pod.status.clone().unwrap_or_default();
    let containers = status.container_statuses.unwrap_or_default();
    let ready = !containers.is_empty() && containers.iter().all(|container| container.ready);
    let containers = containers.into_iter().map(|container| {
        let state = container.state.unwrap_or_default();
        let waiting = state.waiting.and_then(|waiting| waiting.reason);
        let ended = state.terminated.map(|ended| ended.reason.unwrap_or_else(|| "ended".into()));
        let running = state.running.map(|_| "running".to_owned());
        Container {
            name: container.name,
            ready: container.ready,
            restarts: container.restart_count,
            state: running.or(waiting).or(ended).unwrap_or_else(|| "unknown".to_owned()),
        }
    });
    PodLine {
        name: pod.metadata.name.clone().unwrap_or_default(),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        phase: status.phase.unwrap_or_else(|| "Unknown".to_owned()),
        ready,
        ip: status.pod_ip,
        started: status.start_time.map(|time| time.0.to_string()),
        containers: containers.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn of_two_pods_on_a_node_the_one_that_stays_counts() {
        let pod = |name: &str, node: Value, phase: &str, leaving: bool| -> Pod {
            let deleted = leaving.then_some("2026-11-23T06:00:00Z");
            serde_json::from_value(json!({
                "metadata": {"name": name, "deletionTimestamp": deleted},
                "spec": {"nodeName": node, "containers": []},
                "status": {"phase": phase, "containerStatuses": [{
                    "name": "c", "ready": true, "restartCount": 2, "image": "", "imageID": "",
                }]},
            }))
            .unwrap()
        };
        let pods = [
            pod("old", json!("w1"), "Running", true),
            pod("new", json!("w1"), "Running", false),
            pod("failed", json!("w0"), "Failed", false),
            pod("pending", Value::Null, "Pending", false),
        ];
        let daemon = Daemon { node: "w1".into(), pod: "new".into(), ready: true, restarts: 2 };
        assert_eq!(daemons(&pods), [daemon]);
    }
}
