//! Archives: what is worth reading in them goes into a folder of its own, and is read there as any
//! folder is.
//!
//! An archive is a stream, and several logs are read side by side, by time; so what is needed of it is
//! put on the disk rather than into memory. What is in an archive was put there by anybody: names
//! that lead out of it, links and devices are left out, and the whole is bounded.

mod mail;

use std::fs::{self, File};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use ptp_events::recording::decompress;
use tempfile::TempDir;

use crate::interrupt;

/// How many entries are looked at; a big cluster's must-gather has some ten thousand.
const MOST_ENTRIES: usize = 200_000;
/// How much is unpacked, in bytes; logs of a hundred nodes over a day have about that.
const MOST_BYTES: u64 = 8 << 30;
/// How long a name may be, in bytes: longer than any path that can be made of it.
const LONGEST_NAME: u64 = 1 << 16;
/// How much an archive may hold in all, in bytes: what is not unpacked must be read as well.
const MOST_STREAMED: u64 = 64 << 30;
/// How much is copied at once, in bytes.
const BLOCK: usize = 1 << 16;
/// Where a tar archive says that it is one, and how (POSIX.1-1988 and GNU alike).
const TAR_MAGIC: std::ops::Range<usize> = 257..262;
/// The first bytes of a zip archive with anything in it.
const ZIP_MAGIC: [u8; 4] = *b"PK\x03\x04";

/// How many bytes tell how something is packed: xz has the longest mark.
const LONGEST_MAGIC: usize = 6;

/// Why an archive cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    #[error("cannot unpack into a folder for temporary files (TMPDIR says where)")]
    Folder { source: io::Error },
    #[error("cannot unpack `{}`", path.display())]
    Unpack { path: PathBuf, source: io::Error },
    #[error("`{}` is no zip archive that can be read", path.display())]
    Zip { path: PathBuf, source: zip::result::ZipError },
}

/// What went wrong with one entry.
#[derive(Debug)]
enum Trouble {
    /// The archive cannot be read on.
    There(io::Error),
    /// The folder cannot be written to.
    Here(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::There(error)
    }
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
    let (head, input) = peek(input, LONGEST_MAGIC);
    if head.starts_with(&ZIP_MAGIC) {
        return unzip(path, input, wanted).map(Opened::Archive);
    }
    let (head, input) = peek(decompress(input).map_err(fail)?, TAR_MAGIC.end);
    if head.get(TAR_MAGIC) == Some(b"ustar") {
        return untar(path, input, wanted).map(Opened::Archive);
    }
    // A pipe may not have so much yet, so it is waited for only where there is a reason.
    if mail::may_begin(&head) {
        let (head, input) = peek(input, mail::HEAD);
        if mail::begins(&head) {
            return mail::unpack(path, input, wanted).map(Opened::Archive);
        }
        return Ok(Opened::Other(Box::new(input)));
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
        interrupt::watch();
        interrupt::remove_at_exit(folder.path());
        let unpacked = Unpacked { folder, others: 0, cut_short: None };
        Ok(Self { unpacked, wanted, entries: 0, bytes: 0 })
    }

    /// Takes one entry; false when no more are to come.
    fn take(
        &mut self,
        name: &Path,
        written: Option<u64>,
        data: &mut dyn Read,
    ) -> Result<bool, Trouble> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            self.unpacked.cut_short = Some(format!("it has more than {MOST_ENTRIES} entries"));
            return Ok(false);
        }
        if interrupt::came() {
            self.unpacked.cut_short = Some("interrupted".to_owned());
            return Ok(false);
        }
        let wanted = inside(name).filter(|name| (self.wanted)(name));
        let Some(mut file) = wanted.map(|name| self.create(&name)).transpose()?.flatten() else {
            self.unpacked.others += 1;
            return Ok(true);
        };
        let mut block = vec![0; BLOCK];
        let copied = loop {
            let left = usize::try_from(MOST_BYTES - self.bytes).unwrap_or(BLOCK).min(BLOCK);
            match data.read(&mut block[..left]) {
                Ok(0) => break Ok(()),
                Ok(count) => {
                    file.write_all(&block[..count]).map_err(Trouble::Here)?;
                    self.bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(Trouble::There(error)),
            }
        };
        let written =
            written.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(at)));
        if let Some(written) = written {
            // Logs without a year are dated by it; if it cannot be set, they are dated by today.
            let _ = file.set_modified(written);
        }
        copied?;
        if self.bytes >= MOST_BYTES {
            self.unpacked.cut_short = Some(format!(
                "its logs have more than {} GiB; unpack it, and name some of them",
                MOST_BYTES >> 30
            ));
            return Ok(false);
        }
        Ok(true)
    }

    /// A file for an entry; `None` when there can be none of this name: a file of another entry stands
    /// where it needs a folder, or the name is too long.
    fn create(&self, name: &Path) -> Result<Option<File>, Trouble> {
        use io::ErrorKind as K;
        let path = self.unpacked.folder.path().join(name);
        let parent = path.parent().map_or(Ok(()), fs::create_dir_all);
        match parent.and_then(|()| File::create(&path)) {
            Ok(file) => Ok(Some(file)),
            Err(error) => match error.kind() {
                K::AlreadyExists | K::NotADirectory | K::IsADirectory | K::InvalidFilename => {
                    Ok(None)
                }
                _ => Err(Trouble::Here(error)),
            },
        }
    }

    /// What was unpacked until something went wrong; an error only when that is nothing, or when it is
    /// not the archive's fault.
    fn end(mut self, outcome: Result<(), Trouble>, path: &Path) -> Result<Unpacked, ArchiveError> {
        match outcome {
            Ok(()) => Ok(self.unpacked),
            Err(Trouble::There(error)) if self.entries > 0 => {
                self.unpacked.cut_short = Some(format!("it is damaged or cut off: {error}"));
                Ok(self.unpacked)
            }
            Err(Trouble::There(source)) => {
                Err(ArchiveError::Unpack { path: path.to_owned(), source })
            }
            Err(Trouble::Here(source)) => Err(ArchiveError::Folder { source }),
        }
    }
}

/// A name that stays where it is unpacked, and can be shown on a terminal.
fn inside(name: &Path) -> Option<PathBuf> {
    if name.to_string_lossy().contains(char::is_control) {
        return None;
    }
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
    let mut archive = tar::Archive::new(input.take(MOST_STREAMED));
    let outcome = (|| {
        let mut long = None;
        // Raw, as the library reads long names into memory whatever their size.
        for entry in archive.entries()?.raw(true) {
            let mut entry = entry?;
            let kind = entry.header().entry_type();
            if kind.is_gnu_longname() || kind.is_pax_local_extensions() {
                long = long_name(&mut entry)?.or(long);
                continue;
            }
            if kind.is_gnu_longlink() {
                continue;
            }
            let name = match long.take() {
                Some(name) => name,
                None => entry.path()?.into_owned(),
            };
            let written = entry.header().mtime().ok();
            if kind.is_file() && !unpacking.take(&name, written, &mut entry)? {
                break;
            }
        }
        Ok(())
    })();
    unpacking.end(outcome, path)
}

/// The name of the next entry, when this one says it: GNU in its data, POSIX.1-2001 among others
/// (`pax` interchange format).
fn long_name<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<PathBuf>> {
    let gnu = entry.header().entry_type().is_gnu_longname();
    let mut bytes = Vec::new();
    entry.take(LONGEST_NAME).read_to_end(&mut bytes)?;
    let name = if gnu {
        bytes.truncate(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
        bytes
    } else {
        let mut path = tar::PaxExtensions::new(&bytes).filter_map(Result::ok);
        match path.find(|extension| extension.key_bytes() == b"path") {
            Some(path) => path.value_bytes().to_vec(),
            None => return Ok(None),
        }
    };
    let name = String::from_utf8(name).map_err(io::Error::other)?;
    Ok(Some(PathBuf::from(name)))
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
            // Encrypted, or packed in a way that is not known.
            let Ok(mut entry) = archive.by_index(at) else {
                unpacking.unpacked.others += 1;
                continue;
            };
            if !entry.is_file() {
                continue;
            }
            let name = PathBuf::from(&*entry.name().map_err(io::Error::other)?);
            match unpacking.take(&name, None, &mut entry) {
                Ok(true) => {}
                Ok(false) => break,
                // The others stand on their own.
                Err(Trouble::There(error)) => {
                    let shown = name.to_string_lossy().escape_debug().to_string();
                    let why = format!("`{shown}` in it is damaged: {error}");
                    unpacking.unpacked.cut_short.get_or_insert(why);
                }
                Err(here) => return Err(here),
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
            ("a\u{1b}[2J.log", None),
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
        // Written before time began for this machine.
        let mut last = tar::Header::new_gnu();
        last.set_size(0);
        last.as_mut_bytes()[..5].copy_from_slice(b"x.log");
        last.as_mut_bytes()[136..148]
            .copy_from_slice(&[128, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        last.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&last, &b""[..]).unwrap();
        assert_eq!(open(builder.into_inner().unwrap()).cut_short, None);
        // Cut off in the third entry.
        let torn = open(bytes[..512 * 4 + 600].to_vec());
        assert!(torn.cut_short.unwrap().contains("cut off"));
    }
    #[test]
    fn long_names_are_read_and_one_without_end_is_not() {
        let long = format!("{}/in.log", "a/".repeat(100));
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        header.set_mode(0o600);
        builder.append_data(&mut header, &long, &b"in"[..]).unwrap();
        // A name of 1 GiB, and nothing after it.
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(1 << 30);
        header.set_cksum();
        builder.append(&header, &b"a"[..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        let Ok(Opened::Archive(unpacked)) =
            open(Path::new("x"), io::Cursor::new(bytes), |path| path.ends_with("in.log"))
        else {
            panic!("an archive")
        };
        assert!(unpacked.folder.path().join(long).is_file());
    }

    #[test]
    fn an_entry_that_cannot_be_a_file_here_is_left_out() {
        let mut builder = tar::Builder::new(Vec::new());
        let too_long = "b".repeat(300);
        for name in ["messages", "messages/x", &too_long, "last"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(1);
            builder.append_data(&mut header, name, &b"x"[..]).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let Ok(Opened::Archive(unpacked)) = open(Path::new("x"), io::Cursor::new(bytes), |_| true)
        else {
            panic!("an archive")
        };
        assert_eq!((unpacked.others, unpacked.cut_short), (2, None));
        assert!(unpacked.folder.path().join("last").is_file());
    }
}
