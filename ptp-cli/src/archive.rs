//! Archives: what is worth reading in them goes into a folder of its own, and is read there as any
//! folder is.
//!
//! An archive is a stream, and several logs are read side by side, by time; so what is needed of it is
//! put on the disk rather than into memory. What is in an archive was put there by anybody: names
//! that lead out of it, links and devices are left out, and the whole is bounded.

use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use ptp_events::recording::decompress;
use tempfile::TempDir;

/// How many entries are looked at; a big cluster's must-gather has some ten thousand.
const MOST_ENTRIES: usize = 200_000;
/// How much is unpacked, in bytes; logs of a hundred nodes over a day have about that.
const MOST_BYTES: u64 = 8 << 30;
/// Where a tar archive says that it is one, and how (POSIX.1-1988 and GNU alike).
const TAR_MAGIC: std::ops::Range<usize> = 257..262;
/// The first bytes of a zip archive with anything in it.
const ZIP_MAGIC: [u8; 4] = *b"PK\x03\x04";

/// Why an archive cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("cannot make a folder to unpack into")]
    Folder { source: io::Error },
    #[error("cannot unpack `{}`", path.display())]
    Unpack { path: PathBuf, source: io::Error },
    #[error("`{}` is no zip archive that can be read", path.display())]
    Zip { path: PathBuf, source: zip::result::ZipError },
}

/// What an archive held.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// Removed when this is dropped.
    pub(crate) folder: TempDir,
    /// How many entries were not worth reading.
    pub(crate) others: usize,
    /// Why the rest was not looked at, if there was one.
    pub(crate) cut_short: Option<String>,
}

/// What a file begins like.
pub(crate) enum Opened {
    /// An archive.
    Archive(Unpacked),
    /// Something else: all of it, unpacked if it was compressed.
    Other(Box<dyn BufRead + Send>),
}

/// Unpacks `input` if it is an archive; `wanted` says which entries are worth reading.
pub(crate) fn open(
    path: &Path,
    input: impl BufRead + Send + 'static,
    wanted: fn(&Path) -> bool,
) -> Result<Opened, ArchiveError> {
    let fail = |source| ArchiveError::Unpack { path: path.to_owned(), source };
    let (head, input) = peek(input, ZIP_MAGIC.len());
    if head == ZIP_MAGIC {
        return unzip(path, input, wanted).map(Opened::Archive);
    }
    let (head, input) = peek(decompress(input).map_err(fail)?, TAR_MAGIC.end);
    if head.get(TAR_MAGIC) == Some(b"ustar") {
        return untar(path, input, wanted).map(Opened::Archive);
    }
    Ok(Opened::Other(Box::new(input)))
}

/// The first bytes of something, and all of it.
fn peek<R: BufRead>(mut input: R, count: usize) -> (Vec<u8>, impl BufRead + use<R>) {
    let mut head = Vec::new();
    let torn = input.by_ref().take(count as u64).read_to_end(&mut head).err();
    // What could be read counts; the error comes again when it is read on.
    let again = Again { torn, input };
    (head.clone(), io::Cursor::new(head).chain(io::BufReader::new(again)))
}

/// An input that fails as it did before.
struct Again<R> {
    torn: Option<io::Error>,
    input: R,
}

impl<R: Read> Read for Again<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.torn.take() {
            Some(error) => Err(error),
            None => self.input.read(out),
        }
    }
}

/// Puts entries into a folder, within bounds.
struct Unpacking {
    unpacked: Unpacked,
    wanted: fn(&Path) -> bool,
    entries: usize,
    bytes: u64,
}

impl Unpacking {
    fn new(wanted: fn(&Path) -> bool) -> Result<Self, ArchiveError> {
        let folder = TempDir::with_prefix("ptp-cli-");
        let folder = folder.map_err(|source| ArchiveError::Folder { source })?;
        let unpacked = Unpacked { folder, others: 0, cut_short: None };
        Ok(Self { unpacked, wanted, entries: 0, bytes: 0 })
    }

    /// Takes one entry; false when no more are to come.
    fn take(&mut self, name: &Path, written: Option<u64>, data: &mut dyn Read) -> io::Result<bool> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            self.unpacked.cut_short = Some(format!("it has more than {MOST_ENTRIES} entries"));
            return Ok(false);
        }
        let Some(name) = inside(name).filter(|name| (self.wanted)(name)) else {
            self.unpacked.others += 1;
            return Ok(true);
        };
        let path = self.unpacked.folder.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create(path)?;
        let left = MOST_BYTES - self.bytes;
        let copied = io::copy(&mut data.take(left), &mut file);
        file.flush()?;
        if let Some(written) = written {
            // Logs without a year are dated by it; if it cannot be set, they are dated by today.
            let _ = file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(written));
        }
        self.bytes += copied?;
        if self.bytes >= MOST_BYTES {
            self.unpacked.cut_short = Some(format!(
                "its logs have more than {} GiB; unpack it, and name some of them",
                MOST_BYTES >> 30
            ));
            return Ok(false);
        }
        Ok(true)
    }

    /// What was unpacked until something went wrong; an error only when that is nothing.
    fn end(mut self, outcome: io::Result<()>, path: &Path) -> Result<Unpacked, ArchiveError> {
        if let Err(source) = outcome {
            if self.entries == 0 {
                return Err(ArchiveError::Unpack { path: path.to_owned(), source });
            }
            self.unpacked.cut_short = Some(format!("it is damaged or cut off: {source}"));
        }
        Ok(self.unpacked)
    }
}

/// A name that stays where it is unpacked.
fn inside(name: &Path) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!path.as_os_str().is_empty()).then_some(path)
}

fn untar(
    path: &Path,
    input: impl Read,
    wanted: fn(&Path) -> bool,
) -> Result<Unpacked, ArchiveError> {
    let mut unpacking = Unpacking::new(wanted)?;
    let mut archive = tar::Archive::new(input);
    let outcome = (|| {
        for entry in archive.entries()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path()?.into_owned();
            let written = entry.header().mtime().ok();
            if !unpacking.take(&name, written, &mut entry)? {
                break;
            }
        }
        Ok(())
    })();
    unpacking.end(outcome, path)
}

fn unzip(
    path: &Path,
    mut input: impl Read,
    wanted: fn(&Path) -> bool,
) -> Result<Unpacked, ArchiveError> {
    let fail = |source| ArchiveError::Unpack { path: path.to_owned(), source };
    let no_zip = |source| ArchiveError::Zip { path: path.to_owned(), source };
    // Its table of contents is at its end.
    let mut whole = tempfile::tempfile().map_err(|source| ArchiveError::Folder { source })?;
    io::copy(&mut input.by_ref().take(MOST_BYTES), &mut whole).map_err(fail)?;
    whole.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut archive = zip::ZipArchive::new(io::BufReader::new(whole)).map_err(no_zip)?;
    let mut unpacking = Unpacking::new(wanted)?;
    let outcome = (|| {
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).map_err(io::Error::other)?;
            if !entry.is_file() {
                continue;
            }
            let name = PathBuf::from(&*entry.name().map_err(io::Error::other)?);
            if !unpacking.take(&name, None, &mut entry)? {
                break;
            }
        }
        Ok(())
    })();
    unpacking.end(outcome, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for (name, expect) in [
            ("a/b.log", Some("a/b.log")),
            ("./a", Some("a")),
            ("../a", None),
            ("a/../../b", None),
            ("/etc/passwd", None),
            (".", None),
            ("", None),
        ] {
            assert_eq!(inside(Path::new(name)), expect.map(PathBuf::from), "{name}");
        }
    }

    #[test]
    fn a_hostile_archive_leaves_nothing_behind_but_files() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |name: &str, kind: tar::EntryType, data: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(data.len() as u64);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            if kind.is_symlink() {
                header.set_link_name("/etc/passwd").unwrap();
            }
            header.set_cksum();
            builder.append(&header, data).unwrap();
        };
        add("link.log", tar::EntryType::Symlink, b"");
        add("../out.log", tar::EntryType::Regular, b"out");
        add("in.log", tar::EntryType::Regular, b"in");
        add("other.bin", tar::EntryType::Regular, b"x");
        let bytes = builder.into_inner().unwrap();
        let wanted = |path: &Path| path.extension().is_some_and(|e| e == "log");
        let open = |bytes: Vec<u8>| match open(Path::new("x"), io::Cursor::new(bytes), wanted) {
            Ok(Opened::Archive(unpacked)) => unpacked,
            _ => panic!("an archive"),
        };
        let unpacked = open(bytes.clone());
        let names: Vec<_> = fs::read_dir(unpacked.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["in.log"]);
        assert_eq!((unpacked.others, unpacked.cut_short), (2, None));
        // Cut off in the third entry.
        let torn = open(bytes[..512 * 4 + 600].to_vec());
        assert!(torn.cut_short.unwrap().contains("cut off"));
    }
}
