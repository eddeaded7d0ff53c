//! An API server that is as long as the tools need it: over real HTTP, with exec over a websocket.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};

const CLIENT: &str = include_str!("../../../ptp-linuxptp/src/testdata/pmc-client.txt");
const GRANDMASTER: &str = include_str!("../../../ptp-linuxptp/src/testdata/pmc-grandmaster.txt");
const DRIVER: &str = include_str!("../../../ptp-linuxptp/src/testdata/ethtool-i-veth.txt");
const LINK: &str = include_str!("../../../ptp-linuxptp/src/testdata/ethtool-veth.txt");
const METRICS: &str = include_str!("../../../recordings/metrics-bc.prom.txt");
const STAMPS: &str = "Time stamping parameters for ens1f0:\nCapabilities:\n\thardware-transmit\n\
    \thardware-receive\n\thardware-raw-clock\nPTP Hardware Clock: 0\n\
    Hardware Transmit Timestamp Modes:\n\toff\n\ton\nHardware Receive Filter Modes:\n\tall\n";

/// What the server has, and what was asked of it.
#[derive(Default)]
pub(crate) struct Cluster {
    /// What nobody may do, as (resource, verb).
    pub forbidden: BTreeSet<(String, String)>,
    /// (API group, resource, verb) of every request.
    pub asked: BTreeSet<(String, String, String)>,
    /// Every command that was run.
    pub commands: Vec<Vec<String>>,
    /// The log of every container.
    pub log: String,
    /// Whether logs begin and never end.
    pub hangs: bool,
    /// How commands fail to be run, if they do.
    pub exec_fails: Option<ExecFails>,
}

/// As API servers fail (observed: 1.36).
#[derive(Clone, Copy)]
pub(crate) enum ExecFails {
    /// With a Status in place of an upgrade.
    AtOnce(StatusCode, &'static str),
    /// After the upgrade, over the channel for errors: the kubelet could not be reached.
    Later(&'static str),
    /// The connection ends without a word.
    Silently,
}

pub(crate) type Shared = Arc<Mutex<Cluster>>;

/// Starts it; where it is.
pub(crate) async fn listen(cluster: &Shared) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(Arc::clone(cluster));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// A log whose last line was written a moment ago.
pub(crate) fn log() -> String {
    let now = jiff::Timestamp::now();
    let line = |ago: i64, text: &str| {
        let at = now - jiff::SignedDuration::from_secs(ago);
        format!("{at} ptp4l[{}.120]: [ptp4l.0.config] {text}\n", 2000 - ago)
    };
    let mut log = line(20, "port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED");
    for ago in (1..19).rev() {
        log += &line(ago, "master offset 4 s2 freq -3972 path delay 89");
    }
    log
}

fn pod(node: &str) -> Value {
    let container = |name: &str| {
        json!({"name": name, "ready": true, "restartCount": 0, "image": "",
        "imageID": "", "state": {"running": {}}})
    };
    json!({
        "metadata": {"name": format!("linuxptp-daemon-{node}"), "namespace": "openshift-ptp",
            "labels": {"app": "linuxptp-daemon"}},
        "spec": {"nodeName": node, "containers": []},
        "status": {"phase": "Running", "podIP": node.replace('w', "127.0.0."), "containerStatuses":
            [container("linuxptp-daemon-container"), container("cloud-event-proxy")]},
    })
}

fn ptp_config() -> Value {
    let conf = "[ens1f0]\nmasterOnly 0\n[global]\ndomainNumber 24\ndataset_comparison G.8275.x\n\
        logAnnounceInterval -3\nlogSyncInterval 0\nlogMinDelayReqInterval -4\n";
    json!({
        "apiVersion": "ptp.openshift.io/v1", "kind": "PtpConfig", "metadata": {"name": "slave"},
        "spec": {
            "profile": [{"name": "ordinary", "ptp4lOpts": "-2 -s", "ptp4lConf": conf,
                "ptpClockThreshold": {"maxOffsetThreshold": 200, "holdOverTimeout": 5}}],
            "recommend": [{"profile": "ordinary", "priority": 4, "match": [{"nodeLabel": "worker"}]}],
        },
        "status": {"matchList": [{"nodeName": "w1", "profile": "ordinary"}]},
    })
}

fn device(node: &str) -> Value {
    json!({
        "apiVersion": "ptp.openshift.io/v1", "kind": "NodePtpDevice", "metadata": {"name": node},
        "status": {"devices": [{"name": "ens1f0", "hardwareInfo": {"pciAddress": "0000:51:00.0"}},
            {"name": "ens1f1"}, {"name": "--reset; reboot"}], "hwconfig": [{"failed": false}]},
    })
}

fn listed(items: &[Value]) -> Response {
    axum::Json(json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"},
        "items": items}))
    .into_response()
}

fn failure(code: StatusCode) -> Response {
    failure_that_says(code, "no")
}

fn failure_that_says(code: StatusCode, message: &str) -> Response {
    (code, axum::Json(status(code, message))).into_response()
}

fn status(code: StatusCode, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": "No", "code": code.as_u16()})
}

/// As an authoriser sees it: API group, resource with its part, and verb.
fn call(path: &[&str]) -> (String, String, String) {
    let (group, rest) = match path {
        ["api", _, "namespaces", _, rest @ ..] => ("", rest),
        ["apis", group, _, "namespaces", _, rest @ ..] => (*group, rest),
        other => panic!("{other:?}"),
    };
    let (resource, verb) = match rest {
        [resource] => ((*resource).to_owned(), "list"),
        [resource, _] => ((*resource).to_owned(), "get"),
        [resource, _, part, ..] => (format!("{resource}/{part}"), "get"),
        [] => panic!("{path:?}"),
    };
    (group.to_owned(), resource, verb.to_owned())
}

async fn answer(State(cluster): State<Shared>, request: Request) -> Response {
    let path = request.uri().path().trim_matches('/').to_owned();
    let path: Vec<_> = path.split('/').collect();
    let query: Vec<(String, String)> =
        axum::extract::Query::try_from_uri(request.uri()).unwrap_or_default().0;
    let asked = call(&path);
    let forbidden = {
        let mut cluster = cluster.lock().unwrap();
        cluster.asked.insert(asked.clone());
        cluster.forbidden.contains(&(asked.1.clone(), asked.2))
    };
    if forbidden {
        return failure(StatusCode::FORBIDDEN);
    }
    let name = path.get(if path[0] == "api" { 5 } else { 6 }).copied().unwrap_or_default();
    match asked.1.as_str() {
        // Nothing changes.
        "pods" if query.iter().any(|(key, _)| key == "watch") => std::future::pending().await,
        "pods" => {
            let only = query.iter().find_map(|(key, value)| {
                (key == "fieldSelector").then(|| value.trim_start_matches("spec.nodeName="))
            });
            let nodes = ["w1", "w2"].into_iter().filter(|node| only.is_none_or(|o| o == *node));
            listed(&nodes.map(pod).collect::<Vec<_>>())
        }
        "ptpconfigs" if name.is_empty() => listed(&[ptp_config()]),
        "ptpconfigs" if name == "slave" => axum::Json(ptp_config()).into_response(),
        "nodeptpdevices" if name.is_empty() => listed(&[device("w1"), device("w2")]),
        "nodeptpdevices" if name.starts_with('w') => axum::Json(device(name)).into_response(),
        "ptpoperatorconfigs" => axum::Json(json!({"apiVersion": "ptp.openshift.io/v1",
            "kind": "PtpOperatorConfig", "metadata": {"name": name},
            "spec": {"ptpEventConfig": {"enableEventPublisher": true, "apiVersion": "2.0"}}}))
        .into_response(),
        "pods/log" => {
            let (log, hangs) = {
                let cluster = cluster.lock().unwrap();
                (cluster.log.clone(), cluster.hangs)
            };
            if hangs {
                let lines = futures_util::stream::pending::<Result<String, std::io::Error>>();
                return Body::from_stream(lines).into_response();
            }
            log.into_response()
        }
        // Of w2 the exporter listens on the loopback of its node.
        "pods/proxy" if name == "linuxptp-daemon-w1:9091" => METRICS.into_response(),
        "pods/proxy" => (StatusCode::SERVICE_UNAVAILABLE, "connection refused").into_response(),
        "pods/exec" => exec(&cluster, name.to_owned(), &query, request),
        _ => failure(StatusCode::NOT_FOUND),
    }
}

fn exec(
    cluster: &Shared,
    pod: String,
    query: &[(String, String)],
    mut request: Request,
) -> Response {
    let command = query.iter().filter(|(key, _)| key == "command");
    let command: Vec<String> = command.map(|(_, word)| word.clone()).collect();
    let fails = {
        let mut cluster = cluster.lock().unwrap();
        cluster.commands.push(command.clone());
        cluster.exec_fails
    };
    if let Some(ExecFails::AtOnce(code, message)) = fails {
        return failure_that_says(code, message);
    }
    let upgrade = request.extensions_mut().remove::<hyper::upgrade::OnUpgrade>().unwrap();
    let key = request.headers()[header::SEC_WEBSOCKET_KEY].to_str().unwrap();
    let accept = derive_accept_key(key.as_bytes());
    tokio::spawn(async move {
        let io = TokioIo::new(upgrade.await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
        match fails {
            None | Some(ExecFails::AtOnce(..)) => {}
            Some(ExecFails::Silently) => {
                let _ = socket.close(None).await;
                return;
            }
            Some(ExecFails::Later(message)) => {
                let status = status(StatusCode::INTERNAL_SERVER_ERROR, message).to_string();
                let _ = socket.send(Message::binary([&[3], status.as_bytes()].concat())).await;
                let _ = socket.close(None).await;
                return;
            }
        }
        let (stdout, stderr, status) = run(&pod, &command);
        for (channel, text) in [(1, stdout), (2, stderr)] {
            for chunk in text.as_bytes().chunks(1000) {
                let frame = [&[channel], chunk].concat();
                if socket.send(Message::binary(frame)).await.is_err() {
                    return;
                }
            }
        }
        let status = if status == 0 {
            json!({"metadata": {}, "status": "Success"})
        } else {
            json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "details":
                {"causes": [{"reason": "ExitCode", "message": status.to_string()}]}})
        };
        let frame = [&[3], status.to_string().as_bytes()].concat();
        let _ = socket.send(Message::binary(frame)).await;
        let _ = socket.close(None).await;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .header(header::SEC_WEBSOCKET_PROTOCOL, "v5.channel.k8s.io")
        .body(Body::empty())
        .unwrap()
}

/// What a command prints on a node, and its status.
fn run(pod: &str, command: &[String]) -> (String, String, i32) {
    let words: Vec<_> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["pmc", "-u", "-b", "0", "-f", "/var/run/ptp4l.0.config", ..] if pod.ends_with("w1") => {
            (CLIENT.replace("UNCALIBRATED", "SLAVE"), String::new(), 0)
        }
        ["pmc", "-u", "-b", "0", "-f", "/var/run/ptp4l.0.config", ..] => {
            (GRANDMASTER.to_owned(), String::new(), 0)
        }
        ["pmc", ..] => (String::new(), "failed to open configuration file".to_owned(), 255),
        ["ethtool", "-T", "ens1f0" | "ens1f1"] => (STAMPS.to_owned(), String::new(), 0),
        ["ethtool", "-T", _] => (String::new(), "netlink error: No such device".to_owned(), 75),
        ["ethtool", "-i", _] => (DRIVER.to_owned(), String::new(), 0),
        ["ethtool", "-S", _] => ("x: 1\n".repeat(200_000), String::new(), 0),
        ["ethtool", _] => (LINK.to_owned(), String::new(), 0),
        ["curl", ..] => (METRICS.to_owned(), String::new(), 0),
        other => panic!("nobody may run {other:?}"),
    }
}
