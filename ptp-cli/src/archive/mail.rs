//! Mail as a program saves it (`.eml`): what was written in it, and what was attached to it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use mail_parser::{MessageParser, MimeHeaders as _};

use super::{ArchiveError, Trouble, Unpacked, Unpacking};

/// The largest mail that is read, in bytes: mail servers take some 50 MB.
const MOST_BYTES: u64 = 64 << 20;
/// How much of a file shows that it is mail, in bytes.
pub(super) const HEAD: usize = 4 << 10;

/// Whether the first line of a file is a mail's header, so that it is worth looking at more of it.
pub(super) fn may_begin(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.lines().next().is_some_and(|line| is_header(line) || line.starts_with("From "))
}

/// `Subject: …` (RFC 5322, 2.2), or the rest of one. Its name is of letters, digits and hyphens in practice.
fn is_header(line: &str) -> bool {
    let key = line.split_once(':').map_or("", |(key, _)| key);
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    line.starts_with([' ', '\t'])
        || (key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.bytes().all(plain))
}

/// Whether a file begins with a mail's headers, and says how its text is written (RFC 2045, 4 and 5).
pub(super) fn begins(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let mut headers = text.lines().take_while(|line| !line.is_empty());
    let says = |line: &str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("mime-version:") || line.starts_with("content-type:")
    };
    // `From …` is how a mailbox begins.
    let whole = headers.clone().all(|line| is_header(line) || line.starts_with("From "));
    whole && headers.any(says)
}

pub(super) fn unpack(
    path: &Path,
    input: impl Read,
    wanted: fn(&Path) -> bool,
) -> Result<Unpacked, ArchiveError> {
    let mut unpacking = Unpacking::new(wanted)?;
    let mut bytes = Vec::new();
    let read = input.take(MOST_BYTES).read_to_end(&mut bytes);
    let parsed = MessageParser::new().parse(&bytes);
    let outcome = (|| {
        let message = parsed.ok_or_else(|| {
            Trouble::There(io::Error::new(io::ErrorKind::InvalidData, "it is no mail"))
        })?;
        let stem = path.file_stem().map_or_else(|| "mail".into(), |stem| stem.to_string_lossy());
        let bodies = message.text_bodies().enumerate().map(|(at, part)| {
            let more = if at == 0 { String::new() } else { format!("-{at}") };
            (format!("{stem}{more}.txt"), part)
        });
        let attached = message.attachments().enumerate().map(|(at, part)| {
            let name = part.attachment_name().unwrap_or_default();
            let name = name.rsplit(['/', '\\']).next().filter(|name| !name.is_empty());
            (name.map_or_else(|| format!("attached-{at}.txt"), str::to_owned), part)
        });
        for (name, part) in bodies.chain(attached) {
            if !unpacking.take(&PathBuf::from(name), None, &mut part.contents())? {
                break;
            }
        }
        read.map_err(Trouble::There).map(|_| ())
    })();
    unpacking.end(outcome, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_is_known_by_its_headers() {
        for (head, is_mail) in [
            ("From: a@b\nSubject: ptp\nMIME-Version: 1.0\n\nHi\n", true),
            (
                "From a@b Mar  4\r\nReceived: by x\r\n\tfor y\r\nContent-Type: text/plain\r\n\r\n",
                true,
            ),
            ("From: a@b\n\nMIME-Version: 1.0\n", false),
            ("ptp4l[1.000]: Content-Type: x\n", false),
            ("2026-03-04T10:00:00Z some words\nMIME-Version: 1.0\n", false),
            ("", false),
        ] {
            assert_eq!(begins(head.as_bytes()), is_mail, "{head}");
        }
    }

    #[test]
    fn what_is_written_and_what_is_attached() {
        let mail = "From: a@b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n\
            --x\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\none=3D1\n\
            --x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\
            Content-Disposition: attachment; filename=\"../../w1.log\"\n\ndHdv\n--x--\n";
        let unpacked = unpack(Path::new("case.eml"), mail.as_bytes(), |_| true).unwrap();
        let read = |name| std::fs::read_to_string(unpacked.folder.path().join(name)).unwrap();
        assert_eq!((read("case.txt").trim_end(), &*read("w1.log")), ("one=1", "two"));
        assert_eq!(unpacked.cut_short, None);
    }
}
