//! What is asked: the parameters of requests, which are also the arguments of MCP tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The parameters of a request, as they stand in its address.
///
/// # Panics
/// Never: the queries of this crate are flat objects.
pub fn query_pairs(query: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(fields)) = serde_json::to_value(query) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    fields.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
}

/// No parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

macro_rules! query {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                $(#[$about])*
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$kind>,
            )*
        }
    };
}

query! {
    /// A part of a list.
    PageQuery {
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}

query! {
    /// Which nodes are summed up.
    SummaryQuery {
        /// Only this node
        node: String,
    }
}

query! {
    /// Which of the alerts people were told of, as `/alerts` takes it.
    DocumentedAlertsQuery {
        /// How many hours to look back; 24 unless given
        #[schemars(range(min = 0, max = 8784))]
        hours: f64,
        /// INFO, WARNING or CRITICAL
        severity: String,
        /// Only about this node
        node: String,
        /// opened, escalated or resolved
        status: String,
    }
}

query! {
    /// Which of the alerts people were told of.
    AlertsQuery {
        /// How many hours to look back; 24 unless given
        #[schemars(range(min = 0, max = 8784))]
        hours: f64,
        /// Instead of `hours`, since when: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
        since: String,
        /// Until when, written the same way
        until: String,
        /// INFO, WARNING or CRITICAL
        severity: String,
        /// Only about this node
        node: String,
        /// opened, escalated or resolved
        status: String,
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}

query! {
    /// Which incidents.
    IncidentsQuery {
        /// firing or resolved
        status: String,
        /// INFO, WARNING or CRITICAL
        severity: String,
        /// Only those that affect this node
        node: String,
        /// Only of this root cause, such as gnss-signal-loss
        root_cause: String,
        /// Only those with this finding, such as process-restart, whatever their root cause
        finding: String,
        /// Only those that began no earlier: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
        since: String,
        /// Only those that went on at this time, within two minutes: 14:35, or RFC 3339
        at: String,
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}

query! {
    /// Which of the times in which a node could not be observed.
    BlindQuery {
        /// Only of this node
        node: String,
        /// Only those that were not over by then: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
        since: String,
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}

query! {
    /// Which entries of the journal.
    EventsQuery {
        /// Only of this node
        node: String,
        /// Since when: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
        since: String,
        /// Until when, written the same way
        until: String,
        /// The newest first; the oldest unless this is true
        newest: bool,
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}

query! {
    /// Which stretch of a node's history.
    HistoryQuery {
        /// Since when: 30m (ago), 03:00, yesterday (in UTC), or RFC 3339; an hour ago unless given
        since: String,
        /// Until when, written the same way; now unless given
        until: String,
        /// Only clocks of this kind, such as lock-state or os-clock-sync-state
        clock: String,
    }
}

query! {
    /// Which other incident.
    RelatedQuery {
        /// Only how this incident is related; all that went on at the same time unless given
        to: String,
    }
}

query! {
    /// Which deliveries.
    DeliveriesQuery {
        /// Since when: 1h (ago), 03:00, yesterday (in UTC), or RFC 3339
        since: String,
        /// Only about this incident
        incident: String,
        /// How many entries at most
        #[schemars(range(min = 1, max = 1000))]
        limit: usize,
        /// `next_cursor` of the answer before
        cursor: String,
    }
}
