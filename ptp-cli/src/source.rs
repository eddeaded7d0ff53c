//! One thing to read.

use std::fs;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ptp_events::{NodeName, Received};

use crate::node_name;

/// What stands for standard input.
pub(crate) const STDIN: &str = "-";

/// Something to read.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// Where it was rotated: its parts, in the order in which they were written.
    pub(crate) parts: Vec<PathBuf>,
    /// What people know it by: of an archive, its name and that of the entry.
    pub(crate) shown: PathBuf,
    /// Whose lines those of linuxptp-daemon in it are.
    pub(crate) node: NodeName,
    /// Whether somebody said so.
    pub(crate) named: bool,
    /// When it was last written to, if anybody knows.
    pub(crate) written: Option<Received>,
    /// What is read once, and not found under its path.
    pub(crate) once: Option<Box<dyn BufRead + Send>>,
}

impl Source {
    /// A file; `found` where it lay in a folder or an archive, and nobody named it.
    pub(crate) fn new(path: PathBuf, shown: PathBuf, node: Option<&NodeName>, found: bool) -> Self {
        let written = if path == Path::new(STDIN) {
            Some(SystemTime::now())
        } else {
            fs::metadata(&path).and_then(|metadata| metadata.modified()).ok()
        };
        let named = node.is_some();
        let node = node.cloned().unwrap_or_else(|| node_name::of(&path, &shown, found));
        let written = written.and_then(received);
        Self { path, parts: Vec::new(), shown, node, named, written, once: None }
    }
}

fn received(time: SystemTime) -> Option<Received> {
    let nanos = jiff::Timestamp::try_from(time).ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Received::from_nanos)
}
