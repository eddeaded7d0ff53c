//! Asking: a client that calls what a question's row says, or somebody's agent.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ptp_api::{Client, Http};
use ptp_events::client::Tls;
use ptp_mcp::{Cluster, Context, Server};
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};

use crate::night::Night;
use crate::questions::Question;

/// A token of such text is some three bytes: it is full of times, names and figures.
const BYTES_PER_TOKEN: usize = 3;

/// An answer, and what it cost.
pub(crate) struct Answered {
    pub text: String,
    pub calls: usize,
    pub tokens: usize,
}

/// Puts the id of the Nth incident that was named before in the place of `$N`.
fn filled(arguments: &str, before: Option<&String>) -> Value {
    let is_id = |word: &&str| word.len() == 16 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut ids = Vec::new();
    for id in before.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric())) {
        if is_id(&id) && !ids.contains(&id) {
            ids.push(id);
        }
    }
    let numbered = (1..).zip(&ids);
    let text = numbered.fold(arguments.to_owned(), |text, (number, id)| {
        text.replace(&format!("${number}\""), &format!("{id}\""))
    });
    serde_json::from_str(&text).unwrap()
}

/// Calls what the row says; the answer is all text that comes back.
pub(crate) async fn ask_scripted(question: &Question, night: &Night) -> Answered {
    let http = Http::new(&format!("http://{}", night.api), None, &Tls::platform()).unwrap();
    let mut context = Context::new(Some(Client::new(Arc::new(http))));
    if let Some(url) = &night.cluster {
        let config = kube::Config::new(url.parse().unwrap());
        let api_server = kube::Client::try_from(config).unwrap();
        context.cluster = Some(Cluster::new(api_server, "openshift-ptp"));
    }
    let (one, other) = tokio::io::duplex(1 << 16);
    let server = Server::new(Arc::new(context));
    tokio::spawn(async move { server.serve(one).await.unwrap().waiting().await });
    let client = ().serve(other).await.unwrap();
    let mut texts: Vec<String> = Vec::new();
    for (tool, arguments) in &question.calls {
        let Value::Object(arguments) = filled(arguments, texts.last()) else { panic!("no object") };
        let request = CallToolRequestParams::new(tool.clone()).with_arguments(arguments);
        let result = client.call_tool(request).await.unwrap();
        texts.push(result.content[0].as_text().unwrap().text.clone());
    }
    client.cancel().await.unwrap();
    let text = texts.join("\n");
    let tokens = text.len() / BYTES_PER_TOKEN;
    Answered { calls: texts.len(), tokens, text }
}

/// The program beside this one.
fn agent_program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap().parent().unwrap();
    folder.join("ptp-agent")
}

/// Runs `command` in a shell, with the question on its standard input; what it prints is its answer.
///
/// It finds the server in `PTP_MCP_CONFIG` (a file as Claude and others read it) or `PTP_MCP_COMMAND` (a line for a
/// shell). What goes to the server and comes back is kept, and counted.
pub(crate) fn ask_agent(command: &str, question: &Question, night: &Night) -> Answered {
    let dir = night.dir.path();
    let (asked, answered) = (dir.join("asked.jsonl"), dir.join("answered.jsonl"));
    for file in [&asked, &answered] {
        let _ = std::fs::remove_file(file);
    }
    let program = agent_program();
    let line = format!(
        "tee -a '{}' | '{}' mcp | tee -a '{}'",
        asked.display(),
        program.display(),
        answered.display()
    );
    let url = format!("http://{}", night.api);
    let kubeconfig = dir.join("kubeconfig");
    let at = night.cluster.as_deref().unwrap_or("http://127.0.0.1:1");
    let file = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": at}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    std::fs::write(&kubeconfig, file.to_string()).unwrap();
    let mut variables = vec![("PTP_AGENT_URL", url)];
    if night.cluster.is_some() {
        variables.push(("KUBECONFIG", kubeconfig.display().to_string()));
    }
    let env: serde_json::Map<_, _> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let config = dir.join("mcp.json");
    let servers =
        json!({"mcpServers": {"ptp": {"command": "sh", "args": ["-c", line], "env": env}}});
    std::fs::write(&config, servers.to_string()).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env("PTP_MCP_CONFIG", &config).env("PTP_MCP_COMMAND", &line);
    shell.envs(variables).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    // One that does not read its question answers all the same.
    let _ = writeln!(child.stdin.take().unwrap(), "{}", question.asks);
    let output = child.wait_with_output().unwrap();
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let calls = read(&asked).lines().filter(|line| line.contains("\"tools/call\"")).count();
    let tokens = read(&answered).len() / BYTES_PER_TOKEN;
    Answered { text: String::from_utf8_lossy(&output.stdout).into_owned(), calls, tokens }
}
