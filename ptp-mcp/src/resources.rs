//! Resources: what can be read, followed, and pointed to by tools.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use ptp_api::{AlertsQuery, ClientError, IncidentsQuery, Nothing, PageQuery, SummaryQuery};
use ptp_diagnostics::{BUILT_IN, manual};
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo, ListResourceTemplatesResult,
    ListResourcesResult, ProtocolVersion, ReadResourceResponse, ReadResourceResult, Reference,
    Resource, ResourceContents, ResourceTemplate,
};
use serde::Serialize;

use crate::context::Context;
use crate::ordered::Ordered;
use crate::tool::{LONGEST_ANSWER, fit};

pub(crate) const CURRENT_ALERTS: &str = "ptp://alerts/current";
pub(crate) const FLEET: &str = "ptp://fleet";
const INCIDENTS: &str = "ptp://incidents/";
const NODES: &str = "ptp://nodes/";
const MANUAL: &str = "ptp://manual/";

/// How many resources one session may follow.
pub(crate) const MAX_FOLLOWED: usize = 1000;
/// How many alerts are looked at for the resource of the latest.
const MOST_ALERTS: usize = 1000;
/// How many incidents, and nodes, a list of resources names.
const LISTED: usize = 50;
/// For how long an answer is good, in milliseconds: as long as a snapshot.
const FRESH_MS: u64 = 250;

/// What a URI cannot hold as it is; names of nodes are DNS names and need none of it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'/').add(b'?').add(b'#').add(b'%').add(b'"');

fn uri(before: &str, name: &str) -> String {
    format!("{before}{}", utf8_percent_encode(name, ESCAPED))
}

pub(crate) fn incident(id: &str) -> String {
    uri(INCIDENTS, id)
}

pub(crate) fn node(name: &str) -> String {
    uri(NODES, name)
}

pub(crate) fn page(code: &str) -> String {
    uri(MANUAL, code)
}

/// Whether a URI is of a kind we have.
pub(crate) fn is_one(uri: &str) -> bool {
    uri == CURRENT_ALERTS
        || uri == FLEET
        || [INCIDENTS, NODES, MANUAL].iter().any(|kind| {
            uri.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && rest.len() <= 1000)
        })
}

pub(crate) fn missing(uri: &str) -> ErrorData {
    let uri: String = uri.chars().filter(|c| !c.is_control()).take(200).collect();
    ErrorData::resource_not_found(
        format!("there is no resource {uri}"),
        Some(serde_json::Value::Object(
            [("uri".to_owned(), uri.clone().into())].into_iter().collect(),
        )),
    )
}

fn failed(error: &ClientError) -> ErrorData {
    ErrorData::internal_error(ptp_events::chain(error), None)
}

/// The alerts, the fleet, the incidents that go on, the first nodes, and the manual.
pub(crate) async fn list(context: &Context) -> Result<ListResourcesResult, ErrorData> {
    let Some(agent) = &context.agent else {
        return Ok(ListResourcesResult::with_all_items(Vec::new()));
    };
    let query = IncidentsQuery {
        status: Some("firing".to_owned()),
        limit: Some(LISTED),
        ..IncidentsQuery::default()
    };
    let incidents = agent.incidents(&query).await.map_err(|error| failed(&error))?.items;
    let query = PageQuery { limit: Some(LISTED), cursor: None };
    let nodes = agent.nodes(&query).await.map_err(|error| failed(&error))?.items;
    let json =
        |uri: String, name: &str| Resource::new(uri, name).with_mime_type("application/json");
    let mut all = vec![
        json(CURRENT_ALERTS.to_owned(), "alerts").with_title("Alerts of the last 24 hours"),
        json(FLEET.to_owned(), "fleet").with_title("The fleet in a few figures"),
    ];
    all.extend(incidents.into_iter().map(|found| {
        json(incident(&found.id), &found.id).with_title(context.clean_text(found.summary))
    }));
    all.extend(nodes.iter().map(|found| json(node(found.node.as_str()), found.node.as_str())));
    let mut codes: Vec<_> = manual::all(BUILT_IN);
    codes.dedup_by_key(|page| page.code);
    all.extend(codes.into_iter().map(|entry| {
        Resource::new(page(entry.code), entry.code)
            .with_title(entry.title)
            .with_mime_type("text/markdown")
    }));
    // `synce-degraded` and `process-restart` are both a finding and a cause, on one page.
    let mut seen = std::collections::HashSet::new();
    all.retain(|resource| seen.insert(resource.uri.clone()));
    Ok(ListResourcesResult::with_all_items(all))
}

/// The kinds of resources there are many of.
pub(crate) fn templates() -> ListResourceTemplatesResult {
    let template = |uri: &str, name: &str, title: &str, mime: &str| {
        ResourceTemplate::new(uri, name).with_title(title).with_mime_type(mime)
    };
    ListResourceTemplatesResult::with_all_items(vec![
        template(
            "ptp://incidents/{id}",
            "incident",
            "An incident, with its evidence",
            "application/json",
        ),
        template("ptp://nodes/{node}", "node", "A node and its clocks", "application/json"),
        template(
            "ptp://manual/{code}",
            "manual",
            "What a finding or root cause means",
            "text/markdown",
        ),
    ])
}

/// Reads one.
pub(crate) async fn read(
    context: &Context,
    uri: String,
    version: Option<ProtocolVersion>,
) -> Result<ReadResourceResponse, ErrorData> {
    let name = |kind: &str| {
        let name = uri.strip_prefix(kind).filter(|_| is_one(&uri))?;
        percent_decode_str(name).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    if let Some(code) = name(MANUAL) {
        let pages = manual::pages(BUILT_IN, &code);
        let texts: Vec<_> =
            pages.iter().map(|p| format!("# {} ({})\n\n{}", p.title, p.kind, p.text)).collect();
        if texts.is_empty() {
            return Err(missing(&uri));
        }
        let contents = ResourceContents::text(texts.join("\n\n"), uri);
        return Ok(aged(contents.with_mime_type("text/markdown"), version.as_ref()).into());
    }
    let Some(agent) = &context.agent else { return Err(missing(&uri)) };
    let nothing = &Nothing {};
    let asked = if uri == CURRENT_ALERTS {
        let query = AlertsQuery { limit: Some(MOST_ALERTS), ..AlertsQuery::default() };
        agent.alerts(&query).await.map(|found| {
            // The newest that fit, oldest first.
            let (mut kept, _) = fit(found.items.into_iter());
            kept.reverse();
            written(&kept)
        })
    } else if uri == FLEET {
        agent.fleet(nothing).await.map(|found| written(&found))
    } else if let Some(id) = name(INCIDENTS) {
        agent.incident(&id, nothing).await.map(|found| written(&found))
    } else if let Some(node) = name(NODES) {
        agent.node(&node, nothing).await.map(|found| written(&found))
    } else {
        return Err(missing(&uri));
    };
    let mut value = match asked {
        Ok(value) => value,
        Err(ClientError::Refused { status: 404, .. }) => return Err(missing(&uri)),
        Err(error) => return Err(failed(&error)),
    };
    context.clean(&mut value);
    let text = serde_json::to_string(&value).unwrap_or_default();
    if text.len() > LONGEST_ANSWER {
        let detail = format!("{} bytes; ask the tool of the same name for a part", text.len());
        return Err(ErrorData::internal_error(
            format!("this resource is too long: {detail}"),
            None,
        ));
    }
    let contents = ResourceContents::text(text, uri).with_mime_type("application/json");
    Ok(aged(contents, version.as_ref()).into())
}

/// What cannot be written is nothing.
fn written(value: &impl Serialize) -> Ordered {
    Ordered::of(value).unwrap_or(Ordered::Null)
}

/// Says for how long it is good, to those who understand that.
fn aged(contents: ResourceContents, version: Option<&ProtocolVersion>) -> ReadResourceResult {
    let result = ReadResourceResult::new(vec![contents]);
    if version.is_some_and(|version| *version >= ProtocolVersion::V_2026_07_28) {
        return result.with_ttl_ms(FRESH_MS).with_cache_scope(CacheScope::Private);
    }
    result
}

/// Names that begin as the one that is being written.
pub(crate) async fn complete(
    context: &Context,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let (name, begun) = (request.argument.name.as_str(), request.argument.value.as_str());
    let known = match &request.r#ref {
        Reference::Prompt(prompt) => crate::prompts::has(&prompt.name, name),
        Reference::Resource(resource) => resource.uri.contains(&format!("{{{name}}}")),
        _ => false,
    };
    let all: Vec<String> = match (known, name, &context.agent) {
        (true, "node", Some(agent)) => {
            let summary = agent.summary(&SummaryQuery::default()).await;
            summary.map_err(|error| failed(&error))?.into_keys().collect()
        }
        (true, "id", Some(agent)) => {
            let incidents = agent.incidents(&IncidentsQuery::default()).await;
            let incidents = incidents.map_err(|error| failed(&error))?.items;
            incidents.into_iter().map(|incident| incident.id).collect()
        }
        (true, "code", _) => {
            manual::all(BUILT_IN).iter().map(|page| page.code.to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let mut fitting: Vec<_> = all.into_iter().filter(|text| text.starts_with(begun)).collect();
    fitting.dedup();
    fitting.truncate(CompletionInfo::MAX_VALUES);
    let info = CompletionInfo::with_all_values(fitting);
    Ok(CompleteResult::new(info.map_err(|error| ErrorData::internal_error(error, None))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_make_honest_uris() {
        assert_eq!(node("w1.example.com"), "ptp://nodes/w1.example.com");
        assert_eq!(node("../a b?c#d%e"), "ptp://nodes/..%2Fa%20b%3Fc%23d%25e");
        assert!(is_one(&node("x")) && is_one(FLEET));
        for uri in ["ptp://nodes/", "ptp://", "http://nodes/x", "ptp://secrets/x", ""] {
            assert!(!is_one(uri), "{uri}");
        }
    }
}
