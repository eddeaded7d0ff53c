//! The parameters of a request.

use std::collections::HashMap;

use axum::http::StatusCode;
use ptp_diagnostics::report::Report;
use ptp_diagnostics::{RootCause, Severity};
use ptp_events::{Received, Side, moment, nearest};

use super::Problem;

/// One parameter of the query, read by a function that says what it wanted.
pub(super) fn parameter<T>(
    query: &HashMap<String, String>,
    name: &str,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    match query.get(name) {
        None => Ok(None),
        Some(text) => match read(text) {
            Some(value) => Ok(Some(value)),
            None => Err(Problem::parameter(name, text, wanted)),
        },
    }
}

/// What a time may look like, for people.
const A_TIME: &str = "a time such as 1h (ago), 03:00, yesterday (in UTC) or 2026-11-23T06:40:30Z";

/// A time in the past, as people say it.
pub(super) fn time(
    query: &HashMap<String, String>,
    name: &str,
    now: Received,
) -> Result<Option<Received>, Problem> {
    parameter(query, name, A_TIME, |text| moment(text, now, Side::Past).ok())
}

/// One of a few words.
pub(super) fn word<T: Copy>(
    query: &HashMap<String, String>,
    name: &str,
    words: &[(&'static str, T)],
) -> Result<Option<T>, Problem> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    let listed = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    found.map(|(_, value)| Some(*value)).ok_or_else(|| Problem::parameter(name, text, &listed()))
}

/// How bad something is.
pub(super) const SEVERITIES: [(&str, Severity); 3] =
    [("INFO", Severity::Info), ("WARNING", Severity::Warning), ("CRITICAL", Severity::Critical)];

/// A root cause by its code.
pub(super) fn root_cause(query: &HashMap<String, String>) -> Result<Option<&'static str>, Problem> {
    let codes: Vec<_> = RootCause::ALL.iter().map(|cause| (cause.code(), cause.code())).collect();
    word(query, "root_cause", &codes)
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

/// Refuses parameters nobody reads, which are mostly misspelt ones.
pub(super) fn only(query: &HashMap<String, String>, known: &[&str]) -> Result<(), Problem> {
    match query.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => {
            let unknown: String = unknown.chars().take(60).flat_map(char::escape_debug).collect();
            let detail =
                format!("there is no parameter `{unknown}`; there are {}", known.join(", "));
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
    }
}
