//! In a cluster: publishers behind pods, alerts as Kubernetes Events.
//!
//! Every story is told on the stand-in, and on a real API server where `tests/real-cluster.sh` has
//! started one.

use std::path::{Path, PathBuf};
use std::process::Command;

use ptp_events::publisher::{Options, Publisher};
use ptp_events::{Event, NodeName};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agent::{Agent, SECRET, agent, eventually, quiet};
use crate::api_server::{ApiServer, with_expired_token};
use crate::event;

/// An agent that looks for publishers in the cluster.
fn in_cluster(kubeconfig: &Path, journal: &Path, publishers: &str) -> Command {
    let mut command = quiet(agent(), journal);
    command
        .env("KUBECONFIG", kubeconfig)
        .args(["--kubernetes-events", "--endpoint", "http://127.0.0.1:1", "--poll", "1s"])
        .args(["--publisher-url-template", publishers]);
    command
}

fn said(text: &str) -> Event {
    Event::from_slice(text.as_bytes()).unwrap()
}

fn publisher(server: &ApiServer, at: &str, node: &str) -> Publisher {
    let own = NodeName::new(node).unwrap();
    server.block_on(Publisher::bind(at, own, Options::rewrite())).unwrap()
}

/// Tells losses sooner, and their ends too.
fn hasty(dir: &TempDir) -> PathBuf {
    let file = dir.path().join("thresholds.toml");
    std::fs::write(&file, "loss-of-lock = \"1s\"\nresolve = \"1s\"\n").unwrap();
    file
}

fn state(agent: &Agent) -> Value {
    let (_, nodes) = agent.get("/api/v1/nodes");
    serde_json::from_str::<Value>(&nodes).unwrap()["items"][0]["state"].clone()
}

fn firing(agent: &Agent) -> usize {
    let (_, incidents) = agent.get("/api/v1/incidents?status=firing");
    serde_json::from_str::<Value>(&incidents).unwrap()["items"].as_array().unwrap().len()
}

/// What is found on a node is an Event on it; a node that leaves takes what was found along; one that
/// left while the agent was away is taken leave of.
fn a_node_breaks_and_leaves(server: &ApiServer) -> Value {
    let dir = TempDir::new().unwrap();
    server.let_record(true);
    server.add_node("w1");
    let known = server.events().len();
    let mut publisher = publisher(server, "127.0.0.1:0", "w1");
    publisher.remember(&said(&event(1)));
    server.run("daemon-w1", "w1", "127.0.0.1");
    let start = || {
        let journal = dir.path().join("journal.db");
        let mut command = in_cluster(&server.kubeconfig, &journal, &publisher.url());
        command.arg("--thresholds").arg(hasty(&dir));
        Agent::run(command)
    };
    let agent = start();
    eventually("the node by discovery", || (state(&agent) == "LOCKED").then_some(()));
    publisher.remember(&said(&event(2).replace("LOCKED", "FREERUN")));
    eventually("an event", || (server.events().len() > known).then_some(()));
    assert_eq!(firing(&agent), 1);
    let recorded = server.events().remove(known);

    server.end("daemon-w1");
    eventually("the end of what was found", || (firing(&agent) == 0).then_some(()));
    assert_eq!(state(&agent), "UNKNOWN");
    server.run("daemon-w1-again", "w1", "127.0.0.1");
    publisher.remember(&said(&event(3)));
    eventually("the node again", || (state(&agent) == "LOCKED").then_some(()));

    let log = agent.stop();
    assert!(!log.contains(SECRET));
    server.end("daemon-w1-again");
    let again = start();
    eventually("the node taken leave of", || (state(&again) == "UNKNOWN").then_some(()));
    let log = again.stop();
    assert!(log.contains("left the cluster while the agent was away"), "{log}");
    server.block_on(publisher.stop());
    recorded
}

#[test]
fn an_incident_is_an_event_on_its_node_and_leaves_with_it() {
    let mut recorded = a_node_breaks_and_leaves(&ApiServer::stand_in());
    for (path, key) in [("/metadata", "name"), ("", "eventTime"), ("", "reportingInstance")] {
        let slot = recorded.pointer_mut(path).unwrap().get_mut(key).unwrap();
        assert!(slot.is_string());
        *slot = "…".into();
    }
    let note = recorded["note"].as_str().unwrap();
    recorded["note"] = note.replace(|c: char| c.is_ascii_digit(), "9").into();
    insta::assert_json_snapshot!(recorded, @r#"
    {
      "action": "ptp-path-loss",
      "apiVersion": "events.k8s.io/v1",
      "eventTime": "…",
      "kind": "Event",
      "metadata": {
        "name": "…",
        "namespace": "default"
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
}

/// What an administrator sees first: nothing is found, and Events may not be recorded.
fn what_is_missing_is_said_at_once(server: &ApiServer) {
    let dir = TempDir::new().unwrap();
    server.let_record(false);
    let journal = dir.path().join("journal.db");
    let running = Agent::run(in_cluster(&server.kubeconfig, &journal, "http://{podIP}:1"));
    let missing = "no publisher is found: there are no pods with the label app=linuxptp-daemon in \
        namespace openshift-ptp";
    eventually("both are said", || {
        let (status, health) = running.get("/health");
        let all = health.contains(missing) && health.contains("sink kubernetes: we may not create");
        (status == 503 && all).then_some(())
    });
    let (status, ready) = running.get("/readyz");
    assert!(status == 503 && ready.contains("no publisher is found"), "{ready}");
    let (_, metrics) = running.get("/metrics");
    assert!(metrics.contains("ptp_agent_discovery_failing 1"), "{metrics}");
    assert!(metrics.contains("ptp_agent_publishers 0"), "{metrics}");
    server.run("daemon-w1", "w1", "127.0.0.1");
    eventually("ready", || (running.get("/readyz").0 == 200).then_some(()));
    assert!(!running.get("/health").1.contains("no publisher is found"));
    let log = running.stop();
    assert!(log.contains("nothing can be observed") && log.contains("publishers are found"));
    assert!(log.contains("incidents cannot be recorded as Events"), "{log}");

    let check = |config: &Path| {
        let mut command = agent();
        command.env("KUBECONFIG", config).args(["--kubernetes-events", "--endpoint", "http://x"]);
        let output = command.arg("check-config").output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
        (output.status.code(), out.unwrap() + &err.unwrap())
    };
    let (code, said) = check(&server.kubeconfig);
    assert!(code == Some(2) && said.contains("we may not create events"), "{said}");
    server.let_record(true);
    let (code, said) = check(&server.kubeconfig);
    assert!(code == Some(0) && said.starts_with("the configuration works"), "{said}");
    let (code, said) = check(Path::new("/nowhere"));
    assert!(code == Some(0) && said.contains("were not tried on a cluster"), "{said}");
    server.end_all();
}

#[test]
fn what_is_missing_in_a_cluster_is_said_at_once() {
    what_is_missing_is_said_at_once(&ApiServer::stand_in());
}

const NODES: usize = 300;
const ROLLED: usize = 60;

/// An upgrade replaces pods: their nodes are as healthy after it as before, live and from the journal.
fn pods_are_replaced(server: &ApiServer) {
    let dir = TempDir::new().unwrap();
    // All on one port, each on an address of its own.
    let port = {
        let free = std::net::TcpListener::bind("127.1.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let address =
        |life: usize, node: usize| format!("127.{}.{}.{}", life, node / 200, node % 200 + 1);
    let publisher = |life: usize, node: usize| {
        let name = format!("w{node}");
        let publisher = publisher(server, &format!("{}:{port}", address(life, node)), &name);
        let locked = event(u32::try_from(node).unwrap()).replace("/w1/", &format!("/{name}/"));
        publisher.remember(&said(&locked));
        publisher
    };
    let pod = |life: usize, node: usize| format!("daemon-{node}-{life}");
    let run = |life: usize, node: usize| {
        server.run(&pod(life, node), &format!("w{node}"), &address(life, node));
    };
    let mut publishers = Vec::new();
    for node in 0..NODES {
        publishers.push(publisher(1, node));
        run(1, node);
    }
    let locked = |agent: &Agent| {
        let (_, fleet) = agent.get("/api/v1/fleet");
        let fleet: Value = serde_json::from_str(&fleet).unwrap();
        usize::try_from(fleet["states"]["LOCKED"].as_u64().unwrap_or_default()).unwrap()
    };
    let journal = dir.path().join("journal.db");
    let template = format!("http://{{podIP}}:{port}");
    let running = Agent::run(in_cluster(&server.kubeconfig, &journal, &template));
    eventually("all are locked", || (locked(&running) == NODES).then_some(()));
    for (node, publisher) in publishers.iter_mut().enumerate().take(ROLLED) {
        server.end(&pod(1, node));
        server.block_on(publisher.stop());
    }
    eventually("they left", || (locked(&running) == NODES - ROLLED).then_some(()));
    for (node, replaced) in publishers.iter_mut().enumerate().take(ROLLED) {
        *replaced = publisher(2, node);
        run(2, node);
    }
    eventually("all are locked again", || (locked(&running) == NODES).then_some(()));
    running.stop();
    // Nobody answers any more: what is said now is from the journal.
    let mut command = quiet(agent(), &journal);
    command.args(["--publisher", "http://127.0.0.1:1=elsewhere"]);
    let again = Agent::run(command);
    assert_eq!(locked(&again), NODES);
    for mut publisher in publishers {
        server.block_on(publisher.stop());
    }
    server.end_all();
}

#[test]
fn nodes_whose_pods_are_replaced_are_locked_again() {
    pods_are_replaced(&ApiServer::stand_in());
}

/// Calls a tool of `ptp-agent mcp`, which reaches the cluster by itself.
fn call(kubeconfig: &Path, tool: &str, arguments: &Value) -> String {
    use std::io::Write as _;
    let mut command = agent();
    command.env("KUBECONFIG", kubeconfig).args(["mcp", "--mcp-exec"]);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let params = json!({ "name": tool, "arguments": arguments });
    let line = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A kubelet that is not there, and a token that is not accepted: told in the API server's words.
fn what_the_api_server_refuses_is_told(server: &ApiServer) {
    let dir = TempDir::new().unwrap();
    server.run("daemon-w1", "w1", "127.0.0.1");
    let query = json!({"node": "w1", "data_sets": ["DOMAIN"]});
    let answer = call(&server.kubeconfig, "run_pmc_query", &query);
    assert!(answer.contains("isError\":true") && !answer.contains("does not run"), "{answer}");
    assert!(answer.contains("linuxptp-daemon-container"), "{answer}");

    let expired = dir.path().join("expired");
    std::fs::write(&expired, with_expired_token(&server.kubeconfig)).unwrap();
    let answer = call(&expired, "run_pmc_query", &query);
    assert!(answer.contains("does not accept our credentials"), "{answer}");
    let journal = dir.path().join("journal.db");
    let running = Agent::run(in_cluster(&expired, &journal, "http://{podIP}:1"));
    let health = eventually("it is said", || {
        let (status, health) = running.get("/health");
        (status == 503 && health.contains("credentials")).then_some(health)
    });
    assert!(!health.contains("may not"), "no right is missing: {health}");
    running.stop();
    server.end_all();
}

/// Everything, one after the other, on the API server that `tests/real-cluster.sh` started.
#[test]
fn real_cluster() {
    let Some(server) = ApiServer::real() else { return };
    what_is_missing_is_said_at_once(&server);
    a_node_breaks_and_leaves(&server);
    let admin = std::env::var_os("ADMIN_KUBECONFIG").unwrap();
    let mut describe = Command::new("kubectl");
    let output = describe.arg("--kubeconfig").arg(admin).args(["describe", "node", "w1"]).output();
    let described = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(described.contains("PtpIncidentOpened"), "{described}");
    what_the_api_server_refuses_is_told(&server);
    pods_are_replaced(&server);
    // Who asked is in the audit log.
    let audit = std::fs::read_to_string(std::env::var_os("AUDIT_LOG").unwrap()).unwrap();
    let ours = "\"user\":{\"username\":\"system:serviceaccount:ptp-agent:ptp-agent\"";
    let asked: Vec<_> = audit.lines().filter(|line| line.contains(ours)).collect();
    let nameless = asked.iter().find(|line| !line.contains("\"userAgent\":\"ptp-agent/"));
    assert!(!asked.is_empty() && nameless.is_none(), "{nameless:?}");
}
