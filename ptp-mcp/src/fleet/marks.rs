//! The marks between which alerts are noted.

use ptp_api::{Condition, Nothing};
use ptp_diagnostics::text::moment;
use ptp_events::Received;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answers::{acts, count};
use crate::context::{Context, Marks};
use crate::tool::{Answer, Refusal};

/// How the agent does, and between which marks alerts are noted.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Monitoring {
    /// Always true: the agent monitors as long as it runs.
    monitoring: bool,
    /// Whether alerts are being noted.
    noting: bool,
    /// Since when.
    from: Option<Received>,
    /// Until when.
    until: Option<Received>,
    /// How many nodes there are.
    nodes: usize,
    /// What keeps the agent from its work.
    conditions: Vec<Condition>,
}

pub(super) async fn start(context: &Context, _: Nothing) -> Result<Answer<Monitoring>, Refusal> {
    let now = context.agent()?.fleet(&Nothing {}).await?.at;
    context.set_marks(Marks { from: Some(now), until: None });
    status(context, Nothing {}).await
}

pub(super) async fn stop(context: &Context, _: Nothing) -> Result<Answer<Monitoring>, Refusal> {
    let now = context.agent()?.fleet(&Nothing {}).await?.at;
    let marks = context.marks();
    if marks.from.is_some() && marks.until.is_none() {
        context.set_marks(Marks { until: Some(now), ..marks });
    }
    status(context, Nothing {}).await
}

pub(super) async fn status(context: &Context, _: Nothing) -> Result<Answer<Monitoring>, Refusal> {
    let fleet = context.agent()?.fleet(&Nothing {}).await?;
    let Marks { from, until } = context.marks();
    let noting = match (from, until) {
        (None, _) => "nothing is being noted".to_owned(),
        (Some(from), None) => format!("alerts are noted since {}", moment(from)),
        (Some(from), Some(until)) => {
            format!("alerts were noted from {} until {}", moment(from), moment(until))
        }
    };
    let says = format!(
        "The agent monitors {}; {noting}. {} it from its work.",
        count(fleet.nodes, "node"),
        acts(fleet.conditions.len(), "condition", "keep")
    );
    let is_noting = from.is_some() && until.is_none();
    let (nodes, conditions) = (fleet.nodes, fleet.conditions);
    let monitoring =
        Monitoring { monitoring: true, noting: is_noting, from, until, nodes, conditions };
    Ok(Answer::new(says, monitoring))
}
