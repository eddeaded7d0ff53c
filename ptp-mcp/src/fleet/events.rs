//! What publishers said.

use std::time::Duration;

use ptp_api::{EventsQuery, JournalEntry};
use ptp_diagnostics::report::Text;
use ptp_events::{Event, Measurement, Reading, Received};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::count;
use crate::context::Context;
use crate::tool::{Answer, Part, Refusal, fit};

/// Which events are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Events {
    /// Only of this node
    node: Option<String>,
    /// Since when: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
    since: Option<String>,
    /// Until when, written the same way
    until: Option<String>,
    /// The oldest first, rather than the newest
    oldest_first: bool,
    /// How many events at most; 20 unless given, 200 at most
    limit: Option<usize>,
    /// `next_cursor` of the answer before
    cursor: Option<String>,
}

/// Entries of the journal.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EventList {
    /// The entries.
    events: Vec<EventLine>,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An entry in a line.
#[derive(Debug, Serialize, JsonSchema)]
struct EventLine {
    /// Its number in the journal.
    seq: i64,
    /// When it was received.
    received: Received,
    /// The node.
    node: Option<String>,
    /// What it is about, such as lock-state.
    resource: Option<String>,
    /// How it came: push, initial or pull.
    origin: Option<String>,
    /// What it says.
    says: String,
}

impl EventLine {
    fn new(entry: JournalEntry) -> Self {
        let body = entry.event.and_then(|event| serde_json::to_vec(&event).ok());
        let decoded = body.as_deref().map(Event::from_slice);
        let (node, resource, says) = match decoded {
            Some(Ok(event)) => {
                let says: Vec<_> = event.readings.iter().map(reading).collect();
                (Some(event.node.to_string()), Some(event.resource.to_string()), says.join("; "))
            }
            Some(Err(error)) => (None, None, format!("cannot be read: {error}")),
            None => (None, None, entry.note.unwrap_or_default()),
        };
        let origin = entry.origin.and_then(|origin| serde_json::to_value(origin).ok());
        Self {
            seq: entry.seq,
            received: entry.received,
            node,
            resource,
            origin: origin.and_then(|origin| Some(origin.as_str()?.to_owned())),
            says,
        }
    }
}

/// What an event says of one clock, in a few words.
fn reading(reading: &Reading) -> String {
    let instance = reading.instance.as_str();
    let mut words: Vec<Text> = Vec::new();
    if !instance.is_empty() {
        words.push(format!("{instance}:").into());
    }
    words.extend(reading.state.as_ref().map(|state| state.as_str().to_owned().into()));
    match reading.offset {
        Some(Measurement::Offset(offset)) => {
            words.push(format!("{} ns", offset.as_nanos()).into());
        }
        Some(Measurement::Sentinel(_)) => words.push("no measurement".into()),
        None => {}
    }
    words.extend(reading.clock_class.map(|class| format!("class {class}").into()));
    words.extend(reading.gps_fix.map(|fix| format!("fix {fix}").into()));
    words.extend(reading.quality.map(|quality| format!("quality level {quality}").into()));
    words.join(" ")
}

pub(super) async fn events(
    context: &Context,
    wanted: Events,
) -> Result<Answer<EventList>, Refusal> {
    let part = Part { limit: wanted.limit, cursor: wanted.cursor };
    let query = EventsQuery {
        node: wanted.node,
        since: wanted.since,
        until: wanted.until,
        newest: Some(!wanted.oldest_first),
        limit: Some(part.limit()),
        cursor: part.cursor,
    };
    let how = if wanted.oldest_first { "oldest first" } else { "newest first" };
    told(context, &query, how).await
}

async fn told(
    context: &Context,
    query: &EventsQuery,
    how: &str,
) -> Result<Answer<EventList>, Refusal> {
    let found = context.agent()?.events(query).await?;
    let (events, cut) = fit(found.items.into_iter().map(EventLine::new));
    let last = events.last().filter(|_| cut).map(|entry: &EventLine| entry.seq.to_string());
    let next_cursor = last.or(found.next_cursor);
    let more = if next_cursor.is_some() { "; more follow, by next_cursor" } else { "" };
    let says = format!("{}, {how}{more}.", count(events.len(), "event"));
    Ok(Answer::new(says, EventList { events, next_cursor }))
}

/// For how long events are watched.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Watch {
    /// How many seconds; 5 unless given, 20 at most
    #[schemars(range(max = 20))]
    seconds: Option<u64>,
}

pub(super) async fn watch(context: &Context, wanted: Watch) -> Result<Answer<EventList>, Refusal> {
    let latest = EventsQuery { newest: Some(true), limit: Some(1), ..EventsQuery::default() };
    let latest = context.agent()?.events(&latest).await?.items;
    let after = latest.first().map_or(0, |entry| entry.seq).to_string();
    let seconds = wanted.seconds.unwrap_or(5).min(20);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let query = EventsQuery { cursor: Some(after), limit: Some(200), ..EventsQuery::default() };
    told(context, &query, &format!("received within {seconds} s, oldest first")).await
}
