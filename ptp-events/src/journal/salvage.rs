//! What can still be read of a damaged journal.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Journal, JournalError, PAGE_BYTES, from_row};
use crate::{Input, Received};

/// How many entries are written in one transaction.
const AT_ONCE: usize = 10_000;
/// How far is skipped at most to get past a damaged place, in entries: more than any journal has.
const FARTHEST: i64 = 1 << 40;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Salvaged {
    /// Entries that could be read.
    pub kept: u64,
    /// Entries that are known to have been there, and could not.
    pub lost: u64,
}

impl Journal {
    /// Takes over what can be read of the damaged journal at `damaged`, one entry after the other; a place that
    /// cannot be read is passed over.
    ///
    /// # Errors
    /// When writing fails; what cannot be read is no error.
    pub fn salvage(&mut self, damaged: &Path) -> Result<Salvaged, JournalError> {
        let mut salvaged = Salvaged::default();
        let Ok(old) = Connection::open_with_flags(damaged, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
            return Ok(salvaged);
        };
        let (mut last, mut skip) = (0_i64, 0_i64);
        while skip <= FARTHEST {
            let mut inputs = Vec::new();
            let from = last.saturating_add(skip);
            let outcome = read(&old, from, |seq, received, input| {
                // A number that goes back is damaged itself.
                if seq <= last {
                    salvaged.lost += 1;
                    return;
                }
                // Elsewhere a hole is where entries were removed.
                if skip > 0 && last > 0 && inputs.is_empty() {
                    let missing = seq.saturating_sub(last).saturating_sub(1);
                    salvaged.lost += u64::try_from(missing).unwrap_or(0);
                }
                last = seq;
                match input {
                    Some(input) => inputs.push((received, input)),
                    None => salvaged.lost += 1,
                }
            });
            salvaged.kept += inputs.len() as u64;
            self.append(inputs.iter().map(|(received, input)| (*received, input)))?;
            skip = match outcome {
                Ok(0) => break,
                // Nothing but numbers that go back is left.
                Ok(_) if last <= from => break,
                Ok(_) => 0,
                // It got on before it came to the damaged place.
                Err(_) if last > from => 1,
                Err(_) => (skip * 2).max(1),
            };
        }
        Ok(salvaged)
    }
}

/// Reads some entries after `from`; how many there were.
fn read(
    old: &Connection,
    from: i64,
    mut each: impl FnMut(i64, Received, Option<Input>),
) -> Result<usize, rusqlite::Error> {
    let mut select = old.prepare_cached(
        "SELECT seq, received, kind, node, body FROM inputs WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = select.query((from, i64::try_from(AT_ONCE).unwrap_or(i64::MAX)))?;
    let (mut count, mut bytes) = (0, 0);
    while let Some(row) = rows.next()? {
        let (seq, received) = (row.get(0)?, row.get::<_, i64>(1));
        let (kind, node) = (row.get::<_, String>(2), row.get::<_, Option<String>>(3));
        let input = match (kind, node, row.get(4)) {
            (Ok(kind), Ok(node), Ok(body)) => from_row(&kind, node.as_deref(), body),
            _ => None,
        };
        let input = input.filter(|_| received.is_ok());
        bytes += input.as_ref().map_or(0, Input::weight);
        each(seq, Received::from_nanos(received.unwrap_or_default()), input);
        count += 1;
        if bytes >= PAGE_BYTES {
            break;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Origin;

    const ENTRIES: i64 = 2_000;

    fn entry(number: i64) -> (Received, Input) {
        let body = format!("{{\"number\":{number},\"pad\":\"{}\"}}", "x".repeat(300)).into_bytes();
        let input = Input::Event { origin: Origin::Push, node: None, body };
        (Received::from_nanos(number), input)
    }

    /// One byte of each of fifty journals is wrong, somewhere behind the first page. Nearly all can be read.
    #[test]
    fn one_damaged_byte_costs_a_page_and_not_the_history() {
        let dir = tempfile::tempdir().unwrap();
        let (sound, damaged) = (dir.path().join("sound.db"), dir.path().join("damaged.db"));
        let mut journal = Journal::open(&sound).unwrap();
        let entries: Vec<_> = (1..=ENTRIES).map(entry).collect();
        journal.append(entries.iter().map(|(at, input)| (*at, input))).unwrap();
        drop(journal);
        let bytes = std::fs::read(&sound).unwrap();
        let mut least = u64::MAX;
        let damages = std::env::var("PTP_DAMAGES").map_or(50, |count| count.parse().unwrap());
        for nth in 0..damages {
            let mut bytes = bytes.clone();
            let at = 4096 + (nth * 7_919_777_usize) % (bytes.len() - 4096);
            bytes[at] ^= 0x5A;
            std::fs::write(&damaged, &bytes).unwrap();
            let saved = dir.path().join(format!("saved-{nth}.db"));
            let mut saved = Journal::open(&saved).unwrap();
            let salvaged = saved.salvage(&damaged).unwrap();
            let kept = saved.after(0, usize::MAX).unwrap().len() as u64;
            assert_eq!(kept, salvaged.kept, "{nth}: byte {at}");
            least = least.min(kept);
        }
        println!("figure: damaged journals: {damages}");
        println!("figure: entries of {ENTRIES} that were kept at worst: {least}");
        assert!(least >= ENTRIES.unsigned_abs() * 9 / 10, "only {least} of {ENTRIES}");
    }

    #[test]
    fn what_is_no_journal_gives_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        std::fs::write(&path, "no database at all".repeat(1000)).unwrap();
        let mut journal = Journal::open(&dir.path().join("new.db")).unwrap();
        assert_eq!(journal.salvage(&path).unwrap(), Salvaged::default());
        assert_eq!(journal.salvage(&dir.path().join("absent")).unwrap(), Salvaged::default());
    }
}
