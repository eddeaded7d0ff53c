//! `/api/v1/events`: the journal itself; `/api/v1/rejected`: what did not get so far.

use axum::Json;
use axum::extract::State;
use ptp_api::{EventsQuery, JournalEntry, Listed, Rejected};
use ptp_events::journal::{self, Query as Entries};
use ptp_events::{Input, NodeName};
use ptp_store::Store;

use super::super::parameters::{Asked, cursor, not_about_nobody, time};
use super::{Answer, Api, LIMIT, Problem, read};

/// The journal itself, oldest first, or newest first with `newest`; of a node, or of a time, if asked.
pub(super) async fn events(
    State(api): State<Api>,
    Asked(query): Asked<EventsQuery>,
) -> Answer<Listed<JournalEntry>> {
    let (limit, from) = (query.limit.unwrap_or(LIMIT), cursor(query.cursor.as_ref())?);
    let newest = query.newest.unwrap_or(false);
    let node = match &query.node {
        None => None,
        Some(text) => Some(
            NodeName::new(text).map_err(|_| Problem::parameter("node", text, "a node's name"))?,
        ),
    };
    let now = api.store.clock().stamp();
    let since = time("since", query.since.as_ref(), now)?;
    let until = time("until", query.until.as_ref(), now)?;
    let cursor = (from > 0).then(|| i64::try_from(from).unwrap_or(i64::MAX));
    let of = node.clone();
    let page = move |store: &Store| match store.reader()? {
        Some(journal) => {
            journal.select(&Entries { node: of.as_ref(), since, until, newest, cursor, limit })
        }
        None => Ok(journal::Page::default()),
    };
    let journal::Page { entries, more, .. } = read(&api, page).await?;
    if entries.is_empty() && cursor.is_none() {
        let snapshot = api.engine.snapshot.borrow().clone();
        not_about_nobody(&snapshot.report, node.as_ref().map(NodeName::as_str))?;
    }
    let last = entries.last().filter(|_| more);
    let next_cursor = last.map(|entry| entry.seq.to_string());
    let items = entries.into_iter().map(|entry| {
        let (origin, event, note) = match entry.input {
            Input::Event { origin, body, .. } => {
                (Some(origin), serde_json::from_slice(&body).ok(), None)
            }
            Input::Blind { node, why } => (None, None, Some(format!("blind to {node}: {why}"))),
            Input::Missed { node, since, why } => {
                let since = ptp_diagnostics::text::moment(since);
                (None, None, Some(format!("{node} may have said more since {since}: {why}")))
            }
            Input::Resumed => (None, None, Some("nobody listened until now".to_owned())),
            Input::Gone { node } => (None, None, Some(format!("{node} left"))),
            Input::Sighted { node } => (None, None, Some(format!("{node} can be observed again"))),
            _ => (None, None, None),
        };
        JournalEntry { seq: entry.seq, received: entry.received, origin, event, note }
    });
    Ok(Json(Listed { items: items.collect(), next_cursor, total: None }))
}

/// The latest bodies that were posted and are no events.
pub(super) async fn rejected(State(api): State<Api>) -> Json<Listed<Rejected>> {
    let items = api.gate.samples().into_iter();
    let items: Vec<_> = items.map(|s| Rejected { body: s.body, why: s.why }).collect();
    Json(Listed { total: Some(items.len()), items, next_cursor: None })
}
