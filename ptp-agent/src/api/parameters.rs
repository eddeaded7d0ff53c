//! The parameters of a request.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use ptp_diagnostics::report::Report;
use ptp_diagnostics::{RootCause, Severity};
use ptp_events::{Received, Side, moment, nearest};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Problem;

/// The parameters of a request, as a type of the API describes them.
///
/// One that is not described is refused: mostly it is misspelt.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned + JsonSchema, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let given = Query::<HashMap<String, String>>::from_request_parts(parts, state).await;
        let bad = |error: &dyn std::error::Error| {
            Problem::new(StatusCode::BAD_REQUEST, ptp_events::chain(error))
        };
        let Query(given) = given.map_err(|error| bad(&error))?;
        read(&given).map(Self)
    }
}

fn read<T: DeserializeOwned + JsonSchema>(given: &HashMap<String, String>) -> Result<T, Problem> {
    // Most requests ask nothing, and need no schema made for them.
    let schema = if given.is_empty() { Value::Null } else { ptp_api::schema_of::<T>() };
    let none = Map::new();
    let described = schema["properties"].as_object().unwrap_or(&none);
    if let Some(unknown) = given.keys().find(|name| !described.contains_key(name.as_str())) {
        let unknown: String = unknown.chars().take(60).flat_map(char::escape_debug).collect();
        let known: Vec<_> = described.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("there is no parameter `{unknown}`; there are {known}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let mut typed = Map::new();
    for (name, text) in given {
        typed.insert(name.clone(), value(name, text, &described[name])?);
    }
    serde_json::from_value(Value::Object(typed))
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.to_string()))
}

/// The value of a parameter, of the type that is described.
fn value(name: &str, text: &str, schema: &Value) -> Result<Value, Problem> {
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    let number = || {
        let number: f64 = text.parse().ok()?;
        let least = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let most = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        (least..=most).contains(&number).then_some(number)
    };
    let found = match kind {
        Some("integer") => number().and_then(|_| text.parse::<u64>().ok()).map(Value::from),
        Some("number") => number().map(Value::from),
        Some("boolean") => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        _ => return Ok(Value::String(text.to_owned())),
    };
    let wanted = || match (kind, schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some("boolean"), ..) => "true or false".to_owned(),
        (_, Some(least), Some(most)) => format!("a number from {least} to {most}"),
        _ => "a number".to_owned(),
    };
    found.ok_or_else(|| Problem::parameter(name, text, &wanted()))
}

/// What a time may look like, for people.
const A_TIME: &str = "a time such as 1h (ago), 03:00, yesterday (in UTC) or 2026-11-23T06:40:30Z";

/// A time in the past, as people say it.
pub(super) fn time(
    name: &str,
    text: Option<&String>,
    now: Received,
) -> Result<Option<Received>, Problem> {
    let Some(text) = text else { return Ok(None) };
    moment(text, now, Side::Past).map(Some).map_err(|_| Problem::parameter(name, text, A_TIME))
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    name: &str,
    text: Option<&String>,
    words: &[(&'static str, T)],
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    let listed = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    found.map(|(_, value)| Some(*value)).ok_or_else(|| Problem::parameter(name, text, &listed()))
}

/// How bad something is.
pub(super) const SEVERITIES: [(&str, Severity); 3] =
    [("INFO", Severity::Info), ("WARNING", Severity::Warning), ("CRITICAL", Severity::Critical)];

/// A root cause by its code.
pub(super) fn root_cause(text: Option<&String>) -> Result<Option<&'static str>, Problem> {
    let codes: Vec<_> = RootCause::ALL.iter().map(|cause| (cause.code(), cause.code())).collect();
    word("root_cause", text, &codes)
}

/// The place in a list that a cursor says.
pub(super) fn cursor(text: Option<&String>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(0) };
    text.parse().map_err(|_| Problem::parameter("cursor", text, "the `next_cursor` of an answer"))
}

/// Refuses to answer "nothing" about a node that nobody knows: mostly it is misspelt, and nothing
/// would be taken for all is well.
pub(super) fn not_about_nobody(report: &Report, node: Option<&str>) -> Result<(), Problem> {
    let names = || report.nodes.iter().map(|entry| entry.node.as_str());
    let Some(node) = node.filter(|node| names().all(|name| name != *node)) else { return Ok(()) };
    let shown: String = node.chars().take(80).flat_map(char::escape_debug).collect();
    let like = nearest(node, names()).map(|name| format!("; did you mean `{name}`?"));
    let detail = format!("nothing is known of a node `{shown}`{}", like.unwrap_or_default());
    Err(Problem::new(StatusCode::NOT_FOUND, &detail))
}

#[cfg(test)]
mod tests {
    use ptp_api::{AlertsQuery, EventsQuery, Nothing};

    use super::*;

    fn asked<T: DeserializeOwned + JsonSchema + std::fmt::Debug>(pairs: &[(&str, &str)]) -> String {
        let given = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        match read::<T>(&given.collect()) {
            Ok(read) => format!("{read:?}"),
            Err(problem) => problem.detail().to_owned(),
        }
    }

    #[test]
    fn what_cannot_be_used_is_named_with_the_fix() {
        assert_eq!(asked::<Nothing>(&[("a", "1")]), "there is no parameter `a`; there are none");
        assert_eq!(
            asked::<EventsQuery>(&[("nod", "w1")]),
            "there is no parameter `nod`; there are cursor, limit, newest, node, since, until"
        );
        for (name, text, says) in [
            ("limit", "0", "`limit` is `0`, but must be a number from 1 to 1000"),
            ("limit", "1.5", "`limit` is `1.5`, but must be a number from 1 to 1000"),
            ("limit", "x", "`limit` is `x`, but must be a number from 1 to 1000"),
            ("hours", "-1", "`hours` is `-1`, but must be a number from 0 to 8784"),
            ("hours", "nan", "`hours` is `nan`, but must be a number from 0 to 8784"),
        ] {
            assert_eq!(asked::<AlertsQuery>(&[(name, text)]), says);
        }
        assert_eq!(
            asked::<EventsQuery>(&[("newest", "yes")]),
            "`newest` is `yes`, but must be true or false"
        );
        assert!(asked::<EventsQuery>(&[("newest", "True"), ("limit", "5")]).contains("Some(true)"));
    }
}
