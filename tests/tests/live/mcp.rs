//! A model's client: every tool, resource and prompt, in both revisions.

use ptp_api::Secret;
use ptp_events::SyncState::Freerun;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig,
    GetPromptRequestParams, Implementation, JsonObject, ProtocolVersion, ReadResourceRequestParams,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, http, lock, publisher, subscribed};

type Client = RunningService<RoleClient, ClientConfig>;

/// A client that speaks this revision, with this token.
async fn client(agent: &Agent, version: ProtocolVersion, token: &str) -> Client {
    let url = format!("http://{}/mcp", agent.api);
    let transport = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(transport);
    let name = Implementation::new("tests", "0");
    let mut config = ClientConfig::new(ClientCapabilities::default(), name);
    config.protocol_version = version.clone();
    if version == ProtocolVersion::V_2026_07_28 {
        let discover = ClientLifecycleMode::Discover { preferred_versions: vec![version] };
        return config.serve_with_lifecycle(transport, discover).await.unwrap();
    }
    config.serve(transport).await.unwrap()
}

fn object(value: Value) -> JsonObject {
    serde_json::from_value(value).unwrap()
}

async fn call(client: &Client, tool: &str, arguments: Value) -> CallToolResult {
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(object(arguments));
    client.call_tool(request).await.unwrap()
}

/// What each tool is asked here; `ID` stands for an incident's id, `SILENCE` for a silence's.
fn questions() -> Vec<(&'static str, Value)> {
    let event = String::from_utf8(lock("w9", Freerun, 350).to_vec()).unwrap();
    vec![
        ("get_fleet_overview", json!({})),
        ("get_agent_summary", json!({"nodeName": "w1"})),
        ("get_agent_alerts", json!({"hours": 24, "severity": "CRITICAL"})),
        ("list_incidents", json!({"status": "firing", "node": "w1"})),
        ("get_incident", json!({"id": "ID"})),
        ("explain_code", json!({"code": "ptp-path-loss"})),
        ("get_clock_history", json!({"node": "w1"})),
        ("get_forecasts", json!({"before": "2100-01-01T00:00:00Z"})),
        ("get_blind_windows", json!({"node": "w1"})),
        ("compare_nodes", json!({"nodes": ["w1", "w2"]})),
        ("what_changed", json!({"since": "2026-01-01T00:00:00Z"})),
        ("get_cloud_events", json!({"node": "w1", "limit": 3})),
        ("monitor_ptp_events", json!({"seconds": 0})),
        ("diagnose_ptp_issues", json!({"node": "w1"})),
        ("diagnose_recording", json!({ "recording": event })),
        ("start_ptp_monitoring", json!({})),
        ("get_monitoring_status", json!({})),
        ("get_alert_notifications", json!({})),
        ("stop_ptp_monitoring", json!({})),
        ("compare_incidents", json!({"one": "ID", "other": "ID"})),
        ("why_quiet", json!({"node": "w1"})),
        ("get_topology", json!({})),
        (
            "silence",
            json!({"node": "w1", "until": "UNTIL", "comment": "a test", "created_by": "tests"}),
        ),
        ("list_silences", json!({})),
        ("unsilence", json!({"id": "SILENCE"})),
    ]
}

async fn everything(agent: &Agent, version: ProtocolVersion) {
    let client = client(agent, version.clone(), "may-write").await;
    assert_eq!(client.peer_info().unwrap().protocol_version, version);
    let tools = client.list_all_tools().await.unwrap();
    let mut asked = questions();
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.to_string()).collect();
    let mut known: Vec<_> = asked.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    known.sort();
    assert_eq!(names, known, "every tool is asked, and no other");
    let incident = agent.report().incidents[0].id.clone();
    let mut silence = String::new();
    for (name, arguments) in &mut asked {
        let until = agent.report().input.last.unwrap().after(std::time::Duration::from_hours(1));
        let text = arguments.to_string().replace("ID", &incident);
        let text = text.replace("SILENCE", &silence).replace("UNTIL", &until.to_string());
        let result = call(&client, name, serde_json::from_str(&text).unwrap()).await;
        assert_eq!(result.is_error, Some(false), "{name}: {:?}", result.content);
        let data = result.structured_content.unwrap();
        let tool = tools.iter().find(|tool| tool.name == *name).unwrap();
        let schema = Value::Object((**tool.output_schema.as_ref().unwrap()).clone());
        ptp_tests::fits(name, &schema, &data);
        assert!(tool.annotations.as_ref().unwrap().read_only_hint.is_some());
        match *name {
            "silence" => data["id"].as_str().unwrap().clone_into(&mut silence),
            "get_agent_summary" => assert_eq!(data["nodes"][0]["latest_state"], "FREERUN"),
            "get_agent_alerts" => assert_eq!(data["critical"], 1),
            "list_incidents" => assert_eq!(data["incidents"][0]["id"], *incident),
            "get_incident" => assert_eq!(data["incident"]["origin_nodes"], json!(["w1"])),
            "compare_nodes" => assert_eq!(data["incidents"][0]["affected"], 1),
            "diagnose_recording" => assert_eq!(data["incidents"][0]["origin_nodes"][0], "w9"),
            "list_silences" => assert_eq!(data["silences"][0]["comment"], "a test"),
            _ => {}
        }
    }
    for resource in client.list_all_resources().await.unwrap() {
        let request = ReadResourceRequestParams::new(resource.uri.clone());
        let read = client.read_resource(request).await.unwrap();
        assert_eq!(read.contents.len(), 1, "{}", resource.uri);
    }
    for prompt in client.list_all_prompts().await.unwrap() {
        let arguments = prompt.arguments.unwrap().into_iter();
        let given = arguments.map(|argument| (argument.name, Value::from("w1")));
        let request = GetPromptRequestParams::new(prompt.name).with_arguments(given.collect());
        let got = client.get_prompt(request).await.unwrap();
        assert!(serde_json::to_string(&got.messages).unwrap().contains("`w1`"));
    }
    // Mistakes are told in the answer, so that a model can mend them.
    for (tool, arguments, says) in [
        ("get_incident", json!({"id": "nothing"}), "no such incident"),
        ("get_incident", json!({}), "missing field `id`"),
        ("get_agent_alerts", json!({"hours": -1}), "must be a number from 0 to 8784"),
        ("get_agent_summary", json!({"nodeName": "../x"}), "there is no node"),
        ("list_incidents", json!({"sttus": 1}), "unknown field `sttus`"),
        ("diagnose_recording", json!({"recording": "nonsense"}), "no event"),
    ] {
        let result = call(&client, tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}");
        let text = serde_json::to_string(&result.content).unwrap();
        assert!(text.contains(says), "{tool}: {text}");
    }
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn every_tool_resource_and_prompt_answers_in_both_revisions() {
    let dir = TempDir::new().unwrap();
    let (mut one, mut two) = (publisher("w1").await, publisher("w2").await);
    let mut config = config(&[&one, &two], &dir.path().join("journal.db"));
    config.read_token = Some(Secret::new("may-read"));
    config.write_token = Some(Secret::new("may-write"));
    let agent = Agent::start(config).await;
    subscribed(&[&one, &two]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    everything(&agent, ProtocolVersion::V_2025_11_25).await;
    everything(&agent, ProtocolVersion::V_2026_07_28).await;

    // With the token for reading nothing can be changed, and the tools for it are not there.
    let reader = client(&agent, ProtocolVersion::V_2025_11_25, "may-read").await;
    let tools = reader.list_all_tools().await.unwrap();
    assert!(!tools.is_empty() && tools.iter().all(|tool| !tool.name.ends_with("silence")));
    let refused = call(&reader, "unsilence", json!({"id": "x"})).await;
    let said = serde_json::to_string(&refused.content).unwrap();
    assert!(refused.is_error == Some(true) && said.contains("write token"), "{said}");
    // What the service before this one had, and names that tools had before, are answered and not listed.
    assert!(tools.iter().all(|tool| tool.name != "force_alert_check"));
    let checked = call(&reader, "force_alert_check", json!({})).await;
    assert_eq!(checked.is_error, Some(false));
    assert!(checked.structured_content.unwrap()["incidents"][0]["id"].is_string());
    reader.cancel().await.unwrap();

    // Without one, or for a page that makes a browser believe we are it, nothing is answered.
    let http = http();
    let post = |name: &str, value: &str| {
        let request = http.post(format!("http://{}/mcp", agent.api)).body("{}");
        request.header("accept", "application/json, text/event-stream").header(name, value)
    };
    let status = post("x-none", "x").send().await.unwrap().status().as_u16();
    assert_eq!(status, 401);
    for (name, value) in [("host", "evil.example.com"), ("origin", "https://evil.example.com")] {
        let request = post(name, value).bearer_auth("may-read");
        let request = request.header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 403, "{name}");
    }
    assert!(agent.running.stop().await);
    one.stop().await;
    two.stop().await;
}

/// Whoever asks for a diagnosis must learn in its words that the agent is blind.
#[tokio::test]
async fn a_diagnosis_says_what_keeps_the_agent_from_its_work() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    let client = client(&agent, ProtocolVersion::V_2025_11_25, "").await;
    let text = async || {
        let result = call(&client, "diagnose_ptp_issues", json!({})).await;
        serde_json::to_string(&result.content).unwrap()
    };
    assert!(!text().await.contains("incomplete"));
    agent.running.health.set("discovery", "we may not list pods in namespace openshift-ptp");
    let told = text().await;
    assert!(told.contains("may be incomplete") && told.contains("we may not list pods"), "{told}");
    assert!(agent.running.stop().await);
    one.stop().await;
}
