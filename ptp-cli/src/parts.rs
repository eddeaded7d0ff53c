//! Rotated logs: files that are parts of one, and the order in which they were written.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::recording::{Reader, decompress};
use ptp_events::{NodeName, Received};

use crate::source::Source;

/// How much of a part is read to see when it begins, in bytes.
const HEAD: u64 = 1 << 18;

/// Joins the sources that are parts of one log, each where its first part stood.
pub(crate) fn join(sources: Vec<Source>) -> Vec<Source> {
    let mut groups: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, source) in sources.iter().enumerate() {
        if source.once.is_none()
            && let Some(log) = log_of(&source.path)
        {
            groups.entry(log).or_default().push(at);
        }
    }
    let mut sources: Vec<_> = sources.into_iter().map(Some).collect();
    for members in groups.into_values().filter(|members| members.len() > 1) {
        let parts: Vec<_> = members.iter().filter_map(|at| sources[*at].take()).collect();
        sources[members[0]] = joined(parts);
    }
    sources.into_iter().flatten().collect()
}

/// Several parts as one source, the first written first.
fn joined(parts: Vec<Source>) -> Option<Source> {
    let mut parts: Vec<_> = parts.into_iter().map(|part| (begins(&part), part)).collect();
    // What tells no time keeps its place: the names are in order already.
    parts.sort_by_key(|(begins, _)| *begins);
    let paths: Vec<_> = parts.iter().map(|(_, part)| part.path.clone()).collect();
    let (_, mut last) = parts.pop()?;
    last.written = parts.iter().map(|(_, part)| part.written).fold(last.written, Option::max);
    last.parts = paths;
    Some(last)
}

/// When the first thing was told that is in a part.
fn begins(part: &Source) -> Option<Received> {
    let input = decompress(BufReader::new(File::open(&part.path).ok()?)).ok()?;
    let settings = DaemonSettings { written: part.written, ..DaemonSettings::default() };
    let log = DaemonLog::new(part.node.clone(), settings);
    let mut told = Reader::with_daemon(BufReader::new(input.take(HEAD)), log);
    told.find_map(Result::ok).map(|recorded| recorded.time())
}

/// The log that a file is a part of, by its name; it need not be there.
///
/// `a.log.1`, `messages-20260304.gz`, `0.log.20260304-101500`, `a-2026-03-04-10.log`; `0.log` and `1.log`,
/// as a container that was started again has them; and what must-gather calls `previous.log`, `current.log`
/// and puts into `rotated`.
pub(crate) fn log_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let name = path.file_name()?.to_str()?;
    let packed = [".gz", ".zst", ".xz", ".bz2"].into_iter().find_map(|end| name.strip_suffix(end));
    let name = packed.unwrap_or(name);
    let folder = if folder.ends_with("rotated") { folder.parent()? } else { folder };
    if folder.ends_with("logs")
        && (name.starts_with("current.log") || name.starts_with("previous.log"))
    {
        return Some(folder.join("0.log"));
    }
    let name = without_date(name);
    let base = match name.rsplit_once('.') {
        // `a.log.1`, but not `node.1`.
        Some((base, number)) if is_number(number) && (base.contains('.') || is_system(base)) => {
            base
        }
        _ => &name,
    };
    // Number of the start of a container.
    let base = match base.strip_suffix(".log") {
        Some(number) if is_number(number) => "0.log",
        _ => base,
    };
    Some(folder.join(base))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_system(name: &str) -> bool {
    ["messages", "syslog", "daemon", "user"].contains(&name)
}

/// A name without the date in it: `-20260304`, `.20260304-101500`, `-2026-03-04-10`.
fn without_date(name: &str) -> String {
    let bytes = name.as_bytes();
    let is_part = |b: u8| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'T');
    for at in 1..bytes.len() {
        if !matches!(bytes[at - 1], b'-' | b'.' | b'_') || !bytes[at].is_ascii_digit() {
            continue;
        }
        let end = bytes[at..].iter().position(|b| !is_part(*b)).map_or(bytes.len(), |n| at + n);
        let digits = bytes[at..end].iter().filter(|b| b.is_ascii_digit()).count();
        if name[at..end].starts_with("20") && digits >= 8 {
            return format!("{}{}", &name[..at - 1], &name[end..]);
        }
    }
    name.to_owned()
}

/// The parts of a log, one after the other.
pub(crate) struct Parts {
    left: VecDeque<PathBuf>,
    current: Option<Box<dyn BufRead + Send>>,
    /// What is between two parts, of which the first may not end with a line.
    between: bool,
    opened: Box<dyn Fn(File) -> Box<dyn BufRead + Send> + Send>,
}

impl Parts {
    /// Reads these, each as `opened` makes it of a file.
    pub(crate) fn new(
        paths: &[PathBuf],
        opened: impl Fn(File) -> Box<dyn BufRead + Send> + Send + 'static,
    ) -> Self {
        let left = paths.iter().cloned().collect();
        Self { left, current: None, between: false, opened: Box::new(opened) }
    }
}

impl Read for Parts {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(current) = &mut self.current {
                let count = current.read(out)?;
                if count > 0 || out.is_empty() {
                    return Ok(count);
                }
                self.current = None;
                self.between = true;
            }
            if self.left.is_empty() {
                return Ok(0);
            }
            if std::mem::take(&mut self.between)
                && let Some(first) = out.first_mut()
            {
                *first = b'\n';
                return Ok(1);
            }
            let Some(next) = self.left.pop_front() else { return Ok(0) };
            self.current = Some(decompress((self.opened)(File::open(next)?))?);
        }
    }
}

/// The node that a pod's folder in `/var/log/pods` is called after: `NAMESPACE_POD_UID`.
pub(crate) fn pod_of(folder: &str) -> Option<NodeName> {
    let mut parts = folder.split('_');
    let (_, pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
    (parts.next().is_none() && uid.len() >= 4).then(|| NodeName::new(pod).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        for (path, log) in [
            ("a/w.log.1", "a/w.log"),
            ("a/w.log.2.gz", "a/w.log"),
            ("a/w.log", "a/w.log"),
            ("a/messages-20260304.gz", "a/messages"),
            ("a/messages.1", "a/messages"),
            ("a/0.log.20260304-101500.gz", "a/0.log"),
            ("a/1.log", "a/0.log"),
            ("a/ptp-2026-03-04-10.log", "a/ptp.log"),
            ("p/logs/current.log", "p/logs/0.log"),
            ("p/logs/rotated/0.log.20260304-101500", "p/logs/0.log"),
            ("a/node.1", "a/node.1"),
            ("a/worker-1.log", "a/worker-1.log"),
            ("a/worker-12345678.log", "a/worker-12345678.log"),
        ] {
            assert_eq!(log_of(Path::new(path)), Some(PathBuf::from(log)), "{path}");
        }
    }
}
