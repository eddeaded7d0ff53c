//! The questions, a row each.

use ptp_events::Received;
use serde_json::{Value, json};

/// What the simulation knows and the agent cannot.
pub(crate) struct Night {
    /// When gm-1 was 1.5 µs off.
    pub crossed: Received,
}

/// A question, and how it is answered.
pub(crate) struct Question {
    pub asks: &'static str,
    /// Tool and arguments; `FIRST` is the first incident of the answer before.
    pub calls: Vec<(&'static str, Value)>,
    /// What of the answers is the answer to the question.
    pub answer: fn(&[Value], &Night) -> Value,
    /// What it must be: the truth of the simulated night.
    pub is: Value,
}

/// These fields of each entry of a list.
fn each(list: &Value, fields: &[&str]) -> Value {
    let entries = list.as_array().into_iter().flatten();
    entries
        .map(|entry| fields.iter().map(|field| entry[*field].clone()).collect::<Value>())
        .collect()
}

/// The entry of a list with this value in this field.
fn entry<'a>(list: &'a Value, field: &str, is: &str) -> &'a Value {
    let entries = list.as_array().into_iter().flatten();
    entries.into_iter().find(|entry| entry[field] == is).unwrap_or(&Value::Null)
}

/// The time of day without its seconds.
fn minute(time: &Value) -> &str {
    time.as_str().and_then(|time| time.get(11..16)).unwrap_or_default()
}

/// Whether the band of a forecast holds what came.
fn holds(forecast: &Value, time: Received) -> bool {
    let bound = |field: &str| forecast[field].as_str().and_then(|time| Received::parse(time).ok());
    bound("earliest").is_some_and(|earliest| earliest <= time)
        && bound("latest").is_some_and(|latest| time <= latest)
}

/// Who is at fault, of what, since when.
fn incidents(list: &Value) -> Value {
    let entries = list.as_array().into_iter().flatten();
    entries.map(|i| json!([i["root_cause"], i["origin_nodes"], minute(&i["opened_at"])])).collect()
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn questions() -> Vec<Question> {
    vec![
        Question {
            asks: "Show me the PTP alerts of the last 24 hours",
            calls: vec![("get_agent_alerts", json!({"hours": 24}))],
            answer: |a, _| each(&a[0]["alerts"], &["root_cause", "status", "severity"]),
            is: json!([
                ["ptp-path-loss", "escalated", "CRITICAL"],
                ["ptp-path-loss", "opened", "WARNING"],
                ["os-clock-fault", "opened", "CRITICAL"],
                ["gnss-signal-loss", "escalated", "CRITICAL"],
                ["gnss-signal-loss", "opened", "WARNING"],
                ["telemetry-gap", "resolved", "WARNING"],
                ["telemetry-gap", "opened", "WARNING"],
                ["ptp-path-loss", "resolved", "CRITICAL"],
                ["ptp-path-loss", "opened", "CRITICAL"],
                ["gnss-signal-loss", "resolved", "CRITICAL"],
                ["gnss-signal-loss", "escalated", "CRITICAL"],
                ["gnss-signal-loss", "opened", "WARNING"],
            ]),
        },
        Question {
            asks: "What is the summary of PTP on my nodes?",
            calls: vec![("get_agent_summary", json!({}))],
            answer: |a, _| each(&a[0]["nodes"], &["node", "latest_state"]),
            is: json!([
                ["gm-0", "LOCKED"],
                ["gm-1", "HOLDOVER"],
                ["worker-1", "LOCKED"],
                ["worker-2", "LOCKED"],
                ["worker-3", "FREERUN"],
                ["worker-4", "LOCKED"],
                ["worker-5", "LOCKED"],
                ["worker-6", "LOCKED"],
                ["worker-7", "LOCKED"],
            ]),
        },
        Question {
            asks: "Are there critical PTP alerts?",
            calls: vec![("get_agent_alerts", json!({"hours": 24, "severity": "CRITICAL"}))],
            answer: |a, _| each(&a[0]["alerts"], &["root_cause", "status", "severity"]),
            is: json!([
                ["ptp-path-loss", "escalated", "CRITICAL"],
                ["os-clock-fault", "opened", "CRITICAL"],
                ["gnss-signal-loss", "escalated", "CRITICAL"],
                ["ptp-path-loss", "resolved", "CRITICAL"],
                ["ptp-path-loss", "opened", "CRITICAL"],
                ["gnss-signal-loss", "resolved", "CRITICAL"],
                ["gnss-signal-loss", "escalated", "CRITICAL"],
            ]),
        },
        Question {
            asks: "Why did worker-3 lose lock?",
            calls: vec![
                ("list_incidents", json!({"node": "worker-3", "status": "firing"})),
                ("get_incident", json!({"id": "FIRST"})),
            ],
            answer: |a, _| {
                let incident = &a[1]["incident"];
                let evidence = &a[1]["evidence"][0];
                json!([incidents(&json!([incident])), incident["verdict"], evidence["node"]])
            },
            is: json!([[["ptp-path-loss", ["worker-3"], "03:20"]], "confirmed", "worker-3"]),
        },
        Question {
            asks: "Which nodes will exceed 1.5 µs tonight?",
            calls: vec![("get_forecasts", json!({"before": "2040-03-01T08:00:00Z"}))],
            answer: |a, night| {
                let forecasts = a[0]["forecasts"].as_array().into_iter().flatten();
                let of = |f: &Value| json!([f["nodes"], f["limit_ns"], holds(f, night.crossed)]);
                forecasts.map(of).collect()
            },
            is: json!([[["gm-1", "worker-6", "worker-7"], 1500, true]]),
        },
        Question {
            asks: "Is the GNSS outage over?",
            calls: vec![("list_incidents", json!({"root_cause": "gnss-signal-loss"}))],
            answer: |a, _| each(&a[0]["incidents"], &["origin_nodes", "status"]),
            is: json!([[["gm-1"], "firing"], [["gm-0"], "resolved"]]),
        },
        Question {
            asks: "Which nodes were we blind on between 02:00 and 03:00?",
            calls: vec![("get_blind_windows", json!({}))],
            // That the agent itself was not running before it was asked is another matter.
            answer: |a, _| {
                let windows = a[0]["windows"].as_array().into_iter().flatten();
                windows
                    .map(|w| json!([w["node"], minute(&w["from"]), minute(&w["to"])]))
                    .filter(|w| ("02:00".."03:00").contains(&w[1].as_str().unwrap_or_default()))
                    .collect()
            },
            is: json!([["worker-4", "02:10", "02:25"]]),
        },
        Question {
            asks: "Do worker-6 and worker-7 suffer from the same cause?",
            calls: vec![
                ("compare_nodes", json!({"nodes": ["worker-6", "worker-7"]})),
                ("list_incidents", json!({"node": "worker-6", "status": "firing"})),
            ],
            answer: |a, _| {
                let same = a[0]["shared"] == json!([a[1]["incidents"][0]["id"]]);
                json!([same, incidents(&a[1]["incidents"])])
            },
            is: json!([true, [["gnss-signal-loss", ["gm-1"], "02:30"]]]),
        },
        Question {
            asks: "What changed since 02:30?",
            calls: vec![("what_changed", json!({"since": "2040-03-01T02:30:00Z"}))],
            answer: |a, _| {
                json!([incidents(&a[0]["began"]), incidents(&a[0]["ended"]), a[0]["alerts"]])
            },
            is: json!([
                [
                    ["ptp-path-loss", ["worker-3"], "03:20"],
                    ["os-clock-fault", ["worker-7"], "03:00"],
                    ["gnss-signal-loss", ["gm-1"], "02:30"],
                ],
                [],
                5
            ]),
        },
        Question {
            asks: "Is worker-7's OS clock or its PTP path at fault?",
            calls: vec![
                ("list_incidents", json!({"node": "worker-7", "status": "firing"})),
                ("get_clock_history", json!({"node": "worker-7"})),
            ],
            answer: |a, _| {
                let clock = |kind| entry(&a[1]["clocks"], "resource", kind)["state"].clone();
                json!([
                    each(&a[0]["incidents"], &["root_cause", "origin_nodes"]),
                    clock("lock-state")
                ])
            },
            is: json!([
                [["os-clock-fault", ["worker-7"]], ["gnss-signal-loss", ["gm-1"]]],
                "LOCKED"
            ]),
        },
        Question {
            asks: "Which grandmaster is in holdover, and how long does it have?",
            calls: vec![
                ("get_fleet_overview", json!({})),
                ("get_forecasts", json!({"node": "gm-1"})),
            ],
            answer: |a, night| {
                let state = &entry(&a[0]["not_locked"], "node", "gm-1")["state"];
                json!([state, holds(&a[1]["forecasts"][0], night.crossed)])
            },
            is: json!(["HOLDOVER", true]),
        },
        Question {
            asks: "What should I do first?",
            calls: vec![("diagnose_ptp_issues", json!({}))],
            answer: |a, _| {
                let first = &a[0]["incidents"][0];
                json!([first["root_cause"], first["origin_nodes"], a[0]["to_do"][0].is_string()])
            },
            is: json!(["ptp-path-loss", ["worker-3"], true]),
        },
        Question {
            asks: "Was worker-5 really free-running at 01:30, or is that an artefact of its publisher?",
            calls: vec![
                ("list_incidents", json!({"node": "worker-5", "since": "2040-03-01T01:30:00Z"})),
                ("explain_code", json!({"code": "publisher-artefact"})),
            ],
            // What was taken for a loss at first was never certain, and was taken back.
            answer: |a, _| {
                json!([
                    each(&a[0]["incidents"], &["root_cause", "verdict", "status"]),
                    a[1]["pages"][0]["code"]
                ])
            },
            is: json!([
                [
                    ["publisher-artefact", "confirmed", "resolved"],
                    ["ptp-path-loss", "inconclusive", "resolved"]
                ],
                "publisher-artefact"
            ]),
        },
    ]
}
