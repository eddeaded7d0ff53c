//! Compressed input, recognised by its first bytes rather than by a file's name.

mod lines;

use std::io::{self, BufRead, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use encoding_rs_io::DecodeReaderBytes;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

const GZIP: [u8; 2] = [0x1F, 0x8B];
const BZIP2: [u8; 3] = *b"BZh";
const XZ: [u8; 6] = [0xFD, b'7', b'z', b'X', b'Z', 0];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The most memory that unpacking xz may take, in KiB; what `xz -9` needs is 65 MiB.
const MAX_XZ_KIB: u32 = 128 << 10;

/// The largest zstd window we allocate for, in bytes; what `zstd -19` uses is 8 MiB.
const MAX_ZSTD_WINDOW: u64 = 128 << 20;

/// How often a file may have been compressed, its text counted: by a logger, and by who sent it.
const MOST_LAYERS: usize = 3;

/// Unpacks gzip, bzip2, xz and zstd, also twice, makes UTF-8 of UTF-16 with a byte order mark, as Windows
/// writes it, and lines of what ends them otherwise; hands anything else through.
///
/// # Errors
/// When `input` cannot be read, or begins like a zstd frame but is none.
pub fn decompress<'a, R: BufRead + Send + 'a>(
    input: R,
) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut input: Box<dyn BufRead + Send + 'a> = Box::new(input);
    for layer in 0..MOST_LAYERS {
        // What is torn already says so when it is read.
        let head = match input.fill_buf() {
            Ok(head) => head,
            Err(error) if layer == 0 => return Err(error),
            Err(error) => return Ok(Box::new(BufReader::new(Torn(Some(error))))),
        };
        let Some(packed) = Packed::of(head) else { break };
        input = packed.open(input);
    }
    Ok(input)
}

/// What could not be unpacked from its first byte on.
struct Torn(Option<io::Error>);

impl Read for Torn {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// What bytes are packed with.
#[derive(Clone, Copy)]
enum Packed {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Utf16,
    /// Lines that end with a carriage return alone, as a serial console and old editors write them.
    ReturnsOnly,
    /// Syslog messages with their length before each (RFC 6587, 3.4.1).
    OctetCounted,
}

impl Packed {
    /// By the first bytes.
    fn of(head: &[u8]) -> Option<Self> {
        let marks: [(&[u8], Self); 6] = [
            (&GZIP, Self::Gzip),
            (&BZIP2, Self::Bzip2),
            (&XZ, Self::Xz),
            (&ZSTD, Self::Zstd),
            (&[0xFF, 0xFE], Self::Utf16),
            (&[0xFE, 0xFF], Self::Utf16),
        ];
        let marked = marks.into_iter().find(|(mark, _)| head.starts_with(mark));
        marked.map(|(_, packed)| packed).or_else(|| lines::of(head))
    }

    fn open<'a>(self, input: Box<dyn BufRead + Send + 'a>) -> Box<dyn BufRead + Send + 'a> {
        const BLOCK: usize = 1 << 16;
        match self {
            Self::Gzip => Box::new(BufReader::with_capacity(BLOCK, MultiGzDecoder::new(input))),
            Self::Bzip2 => Box::new(BufReader::with_capacity(BLOCK, MultiBzDecoder::new(input))),
            Self::Xz => {
                // Concatenated streams are one file (xz, file-format.txt, 1.2).
                let xz = XzReader::new_mem_limit(input, true, MAX_XZ_KIB);
                Box::new(BufReader::with_capacity(BLOCK, xz))
            }
            Self::Zstd => {
                let frames = ZstdFrames { current: None, input: Some(input) };
                Box::new(BufReader::with_capacity(BLOCK, frames))
            }
            Self::Utf16 => Box::new(BufReader::new(DecodeReaderBytes::new(input))),
            Self::ReturnsOnly => Box::new(BufReader::with_capacity(BLOCK, lines::Returns(input))),
            Self::OctetCounted => {
                Box::new(BufReader::with_capacity(BLOCK, lines::Counted::new(input)))
            }
        }
    }
}

/// Concatenated zstd frames; the decoder of the library stops after the first.
struct ZstdFrames<R: BufRead> {
    current: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
    input: Option<R>,
}

impl<R: BufRead> Read for ZstdFrames<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.current {
                let n = decoder.read(out)?;
                if n > 0 || out.is_empty() {
                    return Ok(n);
                }
                self.input = self.current.take().map(StreamingDecoder::into_inner);
            }
            let Some(mut input) = self.input.take() else {
                return Ok(0);
            };
            if input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let decoder = StreamingDecoder::new_with_max_window_size(input, MAX_ZSTD_WINDOW)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
            self.current = Some(decoder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        decompress(bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn plain_and_gzip_read_alike() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"one\ntwo\n").unwrap();
        let member = gzip.finish().unwrap();
        assert_eq!(read(b"one\ntwo\n"), "one\ntwo\n");
        assert_eq!(read(&member), "one\ntwo\n");
        // `cat a.gz b.gz` is a valid gzip file.
        assert_eq!(read(&[member.clone(), member].concat()), "one\ntwo\none\ntwo\n");
    }

    #[test]
    fn zstd_reads_alike_and_so_do_its_concatenated_frames() {
        let frame = ruzstd::encoding::compress_to_vec(
            &b"one\ntwo\n"[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        assert_eq!(read(&frame), "one\ntwo\n");
        assert_eq!(read(&[frame.clone(), frame].concat()), "one\ntwo\none\ntwo\n");
    }

    #[test]
    fn bzip2_and_xz_read_alike_and_so_do_their_concatenated_streams() {
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(b"one\ntwo\n").unwrap();
        // `printf 'one\ntwo\n' | xz -c`
        let xz = [
            253, 55, 122, 88, 90, 0, 0, 4, 230, 214, 180, 70, 2, 0, 33, 1, 22, 0, 0, 0, 116, 47,
            229, 163, 1, 0, 7, 111, 110, 101, 10, 116, 119, 111, 10, 0, 81, 171, 158, 175, 87, 117,
            112, 73, 0, 1, 32, 8, 187, 25, 217, 187, 31, 182, 243, 125, 1, 0, 0, 0, 0, 4, 89, 90,
        ];
        for member in [bzip2.finish().unwrap(), xz.to_vec()] {
            assert_eq!(read(&member), "one\ntwo\n");
            assert_eq!(read(&[member.clone(), member].concat()), "one\ntwo\none\ntwo\n");
        }
    }

    #[test]
    fn utf_16_reads_as_utf_8_in_either_order() {
        let text = "三 14 21:53:00 du-Ċ\n";
        let units = || text.encode_utf16();
        let little: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect();
        let big: Vec<u8> =
            [0xFE, 0xFF].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect();
        assert_eq!([read(&little), read(&big)], [text, text]);
    }

    #[test]
    fn a_broken_frame_is_an_error_not_an_end() {
        let mut text = String::new();
        let cut = [0x28, 0xB5, 0x2F, 0xFD, 0x00];
        assert!(decompress(&cut[..]).unwrap().read_to_string(&mut text).is_err());
    }
}
