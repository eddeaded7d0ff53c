//! The official TypeScript clients, against the program.

#[path = "../../../tests/tests/cluster/server.rs"]
#[expect(dead_code, reason = "here nothing fails")]
mod api_server;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ptp_events::publisher::{Options, Publisher};
use ptp_events::{Event, NodeName};
use serde_json::json;
use tempfile::TempDir;

use crate::agent::{Agent, agent, eventually, quiet};
use crate::api_server::kubeconfig;
use crate::event;

/// Where package.json is, if what it names was installed.
///
/// Without Node or the packages there is nothing to run. CI installs both, and fails here if it
/// did not.
#[expect(clippy::print_stderr, reason = "it says why nothing is run")]
pub(crate) fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/mcp-client");
    let node = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
    if node && folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    let missing = "skipped: needs Node and `npm ci --ignore-scripts` in tests/mcp-client";
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("{missing}");
    None
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn said(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// Two publishers where the API server says that the pods of w1 and w2 are; w1 has lost its lock.
async fn publishers() -> (u16, [Publisher; 2]) {
    let locked = |node: &str, state: &str| {
        let event = event(1).replace("/w1/", &format!("/{node}/")).replace("LOCKED", state);
        Event::from_slice(event.as_bytes()).unwrap()
    };
    let name = |node: &str| NodeName::new(node).unwrap();
    let one = Publisher::bind("127.0.0.1:0", name("w1"), Options::rewrite()).await.unwrap();
    let port = one.url().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let other = ("127.0.0.2", port);
    let two = Publisher::bind(other, name("w2"), Options::rewrite()).await.unwrap();
    one.remember(&locked("w1", "FREERUN"));
    two.remember(&locked("w2", "LOCKED"));
    (port, [one, two])
}

/// For changing things, and so for reading.
const TOKEN: &str = "may-write-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_clients_drive_everything() {
    let Some(folder) = installed() else { return };
    let dir = TempDir::new().unwrap();
    let cluster = api_server::Shared::default();
    cluster.lock().unwrap().log = api_server::log();
    let config = dir.path().join("kubeconfig");
    std::fs::write(&config, kubeconfig(&api_server::listen(&cluster).await)).unwrap();
    let thresholds = dir.path().join("thresholds.toml");
    std::fs::write(&thresholds, "loss-of-lock = \"1s\"\n").unwrap();
    let (port, mut publishers) = publishers().await;
    let mut command = quiet(agent(), &dir.path().join("journal.db"));
    command
        .env("KUBECONFIG", &config)
        .args(["--endpoint", "http://127.0.0.1:1", "--poll", "1s", "--mcp-exec"])
        .args(["--read-token", "reads-only-0123456", "--write-token", TOKEN, "--thresholds"])
        .arg(&thresholds)
        .args(["--publisher-url-template", &format!("http://{{podIP}}:{port}")]);
    let running = tokio::task::block_in_place(|| Agent::run(command));
    let output = tokio::task::block_in_place(|| {
        eventually("an alert, and both nodes", || {
            let (status, alerts) = running.get_with(TOKEN, "/alerts");
            assert_eq!(status, 200, "{alerts}");
            let (_, nodes) = running.get_with(TOKEN, "/summary");
            (alerts != "[]" && nodes.contains("w2")).then_some(())
        });
        let told = json!({
            "http": {"url": format!("{}/mcp", running.url()), "token": TOKEN},
            "stdio": {
                "command": env!("CARGO_BIN_EXE_ptp-agent"),
                "args": ["mcp", "--allow-changes", "--mcp-exec"],
                "env": {"PTP_AGENT_URL": running.url(), "PTP_AGENT_TOKEN": TOKEN,
                    "KUBECONFIG": config},
            },
            "event": event(7),
        });
        let mut node = Command::new("node");
        node.arg("client.mjs").arg(told.to_string()).current_dir(&folder).output().unwrap()
    });
    assert!(output.status.success(), "{}", said(&output));
    insta::assert_snapshot!(text(&output.stdout), @r"
    2025-11-25, sdk over http: 45 tools, 3 templates of resources, 4 prompts
    2025-11-25, sdk over stdio: 45 tools, 3 templates of resources, 4 prompts
    2025-11-25, client over http: 45 tools, 3 templates of resources, 4 prompts
    2025-11-25, client over stdio: 45 tools, 3 templates of resources, 4 prompts
    2026-07-28, client over http: 45 tools, 3 templates of resources, 4 prompts
    2026-07-28, client over stdio: 45 tools, 3 templates of resources, 4 prompts
    ");
    tokio::task::block_in_place(|| running.stop());
    for publisher in &mut publishers {
        publisher.stop().await;
    }
}
