//! End-to-end tests across the crates, and what they share.
//!
//! A virtual workspace owns no `tests/` folder, so this is a package.

use serde_json::Value;

/// Whether an answer is what its JSON Schema says.
///
/// # Panics
/// When it is not, or the schema is none.
pub fn fits(of: &str, schema: &Value, answer: &Value) {
    let validator = jsonschema::validator_for(schema)
        .unwrap_or_else(|error| panic!("{of}: the schema is none: {error}"));
    let wrong: Vec<_> = validator
        .iter_errors(answer)
        .take(5)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{of}: {}", wrong.join("; "));
}
