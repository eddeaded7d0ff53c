//! Why input cannot be diagnosed, and what to do about it.

use std::io;
use std::path::PathBuf;

use ptp_events::metrics::MetricsError;
use ptp_events::recording::ReadError;
use ptp_events::{Received, nearest};

use crate::archive::ArchiveError;
use crate::pods::PodsError;

/// Why files cannot be diagnosed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("cannot open `{}`", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[cfg(feature = "journal")]
    #[error(transparent)]
    Journal(#[from] ptp_events::journal::JournalError),
    #[cfg(not(feature = "journal"))]
    #[error(transparent)]
    NotBuilt(#[from] crate::absent::NotBuilt),
    #[error("cannot start a thread to read with")]
    Thread { source: io::Error },
    #[error("cannot start the threads to decode with")]
    Threads { source: rayon::ThreadPoolBuildError },
    #[error("reading stopped, and not at the end: this is a bug, please report it")]
    Stopped,
    #[error("cannot understand the metrics in `{}`", path.display())]
    Metrics { path: PathBuf, source: MetricsError },
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: ReadError },
    #[error("`{}` holds a line that is not an event", path.display())]
    Strict { path: PathBuf, source: ReadError },
    #[error(
        "no recording, and no log of linuxptp, linuxptp-daemon or cloud-event-proxy, among the {files} \
         files in `{}`{}", path.display(), because(cut_short.as_deref())
    )]
    NoLogs { path: PathBuf, files: usize, cut_short: Option<String> },
    #[error("there is nothing to read")]
    NothingNamed,
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Pods(#[from] PodsError),
    #[error("nothing is known of a node `{name}`")]
    UnknownNode { name: String, known: Vec<String> },
    #[error(
        "none of the {read} events was received in the time given by --since and --until; they are from \
         {first} to {last}"
    )]
    NothingInRange { read: u64, first: Received, last: Received },
    #[error("--since {since} is not before --until {until}")]
    NoTime { since: Received, until: Received },
    #[error("no events in {}", list(paths))]
    NoEvents { paths: Vec<PathBuf>, found: Option<String> },
}

fn because(why: Option<&str>) -> String {
    why.map(|why| format!(" ({why})")).unwrap_or_default()
}

/// How many names are listed where none of them is similar.
const SHOWN_NAMES: usize = 5;

/// The name that is nearest to what was typed, or else some of them.
fn suggestion(name: &str, known: &[String]) -> String {
    if let Some(best) = nearest(name, known.iter().map(String::as_str)) {
        return format!("did you mean `{best}`?");
    }
    let names: Vec<_> = known.iter().take(SHOWN_NAMES).map(String::as_str).collect();
    let more = known.len().saturating_sub(SHOWN_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let there = if known.len() == 1 { "there is only" } else { "there are" };
    format!("{there} {}{more}", names.join(", "))
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| format!("`{}`", p.display())).collect::<Vec<_>>().join(", ")
}

impl InputError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            #[cfg(not(feature = "journal"))]
            Self::NotBuilt(absent) => Some(absent.hint()),
            Self::NoEvents { found: Some(found), .. } => Some(format!(
                "{found}; diagnose reads the events that a publisher sent, as \
                 recorded by a consumer or found in the log of cloud-event-proxy, logs of linuxptp \
                 and linuxptp-daemon, and the daemon's metrics"
            )),
            Self::NoEvents { .. } => Some(
                "diagnose reads the events that a publisher sent: JSON Lines, JSON arrays, recorded \
                 requests, or a log with events inside; logs of linuxptp and linuxptp-daemon; and the \
                 daemon's metrics"
                    .to_owned(),
            ),
            Self::NoLogs { .. } => Some(
                "of a folder or an archive, diagnose reads what must-gather puts in \
                 pods/POD/CONTAINER/CONTAINER/logs, or else files such as a.jsonl, b.log and c.log.1.gz \
                 with events or lines of linuxptp in them"
                    .to_owned(),
            ),
            Self::NothingNamed => Some(
                "name files, folders or archives, pipe something in, or say --journal; \
                 `ptp-cli diagnose --help` has examples"
                    .to_owned(),
            ),
            Self::Pods(_) => Some(PodsError::hint()),
            Self::UnknownNode { name, known } => Some(suggestion(name, known)),
            Self::NothingInRange { .. } => {
                Some("relative times such as 1h count back from now".to_owned())
            }
            Self::Strict { .. } => {
                Some("without --strict such lines are reported and passed over".to_owned())
            }
            _ => None,
        }
    }
}
