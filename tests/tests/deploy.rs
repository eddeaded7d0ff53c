//! The manifests parse, keep their promises, and grant what the code asks for, no more.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::Role;
use ptp_subscriber::discovery::kubernetes::{Settings, discover};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn deploy() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Every document of every manifest.
fn documents() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for folder in [
        "base",
        "persistent",
        "monitoring",
        "cluster-tools",
        "cluster-exec",
        "components/console-link",
        "components/fs-group",
        "components/metrics-token",
        "components/openshift-alertmanager",
    ] {
        for entry in std::fs::read_dir(deploy().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            // Dashboards are no manifests.
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(deploy()).unwrap().display().to_string();
            for document in text.split("\n---\n") {
                all.push((name.clone(), serde_saphyr::from_str(document).unwrap()));
            }
        }
    }
    all
}

fn of_kind<T: serde::de::DeserializeOwned>(kind: &str) -> Vec<T> {
    let of = documents().into_iter().filter(|(_, document)| document["kind"] == kind);
    of.map(|(_, document)| serde_json::from_value(document).unwrap()).collect()
}

#[test]
fn every_manifest_parses_and_is_listed() {
    let documents = documents();
    assert!(documents.len() >= 14, "{}", documents.len());
    for (name, document) in &documents {
        assert!(document["apiVersion"].is_string() && document["kind"].is_string(), "{name}");
        let file = name.rsplit('/').next().unwrap();
        if file == "kustomization.yaml" {
            continue;
        }
        let kustomization = name.replace(file, "kustomization.yaml");
        let listed = documents.iter().any(|(other, document)| {
            *other == kustomization
                && document["resources"].as_array().unwrap().iter().any(|r| r == file)
        });
        assert!(listed, "{name} is in no kustomization");
        if document["kind"] != "Namespace" && document["kind"] != "ConsoleLink" {
            assert!(document["metadata"]["namespace"].is_string(), "{name} names no namespace");
        }
    }
}

#[test]
fn the_container_is_confined() {
    let [deployment] = <[Deployment; 1]>::try_from(of_kind("Deployment")).unwrap();
    let template = deployment.spec.unwrap().template;
    let annotations = template.metadata.unwrap().annotations.unwrap();
    assert!(annotations.contains_key("target.workload.openshift.io/management"));
    let pod = template.spec.unwrap();
    assert_eq!(pod.security_context.unwrap().run_as_non_root, Some(true));
    let container = &pod.containers[0];
    let security = container.security_context.clone().unwrap();
    assert_eq!(security.read_only_root_filesystem, Some(true));
    assert_eq!(security.allow_privilege_escalation, Some(false));
    assert_eq!(security.capabilities.unwrap().drop, Some(vec!["ALL".to_owned()]));
    assert!(container.resources.as_ref().unwrap().limits.is_some());
    assert!(container.liveness_probe.is_some() && container.readiness_probe.is_some());
}

/// (API group, resource, verb)
type Call = (String, String, String);

/// What every installation grants; what is optional is held against its calls in `cluster`.
fn granted() -> BTreeSet<Call> {
    let mut calls = BTreeSet::new();
    let always = documents().into_iter().filter(|(name, _)| name.starts_with("base/"));
    for (_, document) in always.filter(|(_, document)| document["kind"] == "Role") {
        let role: Role = serde_json::from_value(document).unwrap();
        for rule in role.rules.unwrap() {
            for group in rule.api_groups.unwrap() {
                for resource in rule.resources.clone().unwrap() {
                    for verb in &rule.verbs {
                        calls.insert((group.clone(), resource.clone(), verb.clone()));
                    }
                }
            }
        }
    }
    calls
}

/// What a request to an API server asks for, as its authoriser would see it.
fn call(method: &Method, uri: &Uri) -> Call {
    let path: Vec<_> = uri.path().trim_matches('/').split('/').collect();
    let (group, rest) = match path.as_slice() {
        ["api", _, rest @ ..] => (String::new(), rest.to_vec()),
        ["apis", group, _, rest @ ..] => ((*group).to_owned(), rest.to_vec()),
        other => panic!("{other:?}"),
    };
    let (resource, name) = match rest.as_slice() {
        ["namespaces", _, resource, name @ ..] | [resource, name @ ..] => (*resource, name.first()),
        [] => panic!("{uri}"),
    };
    let watching = uri.query().is_some_and(|query| query.contains("watch=true"));
    let verb = match (method.as_str(), name) {
        ("GET", Some(_)) => "get",
        ("GET", None) if watching => "watch",
        ("GET", None) => "list",
        ("POST", _) => "create",
        ("PATCH", _) => "patch",
        other => panic!("{other:?}"),
    };
    (group, resource.to_owned(), verb.to_owned())
}

#[tokio::test]
async fn what_is_granted_is_what_is_used() {
    type Seen = Arc<Mutex<BTreeSet<Call>>>;
    async fn answer(State(seen): State<Seen>, method: Method, uri: Uri) -> axum::Json<Value> {
        let call = call(&method, &uri);
        let watching = call.2 == "watch";
        seen.lock().unwrap().insert(call);
        if watching {
            std::future::pending::<()>().await;
        }
        let metadata = json!({"resourceVersion": "1"});
        axum::Json(
            json!({"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": []}),
        )
    }
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = Router::new().fallback(answer).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let client = kube::Client::try_from(kube::Config::new(url)).unwrap();
    let stop = CancellationToken::new();
    let (_found, running) = discover(client, Settings::default(), stop.clone());
    let running = tokio::spawn(running);
    for _ in 0..200 {
        if seen.lock().unwrap().len() >= 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    running.await.unwrap();

    let mut used = seen.lock().unwrap().clone();
    // Recording events is optional; kube's recorder creates them, and patches repeated ones.
    for verb in ["create", "patch"] {
        used.insert(("events.k8s.io".to_owned(), "events".to_owned(), verb.to_owned()));
    }
    assert_eq!(granted(), used);
}

/// What `kubectl kustomize` makes of an overlay; `None` where there is no kubectl that can.
fn built(overlay: &str) -> Option<Vec<Value>> {
    let output = std::process::Command::new("kubectl")
        .arg("kustomize")
        .arg(deploy().join(overlay))
        .output()
        .ok()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        // `replacements` came with kustomize 4.2.
        assert!(why.contains("unknown field"), "{overlay}: {why}");
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let documents = text.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap());
    Some(documents.collect())
}

fn the<'a>(documents: &'a [Value], kind: &str) -> &'a Value {
    documents.iter().find(|document| document["kind"] == kind).unwrap()
}

#[test]
fn overlays_put_the_agent_where_they_say_and_leave_the_operators_namespace_alone() {
    let Some(drop_in) = built("overlays/openshift-ptp") else {
        println!("skipped: there is no kubectl with kustomize 4.2 or later");
        return;
    };
    assert!(drop_in.iter().all(|document| document["kind"] != "Namespace"));
    for kind in ["Deployment", "Service", "ServiceAccount", "NetworkPolicy"] {
        let document = the(&drop_in, kind);
        assert_eq!(document["metadata"]["namespace"], "openshift-ptp", "{kind}");
        assert_eq!(document["metadata"]["name"], "ptp-agent", "{kind}");
    }
    let ports = the(&drop_in, "Service")["spec"]["ports"].to_string();
    assert!(ports.contains("8081"), "{ports}");
    for binding in drop_in.iter().filter(|document| document["kind"] == "RoleBinding") {
        assert_eq!(binding["subjects"][0]["namespace"], "openshift-ptp", "{binding}");
    }
    let events = drop_in.iter().filter(|d| d["metadata"]["name"] == "ptp-agent-events");
    assert!(events.into_iter().all(|document| document["metadata"]["namespace"] == "default"));

    let vanilla = built("overlays/kubernetes").unwrap();
    let deployment = the(&vanilla, "Deployment");
    let pod = &deployment["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["fsGroup"], 65532);
    let env = pod["containers"][0]["env"].as_array().unwrap();
    assert!(env.iter().any(|var| var["name"] == "PTP_NAMESPACE" && var["value"] == "ptp"));
    let roles =
        vanilla.iter().filter(|d| d["kind"] == "Role" && d["metadata"]["name"] == "ptp-agent");
    assert!(roles.into_iter().all(|role| role["metadata"]["namespace"] == "ptp"));
    for folder in ["base", "persistent", "monitoring"] {
        assert!(!built(folder).unwrap().is_empty(), "{folder}");
    }
}

/// Nothing a user sets may keep the agent from starting by not being there.
#[test]
fn every_key_of_the_secret_is_optional() {
    let [deployment] = <[Deployment; 1]>::try_from(of_kind("Deployment")).unwrap();
    let pod = deployment.spec.unwrap().template.spec.unwrap();
    let mut keys = BTreeSet::new();
    for var in pod.containers[0].env.as_ref().unwrap() {
        let from = var.value_from.as_ref().and_then(|from| from.secret_key_ref.as_ref());
        if let Some(secret) = from {
            assert_eq!(secret.optional, Some(true), "{}", var.name);
            keys.insert(secret.key.clone());
        }
    }
    for key in ["alertmanager-url", "read-token", "slack-webhook-url", "webhook-url", "write-token"]
    {
        assert!(keys.contains(key), "{key}");
    }
    let files = pod.volumes.unwrap().into_iter().find(|volume| volume.name == "files").unwrap();
    assert_eq!(files.config_map.unwrap().optional, Some(true));
}
