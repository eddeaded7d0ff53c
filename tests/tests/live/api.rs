//! The HTTP API, and what the service before this one got wrong.

use ptp_api::Secret;
use ptp_events::Received;
use ptp_events::SyncState::{Freerun, Locked};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fleet::{Agent, config, eventually, http, lock, os, publisher, subscribed, to};

#[tokio::test]
async fn the_documented_endpoints_keep_their_fields() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    one.publish(&os("w1", Locked, 3)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;

    let (status, alerts) = agent.get("/alerts?hours=24").await;
    assert_eq!(status, 200);
    for field in
        ["severity", "summary", "details", "recommendations", "affected_nodes", "timestamp"]
    {
        assert!(!alerts[0][field].is_null(), "{field}: {alerts}");
    }
    let (_, summary) = agent.get("/summary").await;
    assert_eq!(summary["w1"]["latest_state"], "FREERUN");
    assert!(summary["w1"]["total_events"].as_u64().unwrap() > 2);
    assert!(summary["w1"]["event_types"].as_array().unwrap().len() > 1);
    assert_eq!(agent.get("/health").await, (200, json!("OK")));
    for (path, items) in [
        ("/alerts?severity=INFO", 0),
        ("/alerts?node=other", 0),
        ("/alerts?severity=critical&status=opened&node=w1", 1),
        ("/alerts?hours=0", 0),
    ] {
        let (status, alerts) = agent.get(path).await;
        assert_eq!((status, alerts.as_array().unwrap().len()), (200, items), "{path}");
    }
    let (_, incidents) = agent.get("/api/v1/incidents?status=firing&limit=1").await;
    let id = incidents["items"][0]["id"].as_str().unwrap();
    assert_eq!(agent.get(&format!("/api/v1/incidents/{id}")).await.0, 200);
    assert_eq!(agent.get("/api/v1/nodes/w1").await.1["node"], "w1");
    let (_, events) = agent.get("/api/v1/events?limit=3").await;
    assert_eq!(events["items"].as_array().unwrap().len(), 3);
    let next = events["next_cursor"].as_str().unwrap();
    let (_, more) = agent.get(&format!("/api/v1/events?limit=1&cursor={next}")).await;
    assert!(more["items"][0]["seq"].as_i64() > events["items"][2]["seq"].as_i64());
    let count = async |query: &str| {
        let (status, events) = agent.get(&format!("/api/v1/events?limit=1000&{query}")).await;
        assert_eq!(status, 200, "{query}: {events}");
        events["items"].as_array().unwrap().len()
    };
    let all = count("").await;
    for query in ["node=w1", "since=1h", "since=yesterday", "until=tomorrow", "newest=true&node=w1"]
    {
        assert_eq!(count(query).await, all, "{query}");
    }
    for query in ["until=1h", "since=tomorrow", "node=w1&until=yesterday"] {
        assert_eq!(count(query).await, 0, "{query}");
    }
    let (_, newest) = agent.get("/api/v1/events?newest=true&limit=2").await;
    let next = newest["next_cursor"].as_str().unwrap();
    let (_, older) = agent.get(&format!("/api/v1/events?newest=true&limit=1&cursor={next}")).await;
    assert!(older["items"][0]["seq"].as_i64() < newest["items"][1]["seq"].as_i64());
    // Nothing about a node that nobody knows is no good news.
    for path in ["incidents", "alerts", "events", "blind-windows"] {
        let (status, problem) = agent.get(&format!("/api/v1/{path}?node=w11")).await;
        assert_eq!(status, 404, "{path}: {problem}");
        let detail = "nothing is known of a node `w11`; did you mean `w1`?";
        assert_eq!(problem["detail"], detail, "{path}");
    }
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn bad_requests_are_told_what_is_bad() {
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(config(&[], &dir.path().join("journal.db"))).await;
    for path in [
        "/alerts?hours=abc",
        "/alerts?hours=-1",
        "/alerts?hours=1e99",
        "/alerts?hours=NaN",
        "/alerts?hour=1",
        "/alerts?severity=bad",
        "/api/v1/incidents?limit=0",
        "/api/v1/incidents?limit=100000",
        "/api/v1/events?cursor=x",
        "/api/v1/events?newest=yes",
        "/api/v1/events?since=soon",
        "/api/v1/incidents?status=open",
        "/api/v1/incidents?severity=bad",
        "/api/v1/incidents?root_cause=gnss-signal-los",
        "/api/v1/incidents?since=soon",
        "/api/v1/alerts?until=soon",
        "/api/v1/alerts?status=firing",
    ] {
        let (status, problem) = agent.get(path).await;
        assert_eq!((status, &problem["status"]), (400, &json!(400)), "{path}");
        assert!(problem["detail"].as_str().unwrap().contains('`'), "{problem}");
    }
    assert_eq!(agent.get("/nothing").await.0, 404);
    assert!(agent.running.stop().await);
}

#[tokio::test]
async fn one_bad_event_silences_nobody() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    let endpoint = one.subscriptions()[0].endpoint.clone();
    let http = http();
    let good = String::from_utf8(lock("w1", Locked, 4).to_vec()).unwrap();
    let zoneless = good.replace("Z\",\"data\"", "\",\"data\"");
    let listed = good.replace(r#""type":"event"#, r#""type":["event"],"x":"event"#);
    assert!(zoneless != good && listed != good);
    for (body, expect) in [
        (zoneless, 400),
        (listed, 400),
        ("nonsense".to_owned(), 400),
        (String::new(), 204),
        ("[]".to_owned(), 204),
        (format!("[{good},{{}}]"), 400),
        (lock("w2", Freerun, 1).to_vec().iter().map(|b| *b as char).collect(), 403),
        (good, 204),
    ] {
        let answer = http.post(&endpoint).body(body.clone()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expect, "{body}");
    }
    let wrong = format!("http://{}/event/not-a-token", agent.receiver);
    let answer = http.post(wrong).body(lock("w1", Locked, 4).to_vec()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 404);
    let (_, rejected) = agent.get("/api/v1/rejected").await;
    assert_eq!(rejected["items"].as_array().unwrap().len(), 4);
    assert_eq!(rejected["items"][2]["body"], "nonsense");
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an alert", || (!agent.report().alerts.is_empty()).then_some(())).await;
    assert_eq!(agent.get("/summary").await.0, 200);
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn tokens_guard_reading_and_changing() {
    let dir = TempDir::new().unwrap();
    let mut config = config(&[], &dir.path().join("journal.db"));
    config.read_token = Some(Secret::new("may-read"));
    config.write_token = Some(Secret::new("may-write"));
    config.slack = Some(to("http://127.0.0.1:1/services/may-post"));
    config.alertmanagers = vec![to("http://me:may-enter@127.0.0.1:1")];
    let (hook, key) = ("http://127.0.0.1:1/may-call", "may-sign");
    config.webhook = Some((to(hook), Some(Secret::new(key))));
    config.callback_secret = Some(Secret::new("may-speak, but only who was asked to"));
    let agent = Agent::start(config).await;
    let http = http();
    let url = |path: &str| format!("http://{}{path}", agent.api);
    let until = "2026-11-23T00:00:00Z";
    let silence = |until: &str| {
        json!({"until": until, "everything": true, "comment": "maintenance", "created_by": "somebody"}).to_string()
    };
    for (token, path, expect) in [
        (None, "/alerts", 401),
        (Some("wrong"), "/alerts", 401),
        (Some("may-read"), "/alerts", 200),
        (Some("may-write"), "/alerts", 200),
        (None, "/livez", 200),
        (None, "/health", 200),
    ] {
        let mut request = http.get(url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), expect, "{token:?} {path}");
    }
    let post = |token: &str, body: String| {
        http.post(url("/api/v1/silences")).bearer_auth(token).body(body).send()
    };
    assert_eq!(post("may-read", silence(until)).await.unwrap().status().as_u16(), 401);
    assert_eq!(
        post("may-write", silence("1999-01-01T00:00:00Z")).await.unwrap().status().as_u16(),
        400
    );
    for path in ["/config", "/metrics", "/health", "/api/v1/fleet"] {
        let answer = http.get(url(path)).bearer_auth("may-read").send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("may-"), "{path}: {text}");
        assert!(path != "/config" || text.contains("\"write_token\":true"), "{text}");
    }
    let later = Received::from_nanos(
        i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap(),
    )
    .after(std::time::Duration::from_hours(1));
    let made = post("may-write", silence(&later.to_string())).await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    assert!(agent.running.stop().await);
}

#[tokio::test]
async fn the_openapi_document_says_what_is_answered() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    one.publish(&lock("w1", Freerun, 350)).await;
    eventually("an incident", || (!agent.report().alerts.is_empty()).then_some(())).await;
    let id = agent.report().incidents[0].id.clone();
    let (_, document) = agent.get("/openapi.json").await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let kinds = &item["get"]["responses"]["200"]["content"];
        let concrete = match path.as_str() {
            "/api/v1/stream" | "/api/v1/silences/{id}" => continue,
            path => path.replace("{node}", "w1").replace("{id}", &id),
        };
        let (status, answer) = agent.get(&concrete).await;
        assert_eq!(status, 200, "{concrete}");
        let is_json = !answer.is_string();
        let schema = kinds["application/json"]["schema"].as_object().filter(|_| is_json);
        if let Some(schema) = schema {
            let mut schema = Value::Object(schema.clone());
            schema["components"] = document["components"].clone();
            ptp_tests::fits(&concrete, &schema, &answer);
            checked += 1;
        }
        // Parameters nobody documented are refused, so those that are must be taken.
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] == "query" && parameter["name"] != "cursor" {
                let value = match parameter["name"].as_str().unwrap() {
                    "hours" | "limit" => "1",
                    "at" => "1h",
                    "to" => &id,
                    "severity" => "CRITICAL",
                    "newest" => "true",
                    "since" | "until" => "2026-11-23T06:40:30Z",
                    "status" if path.ends_with("/alerts") => "opened",
                    "status" => "firing",
                    "root_cause" => "ptp-path-loss",
                    _ => "w1",
                };
                let name = parameter["name"].as_str().unwrap();
                assert_eq!(agent.get(&format!("{concrete}?{name}={value}")).await.0, 200, "{name}");
            }
        }
    }
    assert!(checked >= 18, "only {checked} answers were checked");
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn changes_are_streamed_as_they_happen() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("w1").await;
    let agent = Agent::start(config(&[&one], &dir.path().join("journal.db"))).await;
    subscribed(&[&one]).await;
    let url = format!("http://{}/api/v1/stream", agent.api);
    let mut stream = http().get(url).send().await.unwrap();
    one.publish(&lock("w1", Freerun, 350)).await;
    let mut text = String::new();
    while !text.contains("event: opened") || !text.contains("\"root_cause\"") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(10), stream.chunk());
        text += &String::from_utf8_lossy(&chunk.await.unwrap().unwrap().unwrap());
    }
    drop(stream);
    assert!(agent.running.stop().await);
    one.stop().await;
}

#[tokio::test]
async fn a_silence_says_whom_it_is_about_and_when() {
    let dir = TempDir::new().unwrap();
    let mut one = publisher("worker-3").await;
    let mut config = config(&[&one], &dir.path().join("journal.db"));
    config.write_token = Some(Secret::new("may-write"));
    let agent = Agent::start(config).await;
    subscribed(&[&one]).await;
    eventually("a node", || (!agent.report().nodes.is_empty()).then_some(())).await;
    let http = http();
    let make = async |silence: Value| {
        let mut body = json!({"comment": "test", "created_by": "me"});
        body.as_object_mut().unwrap().extend(silence.as_object().unwrap().clone());
        let request = http.post(format!("http://{}/api/v1/silences", agent.api));
        let answer = request.bearer_auth("may-write").body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap())
    };
    for (silence, status, says) in [
        (json!({"duration": "2h"}), 400, "needs a `node`"),
        (json!({"node": "worker-3"}), 400, "either `until` or `duration`"),
        (json!({"node": "worker-3", "until": "1h", "duration": "1h"}), 400, "either"),
        (json!({"node": "worker-3", "everything": true, "until": "1h"}), 400, "`everything`"),
        (json!({"node": "worker-3", "until": "soon"}), 400, "`soon` is no time"),
        (json!({"node": "worker-3", "duration": "40d"}), 400, "31 days"),
        (json!({"root_cause": "gnss-signal-los", "duration": "1h"}), 400, "`gnss-signal-loss`?"),
        (json!({"node": "worker-3", "duration": "2h"}), 201, "\"warnings\":[]"),
        (json!({"everything": true, "until": "22:00"}), 201, ""),
        (json!({"node": "wroker-3", "duration": "1h"}), 201, "did you mean `worker-3`?"),
        (json!({"root_cause": "ptp-path-loss", "from": "in 1h", "duration": "2h"}), 201, ""),
    ] {
        let (answered, made) = make(silence.clone()).await;
        assert_eq!(answered, status, "{silence}: {made}");
        assert!(made.to_string().contains(says), "{silence}: {made}");
    }
    let (_, made) = make(json!({"node": "worker-3", "from": "in 1h", "duration": "2h"})).await;
    let at = |field: &str| Received::parse(made[field].as_str().unwrap()).unwrap();
    assert_eq!(at("until").since(at("from")), std::time::Duration::from_hours(2));
    assert!(at("from") > agent.running.store.clock().stamp());
    assert!(agent.running.stop().await);
    one.stop().await;
}
