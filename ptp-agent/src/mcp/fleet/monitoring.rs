//! The marks between which alerts are noted.

use std::sync::PoisonError;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Reach;
use super::super::tool::{Answer, Nothing, Refusal};
use super::{a, list, maybe, object};

/// From when until when alerts are noted.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Monitoring {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Reach {
    /// Between when and when alerts are noted.
    pub(super) fn marks(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let marks = self.monitoring.lock().unwrap_or_else(PoisonError::into_inner);
        (marks.from, marks.until)
    }

    fn mark(&self, change: impl FnOnce(&mut Monitoring)) {
        change(&mut self.monitoring.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

pub(super) fn schema() -> Value {
    object(&[
        ("monitoring", a("boolean")),
        ("noting", a("boolean")),
        ("from", maybe("string")),
        ("until", maybe("string")),
        ("nodes", a("integer")),
        ("conditions", list(&a("object"))),
    ])
}

pub(super) async fn start(reach: &Reach, _: Nothing) -> Result<Answer, Refusal> {
    reach.mark(|marks| *marks = Monitoring { from: Some(Timestamp::now()), until: None });
    status(reach, Nothing {}).await
}

pub(super) async fn stop(reach: &Reach, _: Nothing) -> Result<Answer, Refusal> {
    reach.mark(|marks| {
        if marks.from.is_some() {
            marks.until.get_or_insert_with(Timestamp::now);
        }
    });
    status(reach, Nothing {}).await
}

pub(super) async fn status(reach: &Reach, _: Nothing) -> Result<Answer, Refusal> {
    let fleet = reach.source.get(&["api", "v1", "fleet"], &[]).await?;
    let (from, until) = reach.marks();
    let conditions = fleet["conditions"].as_array().cloned().unwrap_or_default();
    let noting = match (from, until) {
        (None, _) => "nothing is being noted".to_owned(),
        (Some(from), None) => format!("alerts are noted since {from}"),
        (Some(from), Some(until)) => format!("alerts were noted from {from} until {until}"),
    };
    let quotes = conditions.iter().map(|c| {
        format!("{}: {}", c["name"].as_str().unwrap_or("?"), c["why"].as_str().unwrap_or("?"))
    });
    Ok(Answer {
        says: format!(
            "The agent monitors {} nodes; {noting}. {} conditions keep it from its work.",
            fleet["nodes"],
            conditions.len()
        ),
        quotes: quotes.collect(),
        data: json!({
            "monitoring": true,
            "noting": from.is_some() && until.is_none(),
            "from": from.map(|time| time.to_string()),
            "until": until.map(|time| time.to_string()),
            "nodes": fleet["nodes"],
            "conditions": conditions,
        }),
        links: Vec::new(),
    })
}
