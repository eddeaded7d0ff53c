//! `exec_ptp_command`: the commands that may be run, and nothing else.
//!
//! A command is a program and its arguments; there is no shell that could take a `;` for anything
//! but a letter. A row of the list fits word by word, so that no option can be added to it.

use ptp_linuxptp::pmc::{DataSet, MOST_CONFIGS, config_path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::cluster;
use super::names;
use super::pods::daemon;
use crate::context::Context;
use crate::tool::{Answer, Refusal};

/// The most that is shown of an output, in bytes; it stands in the text as well.
const LONGEST_SHOWN: usize = 12_000;

/// A word of a command.
#[derive(Clone, Copy)]
enum Word {
    /// This one.
    Is(&'static str),
    /// An interface's name.
    Interface,
    /// `/dev/ptpN`.
    HardwareClock,
    /// `/var/run/ptp4l.N.config`.
    Config,
    /// `/var/run/PROCESS.N.config` of any of the daemon's processes.
    AnyConfig,
    /// `GET` and a data set, in one word.
    Get,
}

use Word::{AnyConfig, Config, Get, HardwareClock, Interface, Is};

const ALLOWED: &[&[Word]] = &[
    &[Is("pmc"), Is("-u"), Is("-b"), Is("0"), Is("-f"), Config, Get],
    &[Is("ethtool"), Interface],
    &[Is("ethtool"), Is("-T"), Interface],
    &[Is("ethtool"), Is("-i"), Interface],
    &[Is("ethtool"), Is("-S"), Interface],
    &[Is("ethtool"), Is("-P"), Interface],
    &[Is("ip"), Is("-s"), Is("link"), Is("show")],
    &[Is("ip"), Is("-s"), Is("link"), Is("show"), Is("dev"), Interface],
    &[Is("phc_ctl"), HardwareClock, Is("get")],
    &[Is("phc_ctl"), HardwareClock, Is("cmp")],
    &[Is("cat"), AnyConfig],
    &[Is("ls"), Is("/sys/class/ptp")],
    &[Is("ls"), Is("/sys/class/net")],
    &[Is("ptp4l"), Is("-v")],
    &[Is("date"), Is("+%s.%N")],
];

impl Word {
    fn fits(self, word: &str) -> bool {
        match self {
            Is(this) => word == this,
            Interface => names::is_interface(word),
            HardwareClock => is_number(word.strip_prefix("/dev/ptp"), 32),
            Config => (0..MOST_CONFIGS).any(|number| config_path(number) == word),
            AnyConfig => {
                let file = word.strip_prefix("/var/run/");
                let parts = file.and_then(|file| file.strip_suffix(".config")?.split_once('.'));
                parts.is_some_and(|(process, number)| {
                    ["ptp4l", "phc2sys", "ts2phc", "synce4l"].contains(&process)
                        && is_number(Some(number), u32::from(MOST_CONFIGS))
                })
            }
            Get => DataSet::ALL.iter().any(|set| set.get() == word),
        }
    }

    const fn shown(self) -> &'static str {
        match self {
            Is(this) => this,
            Interface => "INTERFACE",
            HardwareClock => "/dev/ptpN",
            Config => "/var/run/ptp4l.N.config",
            AnyConfig => "/var/run/PROCESS.N.config",
            Get => "'GET DATA_SET'",
        }
    }
}

fn is_number(text: Option<&str>, below: u32) -> bool {
    text.is_some_and(|text| {
        let plain = text == "0" || !text.starts_with('0');
        plain
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse::<u32>().is_ok_and(|number| number < below)
    })
}

/// Whether a command is on the list.
fn is_allowed(command: &[String]) -> bool {
    ALLOWED.iter().any(|row| {
        row.len() == command.len() && row.iter().zip(command).all(|(word, given)| word.fits(given))
    })
}

/// The list, for people.
fn allowed() -> String {
    let row = |row: &&[Word]| row.iter().map(|word| word.shown()).collect::<Vec<_>>().join(" ");
    ALLOWED.iter().map(row).collect::<Vec<_>>().join("; ")
}

/// Which command, on which node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandQuery {
    /// The node's name
    node: String,
    /// The program and its arguments, a word each, such as `["ethtool", "-T", "ens1f0"]`
    #[schemars(length(min = 1, max = 8))]
    command: Vec<String>,
}

/// What a command said.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Ran {
    /// The node.
    node: String,
    /// The command.
    command: Vec<String>,
    /// Its status; absent when its output was cut, as it was still running then.
    exit_status: Option<i32>,
    /// What it said.
    stdout: String,
    /// What went wrong.
    stderr: String,
    /// Whether there was more.
    cut: bool,
}

pub(super) async fn run(context: &Context, wanted: CommandQuery) -> Result<Answer<Ran>, Refusal> {
    if !is_allowed(&wanted.command) {
        return Err(Refusal::Arguments(format!(
            "this command is not on the list of those that may be run: {}",
            allowed()
        )));
    }
    let cluster = cluster(context)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let command: Vec<&str> = wanted.command.iter().map(String::as_str).collect();
    let output = cluster.exec(&of.pod, &command).await?;
    let (stdout, more) = shortened(&output.stdout, LONGEST_SHOWN);
    let (stderr, more_errors) = shortened(&output.stderr, LONGEST_SHOWN / 10);
    let status = output.exit.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
    let says = format!("The command ended with status {status}.");
    Ok(Answer::new(
        says,
        Ran {
            node: of.node,
            exit_status: output.exit,
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            cut: output.cut || more || more_errors,
            command: wanted.command,
        },
    ))
}

fn shortened(text: &str, limit: usize) -> (&str, bool) {
    if text.len() <= limit {
        return (text, false);
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (&text[..end], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_list_is_allowed() {
        let is =
            |words: &[&str]| is_allowed(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        let pmc = ["pmc", "-u", "-b", "0", "-f", "/var/run/ptp4l.1.config", "GET PARENT_DATA_SET"];
        for good in [
            &pmc[..],
            &["ethtool", "-T", "ens1f0"],
            &["phc_ctl", "/dev/ptp0", "get"],
            &["cat", "/var/run/ts2phc.0.config"],
            &["ip", "-s", "link", "show", "dev", "ens1f0"],
        ] {
            assert!(is(good), "{good:?}");
        }
        let set = ["pmc", "-u", "-b", "0", "-f", "/var/run/ptp4l.1.config", "SET PRIORITY1 1"];
        let away = ["pmc", "-u", "-b", "1", "-f", "/var/run/ptp4l.1.config", "GET DOMAIN"];
        let two = ["pmc", "-u", "-b", "0", "-f", "/var/run/ptp4l.1.config", "GET DOMAIN; reboot"];
        for bad in [
            &[][..],
            &["rm", "-rf", "/"],
            &["sh", "-c", "ethtool -T ens1f0"],
            &["/usr/sbin/ethtool", "-T", "ens1f0"],
            &["ethtool -T ens1f0"],
            &["ethtool", "-T", "ens1f0;reboot"],
            &["ethtool", "-T", "ens1f0", ";", "reboot"],
            &["ethtool", "-T", "$(reboot)"],
            &["ethtool", "-s", "ens1f0"],
            &["ethtool", "-T", "-s"],
            &["ethtool", "--reset"],
            &["cat", "/etc/shadow"],
            &["cat", "/var/run/../../etc/shadow"],
            &["cat", "/var/run/ptp4l.0.config", "/etc/shadow"],
            &["cat", "/var/run/ptp4l.00.config"],
            &["cat", "/var/run/ptp4l.16.config"],
            &["phc_ctl", "/dev/ptp0", "set"],
            &["phc_ctl", "/dev/ptp0", "get", "set"],
            &["phc_ctl", "/dev/sda", "get"],
            &["ip", "link", "set", "ens1f0", "down"],
            &set[..],
            &away[..],
            &two[..],
        ] {
            assert!(!is(bad), "{bad:?}");
        }
    }

    #[test]
    fn the_list_is_told() {
        insta::assert_snapshot!(allowed());
    }
}
