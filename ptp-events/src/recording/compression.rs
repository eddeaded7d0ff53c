//! Compressed input, recognised by its first bytes rather than by a file's name.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// The largest zstd window we allocate for, in bytes; what `zstd -19` uses is 8 MiB.
const MAX_ZSTD_WINDOW: u64 = 128 << 20;

/// Unpacks gzip and zstd; hands anything else through.
///
/// # Errors
/// When `input` cannot be read, or begins like a zstd frame but is none.
pub fn decompress<'a, R: BufRead + Send + 'a>(
    mut input: R,
) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let head = input.fill_buf()?;
    if head.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(input))));
    }
    if head.starts_with(&ZSTD) {
        let frames = ZstdFrames { current: None, input: Some(input) };
        return Ok(Box::new(BufReader::with_capacity(1 << 16, frames)));
    }
    Ok(Box::new(input))
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
    fn a_broken_frame_is_an_error_not_an_end() {
        let mut text = String::new();
        let cut = [0x28, 0xB5, 0x2F, 0xFD, 0x00];
        assert!(decompress(&cut[..]).unwrap().read_to_string(&mut text).is_err());
    }
}
