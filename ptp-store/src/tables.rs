//! The agent's own tables beside the journal's: incidents, alerts, silences.

use std::path::Path;

use ptp_api::{Delivery, Silence};
use ptp_events::Received;
use ptp_events::journal::rusqlite::types::Value as Cell;
use ptp_events::journal::rusqlite::{self, Connection, Transaction, params_from_iter};
use ptp_events::journal::{Journal, JournalError};
use serde_json::Value;

use super::Record;

/// An incident as it was kept: what to look for, and the whole of it as JSON.
#[derive(Clone, Debug)]
pub struct StoredIncident {
    /// Its id.
    pub id: String,
    /// When it began.
    pub opened_at: Received,
    /// `firing` or `resolved`.
    pub status: String,
    /// As in reports.
    pub severity: String,
    /// The whole of it, as in reports.
    pub json: String,
}

/// An alert as it was kept.
#[derive(Clone, Debug)]
pub struct StoredAlert {
    /// The incident it is about.
    pub incident: String,
    /// `opened`, `escalated` or `resolved`.
    pub status: String,
    /// When it was raised.
    pub at: Received,
    /// The whole of it, as in reports.
    pub json: String,
    /// Whether it was handed to the sinks, or to nobody because of a silence.
    pub handed: bool,
}

/// What one sink is still to be told of one incident.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Undelivered {
    /// The sink's name.
    pub sink: String,
    /// The incident's id.
    pub incident: String,
    /// The messages in their order, as JSON; `None` when nothing is left.
    pub messages: Option<String>,
}

/// Which incidents to give.
#[derive(Clone, Debug, Default)]
pub struct IncidentQuery {
    /// `firing` or `resolved`.
    pub status: Option<String>,
    /// As in reports.
    pub severity: Option<String>,
    /// One that is affected.
    pub node: Option<String>,
    /// As in reports.
    pub root_cause: Option<String>,
    /// Those that began no earlier.
    pub since: Option<Received>,
    /// Those with this finding.
    pub finding: Option<String>,
    /// Those that went on between these times.
    pub at: Option<(Received, Received)>,
}

/// How many deliveries are kept; one has some 200 bytes.
pub const DELIVERIES: usize = 5_000;

pub(super) fn create(journal: &mut Journal) -> Result<(), JournalError> {
    journal.database().execute_batch(
        "CREATE TABLE IF NOT EXISTS incidents (
             id TEXT PRIMARY KEY,
             opened_at INTEGER NOT NULL,
             status TEXT NOT NULL,
             severity TEXT NOT NULL,
             json TEXT NOT NULL
         ) STRICT;
         CREATE INDEX IF NOT EXISTS incidents_by_time ON incidents (opened_at);
         CREATE INDEX IF NOT EXISTS incidents_by_status ON incidents (status, opened_at);
         CREATE TABLE IF NOT EXISTS alerts (
             seq INTEGER PRIMARY KEY,
             incident TEXT NOT NULL,
             status TEXT NOT NULL,
             at INTEGER NOT NULL,
             json TEXT NOT NULL
         ) STRICT;
         CREATE TABLE IF NOT EXISTS undelivered (
             seq INTEGER PRIMARY KEY,
             sink TEXT NOT NULL,
             incident TEXT NOT NULL,
             messages TEXT NOT NULL,
             UNIQUE (sink, incident)
         ) STRICT;
         CREATE TABLE IF NOT EXISTS deliveries (
             seq INTEGER PRIMARY KEY,
             json TEXT NOT NULL
         ) STRICT;
         CREATE TABLE IF NOT EXISTS silences (
             id TEXT PRIMARY KEY,
             until INTEGER NOT NULL,
             json TEXT NOT NULL
         ) STRICT;",
    )?;
    // Journals before 0.2 have no such column, and what they hold was handed out.
    let has = "SELECT count(*) FROM pragma_table_info('alerts') WHERE name = 'handed'";
    if journal.database().query_row(has, [], |row| row.get::<_, i64>(0))? == 0 {
        let add = "ALTER TABLE alerts ADD COLUMN handed INTEGER NOT NULL DEFAULT 1";
        journal.database().execute_batch(add)?;
    }
    Ok(())
}

pub(super) fn keep<'a>(
    journal: &mut Journal,
    records: impl Iterator<Item = &'a Record>,
) -> Result<(), JournalError> {
    let transaction = journal.database().transaction()?;
    for record in records {
        match record {
            Record::Incident(incident) => {
                let StoredIncident { id, opened_at, status, severity, json } = &**incident;
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO incidents VALUES (?1, ?2, ?3, ?4, ?5)")?
                    .execute((id, opened_at.as_nanos(), status, severity, json))?;
            }
            Record::Alert(alert) => {
                let StoredAlert { incident, status, at, json, handed } = &**alert;
                transaction
                    .prepare_cached(
                        "INSERT INTO alerts (incident, status, at, json, handed)
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                    )?
                    .execute((incident, status, at.as_nanos(), json, handed))?;
            }
            Record::Handed { alert: (incident, status, at), waiting } => {
                transaction
                    .prepare_cached(
                        "UPDATE alerts SET handed = 1
                         WHERE incident = ?1 AND status = ?2 AND at = ?3",
                    )?
                    .execute((incident, status, at.as_nanos()))?;
                for waiting in waiting {
                    keep_undelivered(&transaction, waiting)?;
                }
            }
            Record::Undelivered(waiting) => keep_undelivered(&transaction, waiting)?,
            Record::Delivery(delivery) => {
                let json = serde_json::to_string(delivery).unwrap_or_default();
                transaction
                    .prepare_cached("INSERT INTO deliveries (json) VALUES (?1)")?
                    .execute([json])?;
                let most = i64::try_from(DELIVERIES).unwrap_or(i64::MAX);
                transaction
                    .prepare_cached("DELETE FROM deliveries WHERE seq <= ?1")?
                    .execute([transaction.last_insert_rowid() - most])?;
            }
            Record::Silence(silence) => {
                let json = serde_json::to_string(silence).unwrap_or_default();
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO silences VALUES (?1, ?2, ?3)")?
                    .execute((&silence.id, silence.until.as_nanos(), json))?;
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn keep_undelivered(
    transaction: &Transaction<'_>,
    Undelivered { sink, incident, messages }: &Undelivered,
) -> Result<(), JournalError> {
    match messages {
        Some(messages) => transaction
            .prepare_cached(
                "INSERT INTO undelivered (sink, incident, messages) VALUES (?1, ?2, ?3)
                 ON CONFLICT (sink, incident) DO UPDATE SET messages = excluded.messages",
            )?
            .execute((sink, incident, messages))?,
        None => transaction
            .prepare_cached("DELETE FROM undelivered WHERE sink = ?1 AND incident = ?2")?
            .execute((sink, incident))?,
    };
    Ok(())
}

pub(super) fn undelivered(journal: &mut Journal) -> Result<Vec<Undelivered>, JournalError> {
    let database = journal.database();
    let mut select =
        database.prepare("SELECT sink, incident, messages FROM undelivered ORDER BY seq")?;
    let rows = select.query_map([], |row| {
        Ok(Undelivered { sink: row.get(0)?, incident: row.get(1)?, messages: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn all_alerts(journal: &mut Journal) -> Result<Vec<StoredAlert>, JournalError> {
    let database = journal.database();
    let mut select =
        database.prepare("SELECT incident, status, at, json, handed FROM alerts ORDER BY seq")?;
    let rows = select.query_map([], |row| {
        Ok(StoredAlert {
            incident: row.get(0)?,
            status: row.get(1)?,
            at: Received::from_nanos(row.get(2)?),
            json: row.get(3)?,
            handed: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The latest deliveries, oldest first.
pub(super) fn all_deliveries(journal: &mut Journal) -> Result<Vec<Delivery>, JournalError> {
    let database = journal.database();
    let mut select = database.prepare("SELECT json FROM deliveries ORDER BY seq")?;
    let rows = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut deliveries = Vec::new();
    for json in rows {
        // One of another version is left out.
        deliveries.extend(serde_json::from_str::<Delivery>(&json?));
    }
    Ok(deliveries)
}

pub(super) fn all_silences(journal: &mut Journal) -> Result<Vec<Silence>, JournalError> {
    let database = journal.database();
    let mut select = database.prepare("SELECT json FROM silences ORDER BY until")?;
    let rows = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut silences = Vec::new();
    for json in rows {
        silences.extend(serde_json::from_str::<Silence>(&json?));
    }
    Ok(silences)
}

/// Takes over what can be read of the agent's own tables in a damaged journal, row by row up to where it is
/// damaged; the inputs tell most of it again.
pub(super) fn salvage(journal: &mut Journal, damaged: &Path) {
    let database = journal.database();
    if database.execute("ATTACH ?1 AS damaged", [damaged.to_string_lossy()]).is_err() {
        return;
    }
    for (table, columns) in TABLES {
        let select = format!("SELECT {columns} FROM damaged.{table}");
        let holes = vec!["?"; columns.split(", ").count()].join(", ");
        let insert = format!("INSERT OR IGNORE INTO main.{table} ({columns}) VALUES ({holes})");
        let copied = (|| {
            let transaction = database.unchecked_transaction()?;
            let outcome = copy(&transaction, &select, &insert);
            // What could be read counts.
            transaction.commit()?;
            outcome
        })();
        if let Err(error) = copied {
            tracing::warn!(table, %error, "not all of a damaged table could be read");
        }
    }
    if let Err(error) = database.execute("DETACH damaged", []) {
        tracing::warn!(%error, "cannot let go of the damaged journal");
    }
}

fn copy(database: &Connection, select: &str, insert: &str) -> Result<(), rusqlite::Error> {
    let mut select = database.prepare(select)?;
    let count = select.column_count();
    let mut insert = database.prepare(insert)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..count).map(|at| row.get::<_, Cell>(at));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        insert.execute(params_from_iter(values))?;
    }
    Ok(())
}

/// The agent's own tables, and what is worth taking over of each.
const TABLES: [(&str, &str); 5] = [
    ("undelivered", "seq, sink, incident, messages"),
    ("deliveries", "seq, json"),
    ("silences", "id, until, json"),
    ("alerts", "seq, incident, status, at, json, handed"),
    ("incidents", "id, opened_at, status, severity, json"),
];

/// Removes what ended before `time`.
pub(super) fn prune(journal: &mut Journal, time: Received) -> Result<(), JournalError> {
    let nanos = time.as_nanos();
    let database = journal.database();
    database
        .execute("DELETE FROM incidents WHERE status = 'resolved' AND opened_at < ?1", [nanos])?;
    database.execute("DELETE FROM alerts WHERE at < ?1 AND handed", [nanos])?;
    database.execute("DELETE FROM silences WHERE until < ?1", [nanos])?;
    Ok(())
}

/// Incidents that are not among `held`, the newest first.
pub(super) fn older_incidents(
    journal: &mut Journal,
    wanted: &IncidentQuery,
    held: &[String],
    skip: usize,
    limit: usize,
) -> Result<Vec<Value>, JournalError> {
    let database = journal.database();
    // With an OR no index would be used, and those that go on are few among many.
    let status = if wanted.status.is_some() { "status = ?1" } else { "?1 IS NULL" };
    let mut select = database.prepare(&format!(
        "SELECT json FROM incidents
         WHERE {status}
           AND (?2 IS NULL OR severity = ?2)
           AND (?3 IS NULL OR opened_at >= ?3)
           -- Before what has to read the JSON of every row that is left.
           AND id NOT IN (SELECT value FROM json_each(?6))
           AND (?4 IS NULL OR json_extract(json, '$.root_cause') = ?4)
           AND (?5 IS NULL OR EXISTS (
                   SELECT 1 FROM json_each(json, '$.affected_nodes') WHERE value = ?5))
           AND (?9 IS NULL OR EXISTS (
                   SELECT 1 FROM json_each(json, '$.findings')
                   WHERE json_extract(value, '$.code') = ?9))
           AND (?10 IS NULL OR opened_at <= ?10)
           -- Times of one zone compare as texts do, but for the digits of a second.
           AND (?11 IS NULL OR COALESCE(json_extract(json, '$.resolved_at') >= ?11, 1))
         ORDER BY opened_at DESC, id LIMIT ?7 OFFSET ?8"
    ))?;
    let held = serde_json::to_string(held).unwrap_or_default();
    let IncidentQuery { status, severity, node, root_cause, since, finding, at } = wanted;
    let (from, to) = at.map(|(from, to)| (from.to_string(), to.as_nanos())).unzip();
    let since = since.map(Received::as_nanos);
    let [limit, skip] = [limit, skip].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let rows = select.query_map(
        (status, severity, since, root_cause, node, held, limit, skip, finding, to, from),
        |row| row.get::<_, String>(0),
    )?;
    let mut found = Vec::new();
    for json in rows {
        found.extend(serde_json::from_str::<Value>(&json?));
    }
    Ok(found)
}

/// The incident of this id.
pub(super) fn incident(journal: &mut Journal, id: &str) -> Result<Option<Value>, JournalError> {
    let database = journal.database();
    let mut select = database.prepare("SELECT json FROM incidents WHERE id = ?1")?;
    let mut rows = select.query([id])?;
    let json = rows.next()?.map(|row| row.get::<_, String>(0)).transpose()?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}
