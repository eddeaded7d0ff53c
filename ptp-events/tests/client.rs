//! What the client makes of answers no publisher should give.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use std::error::Error as _;

use ptp_events::client::{Client, Tls, connections};
use ptp_events::{ApiVersion, NodeName, SubscriptionId};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Answers one request with these bytes; returns the request's first line.
async fn answering(answer: impl Into<Vec<u8>>) -> (Client, JoinHandle<String>) {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        // The client may hang up early; that is what some of this is about.
        let _ = stream.write_all(&answer).await;
        let request = String::from_utf8_lossy(&request[..length]);
        request.lines().next().unwrap_or_default().to_owned()
    });
    let client = Client::new(connections(&Tls::platform()).unwrap(), &url, ApiVersion::V2).unwrap();
    (client, served)
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn answers_are_bounded() {
    let endless =
        format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{}", " ".repeat(2 << 20));
    let (client, _) = answering(endless).await;
    let error = client.subscriptions().await.unwrap_err().to_string();
    assert!(error.ends_with("/subscriptions answered more than 1 MiB"), "{error}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere =
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    let (client, _) = answering(elsewhere).await;
    assert_eq!(client.health().await.unwrap_err().status(), Some(302));
}

/// As StarlingX gives it (docs/protocol.md §6): an array, and addresses that may leave out the node.
#[tokio::test]
async fn a_current_state_may_be_an_array() {
    let state = |id: &str, value: &str| {
        let address = "/./sync/ptp-status/lock-state";
        format!(
            r#"{{"id":"{id}","source":"{address}","type":"event.sync.ptp-status.ptp-state-change","time":"2024-11-15T15:22:33Z","data":{{"version":"1.0","values":[{{"ResourceAddress":"{address}","data_type":"notification","value_type":"enumeration","value":"{value}"}}]}}}}"#
        )
    };
    let (one, other) = (state("1", "LOCKED"), state("2", "HOLDOVER"));
    let node = NodeName::new("controller-0").unwrap();
    let (client, _) = answering(ok(&format!("[{one}, {other}]"))).await;
    let events = client.current_state("/x", &node).await.unwrap();
    let raw: Vec<_> = events.iter().map(|(_, raw)| std::str::from_utf8(raw).unwrap()).collect();
    assert_eq!(raw, [one, other], "each with its own bytes");
    assert!(events.iter().all(|(event, _)| event.node == node));
    let (client, _) = answering(ok("[]")).await;
    assert!(client.current_state("/x", &node).await.unwrap().is_empty());
    let (client, _) = answering(ok(&format!("[{}, {{}}]", state("1", "LOCKED")))).await;
    let error = client.current_state("/x", &node).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "event 1 of the array cannot be taken");
}

#[tokio::test]
async fn an_id_that_would_delete_everything_is_refused() {
    let list = r#"[{"ResourceAddress":"/a","EndpointUri":"http://a","SubscriptionId":""}]"#;
    let (client, _) = answering(ok(list)).await;
    let error = client.subscriptions().await.unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert!(cause.contains("`` is not a subscription id"), "{cause}");

    let (client, served) = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    client.delete(&SubscriptionId::new("a-1").unwrap()).await.unwrap();
    let request = served.await.unwrap();
    assert_eq!(request, "DELETE /api/ocloudNotifications/v2/subscriptions/a-1 HTTP/1.1");
}

#[tokio::test]
async fn errors_name_what_where_and_why() {
    let (client, _) = answering(ok("hello")).await;
    let error = client.publishers().await.unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("could not list the resources: http://127.0.0.1:"), "{text}");
    assert!(text.ends_with("/api/ocloudNotifications/v2/publishers answered something else"));

    let node = NodeName::new("n").unwrap();
    let (client, _) = answering(ok("{}")).await;
    let error = client.current_state("/cluster/node/n/x", &node).await.unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "the event has no `data`");
    for address in ["", "x", "/a/../b", "/./a", "/a?b", "/a#b", "/a b", "/a%2f"] {
        let error = client.current_state(address, &node).await.unwrap_err();
        assert!(error.to_string().contains("is not the http or https URL"), "{error}");
    }
    for url in ["", "publisher:9043", "ftp://a", "http://a?b", "/a", "file:///a"] {
        let client = Client::new(connections(&Tls::platform()).unwrap(), url, ApiVersion::V2);
        assert!(client.is_err(), "{url}");
    }
}
