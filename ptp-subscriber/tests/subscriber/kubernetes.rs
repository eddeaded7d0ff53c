//! Discovery against an API server that is a few lines long and has bad days.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use ptp_events::server::{Limits, serve};
use ptp_subscriber::discovery::UrlTemplate;
use ptp_subscriber::discovery::kubernetes::{Found, Settings, Status, Trouble, discover};
use ptp_subscriber::reconcile::Backoff;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixture::eventually;

#[derive(Default)]
pub(crate) struct Cluster {
    pub(crate) pods: Vec<Value>,
    version: u64,
    /// With which status everything is refused.
    refused: Option<u16>,
    may_not_watch: bool,
    /// How long a list takes.
    slow: Duration,
    watches: Vec<mpsc::UnboundedSender<Result<String, std::io::Error>>>,
    lists: usize,
    selectors: Vec<String>,
}

/// A pod; the later in the alphabet its name, the newer it is.
pub(crate) fn pod(name: &str, node: &str, ip: &str) -> Value {
    let second = name.bytes().last().unwrap() % 60;
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "openshift-ptp", "uid": name, "resourceVersion": "1",
            "labels": {"app": "linuxptp-daemon"},
            "creationTimestamp": format!("2026-11-23T06:00:{second:02}Z"),
        },
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "podIP": ip},
    })
}

fn failure(code: u16, reason: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("pods: {reason}"), "reason": reason, "code": code,
    })
}

impl Cluster {
    fn send(&mut self, kind: &str, object: &Value) {
        let line = format!("{}\n", json!({ "type": kind, "object": object }));
        self.watches.retain(|watch| watch.send(Ok(line.clone())).is_ok());
    }

    fn change(&mut self, kind: &str, mut pod: Value) {
        self.change_unseen(kind, &mut pod);
        self.send(kind, &pod);
    }

    /// Without telling the watches.
    fn change_unseen(&mut self, kind: &str, pod: &mut Value) {
        self.version += 1;
        pod["metadata"]["resourceVersion"] = self.version.to_string().into();
        let name = pod["metadata"]["name"].clone();
        self.pods.retain(|known| known["metadata"]["name"] != name);
        if kind != "DELETED" {
            self.pods.push(pod.clone());
        }
    }
}

type Shared = Arc<Mutex<Cluster>>;

async fn pods(
    State(cluster): State<Shared>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let slow = cluster.lock().unwrap().slow;
    tokio::time::sleep(slow).await;
    let mut cluster = cluster.lock().unwrap();
    cluster.selectors.extend(query.get("labelSelector").cloned());
    let watch = query.contains_key("watch");
    let refused = cluster.refused.or((watch && cluster.may_not_watch).then_some(403));
    if let Some(code) = refused {
        let reason = if code == 401 { "Unauthorized" } else { "Forbidden" };
        let body = failure(code, reason).to_string();
        return (StatusCode::from_u16(code).unwrap(), body).into_response();
    }
    if watch {
        let (watch, lines) = mpsc::unbounded_channel();
        cluster.watches.push(watch);
        let lines = stream::unfold(lines, async |mut lines| Some((lines.recv().await?, lines)));
        return Body::from_stream(lines).into_response();
    }
    cluster.lists += 1;
    cluster.watches.clear();
    let list = json!({
        "apiVersion": "v1", "kind": "PodList",
        "metadata": {"resourceVersion": cluster.version.to_string()},
        "items": cluster.pods,
    });
    list.to_string().into_response()
}

pub(crate) struct ApiServer {
    addr: SocketAddr,
    cluster: Shared,
    serving: JoinHandle<()>,
}

impl ApiServer {
    pub(crate) async fn start(cluster: Cluster) -> Self {
        let cluster = Arc::new(Mutex::new(cluster));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serving = Self::serve(listener, &cluster);
        Self { addr, cluster, serving }
    }

    fn serve(listener: TcpListener, cluster: &Shared) -> JoinHandle<()> {
        let router = Router::new()
            .route("/api/v1/namespaces/openshift-ptp/pods", get(pods))
            .with_state(Arc::clone(cluster));
        tokio::spawn(serve(listener, router, Limits::default(), std::future::pending()))
    }

    async fn stop(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        self.change(|cluster| cluster.watches.clear());
    }

    async fn restart(&mut self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        self.serving = Self::serve(listener, &self.cluster);
    }

    fn change(&self, change: impl FnOnce(&mut Cluster)) {
        change(&mut self.cluster.lock().unwrap());
    }

    fn client(&self) -> kube::Client {
        let uri = format!("http://{}", self.addr).parse().unwrap();
        kube::Client::try_from(kube::Config::new(uri)).unwrap()
    }

    pub(crate) fn discover(&self, template: &str) -> Found {
        let client = self.client();
        let settings = Settings {
            template: UrlTemplate::parse(template).unwrap(),
            backoff: Backoff { first: Duration::from_millis(20), most: Duration::from_millis(100) },
            ..Settings::default()
        };
        let (found, running) = discover(client, settings, CancellationToken::new());
        tokio::spawn(running);
        found
    }
}

const BY_IP: &str = "http://{podIP}:9043";

fn urls(found: &Found) -> Vec<String> {
    let targets = found.targets.borrow();
    targets.iter().map(|target| target.url.clone()).collect()
}

async fn expect(found: &Found, what: &'static str, expected: &[&str]) {
    eventually(what, || urls(found) == expected).await;
}

#[tokio::test]
async fn pods_come_and_go() {
    let server = ApiServer::start(Cluster {
        pods: vec![pod("a", "w1.lab.example.com", "10.0.0.1")],
        ..Cluster::default()
    })
    .await;
    let service =
        "http://ptp-event-publisher-service-{shortNode}.{namespace}.svc.cluster.local:9043";
    let found = server.discover(service);
    let first = "http://ptp-event-publisher-service-w1.openshift-ptp.svc.cluster.local:9043";
    expect(&found, "listed", &[first]).await;
    let target = found.targets.borrow()[0].clone();
    assert_eq!(target.name.as_str(), "w1.lab.example.com");
    assert_eq!(target.node.unwrap().as_str(), "w1.lab.example.com");
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;

    server.change(|cluster| cluster.change("ADDED", pod("b", "w2", "10.0.0.2")));
    eventually("added", || urls(&found).len() == 2).await;
    assert_eq!(*found.status.borrow(), Status::Watching { publishers: 2, pods: 2 });
    server.change(|cluster| cluster.change("DELETED", pod("a", "w1.lab.example.com", "10.0.0.1")));
    let second = "http://ptp-event-publisher-service-w2.openshift-ptp.svc.cluster.local:9043";
    expect(&found, "deleted", &[second]).await;
    let selectors = server.cluster.lock().unwrap().selectors.clone();
    assert!(selectors.iter().all(|selector| selector == "app=linuxptp-daemon"));
}

#[tokio::test]
async fn a_pod_that_is_replaced_moves_its_publisher() {
    let server =
        ApiServer::start(Cluster { pods: vec![pod("a", "w1", "10.0.0.1")], ..Cluster::default() })
            .await;
    let found = server.discover(BY_IP);
    expect(&found, "listed", &["http://10.0.0.1:9043"]).await;
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;

    let mut unready = pod("b", "w1", "10.0.0.9");
    unready["status"] = json!({"phase": "Pending"});
    server.change(|cluster| cluster.change("ADDED", unready));
    let mut unscheduled = pod("c", "w1", "10.0.0.8");
    unscheduled["spec"] = json!({"containers": []});
    server.change(|cluster| cluster.change("ADDED", unscheduled));
    let mut leaving = pod("a", "w1", "10.0.0.1");
    leaving["metadata"]["deletionTimestamp"] = "2026-11-23T07:00:00Z".into();
    server.change(|cluster| cluster.change("MODIFIED", leaving));
    server.change(|cluster| cluster.change("MODIFIED", pod("b", "w1", "fd00::9")));
    expect(&found, "moved", &["http://[fd00::9]:9043"]).await;
    assert_eq!(found.targets.borrow()[0].name.as_str(), "w1");
}

#[tokio::test]
async fn a_watch_that_is_too_old_is_listed_again() {
    let server =
        ApiServer::start(Cluster { pods: vec![pod("a", "w1", "10.0.0.1")], ..Cluster::default() })
            .await;
    let found = server.discover(BY_IP);
    expect(&found, "listed", &["http://10.0.0.1:9043"]).await;
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;
    server.change(|cluster| {
        cluster.change_unseen("DELETED", &mut pod("a", "w1", "10.0.0.1"));
        cluster.change_unseen("ADDED", &mut pod("b", "w2", "10.0.0.2"));
        cluster.send("ERROR", &failure(410, "Expired"));
    });
    expect(&found, "listed again", &["http://10.0.0.2:9043"]).await;
    assert_eq!(server.cluster.lock().unwrap().lists, 2);
    assert_eq!(*found.status.borrow(), Status::Watching { publishers: 1, pods: 1 });
}

/// A right that is missing, a token that is not accepted, and both in the API server's words.
#[tokio::test]
async fn refusals_are_told_apart_and_tried_again() {
    for (code, trouble, says) in [
        (403, Trouble::Forbidden, "may not list pods in namespace openshift-ptp"),
        (401, Trouble::Unauthorized, "does not accept our credentials"),
    ] {
        let server = ApiServer::start(Cluster {
            pods: vec![pod("a", "w1", "10.0.0.1")],
            refused: Some(code),
            ..Cluster::default()
        })
        .await;
        let found = server.discover(BY_IP);
        eventually("refused", || match &*found.status.borrow() {
            Status::Failing { trouble: told, why } => {
                assert!(!why.contains('{'), "no debug text: {why}");
                *told == trouble && why.contains(says) && why.contains("pods: ")
            }
            _ => false,
        })
        .await;
        server.change(|cluster| cluster.refused = None);
        expect(&found, "granted", &["http://10.0.0.1:9043"]).await;
        assert_eq!(*found.status.borrow(), Status::Watching { publishers: 1, pods: 1 });
    }
}

#[tokio::test]
async fn no_pod_is_no_publisher_and_a_pod_without_an_address_neither() {
    let server = ApiServer::start(Cluster::default()).await;
    let found = server.discover(BY_IP);
    let none = Status::Watching { publishers: 0, pods: 0 };
    eventually("an empty list", || *found.status.borrow() == none).await;
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;
    let mut pending = pod("a", "w1", "10.0.0.1");
    pending["status"] = json!({"phase": "Pending"});
    server.change(|cluster| cluster.change("ADDED", pending));
    let unready = Status::Watching { publishers: 0, pods: 1 };
    eventually("a pod that starts", || *found.status.borrow() == unready).await;
}

#[tokio::test]
async fn requests_say_who_asks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let config = kube::Config::new(url.parse().unwrap());
    let client = ptp_subscriber::discovery::kubernetes::client_of(config).unwrap();
    let (_found, running) = discover(client, Settings::default(), CancellationToken::new());
    tokio::spawn(running);
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut head = vec![0; 1024];
    let read = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
    assert!(head.contains("user-agent: ptp-agent/"), "{head}");
}

#[tokio::test]
async fn an_api_server_may_break_off_and_restart() {
    let mut server =
        ApiServer::start(Cluster { pods: vec![pod("a", "w1", "10.0.0.1")], ..Cluster::default() })
            .await;
    let found = server.discover(BY_IP);
    expect(&found, "listed", &["http://10.0.0.1:9043"]).await;
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;
    // Half an event, and the connection breaks.
    server.change(|cluster| {
        for watch in cluster.watches.drain(..) {
            watch.send(Ok("{\"type\":\"ADD".to_owned())).unwrap();
            watch.send(Err(std::io::ErrorKind::ConnectionReset.into())).unwrap();
        }
    });
    eventually("watched again", || !server.cluster.lock().unwrap().watches.is_empty()).await;
    server.stop().await;
    server.change(|cluster| cluster.change_unseen("ADDED", &mut pod("b", "w2", "10.0.0.2")));
    eventually("failing", || {
        matches!(&*found.status.borrow(), Status::Failing { trouble: Trouble::Other, .. })
    })
    .await;
    assert_eq!(urls(&found).len(), 1, "what was found stays");
    server.restart().await;
    eventually("watched after the restart", || !server.cluster.lock().unwrap().watches.is_empty())
        .await;
    eventually("what changed meanwhile is found", || {
        *found.status.borrow() == Status::Watching { publishers: 2, pods: 2 }
    })
    .await;
    assert_eq!(urls(&found).len(), 2);
}

/// What a real API server did besides (observed: 1.36): bookmarks, a list that takes its time, and
/// refusals after a restart until its roles are loaded.
#[tokio::test]
async fn what_a_real_api_server_does_besides_is_borne() {
    let mut server = ApiServer::start(Cluster {
        pods: vec![pod("a", "w1", "10.0.0.1")],
        slow: Duration::from_millis(300),
        ..Cluster::default()
    })
    .await;
    let found = server.discover(BY_IP);
    assert_eq!(*found.status.borrow(), Status::Starting);
    expect(&found, "listed in the end", &["http://10.0.0.1:9043"]).await;
    eventually("watched", || !server.cluster.lock().unwrap().watches.is_empty()).await;
    let watching = Status::Watching { publishers: 1, pods: 1 };
    server.change(|cluster| {
        cluster.slow = Duration::ZERO;
        let bookmark = json!({
            "apiVersion": "v1", "kind": "Pod", "spec": null, "status": {},
            "metadata": {"resourceVersion": "77", "creationTimestamp": null},
        });
        cluster.send("BOOKMARK", &bookmark);
        cluster.change("MODIFIED", pod("a", "w1", "10.0.0.2"));
    });
    expect(&found, "what comes after a bookmark", &["http://10.0.0.2:9043"]).await;
    assert_eq!(*found.status.borrow(), watching);
    assert_eq!(server.cluster.lock().unwrap().lists, 1, "a bookmark is no reason to list again");

    server.stop().await;
    server.change(|cluster| cluster.refused = Some(403));
    server.restart().await;
    eventually("its roles are not loaded yet", || {
        matches!(*found.status.borrow(), Status::Failing { trouble: Trouble::Forbidden, .. })
    })
    .await;
    assert_eq!(urls(&found), ["http://10.0.0.2:9043"], "what was found stays");
    server.change(|cluster| cluster.refused = None);
    eventually("they are", || *found.status.borrow() == watching).await;
}

#[tokio::test]
async fn without_the_right_to_watch_it_lists_again_and_again() {
    let server = ApiServer::start(Cluster {
        pods: vec![pod("a", "w1", "10.0.0.1")],
        may_not_watch: true,
        ..Cluster::default()
    })
    .await;
    let found = server.discover(BY_IP);
    eventually("forbidden", || {
        matches!(*found.status.borrow(), Status::Failing { trouble: Trouble::Forbidden, .. })
    })
    .await;
    server.change(|cluster| cluster.change_unseen("ADDED", &mut pod("b", "w2", "10.0.0.2")));
    eventually("listed again", || urls(&found).len() == 2).await;
    assert!(matches!(*found.status.borrow(), Status::Failing { .. }));
    server.change(|cluster| cluster.may_not_watch = false);
    eventually("granted", || *found.status.borrow() == Status::Watching { publishers: 2, pods: 2 })
        .await;
}

/// Finds exactly the publishers behind the pods that run; asks only, changes nothing.
async fn finds_what_is_there(client: kube::Client) {
    use k8s_openapi::api::core::v1::Pod;
    let settings = Settings::default();
    let pods: kube::Api<Pod> = kube::Api::namespaced(client.clone(), &settings.namespace);
    let selected = kube::api::ListParams::default().labels(&settings.selector);
    let there = pods.list(&selected).await.unwrap();
    let mut nodes: Vec<_> = there.iter().filter_map(|p| p.spec.clone()?.node_name).collect();
    nodes.sort();
    nodes.dedup();
    let stop = CancellationToken::new();
    let (found, running) = discover(client, settings, stop.clone());
    let running = tokio::spawn(running);
    eventually("watching", || matches!(*found.status.borrow(), Status::Watching { .. })).await;
    eventually("the nodes of the pods", || {
        let targets = found.targets.borrow();
        let mut names: Vec<_> = targets.iter().map(|t| t.name.as_str().to_owned()).collect();
        names.sort();
        names == nodes
    })
    .await;
    stop.cancel();
    running.await.unwrap();
}

/// Here, and in the cluster that `KUBECONFIG` names if it names one.
#[tokio::test]
async fn what_is_there_is_found_here_and_in_a_real_cluster() {
    let server = ApiServer::start(Cluster {
        pods: vec![pod("a", "w1", "10.0.0.1"), pod("b", "w2", "10.0.0.2")],
        ..Cluster::default()
    })
    .await;
    finds_what_is_there(server.client()).await;
    if std::env::var_os("KUBECONFIG").is_some() {
        let client = ptp_subscriber::discovery::kubernetes::client().await.unwrap();
        finds_what_is_there(client).await;
    }
}
