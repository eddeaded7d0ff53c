//! In a cluster: publishers behind pods, alerts as Kubernetes Events.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use futures_util::stream;
use ptp_events::publisher::{Options, Publisher};
use ptp_events::{Event, NodeName};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::agent::{Agent, SECRET, agent, eventually, quiet};
use crate::event;

#[derive(Default)]
struct Cluster {
    /// The pods of linuxptp-daemon.
    pods: Vec<Value>,
    /// Who watches them.
    watches: Vec<mpsc::UnboundedSender<Result<String, std::io::Error>>>,
    /// What was recorded, and where.
    events: Vec<(String, Value)>,
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

fn pod(name: &str, node: &str, ip: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "linuxptp-daemon"}, "resourceVersion": "1"},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "podIP": ip},
    })
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
    Path(namespace): Path<String>,
    axum::Json(event): axum::Json<Value>,
) -> axum::Json<Value> {
    cluster.lock().unwrap().events.push((namespace, event.clone()));
    axum::Json(event)
}

/// An API server with just enough in it; where it is.
async fn api_server(cluster: &Shared) -> String {
    let router = Router::new()
        .route("/api/v1/namespaces/openshift-ptp/pods", get(pods))
        .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review))
        .route("/apis/events.k8s.io/v1/namespaces/{namespace}/events", post(record))
        .with_state(Arc::clone(cluster));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A kubeconfig of that API server.
pub(crate) fn kubeconfig(url: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "test", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_an_event_on_its_node_and_nodes_leave_while_we_are_away() {
    let dir = TempDir::new().unwrap();
    let cluster = Shared::default();
    let config = dir.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig(&api_server(&cluster).await)).unwrap();
    let node = NodeName::new("w1").unwrap();
    let mut publisher = Publisher::bind("127.0.0.1:0", node, Options::rewrite()).await.unwrap();
    let locked = Event::from_slice(event(1).as_bytes()).unwrap();
    publisher.remember(&locked);
    cluster.lock().unwrap().pods = vec![pod("pod-w1", "w1", "127.0.0.1")];
    let thresholds = dir.path().join("thresholds.toml");
    std::fs::write(&thresholds, "loss-of-lock = \"1s\"\n").unwrap();
    let start = || {
        let mut command = quiet(agent(), &dir.path().join("journal.db"));
        command
            .env("KUBECONFIG", &config)
            .args(["--kubernetes-events", "--endpoint", "http://127.0.0.1:1", "--poll", "1s"])
            .args(["--publisher-url-template", &publisher.url(), "--thresholds"])
            .arg(&thresholds);
        tokio::task::block_in_place(|| Agent::run(command))
    };
    let agent = start();
    let state = |agent: &Agent| -> Value {
        let (_, nodes) = agent.get("/api/v1/nodes");
        serde_json::from_str::<Value>(&nodes).unwrap()["items"][0]["state"].clone()
    };
    tokio::task::block_in_place(|| {
        eventually("the node by discovery", || (state(&agent) == "LOCKED").then_some(()));
    });
    publisher
        .remember(&Event::from_slice(event(2).replace("LOCKED", "FREERUN").as_bytes()).unwrap());
    tokio::task::block_in_place(|| {
        eventually("an event", || (!cluster.lock().unwrap().events.is_empty()).then_some(()));
    });
    let (namespace, mut recorded) = cluster.lock().unwrap().events[0].clone();
    for (path, key) in [("/metadata", "name"), ("", "eventTime"), ("", "reportingInstance")] {
        let slot = recorded.pointer_mut(path).unwrap().get_mut(key).unwrap();
        assert!(slot.is_string());
        *slot = "…".into();
    }
    let note = recorded["note"].as_str().unwrap();
    recorded["note"] = note.replace(|c: char| c.is_ascii_digit(), "9").into();
    assert_eq!(namespace, "default", "where events of what has no namespace belong");
    insta::assert_json_snapshot!(recorded, @r#"
    {
      "action": "ptp-path-loss",
      "apiVersion": "events.k8s.io/v1",
      "eventTime": "…",
      "kind": "Event",
      "metadata": {
        "name": "…"
      },
      "note": "CRITICAL PTP path lost on w9: At 99:99:99.999 UTC w9 reported FREERUN (ens9fx/master). Finding: loss-of-lock (FREERUN). The evidence does not decide the cause (confidence 9.99). Since 99:99:99.999 UTC.",
      "reason": "PtpIncidentOpened",
      "regarding": {
        "apiVersion": "v1",
        "kind": "Node",
        "name": "w1",
        "uid": "w1"
      },
      "reportingController": "ptp-agent",
      "reportingInstance": "…",
      "type": "Warning"
    }
    "#);

    // The node leaves, and nobody sees it go.
    let log = tokio::task::block_in_place(|| agent.stop());
    assert!(!log.contains(SECRET));
    cluster.lock().unwrap().pods = Vec::new();
    let again = start();
    tokio::task::block_in_place(|| {
        eventually("the node taken leave of", || (state(&again) == "UNKNOWN").then_some(()));
    });
    let log = tokio::task::block_in_place(|| again.stop());
    assert!(log.contains("left the cluster while the agent was away"), "{log}");
    publisher.stop().await;
}

/// What an administrator sees first: nothing is found, and Events may not be recorded.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_in_a_cluster_is_said_at_once() {
    let dir = TempDir::new().unwrap();
    let cluster = Shared::default();
    let config = dir.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig(&api_server(&cluster).await)).unwrap();
    let mut command = quiet(agent(), &dir.path().join("journal.db"));
    command
        .env("KUBECONFIG", &config)
        .args(["--kubernetes-events", "--endpoint", "http://127.0.0.1:1"])
        .args(["--publisher-url-template", "http://{podIP}:1"]);
    let running = tokio::task::block_in_place(|| Agent::run(command));
    let missing = "no publisher is found: there are no pods with the label app=linuxptp-daemon in \
        namespace openshift-ptp";
    tokio::task::block_in_place(|| {
        eventually("both are said", || {
            let (status, health) = running.get("/health");
            let all =
                health.contains(missing) && health.contains("sink kubernetes: we may not create");
            (status == 503 && all).then_some(())
        });
        let (status, ready) = running.get("/readyz");
        assert!(status == 503 && ready.contains("no publisher is found"), "{ready}");
        let (_, metrics) = running.get("/metrics");
        assert!(metrics.contains("ptp_agent_discovery_failing 1"), "{metrics}");
        assert!(metrics.contains("ptp_agent_publishers 0"), "{metrics}");
    });
    cluster.lock().unwrap().change("ADDED", &pod("pod-w1", "w1", "127.0.0.1"));
    tokio::task::block_in_place(|| {
        eventually("ready", || (running.get("/readyz").0 == 200).then_some(()));
        assert!(!running.get("/health").1.contains("no publisher is found"));
        let log = running.stop();
        assert!(log.contains("nothing can be observed") && log.contains("publishers are found"));
        assert!(log.contains("incidents cannot be recorded as Events"), "{log}");
    });
    let check = |config: &std::path::Path| {
        let mut command = agent();
        command.env("KUBECONFIG", config).args(["--kubernetes-events", "--endpoint", "http://x"]);
        let output = command.arg("check-config").output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        (output.status.code(), out.unwrap() + &err.unwrap())
    };
    let (code, said) = tokio::task::block_in_place(|| check(&config));
    assert!(code == Some(2) && said.contains("we may not create events"), "{said}");
    cluster.lock().unwrap().may_record = true;
    let (code, said) = tokio::task::block_in_place(|| check(&config));
    assert!(code == Some(0) && said.starts_with("the configuration works"), "{said}");
    let (code, said) = tokio::task::block_in_place(|| check(std::path::Path::new("/nowhere")));
    assert!(code == Some(0) && said.contains("were not tried on a cluster"), "{said}");
}

const NODES: usize = 300;
const ROLLED: usize = 60;

/// An upgrade replaces pods: their nodes are as healthy after it as before, live and from the journal.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_pods_are_replaced_are_locked_again() {
    let dir = TempDir::new().unwrap();
    let cluster = Shared::default();
    let config = dir.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig(&api_server(&cluster).await)).unwrap();
    // All on one port, each on an address of its own.
    let port = {
        let free = std::net::TcpListener::bind("127.1.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let address =
        |life: usize, node: usize| format!("127.{}.{}.{}", life, node / 200, node % 200 + 1);
    let publisher = async |life: usize, node: usize| {
        let name = format!("w{node}");
        let at = format!("{}:{port}", address(life, node));
        let own = NodeName::new(&name).unwrap();
        let publisher = Publisher::bind(&at, own, Options::rewrite()).await.unwrap();
        let locked = event(u32::try_from(node).unwrap()).replace("/w1/", &format!("/{name}/"));
        publisher.remember(&Event::from_slice(locked.as_bytes()).unwrap());
        publisher
    };
    let of = |life: usize, node: usize| {
        pod(&format!("daemon-{node}-{life}"), &format!("w{node}"), &address(life, node))
    };
    let mut publishers = Vec::new();
    for node in 0..NODES {
        publishers.push(publisher(1, node).await);
        cluster.lock().unwrap().pods.push(of(1, node));
    }
    let start = || {
        let mut command = quiet(agent(), &dir.path().join("journal.db"));
        command
            .env("KUBECONFIG", &config)
            .args(["--endpoint", "http://127.0.0.1:1", "--poll", "1s"])
            .args(["--publisher-url-template", &format!("http://{{podIP}}:{port}")]);
        Agent::run(command)
    };
    let locked = |agent: &Agent| {
        let (_, fleet) = agent.get("/api/v1/fleet");
        let fleet: Value = serde_json::from_str(&fleet).unwrap();
        usize::try_from(fleet["states"]["LOCKED"].as_u64().unwrap_or_default()).unwrap()
    };
    let agent = tokio::task::block_in_place(|| {
        let agent = start();
        eventually("all are locked", || (locked(&agent) == NODES).then_some(()));
        agent
    });
    for (node, publisher) in publishers.iter_mut().enumerate().take(ROLLED) {
        cluster.lock().unwrap().change("DELETED", &of(1, node));
        publisher.stop().await;
    }
    tokio::task::block_in_place(|| {
        eventually("they left", || (locked(&agent) == NODES - ROLLED).then_some(()));
    });
    for (node, replaced) in publishers.iter_mut().enumerate().take(ROLLED) {
        *replaced = publisher(2, node).await;
        cluster.lock().unwrap().change("ADDED", &of(2, node));
    }
    tokio::task::block_in_place(|| {
        eventually("all are locked again", || (locked(&agent) == NODES).then_some(()));
        agent.stop();
        // Nobody answers any more: what is said now is from the journal.
        let mut replay = std::process::Command::new(env!("CARGO_BIN_EXE_ptp-agent"));
        replay.env_clear();
        let mut command = quiet(replay, &dir.path().join("journal.db"));
        command.args(["--publisher", "http://127.0.0.1:1=elsewhere"]);
        let again = Agent::run(command);
        assert_eq!(locked(&again), NODES);
    });
    for mut publisher in publishers {
        publisher.stop().await;
    }
}
