//! The API server of these tests: a stand-in with just enough in it, or the real one that
//! `tests/real-cluster.sh` starts.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as InPath, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::RoleBinding;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const NAMESPACE: &str = "openshift-ptp";
const LABEL: &str = "app=linuxptp-daemon";
/// Who may record Events on nodes, in `deploy/base`.
const MAY_RECORD: &str = "ptp-agent-events";

/// What the stand-in holds.
#[derive(Default)]
struct Cluster {
    /// The pods of linuxptp-daemon.
    pods: Vec<Value>,
    /// Who watches them.
    watches: Vec<mpsc::UnboundedSender<Result<String, std::io::Error>>>,
    /// The Events that were recorded.
    events: Vec<Value>,
    /// Whether Events may be recorded.
    may_record: bool,
}

impl Cluster {
    /// Tells whoever watches of a pod that came or went.
    fn change(&mut self, kind: &str, pod: &Value) {
        self.pods.retain(|known| known["metadata"]["name"] != pod["metadata"]["name"]);
        if kind != "DELETED" {
            self.pods.push(pod.clone());
        }
        let line = format!("{}\n", json!({ "type": kind, "object": pod }));
        self.watches.retain(|watch| watch.send(Ok(line.clone())).is_ok());
    }
}

type Shared = Arc<Mutex<Cluster>>;

async fn pods(
    State(cluster): State<Shared>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let mut cluster = cluster.lock().unwrap();
    if query.iter().any(|(key, _)| key == "watch") {
        let (watch, lines) = mpsc::unbounded_channel();
        cluster.watches.push(watch);
        let lines = stream::unfold(lines, async |mut lines| Some((lines.recv().await?, lines)));
        return Body::from_stream(lines).into_response();
    }
    let list = json!({
        "apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"},
        "items": cluster.pods,
    });
    axum::Json(list).into_response()
}

/// Says whether a right is granted: all but those on Events.
async fn review(
    State(cluster): State<Shared>,
    axum::Json(mut review): axum::Json<Value>,
) -> axum::Json<Value> {
    let of_events = review["spec"]["resourceAttributes"]["resource"] == "events";
    let allowed = !of_events || cluster.lock().unwrap().may_record;
    review["status"] = json!({ "allowed": allowed });
    axum::Json(review)
}

async fn record(
    State(cluster): State<Shared>,
    InPath(namespace): InPath<String>,
    axum::Json(mut event): axum::Json<Value>,
) -> axum::Json<Value> {
    event["metadata"]["namespace"] = namespace.into();
    cluster.lock().unwrap().events.push(event.clone());
    axum::Json(event)
}

/// A kubeconfig of the API server there.
pub(crate) fn kubeconfig(url: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}

fn pod(name: &str, node: &str, ip: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "linuxptp-daemon"}, "resourceVersion": "1"},
        "spec": {"nodeName": node, "containers": [{"name": "none", "image": "none"}]},
        "status": {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}]},
    })
}

enum Kind {
    StandIn(Shared),
    /// With the rights of an administrator.
    Real(kube::Client),
}

/// An API server, and how the agent reaches it.
pub(crate) struct ApiServer {
    runtime: Runtime,
    kind: Kind,
    /// The agent's.
    pub kubeconfig: PathBuf,
    _dir: TempDir,
}

impl ApiServer {
    pub(crate) fn stand_in() -> Self {
        let (runtime, dir) = (Runtime::new().unwrap(), TempDir::new().unwrap());
        let cluster = Shared::default();
        let router = Router::new()
            .route("/api/v1/namespaces/openshift-ptp/pods", get(pods))
            .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review))
            .route("/apis/events.k8s.io/v1/namespaces/{namespace}/events", post(record))
            .with_state(Arc::clone(&cluster));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let file = dir.path().join("kubeconfig");
        std::fs::write(&file, kubeconfig(&url)).unwrap();
        Self { runtime, kind: Kind::StandIn(cluster), kubeconfig: file, _dir: dir }
    }

    /// The real one, without any pods, if `tests/real-cluster.sh` started it.
    pub(crate) fn real() -> Option<Self> {
        let admin = std::env::var_os("ADMIN_KUBECONFIG")?;
        let agent = PathBuf::from(std::env::var_os("KUBECONFIG")?);
        let (runtime, dir) = (Runtime::new().unwrap(), TempDir::new().unwrap());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = runtime.block_on(async {
            let file = kube::config::Kubeconfig::read_from(admin).unwrap();
            let options = kube::config::KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(file, &options).await.unwrap();
            kube::Client::try_from(config).unwrap()
        });
        let server = Self { runtime, kind: Kind::Real(client), kubeconfig: agent, _dir: dir };
        server.end_all();
        Some(server)
    }

    pub(crate) fn block_on<T>(&self, doing: impl Future<Output = T>) -> T {
        self.runtime.block_on(doing)
    }

    /// A pod of linuxptp-daemon runs on a node.
    pub(crate) fn run(&self, name: &str, node: &str, ip: &str) {
        let value = pod(name, node, ip);
        match &self.kind {
            Kind::StandIn(cluster) => cluster.lock().unwrap().change("ADDED", &value),
            Kind::Real(client) => self.block_on(async {
                let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
                let mut bare: Pod = serde_json::from_value(value.clone()).unwrap();
                bare.metadata.resource_version = None;
                pods.create(&PostParams::default(), &bare).await.unwrap();
                let status = Patch::Merge(json!({ "status": value["status"] }));
                pods.patch_status(name, &PatchParams::default(), &status).await.unwrap();
            }),
        }
    }

    /// A pod of linuxptp-daemon is deleted.
    pub(crate) fn end(&self, name: &str) {
        match &self.kind {
            Kind::StandIn(cluster) => {
                let mut cluster = cluster.lock().unwrap();
                let found = cluster.pods.iter().find(|pod| pod["metadata"]["name"] == name);
                let found = found.unwrap().clone();
                cluster.change("DELETED", &found);
            }
            Kind::Real(client) => self.block_on(async {
                let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
                pods.delete(name, &DeleteParams::default().grace_period(0)).await.unwrap();
            }),
        }
    }

    /// All of them are.
    pub(crate) fn end_all(&self) {
        match &self.kind {
            Kind::StandIn(cluster) => {
                let pods = cluster.lock().unwrap().pods.clone();
                for pod in &pods {
                    cluster.lock().unwrap().change("DELETED", pod);
                }
            }
            Kind::Real(client) => self.block_on(async {
                let pods: Api<Pod> = Api::namespaced(client.clone(), NAMESPACE);
                let all = ListParams::default().labels(LABEL);
                let now = DeleteParams::default().grace_period(0);
                pods.delete_collection(&now, &all).await.unwrap();
            }),
        }
    }

    /// A node that `kubectl describe node` finds; the stand-in has none.
    pub(crate) fn add_node(&self, name: &str) {
        let Kind::Real(client) = &self.kind else { return };
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
        let node: Node = serde_json::from_value(node).unwrap();
        self.block_on(async {
            let nodes: Api<Node> = Api::all(client.clone());
            if nodes.get_opt(name).await.unwrap().is_none() {
                nodes.create(&PostParams::default(), &node).await.unwrap();
            }
        });
    }

    /// The Events that were recorded about nodes.
    pub(crate) fn events(&self) -> Vec<Value> {
        match &self.kind {
            Kind::StandIn(cluster) => cluster.lock().unwrap().events.clone(),
            Kind::Real(client) => self.block_on(async {
                let events: Api<Event> = Api::namespaced(client.clone(), "default");
                let all = events.list(&ListParams::default()).await.unwrap();
                let ours =
                    |event: &&Event| event.reporting_controller.as_deref() == Some("ptp-agent");
                let ours = all.iter().filter(ours);
                ours.map(|event| serde_json::to_value(event).unwrap()).collect()
            }),
        }
    }

    /// Whether the agent may record Events from now on.
    pub(crate) fn let_record(&self, may: bool) {
        match &self.kind {
            Kind::StandIn(cluster) => cluster.lock().unwrap().may_record = may,
            Kind::Real(client) => self.block_on(async {
                let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), "default");
                let there = bindings.get_opt(MAY_RECORD).await.unwrap().is_some();
                if may && !there {
                    let binding = json!({
                        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                        "metadata": {"name": MAY_RECORD},
                        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                            "name": MAY_RECORD},
                        "subjects": [{"kind": "ServiceAccount", "name": "ptp-agent",
                            "namespace": "ptp-agent"}],
                    });
                    let binding = serde_json::from_value(binding).unwrap();
                    bindings.create(&PostParams::default(), &binding).await.unwrap();
                } else if there && !may {
                    bindings.delete(MAY_RECORD, &DeleteParams::default()).await.unwrap();
                }
            }),
        }
    }
}

/// The agent's kubeconfig with a token that the API server does not know.
pub(crate) fn with_expired_token(file: &Path) -> String {
    let mut config: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    config["users"][0]["user"] = json!({ "token": "expired" });
    config.to_string()
}
