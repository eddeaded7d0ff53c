//! Who follows whom, from a file and to one.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use ptp_diagnostics::Topology;
use ptp_diagnostics::topology::{TopologyError, TopologyFile, TopologyNode};

use crate::output;

/// The largest file that is read, in bytes: its most nodes need less.
const MOST_BYTES: u64 = 64 << 20;

/// Why there is no topology to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopologyFileError {
    #[error("cannot read the topology in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot use the topology in `{}`", path.display())]
    Topology { path: PathBuf, source: TopologyError },
    #[error("cannot write the topology to `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl TopologyFileError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Topology { .. } => Some(
                "docs/topology.md shows the format; `ptp-cli simulate --write-topology` writes one"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Reads a topology file.
pub(crate) fn load(path: &Path) -> Result<Topology, TopologyFileError> {
    let read = |source| TopologyFileError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(read)?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(read)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(read(io::Error::other("it is larger than 64 MiB")));
    }
    Topology::from_toml(&text)
        .map_err(|source| TopologyFileError::Topology { path: path.to_owned(), source })
}

/// Writes who follows whom in a simulated network, and how long each holds.
pub(crate) fn save(path: &Path, force: bool, simulated: &ptp_sim::Topology) -> anyhow::Result<()> {
    let node = simulated.nodes().iter().map(|node| TopologyNode {
        name: node.name.clone(),
        follows: node.parent.iter().cloned().collect(),
        holdover: Some(node.oscillator.holdover()),
    });
    let file = TopologyFile { node: node.collect() };
    let mut output = output::create(path, force)?;
    output
        .write_all(file.to_toml().as_bytes())
        .and_then(|()| output.finish())
        .map_err(|source| TopologyFileError::Write { path: path.to_owned(), source })?;
    Ok(())
}
