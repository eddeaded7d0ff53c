//! What an on-call engineer asks (docs/mcp.md), answered by a client that shows its model nothing but text.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod same;
mod table;

use std::fmt::Write as _;
use std::path::Path;

use ptp_agent::app::{App, Running};
use ptp_agent::config::Config;
use ptp_api::Secret;
use ptp_diagnostics::topology::{TopologyFile, TopologyNode};
use ptp_diagnostics::{Settings, Topology};
use ptp_events::journal::Journal;
use ptp_events::{Input, NodeName, Received};
use ptp_sim::{Delivery, Plan, Scenario};
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;
use tempfile::TempDir;

const EVENING: &str = include_str!("evening.toml");
/// How many calls a question may take.
const MOST_CALLS: usize = 3;
/// How many tokens all answers may have together. A token of such text is some three bytes: more than
/// prose has, as it is full of times, names and figures.
const MOST_TOKENS: usize = 25_000;
const BYTES_PER_TOKEN: usize = 3;

type Client = RunningService<RoleClient, ()>;

fn at(time: &str) -> Received {
    Received::parse(&format!("2040-04-01T{time}Z")).unwrap()
}

/// What had been received by 14:45.
fn evening(journal: &Path) -> Topology {
    let plan = Plan::from_toml(EVENING).unwrap();
    let nodes = plan.topology.nodes().iter().map(|node| TopologyNode {
        name: node.name.clone(),
        follows: node.parent.iter().cloned().collect(),
        holdover: None,
    });
    let topology = TopologyFile { node: nodes.collect() };
    let Scenario { events, .. } = Scenario::play(&plan, 7).unwrap();
    let now = at("14:45:00");
    let heard = events.into_iter().filter(|delivery| delivery.received < now);
    let mut inputs: Vec<_> = heard
        .map(|Delivery { event, received, origin }| {
            let node = Some(event.node.clone());
            (received, Input::Event { origin, node, body: event.to_vec() })
        })
        .collect();
    let silent = NodeName::new("worker-05").unwrap();
    let why = "the publisher does not answer".to_owned();
    inputs.push((at("14:17:00"), Input::Blind { node: silent.clone(), why }));
    inputs.push((at("14:25:00"), Input::Sighted { node: silent }));
    inputs.sort_by_key(|(received, _)| *received);
    let mut written = Journal::open(journal).unwrap();
    written.append(inputs.iter().map(|(received, input)| (*received, input))).unwrap();
    Topology::new(&topology).unwrap()
}

async fn start(dir: &Path) -> (Running, String) {
    let journal = dir.join("journal.db");
    let topology = evening(&journal);
    let mut config = Config::local(Vec::new(), Some(journal));
    config.now = Some(at("14:45:00"));
    config.thresholds = Settings { topology, ..Settings::default() };
    config.write_token = Some(Secret::new("may-write-0123456789"));
    let app = App::bind(config).await.unwrap();
    let url = format!("http://{}/mcp", app.api_addr().unwrap());
    (app.start().await.unwrap(), url)
}

async fn client(url: &str, token: Option<&str>) -> Client {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url);
    if let Some(token) = token {
        config = config.auth_header(token);
    }
    ().serve(StreamableHttpClientTransport::from_config(config)).await.unwrap()
}

/// Calls a tool and gives its text; of an answer that could not be given, too.
async fn call(client: &Client, tool: &str, arguments: &Value) -> String {
    let Value::Object(arguments) = arguments.clone() else { panic!("no object") };
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    let result = client.call_tool(request).await.unwrap();
    result.content[0].as_text().unwrap().text.clone()
}

/// Puts what the answers before said in the place of `$N`: the id of the Nth incident in the last of them.
fn filled(arguments: &Value, before: Option<&String>) -> Value {
    let is_id = |word: &&str| word.len() == 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut ids = Vec::new();
    for id in before.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric())) {
        if is_id(&id) && !ids.contains(&id) {
            ids.push(id);
        }
    }
    let mut text = arguments.to_string();
    for (number, id) in ids.iter().enumerate() {
        text = text.replace(&format!("${}\"", number + 1), &format!("{id}\""));
    }
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_shows_only_text_answers_an_on_call_engineer() {
    let dir = TempDir::new().unwrap();
    let (running, url) = start(dir.path()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (reader, writer) =
        (client(&url, None).await, client(&url, Some("may-write-0123456789")).await);
    let (mut missing, mut rows, mut bytes) = (String::new(), String::new(), 0);
    for question in table::QUESTIONS {
        let who = if question.may_write { &writer } else { &reader };
        let mut texts: Vec<String> = Vec::new();
        for (tool, arguments) in question.calls {
            let arguments = serde_json::from_str(arguments).unwrap();
            texts.push(call(who, tool, &filled(&arguments, texts.last())).await);
        }
        assert!(texts.len() <= MOST_CALLS, "{}", question.asks);
        let said = texts.join("\n");
        bytes += said.len();
        if std::env::var_os("PTP_SHOW").is_some() {
            println!("=== {} ({} bytes)\n{said}\n", question.asks, said.len());
        }
        for answer in question.answers.iter().filter(|answer| !said.contains(**answer)) {
            writeln!(missing, "{}: `{answer}` is not in\n{said}\n", question.asks).unwrap();
        }
        let calls: Vec<_> = question.calls.iter().map(|(t, a)| format!("`{t} {a}`")).collect();
        let answers = question.answers.join("` · `").replace('|', r"\|");
        writeln!(rows, "| {} | {} | `{answers}` |", question.asks, calls.join(", ")).unwrap();
    }
    reader.cancel().await.unwrap();
    writer.cancel().await.unwrap();
    assert!(running.stop().await);
    assert!(missing.is_empty(), "{missing}");
    let tokens = bytes / BYTES_PER_TOKEN;
    assert!(tokens < MOST_TOKENS, "{tokens} tokens, {bytes} bytes");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mcp.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&rows), "docs/mcp.md should say ({bytes} bytes):\n{rows}");
}
