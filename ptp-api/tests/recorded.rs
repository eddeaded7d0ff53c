//! What an agent answered before these types were: bodies of one built from e9db58a, whose demo had played
//! its three faults, and of one with a write token. Whoever reads the API with this crate can still read them, and nothing that was there is gone.

use std::collections::BTreeMap;

use ptp_api::{
    Alerts, ClockSamples, Fleet, HealthReport, IncidentForecast, JournalEntry, Listed, MadeSilence,
    NodeSummary, Problem, Rejected, Silence,
};
use ptp_diagnostics::report::{Alert, BlindWindow, IncidentReport, NodeReport};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What of `then` is missing in `now`, or is another value there; each by its path.
fn lost(path: &str, then: &Value, now: &Value, missing: &mut Vec<String>) {
    match (then, now) {
        (Value::Object(then), Value::Object(now)) => {
            for (key, value) in then {
                lost(
                    &format!("{path}.{key}"),
                    value,
                    now.get(key).unwrap_or(&Value::Null),
                    missing,
                );
            }
        }
        (Value::Array(then), Value::Array(now)) if then.len() == now.len() => {
            for (then, now) in then.iter().zip(now) {
                lost(path, then, now, missing);
            }
        }
        // `1.0` and `1` are the same number.
        (Value::Number(then), Value::Number(now)) if then.as_f64() == now.as_f64() => {}
        (then, now) if then != now => missing.push(format!("{path}: {then} is {now}")),
        _ => {}
    }
}

fn read<T: DeserializeOwned + Serialize>(name: &str, body: &str) -> Vec<String> {
    let both = || {
        let then: Value = serde_json::from_str(body)?;
        Ok((then, serde_json::to_value(serde_json::from_str::<T>(body)?)?))
    };
    let mut missing = Vec::new();
    match both() {
        Ok((then, now)) => lost(name, &then, &now, &mut missing),
        Err::<_, serde_json::Error>(error) => missing.push(format!("{name}: {error}")),
    }
    missing
}

#[test]
fn what_was_answered_before_is_still_read_and_nothing_of_it_is_lost() {
    macro_rules! recorded {
        ($($file:literal as $is:ty),+ $(,)?) => {
            [$(read::<$is>($file, include_str!(concat!("recorded/", $file, ".json")))),+]
        };
    }
    let lost = recorded! {
        "alerts" as Alerts,
        "alerts-documented" as Vec<Alert>,
        "blind-windows" as Listed<BlindWindow>,
        "events" as Listed<JournalEntry>,
        "fleet" as Fleet,
        "forecasts" as Listed<IncidentForecast>,
        "health" as HealthReport,
        "incident" as IncidentReport,
        "incidents" as Listed<IncidentReport>,
        "node" as NodeReport,
        "nodes" as Listed<NodeReport>,
        "problem" as Problem,
        "rejected" as Listed<Rejected>,
        "samples" as Listed<ClockSamples>,
        "silence" as MadeSilence,
        "silences" as Listed<Silence>,
        "summary" as BTreeMap<String, NodeSummary>,
    };
    assert_eq!(lost.concat(), Vec::<String>::new());
}
