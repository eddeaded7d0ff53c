//! What there is to read: files as named, and the logs in a must-gather folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ptp_events::{NodeName, Received};

use crate::input::InputError;
use crate::node_name;

/// How deep a must-gather nests: image, `namespaces`, namespace, `pods`, pod, container twice,
/// `logs`, `rotated`, file, and some folders of the user's above.
const MOST_LEVELS: usize = 16;
/// How many files and folders are looked at; a big cluster's must-gather has some ten thousand.
const MOST_ENTRIES: usize = 200_000;
/// How many logs are read together: each is an open file, and 1024 is the usual limit.
const MOST_LOGS: usize = 500;
/// The containers whose logs tell of the clocks.
const CONTAINERS: [&str; 2] = ["linuxptp-daemon-container", "cloud-event-proxy"];

/// A file to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// Whose lines those of linuxptp-daemon in it are.
    pub(crate) node: NodeName,
    /// When it was last written to, if anybody knows.
    pub(crate) written: Option<Received>,
}

impl Source {
    fn new(path: PathBuf, node: Option<&NodeName>) -> Self {
        let written = if path == Path::new("-") {
            Some(SystemTime::now())
        } else {
            fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()
        };
        let node = node.cloned().unwrap_or_else(|| node_name::of(&path));
        Self { path, node, written: written.and_then(received) }
    }
}

fn received(time: SystemTime) -> Option<Received> {
    let nanos = jiff::Timestamp::try_from(time).ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Received::from_nanos)
}

/// The files that `named` stand for: themselves, or the logs in a folder. Says on stderr what was
/// found in folders.
pub(crate) fn find(named: &[PathBuf], node: Option<&NodeName>) -> Result<Vec<Source>, InputError> {
    let mut sources = Vec::new();
    for path in named {
        if !path.is_dir() {
            sources.push(Source::new(path.clone(), node));
            continue;
        }
        let open = |source| InputError::Open { path: path.clone(), source };
        let found = Found::below(path).map_err(open)?;
        if found.logs.is_empty() {
            return Err(InputError::NoLogs { path: path.clone(), files: found.others });
        }
        let logs: Vec<_> = found.logs.into_iter().map(|log| Source::new(log, node)).collect();
        tell(path, &logs, found.others, found.cut_short);
        sources.extend(logs);
    }
    Ok(sources)
}

fn tell(folder: &Path, logs: &[Source], others: usize, cut_short: bool) {
    for log in logs {
        let path = log.path.strip_prefix(folder).unwrap_or(&log.path);
        anstream::eprintln!("read {}, of {}", path.display(), log.node);
    }
    let folder = folder.display();
    let rest = if cut_short { ", and what lies beyond: the folder is too big" } else { "" };
    anstream::eprintln!("skipped {others} other files in `{folder}`{rest}");
}

/// What is in a folder.
#[derive(Debug, Default, Eq, PartialEq)]
struct Found {
    /// The logs worth reading, by name.
    logs: Vec<PathBuf>,
    others: usize,
    /// Not everything was looked at.
    cut_short: bool,
}

impl Found {
    /// Walks `folder`; a folder inside that cannot be opened is passed over, like symbolic links.
    fn below(folder: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        let mut open = vec![(fs::read_dir(folder)?, 1)];
        let mut entries = 0;
        while let Some((mut dir, level)) = open.pop() {
            let Some(entry) = dir.next() else { continue };
            open.push((dir, level));
            entries += 1;
            if entries > MOST_ENTRIES {
                found.cut_short = true;
                break;
            }
            let Ok(entry) = entry else { continue };
            // Of the link itself, not of what it points to: links may lead anywhere, or in circles.
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if kind.is_dir() {
                match fs::read_dir(&path) {
                    Ok(dir) if level < MOST_LEVELS => open.push((dir, level + 1)),
                    _ => found.cut_short = true,
                }
            } else if kind.is_file() && is_log(&path) {
                found.logs.push(path);
            } else {
                found.others += 1;
            }
        }
        found.logs.sort();
        if found.logs.len() > MOST_LOGS {
            found.others += found.logs.len() - MOST_LOGS;
            found.logs.truncate(MOST_LOGS);
            found.cut_short = true;
        }
        Ok(found)
    }
}

/// `…/pods/POD/CONTAINER/CONTAINER/logs/current.log`, `previous.log`, `rotated/*.log.*`, and these
/// compressed.
fn is_log(path: &Path) -> bool {
    let parts: Vec<_> = path.iter().filter_map(|part| part.to_str()).collect();
    let Some((name, folders)) = parts.split_last() else { return false };
    let folders = folders.strip_suffix(&["rotated"]).unwrap_or(folders);
    // `previous.insecure.log` is empty, or says the same again.
    let named = name.contains(".log") && !name.contains("insecure");
    named && matches!(folders, [.., container, "logs"] if CONTAINERS.contains(container))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_logs_of_the_two_containers_are_read() {
        let base = "a/namespaces/openshift-ptp/pods/linuxptp-daemon-x";
        let daemon = "linuxptp-daemon-container/linuxptp-daemon-container/logs";
        for (path, expect) in [
            (format!("{base}/{daemon}/current.log"), true),
            (format!("{base}/{daemon}/previous.log.gz"), true),
            (format!("{base}/{daemon}/rotated/0.log.20261123-064030.gz"), true),
            (format!("{base}/{daemon}/previous.insecure.log"), false),
            (format!("{base}/cloud-event-proxy/cloud-event-proxy/logs/current.log"), true),
            (format!("{base}/kube-rbac-proxy/kube-rbac-proxy/logs/current.log"), false),
            (format!("{base}/linuxptp-daemon-x.yaml"), false),
            ("current.log".to_owned(), false),
        ] {
            assert_eq!(is_log(Path::new(&path)), expect, "{path}");
        }
    }
}
