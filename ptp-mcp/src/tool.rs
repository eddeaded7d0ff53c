//! What a tool is, and what every answer of one goes through.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use ptp_api::ClientError;
use rmcp::model::{
    CallToolResult, ContentBlock, JsonObject, Resource, Tool as Listed, ToolAnnotations,
};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::access::ClusterError;
use crate::cluster::names::NameError;
use crate::context::{Context, NoAgent};
use crate::ordered::Ordered;
use crate::outline::outline;

/// How long an answer may be, in bytes of JSON and text together: about 20,000 tokens.
pub const LONGEST_ANSWER: usize = 60_000;
/// How much of that the entries of a list may take, in bytes of JSON.
const LONGEST_LIST: usize = 20_000;
/// How long a tool may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many entries a list has unless asked otherwise, and at most.
const USUAL: usize = 20;
const MOST: usize = 200;

/// What must be there for a tool to be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// The agent.
    Agent,
    /// The agent, and the right to change things.
    Change,
    /// The cluster's API server.
    Cluster,
    /// The cluster's API server, and that running commands was switched on.
    Command,
}

/// What a tool does to what it asks, apart from answering.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// Something is different afterwards.
    Changes,
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Finished, Refusal>> + Send>>;

/// A tool: its name and page, its schemas, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Stable; part of the public contract.
    pub name: &'static str,
    /// Names it had before: they are answered, and not listed.
    pub synonyms: &'static [&'static str],
    /// For people.
    pub title: &'static str,
    /// For models: when to use it, what comes out.
    pub about: &'static str,
    /// What must be there.
    pub needs: Needs,
    /// What it does to what it asks.
    pub effect: Effect,
    pub(crate) input: fn() -> JsonObject,
    pub(crate) output: fn() -> JsonObject,
    pub(crate) run: fn(Arc<Context>, JsonObject) -> Running,
}

/// A row of the table of tools: `name (synonyms), title, needs, effect, Arguments => Answer, function, about`.
macro_rules! tool {
    (
        $name:literal $(($($synonym:literal),*))?, $title:literal, $needs:ident, $effect:ident,
        $arguments:ty => $answer:ty, $run:path, $about:literal
    ) => {
        $crate::tool::Tool {
            name: $name,
            synonyms: &[$($($synonym),*)?],
            title: $title,
            about: $about,
            needs: $crate::tool::Needs::$needs,
            effect: $crate::tool::Effect::$effect,
            input: $crate::tool::input::<$arguments>,
            output: $crate::tool::output::<$answer>,
            run: |context, arguments| {
                Box::pin(async move {
                    let arguments = $crate::tool::arguments::<$arguments>(arguments)?;
                    let answer: $crate::tool::Answer<$answer> = $run(&context, arguments).await?;
                    answer.finished()
                })
            },
        }
    };
}
pub(crate) use tool;

/// What a tool found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Answer<T> {
    /// The answer in one or two sentences
    pub says: String,
    /// All of it.
    #[serde(flatten)]
    pub data: T,
    /// Where to read on: URI and name.
    #[serde(skip)]
    pub links: Vec<(String, String)>,
    /// PNGs, of which the answer says what they show.
    #[serde(skip)]
    pub pictures: Vec<Vec<u8>>,
}

impl<T> Answer<T> {
    pub(crate) fn new(says: impl Into<String>, data: T) -> Self {
        Self { says: says.into(), data, links: Vec::new(), pictures: Vec::new() }
    }

    pub(crate) fn linked(self, links: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { links: links.into_iter().take(20).collect(), ..self }
    }

    pub(crate) fn drawn(self, pictures: Vec<Vec<u8>>) -> Self {
        Self { pictures, ..self }
    }
}

impl<T: Serialize> Answer<T> {
    pub(crate) fn finished(self) -> Result<Finished, Refusal> {
        let data = Ordered::of(&self).map_err(|source| Refusal::Unwritable { source })?;
        Ok(Finished { data, links: self.links, pictures: self.pictures })
    }
}

/// An answer, whatever its type was.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    data: Ordered,
    links: Vec<(String, String)>,
    pictures: Vec<Vec<u8>>,
}

/// Why a tool gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The arguments do not fit.
    #[error("{0}")]
    Arguments(String),
    /// A name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no agent.
    #[error(transparent)]
    NoAgent(#[from] NoAgent),
    /// The agent did not answer.
    #[error(transparent)]
    Agent(#[from] ClientError),
    /// The cluster did not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// It is not offered here.
    #[error("{0}")]
    NotOffered(String),
    /// It took too long.
    #[error("this took longer than {} s and was given up", PATIENCE.as_secs())]
    TooSlow,
    /// There is too much to say.
    #[error("the answer would have {bytes} bytes; ask for less with `limit` or a filter")]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// The answer cannot be written as JSON.
    #[error("the answer cannot be written")]
    Unwritable {
        /// Why.
        source: serde_json::Error,
    },
}

/// Reads the arguments of a tool.
pub(crate) fn arguments<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Refusal::Arguments(format!("the arguments do not fit: {error}")))
}

fn object(schema: Value) -> JsonObject {
    match schema {
        Value::Object(mut object) => {
            object.remove("title");
            object
        }
        _ => JsonObject::new(),
    }
}

/// The schema of a tool's arguments.
pub(crate) fn input<T: JsonSchema>() -> JsonObject {
    let mut object = object(ptp_api::schema_of_input::<T>());
    object.remove("description");
    // A tool without arguments still takes an object.
    object.entry("properties").or_insert_with(|| Value::Object(JsonObject::new()));
    object.entry("type").or_insert_with(|| "object".into());
    object
}

/// The schema of a tool's answer.
pub(crate) fn output<T: JsonSchema>() -> JsonObject {
    object(ptp_api::schema_of::<Answer<T>>())
}

impl Tool {
    /// As clients see it.
    #[must_use]
    pub fn listed(&self) -> Listed {
        let reads = self.effect == Effect::Reads;
        let hints = ToolAnnotations::new()
            .read_only(reads)
            .idempotent(reads)
            .destructive(false)
            .open_world(false);
        let mut listed = Listed::new(self.name, self.about, Arc::new((self.input)()));
        listed.title = Some(self.title.to_owned());
        listed.output_schema = Some(Arc::new((self.output)()));
        listed.annotations = Some(hints);
        listed
    }

    /// Runs it; whatever goes wrong is part of the answer.
    pub async fn call(&self, context: Arc<Context>, arguments: JsonObject) -> CallToolResult {
        let run = (self.run)(Arc::clone(&context), arguments);
        let outcome = match tokio::time::timeout(PATIENCE, run).await {
            Ok(outcome) => outcome.and_then(|answer| result(answer, &context)),
            Err(_) => Err(Refusal::TooSlow),
        };
        outcome.unwrap_or_else(|refusal| refused(&refusal, &context))
    }
}

/// Why there is no answer, as one.
pub(crate) fn refused(refusal: &Refusal, context: &Context) -> CallToolResult {
    let said = context.clean_text(ptp_events::chain(refusal));
    CallToolResult::error(vec![ContentBlock::text(said)])
}

/// Makes an answer safe to hand on: cleaned, fenced, and not too long. Text and structured content are made of
/// the same value.
fn result(answer: Finished, context: &Context) -> Result<CallToolResult, Refusal> {
    let Finished { mut data, links, pictures } = answer;
    context.clean(&mut data);
    let text = fenced(&data);
    let bytes = text.len() + serde_json::to_string(&data).map_or(0, |json| json.len());
    if bytes > LONGEST_ANSWER {
        return Err(Refusal::TooLong { bytes });
    }
    let mut result = CallToolResult::structured(data.into_value());
    result.content = vec![ContentBlock::text(text)];
    for png in pictures {
        result.content.push(ContentBlock::image(BASE64.encode(png), "image/png"));
    }
    for (uri, name) in links {
        let link = Resource::new(uri, name).with_mime_type("application/json");
        result.content.push(ContentBlock::resource_link(link));
    }
    Ok(result)
}

/// The sentences first, then all the rest as a quotation, which cannot end itself.
fn fenced(data: &Ordered) -> String {
    let Ordered::Fields(fields) = data else { return outline(data) };
    let (says, rest): (Vec<_>, Vec<_>) =
        fields.iter().cloned().partition(|(name, _)| name == "says");
    let says = says.into_iter().find_map(|(_, says)| match says {
        Ordered::Text(says) => Some(says.replace('`', "'")),
        _ => None,
    });
    let rest = outline(&Ordered::Fields(rest)).replace('`', "'");
    format!("{}\n\n```text\n{rest}```", says.unwrap_or_default())
}

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Part {
    /// How many entries at most; 20 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<usize>,
    /// `next_cursor` of the answer before
    pub cursor: Option<String>,
}

impl Part {
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    pub(crate) fn cursor(&self) -> Result<usize, Refusal> {
        let cursor = self.cursor.as_deref().unwrap_or("0");
        let wrong = || Refusal::Arguments("`cursor` must be the `next_cursor` of an answer".into());
        cursor.parse().map_err(|_| wrong())
    }

    /// Cuts its part out of a whole list: as many entries as asked for, fewer if they are long.
    pub(crate) fn of<T: Serialize>(
        &self,
        all: Vec<T>,
    ) -> Result<(Vec<T>, Option<String>), Refusal> {
        let (cursor, total) = (self.cursor()?, all.len());
        let (items, _) = fit(all.into_iter().skip(cursor).take(self.limit()));
        let reached = cursor + items.len();
        Ok((items, (reached < total).then(|| reached.to_string())))
    }

    /// Cuts a page that was asked for in this part, if it is too long, and says how to go on.
    pub(crate) fn of_page<T: Serialize>(
        &self,
        page: Vec<T>,
        next: Option<String>,
    ) -> Result<(Vec<T>, Option<String>), Refusal> {
        let (items, cut) = fit(page.into_iter());
        let next = if cut { Some((self.cursor()? + items.len()).to_string()) } else { next };
        Ok((items, next))
    }
}

/// The first entries that are not too long together, and whether some were left out.
pub(crate) fn fit<T: Serialize>(all: impl Iterator<Item = T>) -> (Vec<T>, bool) {
    let mut items = Vec::new();
    let mut bytes = 0;
    for item in all {
        bytes += serde_json::to_string(&item).map_or(0, |json| json.len());
        if bytes > LONGEST_LIST && !items.is_empty() {
            return (items, true);
        }
        items.push(item);
    }
    (items, false)
}
