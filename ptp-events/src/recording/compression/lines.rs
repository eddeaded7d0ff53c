//! Lines that do not end with a line feed.

use std::io::{self, BufRead, Read};

use super::Packed;

/// How many bytes without a line feed show that there is none.
const ENOUGH: usize = 256;
/// The most digits that the length of a message has.
const MOST_DIGITS: usize = 6;

/// How lines end, if not with a line feed, by the first bytes.
pub(super) fn of(head: &[u8]) -> Option<Packed> {
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let counted = (1..=MOST_DIGITS).contains(&digits)
        && head[digits..].starts_with(b" <")
        && head.get(digits + 2).is_some_and(u8::is_ascii_digit);
    if counted {
        return Some(Packed::OctetCounted);
    }
    let returns = head.len() >= ENOUGH
        && memchr::memchr(b'\n', head).is_none()
        && memchr::memchr_iter(b'\r', head).count() > 1;
    returns.then_some(Packed::ReturnsOnly)
}

/// Makes a line feed of every carriage return.
pub(super) struct Returns<R>(pub(super) R);

impl<R: Read> Read for Returns<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(out)?;
        for byte in &mut out[..n] {
            if *byte == b'\r' {
                *byte = b'\n';
            }
        }
        Ok(n)
    }
}

/// Puts a line feed in the place of each message's length.
pub(super) struct Counted<R> {
    input: R,
    /// How much of the present message is left.
    left: u64,
}

impl<R> Counted<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, left: 0 }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let mut count = Vec::new();
            let most = MOST_DIGITS as u64 + 2;
            self.input.by_ref().take(most).read_until(b' ', &mut count)?;
            if count.is_empty() {
                return Ok(0);
            }
            let digits = std::str::from_utf8(&count).unwrap_or_default().trim_ascii();
            // Where the counting is lost the rest is read as it stands.
            self.left = digits.parse().ok().filter(|left| *left > 0).unwrap_or(u64::MAX);
            out[0] = b'\n';
            return Ok(1);
        }
        let n = self.input.by_ref().take(self.left).read(out)?;
        self.left = if self.left == u64::MAX { u64::MAX } else { self.left - n as u64 };
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::super::decompress;
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        decompress(bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn lines_end_as_they_should() {
        let line = "ptp4l[1000.000]: master offset 5 s2 freq -3972 path delay 89";
        let returns = format!("{line}\r").repeat(8);
        assert_eq!(read(returns.as_bytes()), format!("{line}\n").repeat(8));
        let message = format!("<30>1 - w1 - - - {line}");
        let counted = format!("{} {message}", message.len()).repeat(2);
        assert_eq!(read(counted.as_bytes()), format!("\n{message}").repeat(2));
        // One that was cut, and one whose lengths are wrong.
        assert_eq!(read(b"90 <30>1 - cut"), "\n<30>1 - cut");
        assert_eq!(read(b"5 <30>1 - wrong 7 lines\n"), "\n<30>1\n- wrong 7 lines\n");
        for plain in ["", "12 <", "12 monkeys", "a\r\nb\r\n", "progress 10%\rprogress 20%\r"] {
            assert_eq!(read(plain.as_bytes()), plain);
        }
    }
}
