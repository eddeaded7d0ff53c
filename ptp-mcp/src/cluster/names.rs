//! Names as they must be before they become part of a path, a query or a command.
//!
//! Nothing here is ever given to a shell. The checks keep a name from being a path with `..`, an
//! option of the command it is an argument of, or a line of its own.

use ptp_linuxptp::pmc::MOST_CONFIGS;

/// The longest name of a node or pod: a DNS subdomain (RFC 1123).
const LONGEST_NAME: usize = 253;
/// The longest name of an interface: `IFNAMSIZ` of Linux, without its end.
const LONGEST_INTERFACE: usize = 15;

/// Why a name cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// It has what such a name never has.
    #[error("`{shown}` is no name of {what}: {expected}")]
    Name {
        /// Of what.
        what: &'static str,
        /// The name, shortened and escaped.
        shown: String,
        /// What such names look like.
        expected: &'static str,
    },
    /// A configuration's number is too great.
    #[error("`config` must be less than {MOST_CONFIGS}")]
    Config,
}

/// Accepts the name of a node, a pod or another object: a DNS subdomain.
pub(super) fn object<'a>(what: &'static str, name: &'a str) -> Result<&'a str, NameError> {
    let fits = |label: &str| {
        let alphanumeric =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        alphanumeric(label.chars().next())
            && alphanumeric(label.chars().next_back())
            && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if name.len() <= LONGEST_NAME && name.split('.').all(fits) {
        return Ok(name);
    }
    Err(refused(what, name, "lower-case letters, digits, `-` and `.`, as in `worker-1.lab`"))
}

/// Accepts the name of a network interface.
pub(super) fn interface(name: &str) -> Result<&str, NameError> {
    if is_interface(name) {
        return Ok(name);
    }
    Err(refused("an interface", name, "at most 15 letters, digits, `_`, `-`, `.`, as in `ens1f0`"))
}

/// Whether this can be an interface, and nothing but one: `-i` would be an option.
pub(super) fn is_interface(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    name.len() <= LONGEST_INTERFACE
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
        && !name.contains("..")
}

/// Accepts the number of a configuration: the `0` of `ptp4l.0.config`.
pub(super) fn config(number: Option<u8>) -> Result<u8, NameError> {
    let number = number.unwrap_or(0);
    if number < MOST_CONFIGS {
        return Ok(number);
    }
    Err(NameError::Config)
}

fn refused(what: &'static str, name: &str, expected: &'static str) -> NameError {
    let shown = name.chars().take(40).flat_map(char::escape_debug).collect();
    NameError::Name { what, shown, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_names() {
        for name in ["w1", "worker-1.lab.example.com", "linuxptp-daemon-x7k2p", "0"] {
            assert!(object("a node", name).is_ok(), "{name}");
        }
        let long = "a".repeat(254);
        let hostile = [
            "",
            "..",
            "../secrets",
            "a/b",
            "a b",
            "a;b",
            "-a",
            "a-",
            "A",
            "a..b",
            "a\nb",
            "a%2fb",
            "a?b=c",
            "é",
            &long,
        ];
        for name in hostile {
            assert!(object("a node", name).is_err(), "{name}");
        }
    }

    #[test]
    fn only_interfaces_are_interfaces() {
        for name in ["ens1f0", "eth0", "ens1f0.100", "bond0_1", "enp3s0f0np0", "veth1@if2"] {
            assert!(interface(name).is_ok(), "{name}");
        }
        let hostile = [
            "",
            "-i",
            "--help",
            "..",
            ".",
            "a/b",
            "a b",
            "eth0;reboot",
            "$(id)",
            "`id`",
            "a|b",
            "a&b",
            "a\nb",
            "sixteen-letters-",
            "a..b",
            "é0",
        ];
        for name in hostile {
            assert!(interface(name).is_err(), "{name}");
        }
    }

    #[test]
    fn configurations_are_small_numbers() {
        assert_eq!(config(None).ok(), Some(0));
        assert_eq!(config(Some(15)).ok(), Some(15));
        assert!(config(Some(16)).is_err());
    }

    #[test]
    fn a_refusal_does_not_repeat_what_is_hostile() {
        let said =
            interface("a\u{1b}[31m`x` and so on and on and on and on and on and on").unwrap_err();
        let said = said.to_string();
        assert!(!said.contains('\u{1b}') && said.len() < 200, "{said}");
    }
}
