//! What there is to read: files as named, and the logs in a must-gather folder.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use ptp_events::NodeName;
use ptp_events::deployment::{DAEMON_CONTAINER, PROXY_CONTAINER};
use ptp_events::recording::decompress;

use crate::archive::{self, Opened, Unpacked};
use crate::interrupt;
use crate::parts;
use crate::pods::Pods;
use crate::refused::InputError;
use crate::source::{STDIN, Source};

/// How deep a must-gather nests: image, `namespaces`, namespace, `pods`, pod, container twice,
/// `logs`, `rotated`, file, and some folders of the user's above.
const MOST_LEVELS: usize = 16;
/// How many files and folders are looked at; a big cluster's must-gather has some ten thousand.
const MOST_ENTRIES: usize = 200_000;
/// How many logs are read together: each is an open file, and 1024 is the usual limit.
const MOST_LOGS: usize = 500;
/// How deep archives may lie in archives, and how many are opened in all: each may be big.
const MOST_NESTED: usize = 2;
const MOST_ARCHIVES: usize = 32;
/// The containers whose logs tell of the clocks.
const CONTAINERS: [&str; 2] = [DAEMON_CONTAINER, PROXY_CONTAINER];

/// Everything there is to read.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) list: Vec<Source>,
    /// Whether nothing had to be left out that may be worth reading.
    pub(crate) whole: bool,
    /// On which nodes the pods run, where a folder or an archive tells.
    pub(crate) pods: Pods,
    /// Where archives were unpacked; removed in the end.
    unpacked: Vec<Unpacked>,
}

/// The files that `named` stand for: themselves, or what is worth reading in a folder or an archive.
/// Says on stderr what was found in those.
pub(crate) fn find(named: &[PathBuf], node: Option<&NodeName>) -> Result<Sources, InputError> {
    let mut sources = Sources { whole: true, ..Sources::default() };
    for path in named {
        if path.is_dir() {
            sources.add_folder(path, &Opening { node, level: 0 }, path, 0, None)?;
            continue;
        }
        let open = |source| InputError::Open { path: path.clone(), source };
        let input: Box<dyn Read + Send> = if path == Path::new(STDIN) {
            Box::new(interrupt::Stdin::new())
        } else {
            Box::new(File::open(path).map_err(open)?)
        };
        match archive::open(path, BufReader::new(input), may_be_read)? {
            Opened::Archive(unpacked) => {
                let folder = unpacked.folder.path().to_owned();
                let (others, cut_short) = (unpacked.others, unpacked.cut_short.clone());
                sources.unpacked.push(unpacked);
                sources.add_folder(
                    path,
                    &Opening { node, level: 0 },
                    &folder,
                    others,
                    cut_short,
                )?;
            }
            Opened::Other(input) => {
                let mut source = Source::new(path.clone(), path.clone(), node, false);
                // A file is opened again when it is read, perhaps twice.
                let once = path == Path::new(STDIN) || !path.is_file();
                source.once = once.then_some(input);
                sources.list.push(source);
            }
        }
    }
    sources.list = parts::join(std::mem::take(&mut sources.list));
    Ok(sources)
}

/// How a folder came to be opened.
struct Opening<'a> {
    node: Option<&'a NodeName>,
    /// In how many archives it lies.
    level: usize,
}

impl Sources {
    /// Adds what is worth reading below `folder`, which people know as `shown`.
    fn add_folder(
        &mut self,
        shown: &Path,
        opening: &Opening<'_>,
        folder: &Path,
        others: usize,
        cut_short: Option<String>,
    ) -> Result<(), InputError> {
        let open = |source| InputError::Open { path: shown.to_owned(), source };
        let found = Found::below(folder).map_err(open)?;
        let others = found.others + others;
        self.whole &= !found.cut_short && found.denied.is_none() && cut_short.is_none();
        if let Some((path, why)) = &found.denied {
            let path = path.strip_prefix(folder).unwrap_or(path).display();
            anstream::eprintln!("warning: `{path}` in `{}` cannot be read: {why}", shown.display());
        }
        let mut inner = 0;
        for archive in found.archives {
            let name = shown.join(archive.strip_prefix(folder).unwrap_or(&archive));
            inner += usize::from(self.add_inner(&archive, &name, opening)?);
        }
        if found.logs.is_empty() && inner > 0 {
            return Ok(());
        }
        if found.logs.is_empty() {
            return Err(InputError::NoLogs { path: shown.to_owned(), files: others, cut_short });
        }
        for list in found.lists {
            // One that cannot be read, or lists nothing, is like none.
            if let Ok(pods) = Pods::load(&list) {
                self.pods.extend(pods);
            }
        }
        for log in found.logs {
            let name = shown.join(log.strip_prefix(folder).unwrap_or(&log));
            let source = Source::new(log, name, opening.node, true);
            let name = source.shown.strip_prefix(shown).unwrap_or(&source.shown);
            anstream::eprintln!("read {}, of {}", name.display(), source.node);
            self.list.push(source);
        }
        let shown = shown.display();
        let rest = if found.cut_short { ", and what lies beyond: there is too much" } else { "" };
        if others > 0 || found.cut_short {
            anstream::eprintln!("skipped {others} other files in `{shown}`{rest}");
        }
        if let Some(why) = cut_short {
            anstream::eprintln!("warning: not all of `{shown}` was read: {why}");
        }
        Ok(())
    }
}

impl Sources {
    /// Adds what is worth reading in an archive that lies in a folder or an archive; whether anything is.
    fn add_inner(
        &mut self,
        archive: &Path,
        shown: &Path,
        opening: &Opening<'_>,
    ) -> Result<bool, InputError> {
        if opening.level >= MOST_NESTED {
            anstream::eprintln!(
                "skipped `{}`: an archive in an archive in an archive",
                shown.display()
            );
            self.whole = false;
            return Ok(false);
        }
        if self.unpacked.len() >= MOST_ARCHIVES {
            anstream::eprintln!(
                "skipped `{}`: more than {MOST_ARCHIVES} archives",
                shown.display()
            );
            self.whole = false;
            return Ok(false);
        }
        let open = |source| InputError::Open { path: shown.to_owned(), source };
        let input = BufReader::new(File::open(archive).map_err(open)?);
        let unpacked = match archive::open(shown, input, may_be_read) {
            Ok(Opened::Archive(unpacked)) => unpacked,
            Ok(Opened::Other(_)) => return Ok(false),
            Err(error) => {
                anstream::eprintln!("warning: {error}");
                self.whole = false;
                return Ok(false);
            }
        };
        let folder = unpacked.folder.path().to_owned();
        let (others, cut_short) = (unpacked.others, unpacked.cut_short.clone());
        self.unpacked.push(unpacked);
        let opening = Opening { level: opening.level + 1, ..*opening };
        match self.add_folder(shown, &opening, &folder, others, cut_short) {
            Ok(()) => Ok(true),
            Err(InputError::NoLogs { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What is in a folder.
#[derive(Debug, Default, Eq, PartialEq)]
struct Found {
    /// The logs worth reading, by name.
    logs: Vec<PathBuf>,
    /// Lists of pods.
    lists: Vec<PathBuf>,
    archives: Vec<PathBuf>,
    others: usize,
    /// Not everything was looked at.
    cut_short: bool,
    /// The first that may not be read, and why.
    denied: Option<(PathBuf, String)>,
}

impl Found {
    /// Walks `folder`; a folder inside that cannot be opened is passed over, like symbolic links.
    fn below(folder: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        let mut recordings = Vec::new();
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
                    Ok(_) => found.cut_short = true,
                    Err(error) => {
                        found.denied.get_or_insert_with(|| (path, error.to_string()));
                    }
                }
            } else if kind.is_file() && path.to_string_lossy().contains(char::is_control) {
                // It cannot be shown, and no tool makes such names.
                found.others += 1;
            } else if kind.is_file() && Pods::are_listed_in(&path) {
                found.lists.push(path);
            } else if kind.is_file() && is_archive(&path) {
                found.archives.push(path);
            } else if kind.is_file() && (is_log(&path) || is_recording(&path)) {
                match File::open(&path) {
                    Ok(_) if is_log(&path) => found.logs.push(path),
                    Ok(_) => recordings.push(path),
                    Err(error) => {
                        found.denied.get_or_insert_with(|| (path, error.to_string()));
                    }
                }
            } else {
                found.others += 1;
            }
        }
        // In a must-gather many files mention events; without its logs it is none.
        if found.logs.is_empty() {
            let (read, others): (Vec<_>, Vec<_>) =
                recordings.into_iter().partition(|path| begins_like_evidence(path));
            found.logs = read;
            found.others += others.len();
        } else {
            found.others += recordings.len();
        }
        found.logs.sort();
        found.archives.sort();
        if found.logs.len() > MOST_LOGS {
            found.others += found.logs.len() - MOST_LOGS;
            found.logs.truncate(MOST_LOGS);
            found.cut_short = true;
        }
        Ok(found)
    }
}

/// Whether an entry of an archive may be worth reading: a log, a recording, or what tells whose it is.
fn may_be_read(path: &Path) -> bool {
    let described = path.parent().and_then(Path::file_name) == path.file_stem()
        && path.extension().is_some_and(|extension| extension == "yaml" || extension == "json");
    let names_a_host = path.file_name().is_some_and(|name| name == "hostname");
    is_log(path)
        || is_recording(path)
        || described
        || names_a_host
        || is_archive(path)
        || Pods::are_listed_in(path)
}

/// Whether a file is called as archives are.
fn is_archive(path: &Path) -> bool {
    const ENDS: [&str; 9] =
        [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst", ".zip"];
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ENDS.iter().any(|end| name.ends_with(end)) && !name.starts_with('.')
}

/// Whether a file is called as people call recordings and logs: `a.jsonl`, `b.log.1.gz`, `messages`.
fn is_recording(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let mut packed = [".gz", ".zst", ".xz", ".bz2"].into_iter();
    let name = packed.find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    let endings = ["jsonl", "ndjson", "json", "log", "txt", "out", "md", "prom"];
    !name.starts_with('.')
        && (!plain.contains('.') || endings.iter().any(|end| plain.ends_with(&format!(".{end}"))))
}

/// Whether a file's first 256 KiB hold a line of linuxptp, an event or a metric of ours.
fn begins_like_evidence(path: &Path) -> bool {
    const MARKS: [&[u8]; 9] = [
        b"event.sync.",
        b"openshift_ptp_",
        b"ptp4l[",
        b"phc2sys[",
        b"ts2phc[",
        b"synce4l[",
        b"dpll[",
        b"gnss[",
        b"GM[",
    ];
    let mut head = Vec::new();
    let Ok(file) = File::open(path) else { return false };
    let Ok(input) = decompress(BufReader::new(file)) else { return false };
    // A torn file is judged by what can be read of it.
    let _ = input.take(256 << 10).read_to_end(&mut head);
    MARKS.iter().any(|mark| memchr::memmem::find(&head, mark).is_some())
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
    fn recordings_are_known_by_their_names() {
        for (name, expect) in [
            ("worker-1.log", true),
            ("worker-1.log.1.gz", true),
            ("a.jsonl.zst", true),
            ("messages", true),
            ("0.log.20261123-064030", true),
            ("core.dump", false),
            (".bash_history", false),
            ("ptp4l.conf", false),
        ] {
            assert_eq!(is_recording(Path::new(name)), expect, "{name}");
        }
    }

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
