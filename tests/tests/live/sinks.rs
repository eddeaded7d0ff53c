//! Alerts reach people, and a sink that does not work delays nobody.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use hmac::{Hmac, Mac as _};
use ptp_api::Secret;
use ptp_events::SyncState::{Freerun, Locked};
use ptp_events::client::Tls;
use ptp_sinks::Destination;
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, http, local, lock, publisher, subscribed, to};
use crate::support::Authority;

/// What our signature of a body must be.
fn signature(body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"the webhook's secret").unwrap();
    mac.update(body.as_bytes());
    format!("sha256={:x}", mac.finalize().into_bytes())
}

/// An Alertmanager at this URL.
fn am(url: &str) -> Destination {
    to(&format!("{url}/api/v2/alerts"))
}

type Seen = Arc<Mutex<Vec<(String, HeaderMap, Value)>>>;

/// A server that takes everything, but refuses Slack's first try with 429, and the second thing
/// that `/deaf` hears for good.
async fn takes_everything() -> (String, Seen) {
    async fn take(
        State(seen): State<Seen>,
        uri: Uri,
        headers: HeaderMap,
        body: String,
    ) -> (StatusCode, [(&'static str, &'static str); 1]) {
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|(path, ..)| path == uri.path()).count();
        let mut value: Value = serde_json::from_str(&body).unwrap();
        if uri.path() == "/hook" {
            value["signed"] = signature(&body).into();
        }
        seen.push((uri.path().to_owned(), headers, value));
        let status = match uri.path() {
            "/slack" if before == 0 => StatusCode::TOO_MANY_REQUESTS,
            "/deaf/api/v2/alerts" if before == 1 => StatusCode::BAD_REQUEST,
            "/stuck/api/v2/alerts" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::OK,
        };
        (status, [("retry-after", "1")])
    }
    let seen = Seen::default();
    let router = Router::new().fallback(post(take)).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind(local()).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, seen)
}

#[tokio::test]
async fn every_sink_hears_of_the_opening_and_of_the_end() {
    let dir = TempDir::new().unwrap();
    let (url, seen) = takes_everything().await;
    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.slack = Some(to(&format!("{url}/slack")));
    config.alertmanagers = vec![am(&format!("{url}/stuck")), am(&format!("{url}/am"))];
    config.webhook = Some((to(&format!("{url}/hook")), Some(Secret::new("the webhook's secret"))));
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    one.publish(&lock("w1", Locked, 20)).await;
    let count = |path: &str| seen.lock().unwrap().iter().filter(|(p, ..)| p == path).count();
    eventually("both, at every sink", || {
        // Slack was refused once and asked again.
        (count("/slack") == 3 && count("/am/api/v2/alerts") >= 2 && count("/hook") == 2)
            .then_some(())
    })
    .await;
    let seen = seen.lock().unwrap().clone();
    let of = |path: &str| -> Vec<_> {
        seen.iter().filter(|(p, ..)| p == path).map(|(_, h, v)| (h.clone(), v.clone())).collect()
    };
    let slack = of("/slack");
    assert!(slack[2].1["text"].as_str().unwrap().contains("Resolved"));
    let alertmanager = of("/am/api/v2/alerts");
    let (opened, resolved) = (&alertmanager[0].1[0], &alertmanager.last().unwrap().1[0]);
    assert_eq!(opened["labels"], resolved["labels"]);
    assert!(opened["endsAt"].is_null() && resolved["endsAt"].is_string());
    let hook = of("/hook");
    assert_eq!(hook[0].1["type"], "ptp-agent.incident.opened");
    assert_eq!(hook[1].1["type"], "ptp-agent.incident.resolved");
    for (headers, body) in &hook {
        assert_eq!(headers["x-ptp-signature"].to_str().unwrap(), body["signed"]);
    }
    // The stuck one is still trying, and stopping does not wait for it for long.
    assert!(tokio::time::timeout(Duration::from_secs(8), agent.running.stop()).await.is_ok());
    one.stop().await;
}

/// A real Alertmanager takes what we send over TLS, with a certificate of a private authority, and
/// forgets it when it is over. CI installs one (Debian's `prometheus-alertmanager`); elsewhere there may
/// be none to test with.
#[tokio::test]
async fn a_real_alertmanager_understands() {
    let program = "/usr/bin/prometheus-alertmanager";
    if !std::path::Path::new(program).exists() {
        assert!(std::env::var_os("CI").is_none(), "CI must have {program}");
        return;
    }
    let dir = TempDir::new().unwrap();
    let port = std::net::TcpListener::bind(local()).unwrap().local_addr().unwrap().port();
    let settings = dir.path().join("alertmanager.yml");
    std::fs::write(&settings, "route: {receiver: none}\nreceivers: [{name: none}]\n").unwrap();
    let authority = Authority::new();
    let (certificate, key) = authority.server(2099);
    let files = ["server.pem", "server-key.pem"].map(|name| dir.path().join(name));
    std::fs::write(&files[0], certificate.pem()).unwrap();
    std::fs::write(&files[1], key.serialize_pem()).unwrap();
    let web = dir.path().join("web.yml");
    let tls = format!(
        "tls_server_config: {{cert_file: {}, key_file: {}}}\n",
        files[0].display(),
        files[1].display()
    );
    std::fs::write(&web, tls).unwrap();
    let trusted = Tls::with_ca_file(Some(authority.file(dir.path(), "ca.pem")));
    let mut alertmanager = std::process::Command::new(program)
        .arg(format!("--web.config.file={}", web.display()))
        .arg(format!("--config.file={}", settings.display()))
        .arg(format!("--storage.path={}", dir.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("https://127.0.0.1:{port}");
    let asking = trusted.builder().unwrap().build().unwrap();
    let alerts = async || -> Option<Vec<Value>> {
        let answer = asking.get(format!("{url}/api/v2/alerts")).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    };
    for _ in 0..200 {
        if alerts().await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let mut one = publisher("w1").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    let posts_to = Secret::from(format!("{url}/api/v2/alerts"));
    config.alertmanagers = vec![Destination::new(posts_to, trusted.clone(), None)];
    config.identity.cluster = Some("edge-7".to_owned());
    config.identity.external_url = Some("https://ptp.example".to_owned());
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    let mut there = Vec::new();
    for _ in 0..200 {
        there = alerts().await.unwrap();
        if !there.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(there[0]["labels"]["root_cause"], "path-asymmetry");
    assert_eq!(there[0]["labels"]["severity"], "critical");
    assert_eq!(there[0]["labels"]["cluster"], "edge-7");
    let link = there[0]["generatorURL"].as_str().unwrap();
    assert!(link.starts_with("https://ptp.example/incidents/"), "{link}");
    let runbook = there[0]["annotations"]["runbook_url"].as_str().unwrap();
    assert!(runbook.ends_with("#path-asymmetry"), "{runbook}");
    one.publish(&lock("w1", Locked, 20)).await;
    eventually("a recovery", || (agent.report().alerts.len() == 2).then_some(())).await;
    for _ in 0..200 {
        there = alerts().await.unwrap();
        if there.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(there.is_empty(), "{there:?}");
    assert!(agent.running.stop().await);
    one.stop().await;
    alertmanager.kill().unwrap();
    alertmanager.wait().unwrap();
}

#[tokio::test]
async fn a_silence_hides_the_beginning_but_never_the_end_of_what_was_told() {
    let dir = TempDir::new().unwrap();
    let (url, seen) = takes_everything().await;
    let mut one = publisher("w1").await;
    let mut two = publisher("w2").await;
    let mut config = config(&[&one, &two], &dir.path().join("journal.db"));
    config.webhook = Some((to(&format!("{url}/hook")), None));
    config.write_token = Some(Secret::new("may-write"));
    let agent = Agent::start(config).await;
    subscribed(&[&one, &two]).await;
    let told = |kind: &str| {
        let seen = seen.lock().unwrap();
        let of_kind =
            seen.iter().filter(|(_, _, body)| body["type"].as_str().unwrap().ends_with(kind));
        of_kind.count()
    };
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert about w1", || (told("opened") == 1).then_some(())).await;

    let until = agent.running.store.clock().stamp().after(Duration::from_hours(1));
    let silence = serde_json::json!({"until": until, "everything": true, "comment": "test", "created_by": "me"});
    let answer = http()
        .post(format!("http://{}/api/v1/silences", agent.api))
        .bearer_auth("may-write")
        .body(silence.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    two.publish(&lock("w2", Freerun, 350)).await;
    eventually("a silenced alert", || (agent.report().alerts.len() == 2).then_some(())).await;
    one.publish(&lock("w1", Locked, 3)).await;
    eventually("the end of w1", || (told("resolved") == 1).then_some(())).await;
    assert_eq!(told("opened"), 1, "w2 is silenced");
    assert!(agent.running.stop().await);
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn what_was_silenced_before_a_restart_is_told_when_the_silence_ends_after_it() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    let (url, seen) = takes_everything().await;
    let mut one = publisher("w1").await;
    let start = async || {
        let mut config = config(&[&one], &journal);
        config.webhook = Some((to(&format!("{url}/hook")), None));
        config.alertmanagers = vec![am(&format!("{url}/am"))];
        config.write_token = Some(Secret::new("may-write"));
        Agent::start(config).await
    };
    let agent = start().await;
    subscribed(&[&one]).await;
    let silences = |agent: &Agent| format!("http://{}/api/v1/silences", agent.api);
    let until = agent.running.store.clock().stamp().after(Duration::from_hours(1));
    let silence = serde_json::json!({"until": until, "everything": true, "comment": "test", "created_by": "me"});
    let http = http();
    let request = http.post(silences(&agent)).bearer_auth("may-write").body(silence.to_string());
    let made: Value =
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    assert!(agent.running.stop().await);

    let agent = start().await;
    subscribed(&[&one]).await;
    assert!(seen.lock().unwrap().is_empty(), "not to Alertmanager either");
    let silence = format!("{}/{}", silences(&agent), made["id"].as_str().unwrap());
    let answer = http.delete(silence).bearer_auth("may-write").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    eventually("what goes on, at both", || (seen.lock().unwrap().len() == 2).then_some(())).await;
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn what_fires_over_a_restart_is_repeated_to_alertmanager_and_not_told_twice() {
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal.db");
    let (url, seen) = takes_everything().await;
    let mut one = publisher("w1").await;
    let count = |path: &str| seen.lock().unwrap().iter().filter(|(p, ..)| p == path).count();
    for start in 1..=2 {
        let mut config = config(&[&one], &journal);
        config.alertmanagers = vec![am(&format!("{url}/am"))];
        config.webhook = Some((to(&format!("{url}/hook")), None));
        let agent = Agent::start(config).await;
        subscribed(&[&one]).await;
        one.publish(&lock("w1", Freerun, 350)).await;
        eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
        // The first repetition comes at once, the next after a minute.
        eventually("Alertmanager to hear", || (count("/am/api/v2/alerts") >= start).then_some(()))
            .await;
        assert!(agent.running.stop().await);
    }
    assert_eq!(count("/hook"), 1, "people are told once");
    one.stop().await;
}

/// What Alertmanager did not hear of an end would fire there for ever, as long as we repeat it.
#[tokio::test]
async fn an_end_that_alertmanager_did_not_hear_is_said_again() {
    let dir = TempDir::new().unwrap();
    let (url, seen) = takes_everything().await;
    let (mut one, mut two) = (publisher("w1").await, publisher("w2").await);
    let mut config = config(&[&one, &two], &dir.path().join("journal.db"));
    config.alertmanagers = vec![am(&format!("{url}/deaf"))];
    let agent = Agent::start(config).await;
    subscribed(&[&one, &two]).await;
    let heard = |count: usize, what| {
        let seen = &seen;
        eventually(what, move || {
            let seen = seen.lock().unwrap();
            (seen.len() == count).then(|| seen[count - 1].2.as_array().unwrap().clone())
        })
    };
    one.publish(&lock("w1", Freerun, 350)).await;
    assert_eq!(heard(1, "the beginning").await.len(), 1);
    one.publish(&lock("w1", Locked, 3)).await;
    let end = heard(2, "the end, which is refused").await.remove(0);
    assert!(end["endsAt"].is_string(), "{end}");
    two.publish(&lock("w2", Freerun, 350)).await;
    let alerts = heard(3, "the next beginning").await;
    assert!(alerts.contains(&end) && alerts.len() == 2, "{alerts:?}");
    assert!(agent.running.stop().await);
    one.stop().await;
    two.stop().await;
}
