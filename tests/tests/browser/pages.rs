//! The agent's pages, while it works.

use std::process::Stdio;
use std::time::Duration;

use ptp_api::Secret;
use ptp_diagnostics::Status;
use ptp_diagnostics::report::Report;
use ptp_events::NodeName;
use ptp_events::SyncState::{Freerun, Locked};
use ptp_view::live::{self, Fleet, Shell};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::fleet::{Agent, config, eventually, lock, publisher, subscribed};
use crate::report::diagnosed;
use crate::{installed, run};

/// How long a page may take to show what the API has.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_followed_from_its_beginning_to_its_end() {
    let Some(folder) = installed() else { return };
    let dir = TempDir::new().unwrap();
    let (mut one, mut two) = (publisher("w1").await, publisher("w2").await);
    let mut settings = config(&[&one, &two], &dir.path().join("journal.db"));
    settings.write_token = Some(Secret::new("to-change-things-with"));
    let agent = Agent::start(settings.clone()).await;
    settings.api = agent.api;
    settings.listen = agent.receiver;
    subscribed(&[&one, &two]).await;
    eventually("two nodes", || (agent.report().nodes.len() == 2).then_some(())).await;

    let url = format!("http://{}", agent.api);
    let mut script = Command::new("node")
        .args(["pages.mjs", &url])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut to = script.stdin.take().unwrap();
    let mut from = BufReader::new(script.stdout.take().unwrap()).lines();
    let mut hear = async |word: &str| {
        let line = tokio::time::timeout(PATIENCE, from.next_line()).await.expect(word).unwrap();
        assert_eq!(line.as_deref(), Some(word), "the script says why above");
    };

    hear("open").await;
    one.publish(&lock("w1", Freerun, 350)).await;
    let statuses = || agent.report().incidents.iter().map(|i| i.status).collect::<Vec<_>>();
    eventually("an incident", || (statuses() == [Status::Firing]).then_some(())).await;
    to.write_all(b"firing\n").await.unwrap();
    hear("seen").await;
    one.publish(&lock("w1", Locked, 3)).await;
    eventually("its end", || (statuses() == [Status::Resolved]).then_some(())).await;
    to.write_all(b"resolved\n").await.unwrap();
    hear("seen").await;

    assert!(agent.running.stop().await);
    to.write_all(b"gone\n").await.unwrap();
    hear("seen").await;
    let again = Agent::start(settings).await;
    to.write_all(b"back\n").await.unwrap();
    hear("done").await;
    drop(to);
    assert!(script.wait().await.unwrap().success());
    assert!(again.running.stop().await);
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_token_is_asked_for_it() {
    let Some(folder) = installed() else { return };
    let dir = TempDir::new().unwrap();
    let one = publisher("w1").await;
    let mut settings = config(&[&one], &dir.path().join("journal.db"));
    settings.read_token = Some(Secret::new("to-read-with"));
    let agent = Agent::start(settings).await;
    eventually("a node", || (!agent.report().nodes.is_empty()).then_some(())).await;
    let url = format!("http://{}", agent.api);
    let look = move || run(&folder, "token.mjs", &[&url, "to-read-with"]);
    tokio::task::spawn_blocking(look).await.unwrap();
    assert!(agent.running.stop().await);
}

/// A fleet of so many, one of ten in trouble.
fn fleet_of(count: usize) -> Report {
    let one = diagnosed("gnss-outage-short");
    let mut report = one.clone();
    report.nodes = (0..count)
        .map(|n| {
            let mut node = one.nodes[n % one.nodes.len()].clone();
            node.node = NodeName::new(&format!("worker-{n}.ran.example.com")).unwrap();
            node
        })
        .collect();
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_nodes_are_shown_at_once_and_a_day_of_updates_holds_no_more() {
    let Some(folder) = installed() else { return };
    let page = |count: usize| {
        let report = fleet_of(count);
        let shell = Shell { cluster: None, at: report.input.last.unwrap(), conditions: Vec::new() };
        let text = live::fleet(&shell, &report, Fleet::default());
        axum::routing::get(move || {
            let text = text.clone();
            async move { axum::response::Html(text) }
        })
    };
    let file = |kind: &'static str, text: &'static str| {
        axum::routing::get(move || async move { ([("content-type", kind)], text) })
    };
    let app = axum::Router::new()
        .route("/many", page(1000))
        .route("/few", page(40))
        .route(live::STYLE_PATH, file("text/css", live::STYLE))
        .route(live::SCRIPT_PATH, file("text/javascript", live::SCRIPT))
        // As the agent does.
        .layer(tower_http::compression::CompressionLayer::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let look = move || {
        run(&folder, "many.mjs", &[&format!("http://{addr}/many"), &format!("http://{addr}/few")])
    };
    let told = tokio::task::spawn_blocking(look).await.unwrap();
    let figure = |name: &str| told[name].as_f64().unwrap();
    assert!(figure("bytes") < 300_000.0, "{told}");
    assert!(figure("loaded") < 1000.0, "{told}");
    assert!(figure("heap") < 1.5 && figure("nodes") < 1.5, "{told}");
}
