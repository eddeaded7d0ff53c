//! Resources: what can be read, followed, and pointed to by tools.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use ptp_diagnostics::{BUILT_IN, manual};
use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo, ListResourceTemplatesResult,
    ListResourcesResult, ProtocolVersion, ReadResourceResponse, ReadResourceResult, Reference,
    Resource, ResourceContents, ResourceTemplate,
};
use serde_json::Value;

use super::fleet::items;
use super::tool::{LONGEST_ANSWER, fit};
use super::{Reach, SourceError};

pub(super) const CURRENT_ALERTS: &str = "ptp://alerts/current";
pub(super) const FLEET: &str = "ptp://fleet";
const INCIDENTS: &str = "ptp://incidents/";
const NODES: &str = "ptp://nodes/";
const MANUAL: &str = "ptp://manual/";

/// How many resources one session may follow.
pub(super) const MAX_FOLLOWED: usize = 1000;
/// How many incidents, and nodes, a list of resources names.
const LISTED: usize = 50;
/// For how long an answer is good, in milliseconds: as long as a snapshot.
const FRESH_MS: u64 = 250;

/// What a URI cannot hold as it is; names of nodes are DNS names and need none of it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'/').add(b'?').add(b'#').add(b'%').add(b'"');

fn uri(before: &str, name: &str) -> String {
    format!("{before}{}", utf8_percent_encode(name, ESCAPED))
}

pub(super) fn incident(id: &str) -> String {
    uri(INCIDENTS, id)
}

pub(super) fn node(name: &str) -> String {
    uri(NODES, name)
}

pub(super) fn page(code: &str) -> String {
    uri(MANUAL, code)
}

/// Whether a URI is of a kind we have.
pub(super) fn is_one(uri: &str) -> bool {
    uri == CURRENT_ALERTS
        || uri == FLEET
        || [INCIDENTS, NODES, MANUAL].iter().any(|kind| {
            uri.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && rest.len() <= 1000)
        })
}

pub(super) fn missing(uri: &str) -> ErrorData {
    let uri: String = uri.chars().filter(|c| !c.is_control()).take(200).collect();
    ErrorData::resource_not_found(
        format!("there is no resource {uri}"),
        Some(serde_json::json!({ "uri": uri })),
    )
}

fn failed(error: &SourceError) -> ErrorData {
    ErrorData::internal_error(crate::store::chain(error), None)
}

fn names<'a>(items: &'a Value, field: &'a str) -> impl Iterator<Item = &'a str> {
    let items = items["items"].as_array().into_iter().flatten();
    items.filter_map(move |item| item[field].as_str())
}

/// The alerts, the fleet, the incidents that go on, the first nodes, and the manual.
pub(super) async fn list(reach: &Reach) -> Result<ListResourcesResult, ErrorData> {
    if !reach.source.is_somewhere() {
        return Ok(ListResourcesResult::with_all_items(Vec::new()));
    }
    let limit = LISTED.to_string();
    let firing = [("status", "firing"), ("limit", &limit)];
    let get = async |path, query| reach.source.get(&["api", "v1", path], query).await;
    let incidents = get("incidents", &firing[..]).await.map_err(|error| failed(&error))?;
    let nodes = get("nodes", &[("limit", limit.as_str())]).await.map_err(|error| failed(&error))?;
    let json =
        |uri: String, name: &str| Resource::new(uri, name).with_mime_type("application/json");
    let mut all = vec![
        json(CURRENT_ALERTS.to_owned(), "alerts").with_title("Alerts of the last 24 hours"),
        json(FLEET.to_owned(), "fleet").with_title("The fleet in a few figures"),
    ];
    for item in incidents["items"].as_array().into_iter().flatten() {
        if let (Some(id), Some(summary)) = (item["id"].as_str(), item["summary"].as_str()) {
            let mut summary = Value::String(summary.to_owned());
            reach.clean(&mut summary);
            all.push(json(incident(id), id).with_title(summary.as_str().unwrap_or_default()));
        }
    }
    all.extend(names(&nodes, "node").map(|name| json(node(name), name)));
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
pub(super) fn templates() -> ListResourceTemplatesResult {
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
pub(super) async fn read(
    reach: &Reach,
    uri: String,
    version: Option<ProtocolVersion>,
) -> Result<ReadResourceResponse, ErrorData> {
    let name = |kind: &str| {
        let name = uri.strip_prefix(kind).filter(|_| is_one(&uri))?;
        percent_decode_str(name).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let asked = if uri == CURRENT_ALERTS {
        reach.source.get(&["api", "v1", "alerts"], &[("limit", "1000")]).await.map(newest)
    } else if uri == FLEET {
        reach.source.get(&["api", "v1", "fleet"], &[]).await
    } else if let Some(id) = name(INCIDENTS) {
        reach.source.get(&["api", "v1", "incidents", &id], &[]).await
    } else if let Some(node) = name(NODES) {
        reach.source.get(&["api", "v1", "nodes", &node], &[]).await
    } else if let Some(code) = name(MANUAL) {
        let pages = manual::pages(BUILT_IN, &code);
        let texts: Vec<_> =
            pages.iter().map(|p| format!("# {} ({})\n\n{}", p.title, p.kind, p.text)).collect();
        if texts.is_empty() {
            return Err(missing(&uri));
        }
        let contents = ResourceContents::text(texts.join("\n\n"), uri);
        return Ok(aged(contents.with_mime_type("text/markdown"), version.as_ref()).into());
    } else {
        return Err(missing(&uri));
    };
    let mut value = match asked {
        Ok(value) => value,
        Err(SourceError::Refused { status: 404, .. }) => return Err(missing(&uri)),
        Err(error) => return Err(failed(&error)),
    };
    reach.clean(&mut value);
    let text = value.to_string();
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

/// The newest alerts that fit, oldest first.
fn newest(alerts: Value) -> Value {
    let (mut kept, _) = fit(items(alerts).into_iter());
    kept.reverse();
    Value::Array(kept)
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
pub(super) async fn complete(
    reach: &Reach,
    request: &CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let (name, begun) = (request.argument.name.as_str(), request.argument.value.as_str());
    let known = match &request.r#ref {
        Reference::Prompt(prompt) => super::prompts::has(&prompt.name, name),
        Reference::Resource(resource) => resource.uri.contains(&format!("{{{name}}}")),
        _ => false,
    };
    let all: Vec<String> = match (known, name) {
        (true, "node") => {
            let summary = reach.source.get(&["summary"], &[]).await.map_err(|e| failed(&e))?;
            summary.as_object().map(|o| o.keys().cloned().collect()).unwrap_or_default()
        }
        (true, "id") => {
            let path = ["api", "v1", "incidents"];
            let incidents = reach.source.get(&path, &[]).await.map_err(|e| failed(&e))?;
            names(&incidents, "id").map(str::to_owned).collect()
        }
        (true, "code") => manual::all(BUILT_IN).iter().map(|page| page.code.to_owned()).collect(),
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
