//! Silences.

use ptp_api::{MadeSilence, NewSilence, PageQuery, Silence};
use ptp_diagnostics::text::moment;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::count;
use crate::context::Context;
use crate::tool::{Answer, Part, Refusal};

/// How many silences there may be.
const MOST: usize = 1000;

/// Who is not to be told of what.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SilenceList {
    /// The silences.
    silences: Vec<Silence>,
    /// How many there are in all.
    total: usize,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

pub(super) async fn list(context: &Context, part: Part) -> Result<Answer<SilenceList>, Refusal> {
    let query = PageQuery { limit: Some(MOST), cursor: None };
    let all = context.agent()?.silences(&query).await?.items;
    let total = all.len();
    let (silences, next_cursor) = part.of(all)?;
    let says = match total {
        0 => "There is no silence: people are told of everything.".to_owned(),
        total => format!("{} in force, or planned.", count(total, "silence")),
    };
    Ok(Answer::new(says, SilenceList { silences, total, next_cursor }))
}

pub(super) async fn create(
    context: &Context,
    new: NewSilence,
) -> Result<Answer<MadeSilence>, Refusal> {
    let made = context.agent()?.silence(&new).await?;
    let Silence { id, from, until, .. } = &made.silence;
    let says = format!("Silence {id} is in force from {} until {}.", moment(*from), moment(*until));
    Ok(Answer::new(says, made))
}

/// A silence to be ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// The silence's id, as `list_silences` gives it
    id: String,
}

pub(super) async fn end(context: &Context, wanted: End) -> Result<Answer<Silence>, Refusal> {
    let ended = context.agent()?.unsilence(&wanted.id).await?;
    Ok(Answer::new("The silence has ended.", ended))
}
