//! In a cluster: publishers behind pods, alerts as Kubernetes Events.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use ptp_events::publisher::{Options, Publisher};
use ptp_events::{Event, NodeName};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agent::{Agent, SECRET, agent, eventually, quiet};
use crate::event;

#[derive(Default)]
struct Cluster {
    /// The nodes that run linuxptp-daemon.
    nodes: Vec<&'static str>,
    /// What was recorded, and where.
    events: Vec<(String, Value)>,
}

type Shared = Arc<Mutex<Cluster>>;

async fn pods(
    State(cluster): State<Shared>,
    Query(query): Query<Vec<(String, String)>>,
) -> axum::Json<Value> {
    if query.iter().any(|(key, _)| key == "watch") {
        std::future::pending::<()>().await;
    }
    let pod = |node: &&str| {
        json!({
            "metadata": {"name": format!("pod-{node}"), "labels": {"app": "linuxptp-daemon"}},
            "spec": {"nodeName": node, "containers": []},
            "status": {"phase": "Running", "podIP": "127.0.0.1"},
        })
    };
    let items: Vec<_> = cluster.lock().unwrap().nodes.iter().map(pod).collect();
    axum::Json(json!({
        "apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": items,
    }))
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
    cluster.lock().unwrap().nodes = vec!["w1"];
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
    cluster.lock().unwrap().nodes = Vec::new();
    let again = start();
    tokio::task::block_in_place(|| {
        eventually("the node taken leave of", || (state(&again) == "UNKNOWN").then_some(()));
    });
    let log = tokio::task::block_in_place(|| again.stop());
    assert!(log.contains("left the cluster while the agent was away"), "{log}");
    publisher.stop().await;
}
