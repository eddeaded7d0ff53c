//! MCP's tools on the cluster: a real client, and an API server over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod server;

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::rbac::v1::Role;
use ptp_mcp::{Cluster, Context, Server};
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use server::Shared;

type Client = RunningService<RoleClient, ()>;

async fn client(cluster: &Shared, may_run_commands: bool) -> Client {
    let mut context = Context::new(None);
    let url = server::listen(cluster).await.parse().unwrap();
    let api_server = kube::Client::try_from(kube::Config::new(url)).unwrap();
    context.cluster = Some(Cluster::new(api_server, "openshift-ptp"));
    context.may_run_commands = may_run_commands;
    let (one, other) = tokio::io::duplex(1 << 16);
    let server = Server::new(Arc::new(context));
    tokio::spawn(async move { server.serve(one).await.unwrap().waiting().await });
    ().serve(other).await.unwrap()
}

async fn call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("no object") };
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(request).await.unwrap()
}

/// What a tool answered in words, when it could not.
async fn refusal(client: &Client, tool: &str, arguments: Value) -> String {
    let result = call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
    serde_json::to_string(&result.content).unwrap()
}

fn questions() -> Vec<(&'static str, Value)> {
    let (node, nic) = (json!({"node": "w1"}), json!({"node": "w1", "interface": "ens1f0"}));
    vec![
        ("check_ptp_status", node.clone()),
        ("analyze_sync_status", node.clone()),
        ("analyze_ptp_faults", node.clone()),
        ("list_ptp_pods", json!({})),
        ("get_daemon_logs", json!({"node": "w1", "contains": "offset"})),
        ("get_proxy_logs", node.clone()),
        ("get_ptp_metrics", json!({"node": "w2"})),
        ("get_ptp_configs", json!({})),
        ("get_ptp_config", json!({"name": "slave"})),
        ("get_node_ptp_configs", node.clone()),
        ("validate_ptp_config", json!({"name": "slave"})),
        (
            "run_pmc_query",
            json!({"node": "w1", "data_sets": ["PARENT_DATA_SET", "VERSION_NUMBER"]}),
        ),
        ("get_grandmaster_status", json!({})),
        ("get_clock_hierarchy", json!({})),
        ("list_ptp_interfaces", json!({})),
        ("get_hardware_info", node.clone()),
        ("map_ptp_hardware", node),
        ("check_interface_ptp_support", nic.clone()),
        ("get_nic_details", nic),
        ("exec_ptp_command", json!({"node": "w1", "command": ["ethtool", "-T", "ens1f0"]})),
    ]
}

fn shared() -> Shared {
    let cluster = Shared::default();
    cluster.lock().unwrap().log = server::log();
    cluster
}

/// (API group, resource, verb) of the roles in a part of deploy/.
fn granted(component: &str) -> BTreeSet<(String, String, String)> {
    let path = format!("{}/../deploy/{component}/rbac.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut calls = BTreeSet::new();
    for document in text.split("\n---\n") {
        let document: Value = serde_saphyr::from_str(document).unwrap();
        if document["kind"] != "Role" {
            continue;
        }
        let role: Role = serde_json::from_value(document).unwrap();
        for rule in role.rules.unwrap() {
            let group = rule.api_groups.unwrap()[0].clone();
            for resource in rule.resources.unwrap() {
                calls.extend(
                    rule.verbs.iter().map(|v| (group.clone(), resource.clone(), v.clone())),
                );
            }
        }
    }
    calls
}

#[tokio::test]
async fn every_tool_on_the_cluster_answers_and_asks_for_what_is_granted() {
    let cluster = shared();
    let client = client(&cluster, true).await;
    let tools = client.list_all_tools().await.unwrap();
    let names: BTreeSet<_> = tools.iter().map(|tool| tool.name.to_string()).collect();
    let asked: BTreeSet<_> = questions().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, asked, "every tool is asked, and those of the agent are not there");
    for (name, arguments) in questions() {
        let result = call(&client, name, arguments).await;
        assert_eq!(result.is_error, Some(false), "{name}: {:?}", result.content);
        let data = result.structured_content.unwrap();
        let tool = tools.iter().find(|tool| tool.name == name).unwrap();
        assert_eq!(tool.annotations.as_ref().unwrap().read_only_hint, Some(true));
        ptp_tests::fits(
            name,
            &Value::Object((**tool.output_schema.as_ref().unwrap()).clone()),
            &data,
        );
        match name {
            "check_ptp_status" => assert_eq!(data["verdict"], "synchronised", "{data}"),
            "analyze_ptp_faults" => {
                assert_eq!(data["incidents"], json!([]));
                assert_eq!(data["threshold_ns"], 200);
            }
            "list_ptp_pods" => assert_eq!(data["count"], 2),
            "get_daemon_logs" => {
                assert_eq!(data["matching"], 18);
                assert_eq!(data["events"][0]["state"], "LOCKED");
            }
            "get_ptp_metrics" => assert_eq!(data["read_by"], "curl in the container"),
            "validate_ptp_config" => {
                let profile = &data["profiles"][0];
                assert_eq!(profile["verdict"], "violates");
                assert_eq!(profile["deviations"][0]["rule"], "logSyncInterval");
            }
            "run_pmc_query" => assert_eq!(data["unanswered"], json!(["VERSION_NUMBER"])),
            "get_grandmaster_status" => assert_eq!(data["grandmasters"][0]["class"], 6),
            "get_clock_hierarchy" => assert_eq!(data["clocks"][1]["parent_node"], "w2"),
            "list_ptp_interfaces" => {
                let first = &data["nodes"][0]["interfaces"];
                assert_eq!(first[0]["used_by"], json!(["slave/ordinary"]));
                assert_eq!(first.as_array().unwrap().len(), 2, "what is no name is left out");
            }
            "map_ptp_hardware" => {
                assert_eq!(data["clocks"][0]["interfaces"], json!(["ens1f0", "ens1f1"]));
            }
            "check_interface_ptp_support" => assert_eq!(data["ethernet_timestamps"], true),
            _ => {}
        }
    }
    let mut granted = granted("cluster-tools");
    granted.extend(self::granted("cluster-exec"));
    // Newer API servers ask for it when a websocket is opened, which is a GET.
    assert!(granted.remove(&(String::new(), "pods/exec".to_owned(), "create".to_owned())));
    assert_eq!(cluster.lock().unwrap().asked, granted);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn what_is_not_granted_is_named_and_what_cannot_be_read_is_no_health() {
    let cluster = shared();
    let client = client(&cluster, false).await;
    for (resource, verb, tool, arguments) in [
        ("pods", "list", "list_ptp_pods", json!({})),
        ("pods/log", "get", "get_daemon_logs", json!({"node": "w1"})),
        ("pods/exec", "get", "run_pmc_query", json!({"node": "w1", "data_sets": ["DOMAIN"]})),
        ("ptpconfigs", "list", "get_ptp_configs", json!({})),
        ("nodeptpdevices", "get", "get_hardware_info", json!({"node": "w1"})),
    ] {
        let forbidden = (resource.to_owned(), verb.to_owned());
        cluster.lock().unwrap().forbidden = BTreeSet::from([forbidden]);
        let said = refusal(&client, tool, arguments).await;
        assert!(
            said.contains(&format!("on {resource}")) && said.contains("deploy/cluster-"),
            "{said}"
        );
    }
    for (resource, verb, tool) in [
        ("pods/log", "get", "check_ptp_status"),
        ("ptpconfigs", "list", "check_ptp_status"),
        ("pods/exec", "get", "analyze_sync_status"),
    ] {
        let forbidden = (resource.to_owned(), verb.to_owned());
        cluster.lock().unwrap().forbidden = BTreeSet::from([forbidden]);
        let result = call(&client, tool, json!({"node": "w1"})).await;
        let data = result.structured_content.unwrap();
        assert_ne!(data["verdict"], "synchronised", "{resource} {tool} {data}");
    }
    cluster.lock().unwrap().forbidden.clear();
    let said = refusal(&client, "get_ptp_config", json!({"name": "gone"})).await;
    assert!(said.contains("PtpConfig gone: not found"), "{said}");
    let said = refusal(&client, "check_ptp_status", json!({"node": "w9"})).await;
    assert!(said.contains("runs on no node"), "{said}");
    let said = refusal(&client, "get_daemon_logs", json!({})).await;
    assert!(said.contains("2 nodes"), "{said}");
    client.cancel().await.unwrap();
}

/// What stopped a command is told in the API server's words, and nothing is made of empty output.
#[tokio::test]
async fn a_command_that_was_not_run_is_no_diagnosis() {
    use server::ExecFails::{AtOnce, Later, Silently};
    let cluster = shared();
    let client = client(&cluster, true).await;
    let unauthorized = axum::http::StatusCode::UNAUTHORIZED;
    for (fails, expect) in [
        (
            AtOnce(axum::http::StatusCode::BAD_REQUEST, "container x is not valid for pod y"),
            "container x is not valid for pod y",
        ),
        (AtOnce(unauthorized, "Unauthorized"), "does not accept our credentials: Unauthorized"),
        (
            Later("error dialing backend: dial tcp 10.0.0.7:10250: connect: connection refused"),
            "error dialing backend: dial tcp 10.0.0.7:10250",
        ),
        (Silently, "the connection ended before the command did"),
    ] {
        cluster.lock().unwrap().exec_fails = Some(fails);
        for (tool, arguments) in [
            ("run_pmc_query", json!({"node": "w1", "data_sets": ["DOMAIN"]})),
            ("exec_ptp_command", json!({"node": "w1", "command": ["ethtool", "-T", "ens1f0"]})),
            ("get_nic_details", json!({"node": "w1", "interface": "ens1f0"})),
        ] {
            let said = refusal(&client, tool, arguments).await;
            assert!(said.contains(expect) && !said.contains("not run with"), "{tool}: {said}");
        }
        let result = call(&client, "analyze_sync_status", json!({"node": "w1"})).await;
        let text = serde_json::to_string(&result).unwrap();
        assert!(text.contains(expect) && !text.contains("does not run"), "{text}");
    }
}

#[tokio::test]
async fn hostile_names_reach_nobody_and_commands_are_off_or_from_the_list() {
    let cluster = shared();
    let off = client(&cluster, false).await;
    let tools = off.list_all_tools().await.unwrap();
    assert!(tools.iter().all(|tool| tool.name != "exec_ptp_command"));
    assert!(refusal(&off, "exec_ptp_command", json!({})).await.contains("--mcp-exec"));
    assert!(refusal(&off, "list_incidents", json!({})).await.contains("PTP_AGENT_URL"));
    let on = client(&cluster, true).await;
    for node in ["../../secrets", "w1,metadata.name!=x", "w1;reboot", "w1\nw2", "-w1", ""] {
        let said = refusal(&on, "check_ptp_status", json!({ "node": node })).await;
        assert!(said.contains("is no name of a node"), "{said}");
    }
    for interface in ["ens1f0;reboot", "--reset", "$(reboot)", "../x"] {
        let asked = json!({"node": "w1", "interface": interface});
        let said = refusal(&on, "get_nic_details", asked).await;
        assert!(said.contains("is no name of an interface"), "{said}");
    }
    for command in [
        json!(["rm", "-rf", "/"]),
        json!(["sh", "-c", "pmc"]),
        json!(["ethtool", "-T", "ens1f0;reboot"]),
        json!(["ethtool", "-T", "ens1f0", ";", "reboot"]),
        json!(["cat", "/etc/shadow"]),
    ] {
        let asked = json!({"node": "w1", "command": command});
        let said = refusal(&on, "exec_ptp_command", asked).await;
        assert!(said.contains("not on the list"), "{said}");
    }
    let asked = json!({"node": "w1", "data_sets": ["SET PRIORITY1 1"]});
    assert!(refusal(&on, "run_pmc_query", asked).await.contains("unknown variant"));
    let asked = json!({"node": "w1", "config": 99, "data_sets": ["DOMAIN"]});
    assert!(refusal(&on, "run_pmc_query", asked).await.contains("less than 16"));
    assert!(cluster.lock().unwrap().commands.is_empty(), "nothing was run");
    // More output than anybody reads is cut.
    let asked = json!({"node": "w1", "command": ["ethtool", "-S", "ens1f0"]});
    let result = call(&on, "exec_ptp_command", asked).await;
    assert_eq!(result.structured_content.unwrap()["cut"], true);
}

#[tokio::test]
async fn a_log_without_end_is_cut_and_one_that_hangs_given_up() {
    let cluster = shared();
    let client = client(&cluster, false).await;
    cluster.lock().unwrap().log = "2026-11-23T06:40:20Z \u{1b}[31mnoise ```\n".repeat(100_000);
    let result = call(&client, "get_daemon_logs", json!({"node": "w1", "limit": 1000})).await;
    let text = serde_json::to_string(&result).unwrap();
    let data = result.structured_content.unwrap();
    assert_eq!(data["cut"], true);
    assert!(text.len() < 60_000 * 2 && !text.contains("\\u001b"));
    let result = call(&client, "check_ptp_status", json!({"node": "w1"})).await;
    assert_eq!(result.structured_content.unwrap()["verdict"], "unknown");
    cluster.lock().unwrap().hangs = true;
    let said = refusal(&client, "get_proxy_logs", json!({"node": "w1"})).await;
    assert!(said.contains("longer than 10 s"), "{said}");
}
