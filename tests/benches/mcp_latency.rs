//! How long each MCP tool takes on an agent with 1,000 nodes and 10,000 incidents: asked over HTTP,
//! by a real client. Fails over 100 ms. `cargo xtask mcp-latency` runs it, optimised.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "it measures, and says what")]

use std::path::Path;
use std::time::{Duration, Instant};

use ptp_agent::app::App;
use ptp_agent::config::Config;
use ptp_api::Secret;
use ptp_diagnostics::report::IncidentReport;
use ptp_events::SyncState::{self, Freerun, Locked};
use ptp_events::journal::Journal;
use ptp_events::recording::Origin;
use ptp_events::{
    Event, EventId, Input, Instance, Measurement, NodeName, Reading, Received, Resource, Stamped,
};
use ptp_store::{Record, Store, StoredIncident};
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

const NODES: u32 = 1000;
/// How often each node loses its lock; the last time some of them do not find it again.
const LOSSES: u32 = 10;
const STILL_LOST: u32 = 50;
const REPEATS: usize = 20;
const LIMIT: Duration = Duration::from_millis(100);

/// The agent is told that it starts a day later, and so prunes nothing.
const BEGIN: &str = "2040-03-01T00:00:00Z";

fn event(id: usize, node: u32, resource: Resource, state: SyncState, at: Received) -> Event {
    let instance = match resource {
        Resource::OsClock => "CLOCK_REALTIME",
        _ => "ens1fx/master",
    };
    let mut reading = Reading::new(Instance::from_static(instance));
    reading.offset = Some(Measurement::from_nanos(if state == Locked { 3 } else { 350 }));
    reading.state = Some(state);
    Event {
        id: EventId::new(&format!("e{id}")).unwrap(),
        node: NodeName::new(&format!("w{node}")).unwrap(),
        resource,
        stamped: Some(Stamped::from_nanos(at.as_nanos())),
        readings: [reading].into(),
    }
}

/// Writes a day in which each node loses its lock again and again, one after the other.
fn write(journal: &Path) {
    let begin = Received::parse(BEGIN).unwrap();
    let after = |seconds: u32| begin.after(Duration::from_secs(seconds.into()));
    let mut says = Vec::new();
    for node in 0..NODES {
        says.push((after(0), node, Resource::LockState, Locked));
        says.push((after(0), node, Resource::OsClock, Locked));
        for loss in 0..LOSSES {
            let lost = 60 + loss * 8000 + node * 7;
            says.push((after(lost), node, Resource::LockState, Freerun));
            if loss + 1 < LOSSES || node >= STILL_LOST {
                says.push((after(lost + 20), node, Resource::LockState, Locked));
            }
        }
    }
    // Until the last of them is over.
    says.push((after(LOSSES * 8000), 0, Resource::OsClock, Locked));
    says.sort_by_key(|(at, node, ..)| (*at, *node));
    let inputs = says.into_iter().enumerate().map(|(id, (at, node, resource, state))| {
        let body = event(id, node, resource, state, at).to_vec();
        (at, Input::Event { origin: Origin::Push, node: None, body })
    });
    let inputs: Vec<_> = inputs.collect();
    let mut journal = Journal::open(journal).unwrap();
    journal.append(inputs.iter().map(|(at, input)| (*at, input))).unwrap();
}

/// Keeps incidents as an agent does that saw them come.
async fn keep(store: &Store, incidents: &[IncidentReport]) {
    for incident in incidents {
        let stored = StoredIncident {
            id: incident.id.clone(),
            opened_at: incident.opened_at,
            status: incident.status.as_str().to_owned(),
            severity: incident.severity.as_str().to_owned(),
            json: serde_json::to_string(incident).unwrap(),
        };
        store.record(Record::Incident(Box::new(stored))).unwrap();
    }
    // What is given is durable once it returns, and so is what was given before.
    store.give(Input::Sighted { node: NodeName::new("w0").unwrap() }).await.unwrap();
}

/// What each tool is asked; the most it can be asked for, where that makes a difference.
fn questions(incident: &str, recording: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("get_fleet_overview", json!({})),
        ("get_agent_summary", json!({"limit": 200})),
        ("get_agent_summary", json!({"nodeName": "w7"})),
        ("get_agent_alerts", json!({"hours": 24, "limit": 200})),
        ("get_agent_alerts", json!({"hours": 24, "severity": "CRITICAL", "node": "w7"})),
        ("list_incidents", json!({"limit": 200})),
        ("list_incidents", json!({"limit": 200, "cursor": "9800"})),
        ("list_incidents", json!({"node": "w999"})),
        ("list_incidents", json!({"root_cause": "gnss-signal-loss"})),
        ("get_incident", json!({ "id": incident })),
        ("explain_code", json!({})),
        ("get_clock_history", json!({"node": "w7"})),
        ("get_forecasts", json!({})),
        ("get_blind_windows", json!({"limit": 200})),
        ("compare_nodes", json!({"nodes": ["w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8"]})),
        ("what_changed", json!({ "since": BEGIN })),
        ("get_cloud_events", json!({"limit": 200})),
        ("get_cloud_events", json!({"node": "w7"})),
        ("monitor_ptp_events", json!({"seconds": 0})),
        ("diagnose_ptp_issues", json!({})),
        ("diagnose_recording", json!({ "recording": recording })),
        ("start_ptp_monitoring", json!({})),
        ("get_monitoring_status", json!({})),
        ("force_alert_check", json!({})),
        ("get_alert_notifications", json!({"limit": 200})),
        ("stop_ptp_monitoring", json!({})),
        ("list_silences", json!({})),
        (
            "silence",
            json!({"node": "w1", "until": "2040-03-02T12:00:00Z", "comment": "a measurement",
                "created_by": "nobody"}),
        ),
        // There is none of this id, which is found out no sooner.
        ("unsilence", json!({"id": "none"})),
    ]
}

#[tokio::main]
async fn main() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    write(&journal);
    let mut config = Config::local(Vec::new(), Some(journal));
    let begin = Received::parse(BEGIN).unwrap();
    config.now = Some(begin.after(Duration::from_hours(24)));
    config.write_token = Some(Secret::new("may-write"));
    let app = App::bind(config).await.unwrap();
    let api = app.api_addr().unwrap();
    let running = app.start().await.unwrap();
    let report = running.engine.snapshot.borrow().report.clone();
    keep(&running.store, &report.incidents).await;
    let (nodes, incidents) = (report.nodes.len(), report.incidents.len());
    println!("{nodes} nodes, {incidents} incidents, {} alerts", report.alerts.len());
    assert!(nodes >= NODES as usize && incidents >= 10_000, "less than what was promised");

    let transport = StreamableHttpClientTransportConfig::with_uri(format!("http://{api}/mcp"));
    let transport = StreamableHttpClientTransport::from_config(transport.auth_header("may-write"));
    let client = ().serve(transport).await.unwrap();
    let recording = event(0, 7, Resource::LockState, Freerun, Received::parse(BEGIN).unwrap());
    let recording = String::from_utf8(recording.to_vec()).unwrap();
    let asked = questions(&report.incidents[0].id, &recording);
    for tool in client.list_all_tools().await.unwrap() {
        assert!(asked.iter().any(|(name, _)| *name == tool.name), "{} is not asked", tool.name);
    }
    let mut slow = Vec::new();
    println!("{:>9} {:>9}  of {REPEATS} calls", "median", "longest");
    for (tool, arguments) in asked {
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            let arguments = serde_json::from_value(arguments.clone()).unwrap();
            let request = CallToolRequestParams::new(tool).with_arguments(arguments);
            let begun = Instant::now();
            let answer = client.call_tool(request).await.unwrap();
            times.push(begun.elapsed());
            let refused = answer.is_error == Some(true);
            assert!(!refused || tool == "unsilence", "{tool}: {:?}", answer.content);
        }
        times.sort();
        let (median, longest) = (times[REPEATS / 2], times[REPEATS - 1]);
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let mut shown = arguments.to_string();
        shown.truncate(60);
        println!("{:>9} {:>9}  {tool} {shown}", ms(median), ms(longest));
        if longest > LIMIT {
            slow.push(tool);
        }
    }
    client.cancel().await.unwrap();
    assert!(running.stop().await);
    assert!(slow.is_empty(), "longer than {LIMIT:?}: {slow:?}");
}
