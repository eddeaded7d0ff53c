//! What a tool is, and what every answer of one goes through.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rmcp::model::{
    CallToolResult, ContentBlock, JsonObject, Resource, Tool as Listed, ToolAnnotations,
};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Reach;
use super::cluster::ClusterError;
use super::source::SourceError;

/// How long an answer may be, in bytes of JSON and text together: about 20,000 tokens.
pub const LONGEST_ANSWER: usize = 60_000;
/// How much of that the entries of a list may take.
const LONGEST_LIST: usize = 40_000;
/// How long a tool may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many lines of an answer's text are quoted from outside.
const QUOTED_LINES: usize = 25;

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

type Running = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send>>;

/// A tool: its name and page, its schemas, and what it does.
#[derive(Clone, Copy)]
pub struct Tool {
    /// Stable; part of the public contract.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// For models: when to use it, what comes out.
    pub about: &'static str,
    /// What must be there.
    pub needs: Needs,
    /// What it does to what it asks.
    pub effect: Effect,
    /// The schema of its arguments.
    pub input: fn() -> JsonObject,
    /// The schema of its answer.
    pub output: fn() -> Value,
    /// What it does.
    pub run: fn(Arc<Reach>, JsonObject) -> Running,
}

/// A row of the table of tools: `name, title, needs, effect, Arguments, schema of the
/// answer, function, about`.
macro_rules! tool {
    ($name:literal, $title:literal, $needs:ident, $effect:ident, $arguments:ty, $output:expr, $run:path, $about:literal) => {
        $crate::mcp::tool::Tool {
            name: $name,
            title: $title,
            about: $about,
            needs: $crate::mcp::tool::Needs::$needs,
            effect: $crate::mcp::tool::Effect::$effect,
            input: $crate::mcp::tool::input::<$arguments>,
            output: || $output,
            run: |reach, arguments| {
                Box::pin(async move {
                    let arguments = $crate::mcp::tool::arguments::<$arguments>(arguments)?;
                    $run(&reach, arguments).await
                })
            },
        }
    };
}
pub(super) use tool;

/// What a tool found.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// In one or two sentences of ours.
    pub says: String,
    /// Lines with text from events, logs or manifests: shown as a quotation.
    pub quotes: Vec<String>,
    /// All of it, of the tool's output schema.
    pub data: Value,
    /// Where to read on: URI and name.
    pub links: Vec<(String, String)>,
}

/// Why a tool gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The arguments do not fit.
    #[error("{0}")]
    Arguments(String),
    /// The agent did not answer.
    #[error(transparent)]
    Agent(#[from] SourceError),
    /// The cluster did not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There is nothing of that name.
    #[error("{0}")]
    NotFound(String),
    /// It took too long.
    #[error("this took longer than {} s and was given up", PATIENCE.as_secs())]
    TooSlow,
    /// There is too much to say.
    #[error("the answer would have {bytes} bytes; ask for less with `limit` or a filter")]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
}

/// Reads the arguments of a tool.
pub(super) fn arguments<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, Refusal> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| Refusal::Arguments(format!("the arguments do not fit: {error}")))
}

/// The schema of a tool's arguments.
pub(super) fn input<T: JsonSchema>() -> JsonObject {
    let schema = schemars::schema_for!(T);
    let mut schema = schema.to_value();
    strip_formats(&mut schema);
    match schema {
        Value::Object(mut object) => {
            object.remove("title");
            object.remove("$schema");
            // A tool without arguments still takes an object.
            object.entry("properties").or_insert_with(|| json!({}));
            object
        }
        _ => JsonObject::new(),
    }
}

/// `uint32` and its like are no formats of JSON Schema; clients warn about them.
fn strip_formats(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("format").and_then(Value::as_str).is_some_and(|f| f != "date-time") {
                object.remove("format");
            }
            object.values_mut().for_each(strip_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_formats),
        _ => {}
    }
}

impl Tool {
    /// As clients see it.
    #[must_use]
    pub fn listed(&self) -> Listed {
        let mut output = JsonObject::new();
        if let Value::Object(object) = (self.output)() {
            output = object;
        }
        let reads = self.effect == Effect::Reads;
        let hints = ToolAnnotations::new()
            .read_only(reads)
            .idempotent(reads)
            .destructive(false)
            .open_world(false);
        let mut listed = Listed::new(self.name, self.about, Arc::new((self.input)()));
        listed.title = Some(self.title.to_owned());
        listed.output_schema = Some(Arc::new(output));
        listed.annotations = Some(hints);
        listed
    }

    /// Runs it; whatever goes wrong is part of the answer.
    pub async fn call(&self, reach: Arc<Reach>, arguments: JsonObject) -> CallToolResult {
        let run = (self.run)(Arc::clone(&reach), arguments);
        let outcome = match tokio::time::timeout(PATIENCE, run).await {
            Ok(outcome) => outcome.and_then(|answer| finish(answer, &reach)),
            Err(_) => Err(Refusal::TooSlow),
        };
        match outcome {
            Ok(result) => result,
            Err(refusal) => {
                let mut said = Value::String(crate::store::chain(&refusal));
                reach.clean(&mut said);
                let said = said.as_str().unwrap_or_default().to_owned();
                CallToolResult::error(vec![ContentBlock::text(said)])
            }
        }
    }
}

/// Makes an answer safe to hand on: cleaned, fenced, and not too long.
fn finish(answer: Answer, reach: &Reach) -> Result<CallToolResult, Refusal> {
    let Answer { says, quotes, mut data, links } = answer;
    reach.clean(&mut data);
    let mut text = says;
    if !quotes.is_empty() {
        text.push_str("\n\n```text\n");
        for line in quotes.iter().take(QUOTED_LINES) {
            let mut line = Value::String(line.clone());
            reach.clean(&mut line);
            // A quotation must not be able to end itself.
            text.push_str(&line.as_str().unwrap_or_default().replace('\n', " ").replace('`', "'"));
            text.push('\n');
        }
        if quotes.len() > QUOTED_LINES {
            let more = (quotes.len() - QUOTED_LINES).to_string();
            text.extend(["… and ", &more, " more\n"]);
        }
        text.push_str("```");
    }
    let bytes = text.len() + data.to_string().len();
    if bytes > LONGEST_ANSWER {
        return Err(Refusal::TooLong { bytes });
    }
    let mut result = CallToolResult::structured(data);
    result.content = vec![ContentBlock::text(text)];
    for (uri, name) in links.into_iter().take(20) {
        let link = Resource::new(uri, name).with_mime_type("application/json");
        result.content.push(ContentBlock::resource_link(link));
    }
    Ok(result)
}

/// No arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Which part of a list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Part {
    /// How many entries at most; 20 unless given, 200 at most
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<usize>,
    /// `next_cursor` of the answer before
    pub cursor: Option<String>,
}

impl Part {
    pub(super) fn limit(&self) -> usize {
        self.limit.unwrap_or(20).clamp(1, 200)
    }

    pub(super) fn cursor(&self) -> Result<usize, Refusal> {
        let cursor = self.cursor.as_deref().unwrap_or("0");
        let wrong = || Refusal::Arguments("`cursor` must be the `next_cursor` of an answer".into());
        cursor.parse().map_err(|_| wrong())
    }

    /// Cuts its part out of a whole list: as many entries as asked for, fewer if they are long.
    pub(super) fn of(&self, all: Vec<Value>) -> Result<(Vec<Value>, Option<String>), Refusal> {
        let (cursor, total) = (self.cursor()?, all.len());
        let (items, _) = fit(all.into_iter().skip(cursor).take(self.limit()));
        let reached = cursor + items.len();
        Ok((items, (reached < total).then(|| reached.to_string())))
    }
}

/// The first entries that are not too long together, and whether some were left out.
pub(super) fn fit(all: impl Iterator<Item = Value>) -> (Vec<Value>, bool) {
    let mut items = Vec::new();
    let mut bytes = 0;
    for item in all {
        bytes += item.to_string().len();
        if bytes > LONGEST_LIST && !items.is_empty() {
            return (items, true);
        }
        items.push(item);
    }
    (items, false)
}

/// An object with these properties, all of them required but those that end in `?`.
pub(super) fn object(properties: &[(&str, Value)]) -> Value {
    let required: Vec<_> =
        properties.iter().map(|(name, _)| name).filter(|name| !name.ends_with('?')).collect();
    let properties: serde_json::Map<_, _> = properties
        .iter()
        .map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone()))
        .collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// A list of such entries.
pub(super) fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

/// A value of one of JSON Schema's types.
pub(super) fn a(kind: &str) -> Value {
    json!({"type": kind})
}

/// A value that may be missing.
pub(super) fn maybe(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

/// A list of entries of which more may follow.
pub(super) fn paged(name: &str, items: &Value) -> Value {
    object(&[(name, list(items)), ("next_cursor?", a("string"))])
}

/// What the API's own document says of one of its objects.
pub(super) fn component(name: &str) -> Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document =
        DOCUMENT.get_or_init(|| serde_json::from_str(crate::api::OPENAPI).unwrap_or_default());
    document["components"]["schemas"][name].clone()
}

/// A list and how to go on, as an object.
pub(super) fn with_cursor(mut data: Value, next: Option<String>) -> Value {
    if let (Some(object), Some(next)) = (data.as_object_mut(), next) {
        object.insert("next_cursor".to_owned(), Value::String(next));
    }
    data
}
