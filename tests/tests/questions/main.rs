//! What engineers ask, which calls answer it, and that the answers are right.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod fleet;
mod table;

use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;
use tempfile::TempDir;

type Client = RunningService<RoleClient, ()>;

/// Calls a tool; `FIRST` in its arguments stands for the first incident of the answer before.
async fn call(client: &Client, tool: &str, arguments: &Value, before: &Value) -> Value {
    let first = before["incidents"][0]["id"].as_str().unwrap_or_default();
    let arguments = arguments.to_string().replace("FIRST", first);
    let arguments = serde_json::from_str(&arguments).unwrap();
    let request = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    let result = client.call_tool(request).await.unwrap();
    assert_eq!(result.is_error, Some(false), "{tool}: {:?}", result.content);
    result.structured_content.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn engineers_questions_are_answered_by_a_few_calls() {
    let dir = TempDir::new().unwrap();
    let (running, api, night) = fleet::start(&dir.path().join("journal.db")).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let transport = StreamableHttpClientTransport::from_uri(format!("http://{api}/mcp"));
    let client = ().serve(transport).await.unwrap();
    let mut wrong = Vec::new();
    let mut rows = Vec::new();
    for question in table::questions() {
        let mut answers = Vec::new();
        for (tool, arguments) in &question.calls {
            let before = answers.last().unwrap_or(&Value::Null);
            let answer = call(&client, tool, arguments, before).await;
            answers.push(answer);
        }
        let answer = (question.answer)(&answers, &night);
        if answer != question.is {
            wrong.push(format!("{}\n  is  {}\n  got {answer}", question.asks, question.is));
        }
        let calls: Vec<_> = question.calls.iter().map(|(t, a)| format!("`{t} {a}`")).collect();
        rows.push(format!("| {} | {} |", question.asks, calls.join(", ")));
    }
    client.cancel().await.unwrap();
    assert!(running.stop().await);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mcp.md");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(&rows.join("\n")), "docs/mcp.md should say:\n{}", rows.join("\n"));
}
