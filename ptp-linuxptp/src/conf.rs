//! What a profile tells ptp4l: its configuration file and its command line, as linuxptp reads them.
//!
//! A section in brackets is a port, but for `[global]` and the tables. What the command line says
//! goes before the file (ptp4l(8)).

use std::collections::BTreeMap;

use crate::profile::Profile;

/// How many ports a configuration may have.
const MOST_PORTS: usize = 64;
/// The longest configuration that is read, in bytes. The real ones have some 4 KiB.
const LONGEST: usize = 64 << 10;

/// The options of one profile's ptp4l.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Conf {
    /// What `[global]` says.
    pub global: BTreeMap<String, String>,
    /// By interface, in the order of the file.
    pub ports: Vec<(String, BTreeMap<String, String>)>,
    /// What the command line says.
    pub command_line: BTreeMap<String, String>,
    /// Whether there is a section for unicast.
    pub unicast_table: bool,
    /// Lines that say nothing linuxptp would accept, counted from 1.
    pub unreadable: Vec<usize>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin {
    /// The command line.
    CommandLine,
    /// The section of the port.
    Port,
    /// `[global]`.
    Global,
    /// What ptp4l does when it is told nothing.
    Default,
}

impl Origin {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::CommandLine => "ptp4lOpts",
            Self::Port => "the port's section",
            Self::Global => "[global]",
            Self::Default => "ptp4l's default",
        }
    }
}

impl Conf {
    /// Of a profile; `None` when it has no configuration, or one too long to be real.
    #[must_use]
    pub fn of(profile: &Profile) -> Option<Self> {
        let text = profile.ptp4l_conf.as_deref().filter(|text| !text.trim().is_empty())?;
        if text.len() > LONGEST {
            return None;
        }
        let mut conf = parse(text);
        conf.read_command_line(profile.ptp4l_opts.as_deref().unwrap_or_default());
        if let Some(interface) = profile.interface.as_deref().filter(|name| !name.is_empty()) {
            conf.add_port(interface);
        }
        Some(conf)
    }

    /// The value of an option for a port, or for all of them.
    #[must_use]
    pub fn value(&self, option: &str, port: Option<&str>) -> Option<(&str, Origin)> {
        let of_port = || {
            let (_, options) = self.ports.iter().find(|(name, _)| Some(name.as_str()) == port)?;
            options.get(option)
        };
        let found = None
            .or_else(|| Some((self.command_line.get(option)?, Origin::CommandLine)))
            .or_else(|| Some((of_port()?, Origin::Port)))
            .or_else(|| Some((self.global.get(option)?, Origin::Global)));
        found.map(|(value, origin)| (value.as_str(), origin))
    }

    /// Whether an option, under either of its names, is switched on.
    #[must_use]
    pub fn is_on(&self, names: &[&str], port: Option<&str>) -> bool {
        names.iter().any(|name| self.value(name, port).is_some_and(|(value, _)| value == "1"))
    }

    fn add_port(&mut self, name: &str) {
        if self.ports.len() < MOST_PORTS && !self.ports.iter().any(|(known, _)| known == name) {
            self.ports.push((name.to_owned(), BTreeMap::new()));
        }
    }

    fn read_command_line(&mut self, text: &str) {
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let short = match word {
                "-2" => Some(("network_transport", "L2")),
                "-4" => Some(("network_transport", "UDPv4")),
                "-6" => Some(("network_transport", "UDPv6")),
                "-E" => Some(("delay_mechanism", "E2E")),
                "-P" => Some(("delay_mechanism", "P2P")),
                "-A" => Some(("delay_mechanism", "Auto")),
                "-H" => Some(("time_stamping", "hardware")),
                "-S" => Some(("time_stamping", "software")),
                "-s" => Some(("slaveOnly", "1")),
                _ => None,
            };
            if let Some((option, value)) = short {
                self.command_line.insert(option.to_owned(), value.to_owned());
            } else if word == "-i" {
                if let Some(interface) = words.next() {
                    self.add_port(interface);
                }
            } else if let Some(long) = word.strip_prefix("--") {
                let pair = match long.split_once('=') {
                    Some((option, value)) => Some((option, value)),
                    None => {
                        words.next_if(|next| !next.starts_with("--")).map(|value| (long, value))
                    }
                };
                if let Some((option, value)) = pair {
                    self.command_line.insert(option.to_owned(), value.to_owned());
                }
            }
        }
    }
}

/// Reads a file; what cannot be read is noted and passed over.
fn parse(text: &str) -> Conf {
    let mut conf = Conf::default();
    // Before any section linuxptp counts everything to the global one.
    let mut section: Option<String> = None;
    let mut is_table = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            let name = name.0.trim();
            is_table = name.ends_with("_table");
            conf.unicast_table |= name == "unicast_master_table";
            section = (name != "global" && !is_table).then(|| name.to_owned());
            if let Some(name) = &section {
                conf.add_port(name);
            }
            continue;
        }
        if is_table {
            continue;
        }
        let Some((option, value)) = line.split_once(char::is_whitespace) else {
            conf.unreadable.push(number);
            continue;
        };
        let options = match &section {
            None => Some(&mut conf.global),
            Some(name) => {
                conf.ports.iter_mut().find(|(known, _)| known == name).map(|(_, options)| options)
            }
        };
        if let Some(options) = options {
            options.insert(option.to_owned(), value.trim().to_owned());
        }
    }
    conf
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_port_and_the_port_before_all() {
        let profile = Profile {
            ptp4l_opts: Some(
                "-2 -s --summary_interval -4 --logSyncInterval=-4 -i ens2f0".to_owned(),
            ),
            ptp4l_conf: Some(
                "[ens1f0]\nmasterOnly 1\nlogAnnounceInterval   -3\n# note\n\nnonsense\n\
                 [global]\ndomainNumber 24\nlogSyncInterval 0\nlogAnnounceInterval 1\n\
                 [unicast_master_table]\ntable_id 1\nUDPv4 10.0.0.1\n"
                    .to_owned(),
            ),
            ..Profile::default()
        };
        let conf = Conf::of(&profile).unwrap();
        let value = |option, port| conf.value(option, port);
        assert_eq!(value("domainNumber", Some("ens1f0")), Some(("24", Origin::Global)));
        assert_eq!(value("logAnnounceInterval", Some("ens1f0")), Some(("-3", Origin::Port)));
        assert_eq!(value("logAnnounceInterval", None), Some(("1", Origin::Global)));
        assert_eq!(value("logSyncInterval", None), Some(("-4", Origin::CommandLine)));
        assert_eq!(value("summary_interval", None), Some(("-4", Origin::CommandLine)));
        assert_eq!(value("network_transport", None), Some(("L2", Origin::CommandLine)));
        assert_eq!(value("priority1", None), None);
        assert!(conf.is_on(&["slaveOnly", "clientOnly"], None));
        assert!(conf.unicast_table);
        assert_eq!(conf.unreadable, [6]);
        let ports: Vec<_> = conf.ports.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(ports, ["ens1f0", "ens2f0"]);
    }

    #[test]
    fn no_configuration_is_none_and_a_huge_one_too() {
        assert_eq!(Conf::of(&Profile::default()), None);
        let huge = Profile { ptp4l_conf: Some("a 1\n".repeat(20_000)), ..Profile::default() };
        assert_eq!(Conf::of(&huge), None);
    }
}
