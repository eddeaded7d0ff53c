//! Which publishers there are, and telling people when none is found.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use ptp_events::{Input, NodeName};
use ptp_store::Store;
use ptp_subscriber::discovery::kubernetes::{self, Status};
use ptp_subscriber::discovery::rights::missing;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::Publishers;
use crate::engine_task::EngineTask;
use crate::health::{DISCOVERY, Health};
use crate::rights;

/// How long discovery may say nothing at all before that is told.
const SILENT: Duration = Duration::from_secs(55);

pub(crate) type Targets = watch::Receiver<Vec<ptp_subscriber::target::Target>>;
type Discovery = watch::Receiver<Status>;

/// The nodes that the journal tells of.
fn known_nodes(engine: &EngineTask) -> Vec<NodeName> {
    engine.snapshot.borrow().report.nodes.iter().map(|entry| entry.node.clone()).collect()
}

/// Takes leave of the nodes that left the cluster while nobody was running: of the others,
/// discovery tells as they go.
async fn tell_gone(known: Vec<NodeName>, targets: Targets, mut status: Discovery, store: Store) {
    if status.wait_for(|status| matches!(status, Status::Watching { .. })).await.is_err() {
        return;
    }
    let there: HashSet<_> =
        targets.borrow().iter().map(|target| target.name.as_str().to_owned()).collect();
    for node in known.into_iter().filter(|node| !there.contains(node.as_str())) {
        tracing::info!(%node, "left the cluster while the agent was away");
        if let Err(error) = store.give(Input::Gone { node }).await {
            tracing::warn!(%error, "cannot store what was seen");
        }
    }
}

/// The cluster, where publishers are found in one.
pub(crate) async fn client(publishers: &Publishers) -> anyhow::Result<Option<kube::Client>> {
    match publishers {
        Publishers::Fixed(_) => Ok(None),
        Publishers::Cluster { .. } => kubernetes::client().await.map(Some).context(
            "cannot find the cluster; outside of one, name publishers with --publisher URL",
        ),
    }
}

/// Says in the log, in `/health` and to probes how discovery is doing.
async fn tell_discovery(mut status: Discovery, looked_for: String, health: Health) {
    if tokio::time::timeout(SILENT, status.changed()).await.is_err() {
        let why = format!(
            "the API server has said nothing of {looked_for} for {} s; can it be reached, and may we watch \
             pods?",
            SILENT.as_secs()
        );
        tracing::warn!(why, "nothing can be observed");
        health.set(DISCOVERY, &why);
    }
    loop {
        let now = status.borrow_and_update().clone();
        match &now {
            Status::Watching { publishers: 0, pods } => {
                health.set_publishers(0);
                let why = match pods {
                    0 => format!(
                        "no publisher is found: there are no {looked_for}; is linuxptp-daemon \
                         running, and PTP_NAMESPACE its namespace?"
                    ),
                    pods => format!(
                        "no publisher is found: of {looked_for} there are {pods}, and none has an \
                         address yet"
                    ),
                };
                health.set(DISCOVERY, &why);
                tracing::warn!(why, "nothing can be observed");
            }
            Status::Watching { publishers, .. } => {
                health.set_publishers(*publishers);
                if health.why(DISCOVERY).is_some() {
                    tracing::info!(publishers, "publishers are found");
                }
                health.clear(DISCOVERY);
            }
            Status::Failing { why, .. } => {
                if health.why(DISCOVERY).as_ref() != Some(why) {
                    tracing::warn!(why, "publishers are not followed");
                }
                health.set(DISCOVERY, why);
            }
            _ => {}
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

/// Says at once when incidents cannot be recorded as Events: otherwise the first one would tell.
pub(crate) async fn tell_missing_right(wanted: bool, health: Health) {
    if !wanted {
        return;
    }
    let Ok(client) = kubernetes::client().await else { return };
    // An API server that does not say is asked again by the first incident.
    let Ok(missing) = missing(&client, rights::to_record()).await else { return };
    if let Some(right) = missing.first() {
        let why = right.to_string();
        tracing::warn!(why, "incidents cannot be recorded as Events");
        health.set_degraded("sink kubernetes", &why);
    }
}

/// Follows the publishers there are.
pub(crate) fn follow(
    publishers: &Publishers,
    client: Option<kube::Client>,
    engine: &EngineTask,
    store: &Store,
    health: &Health,
    tasks: &mut JoinSet<()>,
    stop: CancellationToken,
) -> anyhow::Result<Targets> {
    let (namespace, template) = match publishers {
        Publishers::Fixed(list) => {
            health.set_publishers(list.len());
            return Ok(ptp_subscriber::discovery::fixed(list.clone()));
        }
        Publishers::Cluster { namespace, template } => (namespace.clone(), template.clone()),
    };
    let client = client.context("there is no client of the cluster")?;
    let settings = kubernetes::Settings { namespace, template, ..kubernetes::Settings::default() };
    let kubernetes::Settings { namespace, selector, .. } = &settings;
    let looked_for = format!("pods with the label {selector} in namespace {namespace}");
    let (found, running) = kubernetes::discover(client, settings, stop);
    tasks.spawn(running);
    tasks.spawn(tell_discovery(found.status.clone(), looked_for, health.clone()));
    tasks.spawn(tell_gone(known_nodes(engine), found.targets.clone(), found.status, store.clone()));
    Ok(found.targets)
}
