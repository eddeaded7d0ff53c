//! A diagnosis in one file.

use std::time::Duration;

use ptp_api::Silence;
use ptp_diagnostics::report::{IncidentReport, Report};
use ptp_diagnostics::{Engine, Settings, Status};
use ptp_events::{NodeName, Received};
use ptp_sim::{Kind, Scenario};
use ptp_view::live::{self, Fleet, Shell};
use serde_json::json;

use crate::{installed, run};

/// What a page may weigh, however much there is.
const MOST_BYTES: usize = 5_000_000;

pub(crate) fn diagnosed(kind: &str) -> Report {
    diagnosed_until(kind, usize::MAX)
}

/// The same after so many events.
fn diagnosed_until(kind: &str, events: usize) -> Report {
    let kind = Kind::find(kind).unwrap();
    let plan = kind.plan(7);
    let scenario = Scenario::play(&plan, 7).unwrap();
    let settings = Settings { curve_points: ptp_view::CURVE_POINTS, ..Settings::default() };
    let mut engine = Engine::new(settings);
    for delivery in scenario.events.into_iter().take(events) {
        engine.handle_event(delivery.event, delivery.received);
    }
    engine.end(Duration::from_mins(1));
    engine.report()
}

/// In the order of the page: what goes on first, the worst of it first.
fn summaries(report: &Report) -> Vec<String> {
    let mut incidents: Vec<&IncidentReport> = report.incidents.iter().collect();
    incidents.sort_by_key(|incident| {
        let over = incident.status == Status::Resolved;
        (over, std::cmp::Reverse(incident.severity), incident.opened_at)
    });
    incidents.into_iter().map(|incident| incident.summary.clone()).collect()
}

/// Opens a report in a browser; returns how long that took.
fn look(report: &Report, more: &serde_json::Value) -> Option<Duration> {
    let page = ptp_view::report(report);
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
    let folder = installed()?;
    let place = tempfile::tempdir().unwrap();
    let (file, truth) = (place.path().join("report.html"), place.path().join("truth.json"));
    std::fs::write(&file, page).unwrap();
    let mut expected = json!({"summaries": summaries(report), "nodes": report.nodes.len()});
    expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    std::fs::write(&truth, expected.to_string()).unwrap();
    let args = [file.to_str().unwrap(), truth.to_str().unwrap()];
    let told = run(&folder, "report.mjs", &args);
    Some(Duration::from_millis(told["opened"].as_u64().unwrap()))
}

#[test]
fn a_fault_is_seen_with_its_curve() {
    let report = diagnosed("gnss-outage-long");
    assert_eq!(report.incidents.len(), 1);
    look(&report, &json!({"curves": true, "accessible": true}));
}

/// A grandmaster without GNSS, measured meanwhile: where it goes is drawn before it is there.
#[test]
fn a_forecast_is_drawn_as_a_cone() {
    let report = diagnosed_until("holdover-grandmaster-measured", 5000);
    let forecast = report.incidents[0].forecast.as_ref().unwrap();
    assert!(forecast.samples > 0 && Some(forecast.at) > report.input.last, "{forecast:?}");
    assert!(ptp_view::report(&report).contains("class=\"cone\""));
    look(&report, &json!({"curves": true, "picture": "report"}));
}

#[test]
fn a_clean_day_is_told_as_one() {
    let report = diagnosed("clean-day");
    assert!(ptp_view::report(&report).contains("No incidents"));
    look(&report, &json!({"accessible": true}));
}

/// Whatever stands in a log or an event is text, wherever it is told.
#[test]
fn markup_in_what_was_read_is_text() {
    let hostile =
        "<img src=x onerror=\"injected=1\"><script>injected=1</script>\"'><svg/onload=injected=1>";
    let mut value = serde_json::to_value(diagnosed("gnss-outage-long")).unwrap();
    spoil(&mut value, hostile);
    let report: Report = serde_json::from_value(value).unwrap();
    assert!(report.incidents[0].summary.contains("<script>"));
    let page = ptp_view::report(&report);
    assert_eq!(page.matches("<script>").count(), 1, "our own alone");
    let shell = Shell {
        cluster: Some(hostile.to_owned()),
        at: report.input.last.unwrap(),
        conditions: vec![(hostile.to_owned(), hostile.to_owned(), true)],
    };
    let silence = Silence {
        id: hostile.to_owned(),
        node: None,
        root_cause: None,
        from: shell.at,
        until: shell.at,
        comment: hostile.to_owned(),
        created_by: hostile.to_owned(),
    };
    let silences = [silence];
    for page in [
        live::fleet(&shell, &report, Fleet { search: hostile, ..Fleet::default() }),
        live::incidents(&shell, &report.incidents, None),
        live::incident(&shell, &report, &report.incidents[0], &silences),
        live::node(&shell, &report, &report.nodes[0]),
        live::alerts(&shell, &report),
        live::silences(&shell, &report, &silences, Some((hostile, hostile))),
        live::login(true, hostile),
        live::problem(hostile, hostile),
    ] {
        for markup in ["<script>", "<img", "<svg/", "\"'>"] {
            assert!(!page.contains(markup), "{markup} in {page}");
        }
    }
    look(&report, &json!({}));
}

/// Appends to every text that anybody may write.
fn spoil(value: &mut serde_json::Value, hostile: &str) {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, hostile)),
        serde_json::Value::Object(members) => {
            for (key, member) in members {
                let free = [
                    "summary",
                    "details",
                    "says",
                    "action",
                    "command",
                    "why",
                    "files",
                    "id",
                    "decide_by",
                ];
                match member {
                    serde_json::Value::String(text) if free.contains(&&**key) => {
                        text.push_str(hostile);
                    }
                    serde_json::Value::Array(items) if key == "files" => items.push(hostile.into()),
                    member => spoil(member, hostile),
                }
            }
        }
        _ => {}
    }
}

/// 300 nodes and 10,000 incidents: all are told, and the page opens.
#[test]
fn a_bad_week_of_a_large_fleet_fits_one_page() {
    let one = diagnosed("gnss-outage-short");
    let mut report = one.clone();
    report.nodes = (0..300)
        .map(|n| {
            let mut node = one.nodes[n % one.nodes.len()].clone();
            node.node = NodeName::new(&format!("worker-{n}.ran.example.com")).unwrap();
            node
        })
        .collect();
    report.incidents = (0..10_000)
        .map(|n| {
            let mut incident = one.incidents[0].clone();
            incident.id = format!("incident-{n}");
            incident.summary = format!("GNSS signal lost on worker-{n}.ran.example.com");
            incident.opened_at = Received::from_nanos(incident.opened_at.as_nanos() + n);
            incident.origin_nodes =
                vec![report.nodes[usize::try_from(n).unwrap() % 300].node.clone()];
            incident.affected_nodes = incident.origin_nodes.clone();
            incident
        })
        .collect();
    if let Some(opened) = look(&report, &json!({})) {
        assert!(opened < Duration::from_secs(10), "{opened:?}");
    }
}
