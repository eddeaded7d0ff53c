//! The parameters of a request.

use std::collections::HashMap;

use axum::http::StatusCode;

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
