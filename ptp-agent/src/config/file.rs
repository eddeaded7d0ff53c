//! `--config FILE`: the options of the command line, written down.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Command};

use super::ConfigError;

/// Reads the file that `--config` or `PTP_AGENT_CONFIG` names, if there is one, into the defaults
/// of `command`: so variables win over the file, and flags over both.
///
/// # Errors
/// With every mistake in the file.
pub fn with_file(command: Command, arguments: &[OsString]) -> Result<Command, ConfigError> {
    // Only to learn the path: what else is wrong is told when all of it is parsed.
    let first_look = command
        .clone()
        .ignore_errors(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .try_get_matches_from(arguments);
    let path = first_look.ok().and_then(|seen| seen.get_one::<PathBuf>("config").cloned());
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else { return Ok(command) };
    let mistake = |what: &dyn std::fmt::Display| ConfigError {
        mistakes: vec![format!("--config {}: {what}", path.display())],
    };
    let text = std::fs::read_to_string(&path).map_err(|error| mistake(&error))?;
    let table: toml::Table = toml::from_str(&text).map_err(|error| mistake(&error))?;
    let mut command = command;
    let mut mistakes = Vec::new();
    for (key, value) in table {
        let known = command.get_arguments().find(|argument| {
            argument.get_long() == Some(&key) && key != "config" && argument.get_id() != "help"
        });
        let texts = texts(&value);
        match (known.map(|argument| (argument.get_id().clone(), takes(argument))), texts) {
            (None, _) => mistakes.push(format!("--config: there is no option `{key}`")),
            (Some((id, most)), Some(texts)) if texts.len() <= most => {
                command = command.mut_arg(id, |argument| argument.default_values(texts));
            }
            _ => mistakes.push(format!("--config: `{key}` cannot be {}", value.type_str())),
        }
    }
    if mistakes.is_empty() { Ok(command) } else { Err(ConfigError { mistakes }) }
}

/// How many values an option takes.
fn takes(argument: &clap::Arg) -> usize {
    let many = matches!(argument.get_action(), ArgAction::Append)
        || argument.get_value_delimiter().is_some();
    if many { usize::MAX } else { 1 }
}

/// A value as it would have been written on the command line.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    let text = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(set) => Some(set.to_string()),
        _ => None,
    };
    match value {
        toml::Value::Array(list) => list.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}
