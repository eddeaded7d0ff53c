//! Lines that were cut in pieces on their way, by a container runtime or by who sent them as mail.

use memchr::memmem;

use crate::daemon::{Found, MAX_LINE_BYTES, find};

/// Where the tag of a container runtime's line is looked for: behind the time and the stream.
const TAG_WITHIN: usize = 64;
/// How many pieces a line may be cut in.
const MOST_PIECES: usize = 4;
/// A line of fewer bytes was not cut: nobody wraps text so short.
const LEAST_FOLD: usize = 40;

/// What linuxptp calls itself, whole: where only a piece was left, nothing else shows whose it is.
const NAMES: [&str; 3] = ["ptp4l", "phc2sys", "ts2phc"];

/// Pieces of lines that wait for the next.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// Of a container runtime's line, by stream.
    partial: [Option<String>; 2],
    /// A line that says nothing, and may go on in the next; how many pieces it has.
    folded: Option<(u64, String, usize)>,
}

/// A line of a container's log: `2026-03-04T10:00:00Z stdout P text` (Kubernetes, CRI log format): `P` of
/// all pieces but the last, which has `F`.
struct Piece<'a> {
    stream: usize,
    is_last: bool,
    /// Where the text begins.
    at: usize,
    line: &'a str,
}

impl<'a> Piece<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let head = &line.as_bytes()[..line.len().min(TAG_WITHIN)];
        let at = memmem::find(head, b" std")?;
        let (stream, rest) = match line.get(at + 1..)? {
            rest if rest.starts_with("stdout ") => (0, &rest[7..]),
            rest if rest.starts_with("stderr ") => (1, &rest[7..]),
            _ => return None,
        };
        let is_last = rest.starts_with("F ");
        (is_last || rest.starts_with("P ")).then(|| Self { stream, is_last, at: at + 10, line })
    }
}

impl Joined {
    /// Takes a line as it stands: the whole line it belongs to, or `None` while that is not complete.
    pub(super) fn handle_piece(&mut self, line: String) -> Option<String> {
        let Some(piece) = Piece::of(&line) else { return Some(line) };
        let waiting = &mut self.partial[piece.stream];
        if piece.is_last && waiting.is_none() {
            return Some(line);
        }
        let text = &piece.line[piece.at..];
        let whole = waiting.get_or_insert_with(|| piece.line[..piece.at].to_owned());
        if whole.len() + text.len() <= MAX_LINE_BYTES {
            whole.push_str(text);
        }
        if piece.is_last { waiting.take() } else { None }
    }

    /// Notes a line that was not understood: what follows may be the rest of it.
    pub(super) fn handle_unread(&mut self, number: u64, line: &str) {
        let may_go_on = (LEAST_FOLD..MAX_LINE_BYTES).contains(&line.len());
        if may_go_on && NAMES.iter().any(|name| line.contains(name)) {
            self.folded = Some((number, line.to_owned(), 1));
        }
    }

    /// Notes a line that was understood.
    pub(super) fn handle_read(&mut self) {
        self.folded = None;
    }

    /// Takes a line that is nothing by itself: with the one before it, it may be one that says something, and
    /// began there.
    pub(super) fn unfold(&mut self, line: &str) -> Option<(u64, String)> {
        let (number, before, pieces) = self.folded.take()?;
        let rest = line.trim_start_matches(|c: char| c.is_whitespace() || c == '>');
        if rest.is_empty() || before.len() + rest.len() >= MAX_LINE_BYTES {
            return None;
        }
        let cut = format!("{before}{rest}");
        let wrapped = format!("{} {rest}", before.trim_end());
        let is_whole =
            |text: &String| find(text).is_some_and(|found: Found<'_>| found.says_something());
        let whole = [&cut, &wrapped].into_iter().find(|text| is_whole(text)).cloned();
        if whole.is_none() && pieces + 1 < MOST_PIECES {
            self.folded = Some((number, cut, pieces + 1));
        }
        whole.map(|whole| (number, whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-03-04T10:00:00.000000000Z ptp4l[1000.000]: [ptp4l.0.config] port 1 (ens1f0): UNCALIBRATED to SLAVE on MASTER_CLOCK_SELECTED";

    /// However often a line is cut, with a space lost or not, quoted or not.
    #[test]
    fn a_folded_line_is_whole_again() {
        let chars: Vec<char> = LINE.chars().collect();
        for width in [72, 80, 100] {
            for before in ["", "    ", "> "] {
                let mut joined = Joined::default();
                let mut pieces = chars.chunks(width).map(|piece| piece.iter().collect::<String>());
                joined.handle_unread(7, &pieces.next().unwrap());
                let whole = pieces.find_map(|piece| joined.unfold(&format!("{before}{piece}")));
                assert_eq!(whole, Some((7, LINE.to_owned())), "{width} {before:?}");
            }
        }
        let words = LINE.rsplit_once(" to ").unwrap();
        let mut joined = Joined::default();
        joined.handle_unread(7, words.0);
        assert_eq!(joined.unfold(&format!("to {}", words.1)), Some((7, LINE.to_owned())));
        // What is no part of it makes nothing of it.
        joined.handle_unread(7, words.0);
        assert_eq!(joined.unfold("Hello"), None);
        joined.handle_read();
        assert_eq!(joined.unfold(words.1), None);
    }

    #[test]
    fn pieces_of_two_streams_are_joined_each() {
        let mut joined = Joined::default();
        let told = [
            "1Z stdout P ptp4l[1.000]: ma",
            "2Z stderr P no",
            "3Z stdout P ster off",
            "4Z stderr F thing",
            "5Z stdout F set 5",
            "6Z stdout F whole",
            "7Z other P x",
        ]
        .map(|line| joined.handle_piece(line.to_owned()).unwrap_or_default());
        assert_eq!(
            told,
            [
                "",
                "",
                "",
                "2Z stderr P nothing",
                "1Z stdout P ptp4l[1.000]: master offset 5",
                "6Z stdout F whole",
                "7Z other P x",
            ]
        );
    }
}
