//! What a tool says is what `/api/v1` says.

use std::collections::{BTreeMap, BTreeSet};

use ptp_api::{Method, ROUTES};
use rmcp::model::CallToolRequestParams;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{client, start};

/// Fields of answers that are about the answer itself, or about now.
const OF_THE_ANSWER: [&str; 12] = [
    "FREERUN",
    "HOLDOVER",
    "LOCKED",
    "at",
    "availability",
    "cut",
    "limit",
    "more",
    "next_cursor",
    "since",
    "total",
    "until",
];

/// What one tool makes itself of what the API says: a line of an event's readings, and how many alerts came since the
/// mark, where the API counts all.
const OWN: [(&str, &str); 2] =
    [("get_cloud_events", "says"), ("get_alert_notifications", "critical")];

/// Every scalar by the name of its field, times to the millisecond.
fn scalars(name: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| scalars(name, value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| scalars(name, item, found)),
        Value::Null => {}
        scalar => {
            let mut text = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            if text.len() > 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T' {
                text = format!("{}Z", &text[..23]);
            }
            found.entry(name.to_owned()).or_default().insert(text);
        }
    }
}

/// All that the API says, of every node and every incident.
async fn api(url: &str) -> BTreeMap<String, BTreeSet<String>> {
    let http = reqwest::Client::new();
    let get = async |path: &str| -> Value {
        let answer = http.get(format!("{url}{path}")).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    };
    let named = |list: &Value, name: &str| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    let nodes = named(&get("/api/v1/nodes").await, "node");
    let incidents = named(&get("/api/v1/incidents").await, "id");
    let mut found = BTreeMap::new();
    let routes = ROUTES.iter().filter(|route| route.method == Method::Get);
    for path in routes.map(|route| route.path) {
        let is_data = path.starts_with("/api/v1/") && path != "/api/v1/stream";
        let paths: Vec<String> = match path {
            _ if !is_data || path.contains("silences/{id}") => continue,
            _ if path.contains("{node}") => {
                nodes.iter().map(|node| path.replace("{node}", node)).collect()
            }
            _ if path.ends_with("/related") => {
                let of = |id: &String| {
                    let path = path.replace("{id}", id);
                    incidents.iter().map(move |other| format!("{path}?to={other}"))
                };
                incidents.iter().flat_map(of).collect()
            }
            _ if path.contains("{id}") => {
                incidents.iter().map(|id| path.replace("{id}", id)).collect()
            }
            "/api/v1/events" => vec!["/api/v1/events?newest=true".to_owned()],
            path => vec![path.to_owned()],
        };
        for path in paths {
            scalars("", &get(&path).await, &mut found);
        }
    }
    scalars("", &get("/summary").await, &mut found);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_never_says_what_the_api_does_not() {
    let dir = TempDir::new().unwrap();
    let (running, url) = start(dir.path()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client(&url, None).await;
    let said = api(url.trim_end_matches("/mcp")).await;
    let incident = running.engine.snapshot.borrow().report.incidents[0].id.clone();
    let other = running.engine.snapshot.borrow().report.incidents[1].id.clone();
    // Those that ask something else than the API, or wait, are not compared.
    let elsewhere = ["diagnose_recording", "explain_code", "monitor_ptp_events"];
    let mut compared = 0;
    for tool in client.list_all_tools().await.unwrap() {
        if elsewhere.contains(&&*tool.name) || tool.name.contains("monitoring") {
            continue;
        }
        let required = tool.input_schema.get("required").and_then(Value::as_array).cloned();
        let arguments = required.unwrap_or_default().into_iter().map(|name| {
            let name = name.as_str().unwrap().to_owned();
            let value = match name.as_str() {
                "node" => json!("worker-06"),
                "nodes" => json!(["worker-06", "gm-1"]),
                "id" | "one" => json!(incident),
                "other" => json!(other),
                "since" => json!("1h"),
                other => panic!("{} wants {other}", tool.name),
            };
            (name, value)
        });
        let request =
            CallToolRequestParams::new(tool.name.clone()).with_arguments(arguments.collect());
        let result = client.call_tool(request).await.unwrap();
        assert_eq!(result.is_error, Some(false), "{}: {:?}", tool.name, result.content);
        let mut of_tool = BTreeMap::new();
        let mut answer = result.structured_content.unwrap();
        // A sentence of the tool's own.
        answer.as_object_mut().unwrap().remove("says");
        scalars("", &answer, &mut of_tool);
        for (name, values) in of_tool {
            let is_own = OF_THE_ANSWER.contains(&&*name) || OWN.contains(&(&*tool.name, &*name));
            let (Some(known), false) = (said.get(&name), is_own) else { continue };
            for value in values {
                assert!(known.contains(&value), "{}: `{name}` is `{value}`", tool.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 300, "only {compared} values were compared");
    client.cancel().await.unwrap();
    assert!(running.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_curve_is_drawn_for_who_asks() {
    let dir = TempDir::new().unwrap();
    let (running, url) = start(dir.path()).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client(&url, None).await;
    for picture in [true, false] {
        let arguments = json!({"node": "worker-06", "since": "12h", "picture": picture});
        let Value::Object(arguments) = arguments else { panic!("no object") };
        let request = CallToolRequestParams::new("get_clock_history").with_arguments(arguments);
        let result = client.call_tool(request).await.unwrap();
        let images = result.content.iter().filter_map(|content| content.as_image());
        // The first bytes of a PNG, in base64.
        let drawn = images.filter(|image| image.data.starts_with("iVBORw0KGgo")).count();
        let said = result.structured_content.unwrap();
        let told = said["pictures"].as_array().map_or(0, Vec::len);
        assert_eq!((drawn > 0, drawn), (picture, told), "{said}");
    }
    client.cancel().await.unwrap();
    assert!(running.stop().await);
}
