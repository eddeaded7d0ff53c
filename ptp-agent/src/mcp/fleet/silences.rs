//! Silences.

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::json;

use super::super::Reach;
use super::super::tool::{Answer, Part, Refusal, with_cursor};
use super::{items, text};

pub(super) async fn list(reach: &Reach, part: Part) -> Result<Answer, Refusal> {
    let found = reach.source.get(&["api", "v1", "silences"], &[("limit", "1000")]).await?;
    let all = items(found);
    let count = all.len();
    let (silences, next) = part.of(all)?;
    let quotes = silences.iter().map(|silence| {
        format!(
            "{} until {} node {} root cause {}: {} ({})",
            text(silence, "id"),
            text(silence, "until"),
            silence["node"].as_str().unwrap_or("any"),
            silence["root_cause"].as_str().unwrap_or("any"),
            text(silence, "comment"),
            text(silence, "created_by"),
        )
    });
    Ok(Answer {
        says: format!("{count} silences."),
        quotes: quotes.collect(),
        data: with_cursor(json!({ "silences": silences }), next),
        links: Vec::new(),
    })
}

/// A silence to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct New {
    /// Only incidents that affect this node
    node: Option<String>,
    /// Only incidents of this root cause
    root_cause: Option<String>,
    /// All incidents; must be said when neither `node` nor `root_cause` is
    #[serde(default)]
    everything: bool,
    /// When it begins, such as 22:00 (in UTC) or 2026-11-24T22:00:00Z; now unless given
    from: Option<String>,
    /// Until when, such as 06:00 (in UTC) or 2026-11-24T06:00:00Z; at most 31 days away
    until: Option<String>,
    /// Instead of `until`, for how long from its beginning on, such as 2h
    duration: Option<String>,
    /// Why, for the next shift
    comment: String,
    /// The person who asked for it
    created_by: String,
}

pub(super) async fn create(reach: &Reach, new: New) -> Result<Answer, Refusal> {
    let mut body =
        json!({"everything": new.everything, "comment": new.comment, "created_by": new.created_by});
    for (name, value) in [
        ("node", new.node),
        ("root_cause", new.root_cause),
        ("from", new.from),
        ("until", new.until),
        ("duration", new.duration),
    ] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    let data = reach.source.change(&["api", "v1", "silences"], Some(&body)).await?;
    let (id, from, until) = (text(&data, "id"), text(&data, "from"), text(&data, "until"));
    let says = format!("Silence {id} is in force from {from} until {until}.");
    let warnings = data["warnings"].as_array().into_iter().flatten();
    let quotes = warnings.filter_map(|warning| warning.as_str().map(str::to_owned)).collect();
    Ok(Answer { says, quotes, data, ..Answer::default() })
}

/// A silence to be ended.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct End {
    /// The silence's id, as `list_silences` gives it
    id: String,
}

pub(super) async fn end(reach: &Reach, wanted: End) -> Result<Answer, Refusal> {
    let data = reach.source.change(&["api", "v1", "silences", &wanted.id], None).await?;
    Ok(Answer { says: "The silence has ended.".to_owned(), data, ..Answer::default() })
}
