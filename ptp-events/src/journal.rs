//! The journal: everything that came in, in the order it came, in one SQLite file.
//!
//! It holds what an engine was given, so that reading it back gives an engine the same input
//! again: events as they were received, byte for byte, and when a node could not be observed. The
//! file is an ordinary database in WAL mode; `sqlite3 FILE 'SELECT seq, kind, node FROM inputs'` reads it. Bodies
//! are packed (`body`).

mod body;
mod salvage;

use std::borrow::Cow;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's own library, in which [`Journal::database`] speaks.
pub use rusqlite;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, ToSql, params};

pub use salvage::Salvaged;

use crate::recording::Origin;
use crate::{Input, NodeName, Received};

/// What the file says it is: `PTPj`, so that another database is not taken for a journal.
const APPLICATION_ID: i32 = 0x5054_506A;
/// The version of the tables: since 2 bodies are packed, and those of 1 are read as they are.
const VERSION: i32 = 2;
const OLDEST: i32 = 1;

/// How many entries are removed in one transaction.
pub const PRUNED_AT_ONCE: usize = 10_000;
/// How much of the file an entry takes beside its body: its columns, its place in the indexes.
const BESIDE_BODY: u64 = 80;

/// How many bytes of bodies are read at once, and one body more.
pub const PAGE_BYTES: usize = 8 << 20;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be opened, or is no database.
    #[error("cannot open the journal `{}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// A database, but not a journal of a version we know.
    #[error("`{}` is not a journal of this version", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else writes it.
    #[error("another agent writes the journal `{}`", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file beside the journal that keeps a second writer away cannot be used.
    #[error("cannot lock `{}`", path.display())]
    Lock {
        /// The lock's file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Reading or writing failed.
    #[error("the journal failed")]
    Failed {
        /// Why.
        #[from]
        source: rusqlite::Error,
    },
}

impl JournalError {
    /// Whether the file is damaged, or no database: nothing in it can be read any more.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let (Self::Open { source, .. } | Self::Failed { source }) = self else { return false };
        matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
    }
}

/// Takes the writer's place, and makes the file where there is none.
fn lock(path: &Path) -> Result<File, JournalError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let failed = |source| JournalError::Lock { path: beside.clone(), source };
    let lock = private().open(&beside).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(JournalError::InUse { path: path.to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // What SQLite makes beside the file, it makes with the file's rights. A failure here is one
    // that SQLite meets again, and explains.
    drop(private().open(path));
    Ok(lock)
}

/// How files are made that hold what publishers said: for their owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The columns that an input is kept in.
fn row(input: &Input) -> (&'static str, Option<&str>, Cow<'_, [u8]>) {
    match input {
        Input::Event { origin, node, body } => {
            let kind = match origin {
                Origin::Push => "push",
                Origin::Initial => "initial",
                Origin::Pull => "pull",
                Origin::Unknown => "unknown",
            };
            (kind, node.as_ref().map(NodeName::as_str), body::pack(body))
        }
        Input::Blind { node, why } => ("blind", Some(node.as_str()), why.as_bytes().into()),
        Input::Missed { node, since, why } => {
            let body = format!("{} {why}", since.as_nanos()).into_bytes();
            ("missed", Some(node.as_str()), body.into())
        }
        Input::Gone { node } => ("gone", Some(node.as_str()), b"".into()),
        Input::Resumed => ("resumed", None, b"".into()),
        Input::Sighted { node } => ("sighted", Some(node.as_str()), b"".into()),
    }
}

/// `None` for a row that a later version wrote, or nobody.
fn from_row(kind: &str, node: Option<&str>, body: Vec<u8>) -> Option<Input> {
    let node = node.map(NodeName::new).transpose().ok()?;
    let origin = match kind {
        "push" => Origin::Push,
        "initial" => Origin::Initial,
        "pull" => Origin::Pull,
        "unknown" => Origin::Unknown,
        "blind" => {
            return Some(Input::Blind { node: node?, why: String::from_utf8_lossy(&body).into() });
        }
        "missed" => {
            let text = String::from_utf8(body).ok()?;
            let (since, why) = text.split_once(' ')?;
            let since = Received::from_nanos(since.parse().ok()?);
            return Some(Input::Missed { node: node?, since, why: why.to_owned() });
        }
        "resumed" => return Some(Input::Resumed),
        "gone" => return Some(Input::Gone { node: node? }),
        "sighted" => return Some(Input::Sighted { node: node? }),
        _ => return None,
    };
    Some(Input::Event { origin, node, body: body::unpack(body)? })
}

/// One line of the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Its number; later entries have greater ones.
    pub seq: i64,
    /// When it was received.
    pub received: Received,
    /// What it was.
    pub input: Input,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    db: Connection,
    path: PathBuf,
    /// Held as long as the journal is open for writing.
    _lock: Option<File>,
}

/// Some entries, and whether there are more.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether the limit or [`PAGE_BYTES`] ended the page; there may be more then.
    pub more: bool,
}

/// Which entries of a journal to give.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// Only those about this node.
    pub node: Option<&'a NodeName>,
    /// Only those received at or after this time.
    pub since: Option<Received>,
    /// Only those received before this time.
    pub until: Option<Received>,
    /// The newest first.
    pub newest: bool,
    /// Only those after the one with this number; with `newest`, only those before it.
    pub cursor: Option<i64>,
    /// How many at most.
    pub limit: usize,
}

impl Journal {
    /// Opens a journal for writing; makes the file when there is none, for its owner alone to read.
    ///
    /// A file with `.lock` after its name keeps a second writer away.
    ///
    /// # Errors
    /// When the file cannot be opened or made, is something else (which is left as it is), or
    /// somebody else writes it.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let lock = lock(path)?;
        let journal = Self::connect(path, OpenFlags::default(), Some(lock))?;
        journal.prepare()?;
        Ok(journal)
    }

    /// Opens a journal for reading only, also while an agent is writing it.
    ///
    /// # Errors
    /// When there is no such file, or it is something else.
    pub fn open_read_only(path: &Path) -> Result<Self, JournalError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let journal = Self::connect(path, flags, None)?;
        journal.check()?;
        Ok(journal)
    }

    fn connect(path: &Path, flags: OpenFlags, lock: Option<File>) -> Result<Self, JournalError> {
        let db = Connection::open_with_flags(path, flags)
            .map_err(|source| JournalError::Open { path: path.to_owned(), source })?;
        Ok(Self { db, path: path.to_owned(), _lock: lock })
    }

    fn explain(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Open { path: self.path.clone(), source }
    }

    fn prepare(&self) -> Result<(), JournalError> {
        let count = "SELECT count(*) FROM sqlite_schema";
        let tables = self.db.query_row(count, [], |row| row.get::<_, i64>(0));
        let is_new = tables.map_err(|error| self.explain(error))? == 0;
        // Before anything is set: a pragma would change somebody else's database for good.
        if !is_new {
            self.check()?;
        }
        self.set_up(is_new).map_err(|error| self.explain(error))
    }

    fn set_up(&self, is_new: bool) -> Result<(), rusqlite::Error> {
        self.db.busy_timeout(Duration::from_secs(5))?;
        // Has an effect only before anything is written; that includes the journal mode.
        self.db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL;")?;
        // FULL: what is committed survives the machine, not only the process.
        self.db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        if is_new {
            self.db.execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID};
                 PRAGMA user_version = {VERSION};
                 CREATE TABLE inputs (
                     seq INTEGER PRIMARY KEY,
                     received INTEGER NOT NULL,
                     kind TEXT NOT NULL,
                     node TEXT,
                     body BLOB NOT NULL
                 ) STRICT;
                 CREATE INDEX inputs_by_time ON inputs (received);"
            ))?;
        }
        // What is written from now on, an older agent could not read.
        self.db.execute_batch(&format!("PRAGMA user_version = {VERSION};"))?;
        // Journals made before this index get it once.
        self.db.execute_batch("CREATE INDEX IF NOT EXISTS inputs_by_node ON inputs (node);")?;
        Ok(())
    }

    fn check(&self) -> Result<(), JournalError> {
        let pragma = |name: &str| -> Result<i32, rusqlite::Error> {
            self.db.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
        };
        let id = pragma("application_id").map_err(|error| self.explain(error))?;
        let version = pragma("user_version").map_err(|error| self.explain(error))?;
        if id == APPLICATION_ID && (OLDEST..=VERSION).contains(&version) {
            Ok(())
        } else {
            Err(JournalError::Foreign { path: self.path.clone() })
        }
    }

    /// The database, for tables of one's own beside `inputs`.
    pub fn database(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Writes entries, all or none; on return they are durable.
    ///
    /// # Errors
    /// When the disk is full or failing; then none of them is written.
    pub fn append<'a>(
        &mut self,
        inputs: impl Iterator<Item = (Received, &'a Input)>,
    ) -> Result<(), JournalError> {
        let transaction = self.db.transaction()?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO inputs (received, kind, node, body) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for (received, input) in inputs {
                let (kind, node, body) = row(input);
                insert.execute(params![received.as_nanos(), kind, node, body])?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// Up to `limit` entries after `seq`, oldest first, and of [`PAGE_BYTES`]; none at the end only.
    ///
    /// # Errors
    /// When reading fails.
    pub fn after(&self, seq: i64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let query = Query { cursor: Some(seq), limit, ..Query::default() };
        Ok(self.select(&query)?.entries)
    }

    /// The entries that are asked for, up to the limit and to [`PAGE_BYTES`].
    ///
    /// # Errors
    /// When reading fails.
    pub fn select(&self, query: &Query<'_>) -> Result<Page, JournalError> {
        // What was received later has a greater number, so that no index on the time is needed.
        let from = query.since.map(|since| self.first_from(since)).transpose()?;
        let to = query.until.map(|until| self.first_from(until)).transpose()?;
        let (after, before) =
            if query.newest { (None, query.cursor) } else { (query.cursor, None) };
        let mut sql = "SELECT seq, received, kind, node, body FROM inputs WHERE 1".to_owned();
        let mut numbers = Vec::new();
        for (condition, number) in
            [("seq > ?", after), ("seq < ?", before), ("seq >= ?", from), ("seq < ?", to)]
        {
            if let Some(number) = number {
                sql.push_str(" AND ");
                sql.push_str(condition);
                numbers.push(number);
            }
        }
        let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
        let node = query.node.map(NodeName::as_str);
        let mut params: Vec<&dyn ToSql> =
            numbers.iter().map(|number| number as &dyn ToSql).collect();
        if let Some(node) = &node {
            sql.push_str(" AND node = ?");
            params.push(node);
        }
        sql.push_str(if query.newest {
            " ORDER BY seq DESC LIMIT ?"
        } else {
            " ORDER BY seq LIMIT ?"
        });
        params.push(&limit);
        let (entries, cut) = self.entries(&sql, &params)?;
        let more = cut || (query.limit > 0 && entries.len() >= query.limit);
        Ok(Page { entries, more })
    }

    /// The number of the first entry received at or after `time`; one more than the last when there is
    /// none.
    fn first_from(&self, time: Received) -> Result<i64, JournalError> {
        let ends = "SELECT COALESCE(MIN(seq), 0), COALESCE(MAX(seq), 0) FROM inputs";
        let (mut low, high) = self
            .db
            .query_row(ends, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
        let mut high = high + 1;
        let next = "SELECT seq, received FROM inputs WHERE seq >= ?1 ORDER BY seq LIMIT 1";
        let mut next = self.db.prepare_cached(next)?;
        while low < high {
            let middle = low + (high - low) / 2;
            let found = next.query_row([middle], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
            match found.optional()? {
                Some((seq, received)) if time.as_nanos() > received => low = seq + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The rows as entries, and whether they were cut at [`PAGE_BYTES`].
    fn entries(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
    ) -> Result<(Vec<Entry>, bool), JournalError> {
        let mut select = self.db.prepare_cached(sql)?;
        let rows = select.query_map(params, |row| {
            let kind: String = row.get(2)?;
            let node: Option<String> = row.get(3)?;
            let body: Vec<u8> = row.get(4)?;
            let input = from_row(&kind, node.as_deref(), body);
            let bytes = input.as_ref().map_or(0, Input::weight);
            Ok((row.get(0)?, Received::from_nanos(row.get(1)?), input, bytes))
        })?;
        let mut entries = Vec::new();
        let mut total = 0;
        for row in rows {
            let (seq, received, input, bytes) = row?;
            // An unknown kind still moves the reader on.
            let input = input.unwrap_or(Input::Event {
                origin: Origin::Unknown,
                node: None,
                body: Vec::new(),
            });
            entries.push(Entry { seq, received, input });
            total += bytes;
            if total >= PAGE_BYTES {
                return Ok((entries, true));
            }
        }
        Ok((entries, false))
    }

    /// When the latest entry was received; `None` when there is none.
    ///
    /// # Errors
    /// When reading fails.
    pub fn latest(&self) -> Result<Option<Received>, JournalError> {
        let latest = "SELECT received FROM inputs ORDER BY seq DESC LIMIT 1";
        let nanos: Option<i64> = self.db.query_row(latest, [], |row| row.get(0)).optional()?;
        Ok(nanos.map(Received::from_nanos))
    }

    /// Removes entries received before `time`; where there are none, as many of the oldest as take the
    /// file below `bytes`, and of the nodes that take up more than their share first, so that one that talks
    /// too much wipes out no other's history. Returns how many.
    ///
    /// At most 10,000 at a time, so that whoever writes is not kept waiting: when it removes that
    /// many, there may be more.
    ///
    /// # Errors
    /// When writing fails.
    pub fn prune(&mut self, time: Received, bytes: u64) -> Result<usize, JournalError> {
        let aged = "DELETE FROM inputs WHERE seq IN \
            (SELECT seq FROM inputs WHERE received < ?1 ORDER BY received LIMIT ?2)";
        let at_once = i64::try_from(PRUNED_AT_ONCE).unwrap_or(i64::MAX);
        let mut removed = self.db.execute(aged, params![time.as_nanos(), at_once])?;
        if removed == 0 {
            let beyond = self.size()?.saturating_sub(bytes);
            // One node's rows lie among others', so that only many of them free a page.
            removed = match self.greedy(beyond, bytes)? {
                Some(node) => self.remove_of(&node, beyond.max(bytes / 16))?,
                None => 0,
            };
            let beyond = self.size()?.saturating_sub(bytes);
            removed += match self.oldest(beyond)? {
                Some(last) => self.db.execute("DELETE FROM inputs WHERE seq <= ?1", [last])?,
                None => 0,
            };
        }
        if removed > 0 {
            // Each step of these gives back a page, so they must be stepped to their end.
            for pragma in ["incremental_vacuum", "wal_checkpoint"] {
                self.db.pragma_query(None, pragma, |_| Ok(()))?;
            }
        }
        Ok(removed)
    }

    /// The node that takes up most of a full journal, where that is more than a quarter of it and more than
    /// four times what a node takes up on average.
    fn greedy(&self, beyond: u64, bytes: u64) -> Result<Option<String>, JournalError> {
        if beyond == 0 {
            return Ok(None);
        }
        let by_node = "SELECT node, sum(length(body)) + count(*) * ?1 AS held FROM inputs \
            WHERE node IS NOT NULL GROUP BY node ORDER BY held DESC LIMIT 1";
        let nodes = "SELECT count(DISTINCT node) FROM inputs";
        let beside = i64::try_from(BESIDE_BODY).unwrap_or(i64::MAX);
        let most = self.db.query_row(by_node, [beside], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
        });
        let Some((node, held)) = most.optional()? else { return Ok(None) };
        let nodes: i64 = self.db.query_row(nodes, [], |row| row.get(0))?;
        let held = u64::try_from(held).unwrap_or(0);
        let share = bytes / u64::try_from(nodes).unwrap_or(1).max(1);
        Ok(Some(node).filter(|_| held > bytes / 4 && held > share.saturating_mul(4)))
    }

    /// Removes the oldest entries of a node that take up `bytes`, and 10,000 at most.
    fn remove_of(&self, node: &str, bytes: u64) -> Result<usize, JournalError> {
        let mut select = self.db.prepare_cached(
            "SELECT seq, length(body) FROM inputs WHERE node = ?1 ORDER BY seq LIMIT ?2",
        )?;
        let at_once = i64::try_from(PRUNED_AT_ONCE).unwrap_or(i64::MAX);
        let mut rows = select.query(params![node, at_once])?;
        let (mut last, mut total) = (0, 0);
        while total < bytes {
            let Some(row) = rows.next()? else { break };
            last = row.get::<_, i64>(0)?;
            total += BESIDE_BODY + u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        }
        drop(rows);
        let delete = "DELETE FROM inputs WHERE node = ?1 AND seq <= ?2";
        Ok(self.db.execute(delete, params![node, last])?)
    }

    /// The last of the oldest entries that take up `bytes` together; `None` for no bytes.
    fn oldest(&self, bytes: u64) -> Result<Option<i64>, JournalError> {
        let mut select =
            self.db.prepare_cached("SELECT seq, length(body) FROM inputs ORDER BY seq LIMIT ?1")?;
        let at_once = i64::try_from(PRUNED_AT_ONCE).unwrap_or(i64::MAX);
        let mut rows = select.query([at_once])?;
        let (mut last, mut total) = (None, 0);
        while total < bytes {
            let Some(row) = rows.next()? else { break };
            last = Some(row.get(0)?);
            total += BESIDE_BODY + u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        }
        Ok(last)
    }

    /// How many bytes of the file are in use.
    ///
    /// # Errors
    /// When reading fails.
    pub fn size(&self) -> Result<u64, JournalError> {
        let used = "SELECT (page_count - freelist_count) * page_size \
            FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let bytes: i64 = self.db.query_row(used, [], |row| row.get(0))?;
        Ok(u64::try_from(bytes).unwrap_or(0))
    }
}
