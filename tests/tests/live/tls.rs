//! What leaves the agent leaves it over TLS where the URL says so, to servers that are who they say.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ptp_api::Secret;
use ptp_api::{Client, Http, PageQuery};
use ptp_events::Received;
use ptp_events::SyncState::{Freerun, Locked};
use ptp_events::client::Tls;
use ptp_sinks::Identity;
use ptp_sinks::{Alertmanager, Destination, Named, Sink, Slack, Webhook, try_all};
use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, local, lock, publisher, subscribed};
use crate::support::{Authority, front};

/// What was posted, in order, by who showed the token that counts at that time.
#[derive(Clone, Default)]
struct Taker {
    token: Arc<Mutex<Option<String>>>,
    taken: Arc<Mutex<Vec<Value>>>,
    refused: Arc<Mutex<usize>>,
}

impl Taker {
    /// A server that takes everything from who shows the right token, behind TLS.
    async fn serve(&self, authority: &Authority, until: i32) -> SocketAddr {
        async fn take(State(taker): State<Taker>, headers: HeaderMap, body: String) -> StatusCode {
            let token = taker.token.lock().unwrap().clone();
            let shown = headers.get("authorization").map(|value| value.to_str().unwrap());
            if token.as_deref() != shown {
                *taker.refused.lock().unwrap() += 1;
                return StatusCode::UNAUTHORIZED;
            }
            taker.taken.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            StatusCode::OK
        }
        let router = Router::new().fallback(post(take)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind(local()).await.unwrap();
        let behind = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        front(authority, until, behind).await
    }

    fn taken(&self) -> Vec<Value> {
        self.taken.lock().unwrap().clone()
    }
}

fn to(address: SocketAddr, path: &str, ca: &Path, token: Option<PathBuf>) -> Destination {
    let url = Secret::from(format!("https://{address}{path}"));
    Destination::new(url, Tls::with_ca_file(Some(ca.to_owned())), token)
}

#[tokio::test]
async fn an_incident_reaches_slack_over_tls_with_a_private_authority() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let taker = Taker::default();
    let slack = taker.serve(&authority, 2099).await;
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.slack = Some(to(slack, "/services/T/B/x", &authority.file(dir.path(), "ca.pem"), None));
    config.identity.cluster = Some("edge-7".to_owned());
    config.identity.external_url = Some("https://ptp.example".to_owned());
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("the beginning", || (taker.taken().len() == 1).then_some(())).await;
    one.publish(&lock("w1", Locked, 20)).await;
    eventually("the end", || (taker.taken().len() == 2).then_some(())).await;
    let [opened, resolved] = <[Value; 2]>::try_from(taker.taken()).unwrap();
    let text = opened["text"].as_str().unwrap();
    assert!(text.contains("[edge-7]") && text.contains("on w1"), "{text}");
    let blocks = opened["blocks"].to_string();
    assert!(blocks.contains("```oc -n openshift-ptp"), "commands are code: {blocks}");
    assert!(!blocks.contains("so far"), "nothing that ages: {blocks}");
    assert!(blocks.contains("<https://ptp.example/incidents/"), "{blocks}");
    let text = resolved["text"].as_str().unwrap();
    assert!(text.contains("Resolved: "), "{text}");
    assert_eq!(resolved["blocks"].as_array().unwrap().len(), 2, "{resolved}");
    assert_eq!(agent.get("/health").await.0, 200);
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn alertmanager_is_shown_a_token_that_changes() {
    let dir = TempDir::new().unwrap();
    let authority = Authority::new();
    let taker = Taker::default();
    let address = taker.serve(&authority, 2099).await;
    let token = dir.path().join("token");
    std::fs::write(&token, "first\n").unwrap();
    *taker.token.lock().unwrap() = Some("Bearer first".to_owned());
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    let ca = authority.file(dir.path(), "ca.pem");
    config.alertmanagers = vec![to(address, "/api/v2/alerts", &ca, Some(token.clone()))];
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("the beginning", || (!taker.taken().is_empty()).then_some(())).await;
    // The old one counts no longer, and the new one is not there yet.
    *taker.token.lock().unwrap() = Some("Bearer second".to_owned());
    one.publish(&lock("w1", Locked, 20)).await;
    eventually("a refusal", || (*taker.refused.lock().unwrap() > 0).then_some(())).await;
    let conditions = async || agent.get("/health").await.1.to_string();
    let mut health = conditions().await;
    for _ in 0..100 {
        if health.contains("sink alertmanager-0") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        health = conditions().await;
    }
    assert!(health.contains("DEGRADED") && health.contains("status 401"), "{health}");
    let (_, metrics) = agent.get("/metrics").await;
    let failing = "ptp_agent_sink_failing{sink=\"alertmanager-0\"} 1";
    assert!(metrics.as_str().unwrap().contains(failing), "{metrics}");
    std::fs::write(&token, "second\n").unwrap();
    let ended = || {
        let taken = taker.taken();
        taken.last()?.as_array()?.iter().any(|alert| alert["endsAt"].is_string()).then_some(())
    };
    eventually("the end", ended).await;
    assert_eq!(agent.get("/health").await.1, "OK");
    assert!(agent.running.stop().await);
    one.stop().await;
}

/// Each sink, against a server with the right certificate, one of an authority that is not trusted,
/// and one whose time is over.
#[tokio::test]
async fn no_sink_tells_anything_to_a_server_it_cannot_trust() {
    let dir = TempDir::new().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let ca = ours.file(dir.path(), "ca.pem");
    let taker = Taker::default();
    let servers = [
        ("trusted", taker.serve(&ours, 2099).await),
        ("stranger", taker.serve(&theirs, 2099).await),
        ("expired", taker.serve(&ours, 2021).await),
    ];
    let identity = Arc::new(Identity::default());
    let mut told = Vec::new();
    for (server, address) in servers {
        let destination = || to(address, "/x", &ca, None);
        let sinks = vec![
            Named::new("slack".into(), Sink::Slack(Slack::new(destination(), identity.clone()))),
            Named::new(
                "alertmanager".into(),
                Sink::Alertmanager(Alertmanager::new(destination(), identity.clone())),
            ),
            Named::new(
                "webhook".into(),
                Sink::Webhook(Webhook::new(destination(), None, identity.clone())),
            ),
        ];
        for tried in try_all(sinks, Received::from_nanos(0)).await {
            let outcome = match tried.outcome {
                Ok(answer) => answer.to_string(),
                Err(error) => ptp_events::chain(&error),
            };
            told.push(format!("{server} {}: {outcome}", tried.sink));
        }
    }
    assert_eq!(taker.taken().len(), 3, "only the trusted one heard");
    let stranger = "the server's certificate is signed by an authority that is not trusted \
                    (UnknownIssuer); give the one that is with a CA file";
    let expired = "the server's certificate has expired; it must be renewed there, or our clock is \
                   wrong";
    let mut expect = Vec::new();
    for (server, outcome) in
        [("trusted", "status 200"), ("stranger", stranger), ("expired", expired)]
    {
        for sink in ["slack", "alertmanager", "webhook"] {
            expect.push(format!("{server} {sink}: {outcome}"));
        }
    }
    assert_eq!(told, expect);
}

/// What `ptp-agent mcp --agent https://…` asks.
#[tokio::test]
async fn an_agent_is_asked_over_tls() {
    let dir = TempDir::new().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let ca = Tls::with_ca_file(Some(ours.file(dir.path(), "ca.pem")));
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    let ask = async |address: SocketAddr| {
        let http = Http::new(&format!("https://{address}"), None, &ca).unwrap();
        Client::new(Arc::new(http)).nodes(&PageQuery::default()).await
    };
    eventually("a node", || agent.report().nodes.first().cloned()).await;
    let nodes = ask(front(&ours, 2099, agent.api).await).await.unwrap();
    assert_eq!(nodes.items[0].node.as_str(), "w1");
    for (authority, until, says) in [(&theirs, 2099, "UnknownIssuer"), (&ours, 2021, "has expired")]
    {
        let error = ask(front(authority, until, agent.api).await).await.unwrap_err();
        let error = error.to_string();
        // A CA file does not help against age.
        let helps = says == "UnknownIssuer";
        assert!(error.contains(says), "{error}");
        assert_eq!(error.contains("--agent-ca-file"), helps, "{error}");
    }
    assert!(agent.running.stop().await);
    one.stop().await;
}

/// A publisher that speaks HTTPS is subscribed to as any other.
#[tokio::test]
async fn a_publisher_is_subscribed_to_over_tls() {
    let dir = TempDir::new().unwrap();
    let (ours, theirs) = (Authority::new(), Authority::new());
    let mut one = publisher("w1").await;
    let behind = one.url().trim_start_matches("http://").parse().unwrap();
    let url = format!("https://{}", front(&ours, 2099, behind).await);
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.publishers = ptp_agent::config::Publishers::Fixed(vec![(url, Some(one.node().clone()))]);
    config.publisher_tls = Tls::with_ca_file(Some(theirs.file(dir.path(), "wrong.pem")));
    let agent = Agent::start(config.clone()).await;
    let mut health = String::new();
    for _ in 0..200 {
        health = agent.get("/health").await.1.to_string();
        if health.contains("UnknownIssuer") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(health.contains("w1") && health.contains("UnknownIssuer"), "{health}");
    assert!(agent.running.stop().await);

    config.publisher_tls = Tls::with_ca_file(Some(ours.file(dir.path(), "ca.pem")));
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    assert!(agent.running.stop().await);
    one.stop().await;
}
