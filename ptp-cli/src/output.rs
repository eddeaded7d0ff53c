//! Files to write to: none that is there is overwritten, and names that end in `.gz` or `.zst` say
//! that they are compressed.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// How much is compressed together into one zstd frame, in bytes.
const FRAME: usize = 1 << 20;
/// How long what is flushed may wait for more to be compressed together with.
const FRAME_AGE: Duration = Duration::from_secs(1);

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error("`{}` is there already", path.display())]
    Exists { path: PathBuf },
    #[error("`{}` is what is to be read", path.display())]
    IsInput { path: PathBuf },
    #[error("cannot write `{}`", path.display())]
    Create { path: PathBuf, source: io::Error },
}

impl OutputError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("--force overwrites it".to_owned()),
            Self::IsInput { .. } => Some("name another file".to_owned()),
            Self::Create { .. } => None,
        }
    }
}

/// A file that is being written.
pub(crate) enum Output {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Zstd(Zstd),
}

/// Whether there is something that writing would replace; a device is written to, not replaced.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok() && path.metadata().map_or(true, |found| found.is_file())
}

/// Refuses to write over what is to be read.
pub(crate) fn is_no_input<'a>(
    path: &Path,
    inputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<(), OutputError> {
    let Ok(real) = path.canonicalize() else { return Ok(()) };
    let same = |input: &PathBuf| real.is_file() && input.canonicalize().is_ok_and(|i| i == real);
    if inputs.into_iter().any(same) {
        return Err(OutputError::IsInput { path: path.to_owned() });
    }
    Ok(())
}

/// Whether [`create`] will do, as far as can be seen before there is anything to write.
pub(crate) fn check(path: &Path, force: bool) -> Result<(), OutputError> {
    if !force && is_there(path) {
        return Err(OutputError::Exists { path: path.to_owned() });
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    match folder.map(std::fs::metadata) {
        Some(Err(source)) => Err(OutputError::Create { path: path.to_owned(), source }),
        _ => Ok(()),
    }
}

/// Opens a new file, or with `force` one that is there already.
pub(crate) fn create(path: &Path, force: bool) -> Result<Output, OutputError> {
    let mut options = File::options();
    options.write(true);
    if force || (path.exists() && !is_there(path)) {
        options.create(true).truncate(true)
    } else {
        options.create_new(true)
    };
    let file = options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => OutputError::Exists { path: path.to_owned() },
        _ => OutputError::Create { path: path.to_owned(), source },
    })?;
    let file = BufWriter::new(file);
    Ok(match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => Output::Gzip(GzEncoder::new(file, Compression::default())),
        Some("zst") => Output::Zstd(Zstd { file, waiting: Vec::new(), written: Instant::now() }),
        _ => Output::Plain(file),
    })
}

impl Output {
    /// Writes what is still to be written, and the end where the format has one.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(gzip) => gzip.finish()?.flush(),
            Self::Zstd(mut zstd) => zstd.write_frame(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Gzip(gzip) => gzip.write(bytes),
            Self::Zstd(zstd) => zstd.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Gzip(gzip) => gzip.flush(),
            // A frame per line would be larger than the lines.
            Self::Zstd(zstd) if zstd.written.elapsed() < FRAME_AGE => Ok(()),
            Self::Zstd(zstd) => zstd.write_frame(),
        }
    }
}

/// A file of zstd frames, one after the other, which is a zstd file as well.
pub(crate) struct Zstd {
    file: BufWriter<File>,
    waiting: Vec<u8>,
    /// When the last frame was written.
    written: Instant,
}

impl Drop for Zstd {
    fn drop(&mut self) {
        // Who ends without [`Output::finish`] has an error to tell already.
        let _ = self.write_frame();
    }
}

impl Zstd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= FRAME {
            self.write_frame()?;
        }
        Ok(bytes.len())
    }

    fn write_frame(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            self.file.write_all(&compress_to_vec(&*self.waiting, CompressionLevel::Fastest))?;
            self.waiting.clear();
            self.written = Instant::now();
        }
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use ptp_events::recording::decompress;

    use super::*;

    #[test]
    fn a_name_says_how_to_compress_and_nothing_is_overwritten() {
        let dir = tempfile::TempDir::new().unwrap();
        for name in ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"] {
            let path = dir.path().join(name);
            let mut output = create(&path, false).unwrap();
            output.write_all(b"one\n").unwrap();
            output.flush().unwrap();
            output.write_all(b"two\n").unwrap();
            output.finish().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            let mut text = String::new();
            decompress(&bytes[..]).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one\ntwo\n");
            assert_eq!(bytes == b"one\ntwo\n", name == "a.jsonl", "{name}");
            let error = create(&path, false).err().unwrap();
            assert_eq!(error.hint().as_deref(), Some("--force overwrites it"));
            create(&path, true).unwrap().finish().unwrap();
            assert_ne!(std::fs::read(&path).unwrap(), bytes);
        }
    }
}
