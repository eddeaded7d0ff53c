//! Where options come from: the file that `--config` names, under variables, under flags; and what is
//! wrong in each of them, all at once.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::ConfigError;

/// Subcommands that take the agent's own options, before or after their name.
const OF_THE_AGENT: [&str; 2] = ["check-config", "test-alert"];
/// How many mistakes on the command line are told at once.
const MOST_MISTAKES: usize = 32;
/// Texts one of which every option takes: what stands in for a value that is wrong, so that the rest
/// can be looked at too.
const STAND_INS: [&str; 6] = ["1", "1s", "true", "::1", "[::1]:1", "FREERUN"];

/// The options, and what is wrong with how they were given.
#[derive(Debug)]
pub struct Given {
    /// What clap made of them.
    pub matches: ArgMatches,
    /// One line each.
    pub mistakes: Vec<String>,
    command: Command,
    /// Every option by its name, in the order they are declared.
    names: Vec<String>,
    /// The options that the file sets.
    file: BTreeSet<String>,
}

/// Reads arguments, variables and the file that either names.
///
/// # Errors
/// With what clap would print and end with: help, the version, or a command line that makes no sense.
pub fn read(command: Command, arguments: Vec<OsString>) -> Result<Given, Box<clap::Error>> {
    let names = command.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect();
    let mut arguments = subcommand_last(arguments);
    let mut mistakes = Vec::new();
    let (mut command, file) = with_file(command, &arguments, &mut mistakes);
    command.build();
    for _ in 0..MOST_MISTAKES {
        match command.clone().try_get_matches_from(&arguments) {
            Ok(matches) => return Ok(Given { matches, mistakes, command, names, file }),
            Err(error) => match without(&command, &arguments, &error) {
                Some(rest) => {
                    // What was put in place of what a variable says makes the arguments longer.
                    let variable = (rest.len() > arguments.len())
                        .then(|| variable(&command, &error))
                        .flatten();
                    let variable = variable.map(|name| format!(" ({name})"));
                    mistakes.push(in_one_line(&error) + &variable.unwrap_or_default());
                    arguments = rest;
                }
                None if mistakes.is_empty() => return Err(Box::new(error)),
                None => {
                    mistakes.push(in_one_line(&error));
                    break;
                }
            },
        }
    }
    let matches = command.clone().ignore_errors(true).try_get_matches_from(&arguments)?;
    Ok(Given { matches, mistakes, command, names, file })
}

/// Puts `check-config` and its like behind the options, where clap expects them.
fn subcommand_last(arguments: Vec<OsString>) -> Vec<OsString> {
    let named = |argument: &&OsString| OF_THE_AGENT.iter().any(|name| *argument == *name);
    let Some(name) = arguments.iter().skip(1).find(named).cloned() else { return arguments };
    let (mut options, mut own) = (Vec::new(), vec![name.clone()]);
    let mut rest = arguments.into_iter();
    options.extend(rest.next());
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        if argument == name {
            continue;
        }
        if text == "--sink" {
            own.push(argument);
            own.extend(rest.next());
        } else if text.starts_with("--sink=") || matches!(&*text, "--help" | "-h") {
            own.push(argument);
        } else {
            options.push(argument);
        }
    }
    options.append(&mut own);
    options
}

/// The arguments without the one that `error` is about, or with a value for it that clap takes.
fn without(
    command: &Command,
    arguments: &[OsString],
    error: &clap::Error,
) -> Option<Vec<OsString>> {
    let kinds = [
        ErrorKind::ValueValidation,
        ErrorKind::InvalidValue,
        ErrorKind::UnknownArgument,
        // The same option twice.
        ErrorKind::ArgumentConflict,
    ];
    if !kinds.contains(&error.kind()) {
        return None;
    }
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split([' ', '=']).next()?;
    let is_flag = |argument: &OsString| {
        argument.to_str().is_some_and(|text| text == flag || text.starts_with(&format!("{flag}=")))
    };
    let known = command.get_arguments().find(|argument| {
        argument.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long))
    });
    // Of an option that there is none of, what follows and is no option was meant to be its value.
    let takes_value = known.is_none_or(|argument| argument.get_action().takes_values());
    let mut rest: Vec<OsString> = arguments.to_vec();
    if let Some(at) = rest.iter().position(is_flag) {
        let whole = rest.remove(at);
        let is_value = |next: &OsString| {
            let next = next.to_string_lossy();
            known.is_some() || !(next.starts_with('-') || OF_THE_AGENT.contains(&&*next))
        };
        let separate = takes_value && !whole.to_string_lossy().contains('=');
        if separate && rest.get(at).is_some_and(is_value) {
            rest.remove(at);
        }
        return Some(rest);
    }
    if error.kind() == ErrorKind::ArgumentConflict {
        return None;
    }
    // A variable or the file says it: what stands on the command line wins over both.
    if !takes_value {
        rest.insert(1, flag.into());
        return Some(rest);
    }
    let fits = |text: &&&str| check(command, known?, text).is_none().then_some(());
    let text = STAND_INS.iter().find(|text| fits(text).is_some())?;
    rest.insert(1, format!("{flag}={text}").into());
    Some(rest)
}

/// The variable that the option which `error` is about may come from.
fn variable(command: &Command, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split([' ', '=']).next()?.strip_prefix("--")?;
    let mut options = command.get_arguments();
    let option = options.find(|argument| argument.get_long() == Some(flag))?;
    Some(option.get_env()?.to_string_lossy().into_owned())
}

/// What is wrong with this value of this option.
fn check(command: &Command, argument: &Arg, text: &str) -> Option<String> {
    let alone = Command::new(command.get_name().to_owned()).no_binary_name(true).arg(
        Arg::new(argument.get_id())
            .long("option")
            .num_args(1)
            .action(ArgAction::Append)
            .value_parser(argument.get_value_parser().clone()),
    );
    let error = alone.try_get_matches_from([format!("--option={text}")]).err()?;
    Some(in_one_line(&error).replace("--option <", &format!("--{} <", argument.get_long()?)))
}

/// The first paragraph of what clap says, and what it suggests, without its colours.
fn in_one_line(error: &clap::Error) -> String {
    let mut text = error.render().to_string();
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue)
        && without_secrets(value) != *value
    {
        text = text.replace(value.as_str(), "…");
    }
    let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let told = lines.map(|line| line.trim_start_matches("error: ")).collect::<Vec<_>>().join("; ");
    told.trim_end_matches("; ").to_owned()
}

/// The file that `--config` names, or else `PTP_AGENT_CONFIG`, or else the one in the folder of
/// `--etc`; found by hand, as what else is wrong with the arguments must not hide it.
fn config_file(arguments: &[OsString]) -> Option<PathBuf> {
    let named = |flag: &str, variable: &str| {
        let given = arguments.iter().enumerate().find_map(|(at, argument)| {
            if argument == flag {
                return arguments.get(at + 1).map(PathBuf::from);
            }
            argument.to_str()?.strip_prefix(flag)?.strip_prefix('=').map(PathBuf::from)
        });
        let given = given.or_else(|| std::env::var_os(variable).map(PathBuf::from));
        given.filter(|path| !path.as_os_str().is_empty())
    };
    named("--config", "PTP_AGENT_CONFIG").or_else(|| {
        let there = named("--etc", "PTP_AGENT_ETC")?.join("agent.toml");
        there.is_file().then_some(there)
    })
}

/// Reads the file that `--config` or `PTP_AGENT_CONFIG` names, if there is one, into the defaults of
/// `command`: so variables win over the file, and flags over both.
fn with_file(
    mut command: Command,
    arguments: &[OsString],
    mistakes: &mut Vec<String>,
) -> (Command, BTreeSet<String>) {
    let mut file = BTreeSet::new();
    let Some(path) = config_file(arguments) else { return (command, file) };
    let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    let read = read.and_then(|text| toml::from_str(&text).map_err(|error| place(&text, &error)));
    let table: toml::Table = match read {
        Ok(table) => table,
        Err(error) => {
            mistakes.push(format!("--config {}: {error}", path.display()));
            return (command, file);
        }
    };
    for (key, value) in table {
        let Some(argument) = option(&command, &key) else {
            let like = suggestion(&command, &key);
            let like = like.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            mistakes.push(format!("--config: there is no option `{key}`{like}"));
            continue;
        };
        let Some(texts) = texts(&value).filter(|texts| texts.len() <= takes(&argument)) else {
            mistakes.push(format!("--config: `{key}` cannot be {}", value.type_str()));
            continue;
        };
        let wrong: Vec<_> =
            texts.iter().filter_map(|text| check(&command, &argument, text)).collect();
        if wrong.is_empty() {
            file.insert(key);
            let id = argument.get_id().clone();
            command = command.mut_arg(id, |argument| argument.default_values(texts));
        }
        mistakes.extend(wrong.iter().map(|wrong| format!("--config: {wrong}")));
    }
    (command, file)
}

/// What is wrong with a file and in which line, without the line: it may hold a secret.
fn place(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| format!(" in line {}", before.matches('\n').count() + 1));
    format!("{}{}", error.message(), line.unwrap_or_default())
}

fn option(command: &Command, name: &str) -> Option<Arg> {
    let mut options = command.get_arguments().filter(|argument| {
        !matches!(argument.get_id().as_str(), "config" | "etc" | "help" | "version")
    });
    options.find(|argument| argument.get_long() == Some(name)).cloned()
}

/// The option with the most similar name, as clap would suggest it.
fn suggestion(command: &Command, name: &str) -> Option<String> {
    let error =
        command.clone().try_get_matches_from(["x".to_owned(), format!("--{name}")]).err()?;
    let Some(ContextValue::String(like)) = error.get(ContextKind::SuggestedArg) else {
        return None;
    };
    let like = like.trim_start_matches('-');
    (like != "config").then(|| like.to_owned())
}

/// How many values an option takes.
fn takes(argument: &Arg) -> usize {
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

/// A value without what may be secret in it: the user, password and query of a URL, which may have
/// `=NODE` behind it.
fn without_secrets(text: &str) -> String {
    let (url, node) = match text.rsplit_once('=') {
        Some((url, node)) if !url.contains('?') => (url, Some(node)),
        _ => (text, None),
    };
    let Ok(mut parsed) = reqwest::Url::parse(url) else {
        // What is no URL, and looks like one with a password, is not shown.
        return if url.contains("://") && url.contains('@') {
            "…".to_owned()
        } else {
            text.into()
        };
    };
    let plain = parsed.username().is_empty() && parsed.password().is_none();
    if plain && parsed.query().is_none() {
        return text.to_owned();
    }
    // Only URLs without a host refuse this, and those have no user.
    let _ = parsed.set_username("").and_then(|()| parsed.set_password(None));
    parsed.set_query(None);
    node.map_or_else(|| parsed.to_string(), |node| format!("{parsed}={node}"))
}

impl Given {
    /// Every option with its value and where that is from, as a file for `--config`; of secrets only
    /// that they are set.
    #[must_use]
    pub fn effective(&self) -> String {
        let mut lines = String::new();
        let named = |name: &String| Some((name.clone(), option(&self.command, name)?));
        for (name, argument) in self.names.iter().filter_map(named) {
            let id = argument.get_id().as_str();
            let values: Vec<_> = self
                .matches
                .get_raw(id)
                .into_iter()
                .flatten()
                .map(|value| without_secrets(&value.to_string_lossy()))
                .collect();
            let flag = !argument.get_action().takes_values();
            let origin = match self.matches.value_source(id) {
                Some(ValueSource::CommandLine) => "command line".to_owned(),
                Some(ValueSource::EnvVariable) => {
                    argument.get_env().map_or("environment".into(), OsStr::to_string_lossy).into()
                }
                Some(_) if self.file.contains(&name) => "file".to_owned(),
                Some(_) if !flag || !values.is_empty() => "default".to_owned(),
                _ => String::new(),
            };
            let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
            let value = if flag {
                self.matches.get_flag(id).to_string()
            } else if values.iter().all(|value| value.trim().is_empty()) {
                let _ = writeln!(lines, "# {name} is not set");
                continue;
            } else if argument.is_hide_env_values_set() {
                let _ = writeln!(lines, "# {name} is set, from {origin}");
                continue;
            } else if takes(&argument) > 1 {
                let list: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                format!("[{}]", list.join(", "))
            } else if values[0].parse::<u64>().is_ok_and(|number| number.to_string() == values[0]) {
                values[0].clone()
            } else {
                quoted(&values[0])
            };
            let _ = writeln!(lines, "{name} = {value}  # {origin}");
        }
        lines
    }

    /// What is wrong, with what else was found wrong.
    ///
    /// # Errors
    /// When there is any of it.
    pub fn checked<T>(&self, then: Result<T, ConfigError>) -> Result<T, ConfigError> {
        let mut mistakes = self.mistakes.clone();
        match then {
            Ok(value) if mistakes.is_empty() => Ok(value),
            Ok(_) => Err(ConfigError { mistakes }),
            Err(error) => {
                mistakes.extend(error.mistakes);
                Err(ConfigError { mistakes })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_in_a_value_is_not_shown() {
        for (value, expect) in [
            ("http://10.0.0.7:9043=worker-1", "http://10.0.0.7:9043=worker-1"),
            ("http://user:pw@10.0.0.7:9043=worker-1", "http://10.0.0.7:9043/=worker-1"),
            ("http://user:pw@10.0.0.7:9043", "http://10.0.0.7:9043/"),
            ("https://am.example/?token=abc", "https://am.example/"),
            ("http://user:pw@:bad:=w", "…"),
            ("ptp-agent", "ptp-agent"),
        ] {
            assert_eq!(without_secrets(value), expect, "{value}");
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_told_without_its_line() {
        let text = "port = 1\nslack-webhook-url = \"https://hooks.example/T0/SECRET\n";
        let error = toml::from_str::<toml::Table>(text).unwrap_err();
        let told = place(text, &error);
        assert!(told.contains("line 2") && !told.contains("SECRET"), "{told}");
    }
}
