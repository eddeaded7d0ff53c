//! The OpenAPI document, written from the table of routes and the types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::routes::{Answer, Route};
use crate::{Problem, ROUTES};

/// Whether a value is written by us, or read: what may be left out differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Contract {
    Written,
    Read,
}

fn generator(definitions: &'static str, contract: Contract) -> SchemaGenerator {
    let settings = SchemaSettings::draft2020_12();
    let mut settings = match contract {
        Contract::Written => settings.for_serialize(),
        Contract::Read => settings.for_deserialize(),
    };
    settings.definitions_path = definitions.into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// The JSON Schema of a type as it is written, everything it needs within `$defs`.
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    root::<T>(Contract::Written)
}

/// The same of a type as it is read: what has a default may be left out.
#[must_use]
pub fn schema_of_input<T: JsonSchema>() -> Value {
    root::<T>(Contract::Read)
}

fn root<T: JsonSchema>(contract: Contract) -> Value {
    let mut schema = generator("/$defs", contract).into_root_schema_for::<T>().to_value();
    only_known_formats(&mut schema);
    schema
}

/// `uint32` and its like are no formats of JSON Schema; clients warn about them.
fn only_known_formats(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("format").and_then(Value::as_str).is_some_and(|f| f != "date-time") {
                object.remove("format");
            }
            object.values_mut().for_each(only_known_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(only_known_formats),
        _ => {}
    }
}

/// Where shared schemas stand in the document.
const COMPONENTS: &str = "/components/schemas";

/// The whole document, OpenAPI 3.1.
#[must_use]
pub fn openapi() -> Value {
    let mut generator = generator(COMPONENTS, Contract::Written);
    let problem = generator.subschema_for::<Problem>();
    let mut bodies = self::generator(COMPONENTS, Contract::Read);
    let mut paths = Map::new();
    for route in ROUTES {
        let operation = operation(route, &problem, &mut generator, &mut bodies);
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let mut schemas = generator.take_definitions(true);
    schemas.extend(bodies.take_definitions(true));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "PTP agent",
            "version": "1",
            "description": "What broke, where, since when, how we know, what to do. Errors are RFC 9457 problems. \
                The report's fields are described in docs/diagnosis.md.",
        },
        "security": [{}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    });
    only_known_formats(&mut document);
    document
}

fn operation(
    route: &Route,
    problem: &Schema,
    generator: &mut SchemaGenerator,
    bodies: &mut SchemaGenerator,
) -> Value {
    let content = |kind: &str, schema: &Value| json!({kind: {"schema": schema}});
    let text = json!({"type": "string"});
    let answer = match route.answer {
        Answer::Json(describe) => content("application/json", &describe(generator).to_value()),
        Answer::TextOrJson(describe) => json!({
            "text/plain": {"schema": text},
            "application/json": {"schema": describe(generator).to_value()},
        }),
        Answer::Other(kind) => content(kind, &text),
    };
    let mut responses = Map::new();
    let described = json!({"description": "The answer", "content": answer});
    responses.insert(route.status.to_string(), described);
    let usual: &[u16] = if route.guarded { &[400, 401] } else { &[] };
    for status in usual.iter().chain(route.errors) {
        let content = content("application/problem+json", problem.as_value());
        let described = json!({"description": "What is wrong, and the fix", "content": content});
        responses.insert(status.to_string(), described);
    }
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters(route, generator),
        "responses": responses,
    });
    if let Some(describe) = route.body {
        let content = content("application/json", &describe(bodies).to_value());
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// What stands in the path, then what may stand in the query.
fn parameters(route: &Route, generator: &mut SchemaGenerator) -> Vec<Value> {
    let named = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let in_path = named.map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let mut parameters: Vec<_> = in_path.collect();
    let query = (route.query)(generator).to_value();
    for (name, schema) in query["properties"].as_object().into_iter().flatten() {
        let mut schema = schema.clone();
        // What is not given is not there: a query knows no null.
        if let Some(kinds) = schema["type"].as_array() {
            schema["type"] = kinds.first().cloned().unwrap_or_default();
        }
        let object = schema.as_object_mut();
        let about = object.and_then(|object| {
            object.remove("default");
            object.remove("description")
        });
        parameters.push(json!({
            "name": name, "in": "query", "required": false,
            "description": about.unwrap_or_default(), "schema": schema,
        }));
    }
    parameters
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference leads somewhere, and every type that the document names is described.
    #[test]
    fn the_document_holds_together() {
        let document = openapi();
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
        assert!(!text.contains("uint"), "no formats but those of JSON Schema");
        let mut addresses: Vec<_> = ROUTES.iter().map(|r| (r.path, r.method.as_str())).collect();
        addresses.sort_unstable();
        let before = addresses.len();
        addresses.dedup();
        assert_eq!(addresses.len(), before, "each address once");
    }
}
