//! A value as text that says all of it, for people and for models, in fewer words than JSON.
//!
//! An object is a line for each field; a list of like objects is a table; what is absent is not said.

use std::fmt::Write as _;

use crate::ordered::Ordered;

/// How long a row may be that stands in a table, in characters.
const WIDEST_ROW: usize = 400;
/// How long an object may be that stands in one line.
const WIDEST_INLINE: usize = 120;

/// The text of a value: every field's name and every scalar of it is there, and nothing else.
///
/// A text of several lines stands in lines of its own, each after `|`, so that it cannot be taken for a field.
#[must_use]
pub(crate) fn outline(value: &Ordered) -> String {
    let mut out = String::new();
    match value {
        Ordered::Fields(fields) => fields_of(fields, 0, &mut out),
        Ordered::List(items) => list("items", items, 0, &mut out),
        scalar => line(&inline(scalar), 0, &mut out),
    }
    out
}

fn line(text: &str, depth: usize, out: &mut String) {
    for _ in 0..depth {
        out.push_str("  ");
    }
    out.push_str(text);
    out.push('\n');
}

fn fields_of(fields: &[(String, Ordered)], depth: usize, out: &mut String) {
    for (name, value) in fields {
        field(name, value, depth, out);
    }
}

fn field(name: &str, value: &Ordered, depth: usize, out: &mut String) {
    match value {
        Ordered::Null => {}
        Ordered::List(items) if !is_plain(items) => list(name, items, depth, out),
        Ordered::Text(text) if text.contains('\n') => {
            line(&format!("{}:", one_line(name)), depth, out);
            for part in text.lines() {
                line(&format!("| {part}"), depth + 1, out);
            }
        }
        Ordered::Fields(fields) if fields.is_empty() => {
            line(&format!("{}: none", one_line(name)), depth, out);
        }
        Ordered::Fields(fields) => match short(fields) {
            Some(text) => line(&format!("{}: {text}", one_line(name)), depth, out),
            None => {
                line(&format!("{}:", one_line(name)), depth, out);
                fields_of(fields, depth + 1, out);
            }
        },
        // Between long texts a comma does not show where one ends.
        Ordered::List(items)
            if inline(value).len() > WIDEST_INLINE && items.iter().any(is_sentence) =>
        {
            line(&format!("{} ({}):", one_line(name), items.len()), depth, out);
            for item in items {
                line(&format!("- {}", inline(item)), depth + 1, out);
            }
        }
        other => line(&format!("{}: {}", one_line(name), inline(other)), depth, out),
    }
}

fn is_sentence(item: &Ordered) -> bool {
    matches!(item, Ordered::Text(text) if text.contains(", ") || text.len() > WIDEST_INLINE / 2)
}

/// A list of objects: as a table where its rows are short, otherwise one below the other.
fn list(name: &str, items: &[Ordered], depth: usize, out: &mut String) {
    line(&format!("{} ({}):", one_line(name), items.len()), depth, out);
    match table(items) {
        Some(rows) => rows.iter().for_each(|row| line(row, depth + 1, out)),
        None => {
            for item in items {
                let mut block = String::new();
                match item {
                    Ordered::Fields(fields) => fields_of(fields, 0, &mut block),
                    other => line(&inline(other), 0, &mut block),
                }
                for (number, part) in block.lines().enumerate() {
                    let mark = if number == 0 { "- " } else { "  " };
                    line(&format!("{mark}{part}"), depth + 1, out);
                }
            }
        }
    }
}

/// The rows of a table, with the names of its columns first; `None` of what is none.
fn table(items: &[Ordered]) -> Option<Vec<String>> {
    let mut columns: Vec<&str> = Vec::new();
    for item in items {
        let Ordered::Fields(fields) = item else { return None };
        for (name, value) in fields {
            let is_cell = match value {
                Ordered::Fields(_) => false,
                Ordered::List(items) => is_plain(items),
                Ordered::Text(text) => !text.contains('\n'),
                _ => true,
            };
            if !is_cell {
                return None;
            }
            if *value != Ordered::Null && !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    let mut rows = vec![columns.iter().map(|c| one_line(c)).collect::<Vec<_>>().join(" | ")];
    for item in items {
        let cells = columns.iter().map(|column| match item.get(column) {
            None | Some(Ordered::Null) => "-".to_owned(),
            Some(value) => inline(value),
        });
        let row = cells.collect::<Vec<_>>().join(" | ");
        if row.len() > WIDEST_ROW {
            return None;
        }
        rows.push(row);
    }
    Some(rows)
}

/// An object of a few scalars, in one line.
fn short(fields: &[(String, Ordered)]) -> Option<String> {
    let mut text = String::new();
    for (name, value) in fields {
        match value {
            Ordered::Null => continue,
            Ordered::Fields(_) => return None,
            Ordered::List(items) if !is_plain(items) => return None,
            Ordered::Text(text) if text.contains('\n') => return None,
            _ => {}
        }
        let comma = if text.is_empty() { "" } else { ", " };
        write!(text, "{comma}{} {}", one_line(name), inline(value)).unwrap_or_default();
        if text.len() > WIDEST_INLINE {
            return None;
        }
    }
    Some(text)
}

/// Whether a list has nothing but scalars, or short lists of them.
fn is_plain(items: &[Ordered]) -> bool {
    items.iter().all(|item| match item {
        Ordered::Fields(_) => false,
        Ordered::List(inner) => {
            !inner.iter().any(|value| matches!(value, Ordered::List(_) | Ordered::Fields(_)))
        }
        Ordered::Text(text) => !text.contains('\n'),
        _ => true,
    })
}

fn inline(value: &Ordered) -> String {
    match value {
        Ordered::Text(text) => one_line(text),
        Ordered::List(items) if items.is_empty() => "none".to_owned(),
        Ordered::List(items) => items.iter().map(inline).collect::<Vec<_>>().join(", "),
        Ordered::Null => "-".to_owned(),
        Ordered::Bool(value) => value.to_string(),
        Ordered::Number(value) => value.to_string(),
        Ordered::Fields(_) => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// Without breaks: a text must not look like a field.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn objects_are_lines_and_like_objects_tables() {
        let value = r#"{
            "state": "LOCKED", "absent": null, "labels": {}, "nodes": ["w1", "w2"], "none": [],
            "times": {"LOCKED": 12.5, "HOLDOVER": 0},
            "clocks": [
                {"resource": "lock-state", "offset_ns": -3, "follows": ["gm"]},
                {"resource": "os-clock", "state": "LOCKED"}
            ],
            "incidents": [
                {"id": "a", "evidence": [{"at": "t", "says": "x"}], "why": "one\nverdict: no"}
            ]
        }"#;
        let value: Ordered = serde_json::from_str(value).unwrap();
        insta::assert_snapshot!(outline(&value), @r"
        state: LOCKED
        labels: none
        nodes: w1, w2
        none: none
        times: LOCKED 12.5, HOLDOVER 0
        clocks (2):
          resource | offset_ns | follows | state
          lock-state | -3 | gm | -
          os-clock | - | - | LOCKED
        incidents (1):
          - id: a
            evidence (1):
              at | says
              t | x
            why:
              | one
              | verdict: no
        ");
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z]{1,12}( [a-z]{1,8})?".prop_map(Value::from),
            "[a-z]{1,5}\n[a-z]{1,5}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z_]{1,8}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn scalars(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                found.push(name.clone());
                scalars(value, found);
            }),
            Value::Array(items) => items.iter().for_each(|item| scalars(item, found)),
            Value::String(text) => found.extend(text.lines().map(str::to_owned)),
            other => found.push(other.to_string()),
        }
    }

    proptest! {
        /// What the structured content says the text says, too.
        #[test]
        fn every_name_and_every_scalar_is_there(value in values()) {
            let text = outline(&Ordered::of(&value).unwrap());
            let mut wanted = Vec::new();
            scalars(&value, &mut wanted);
            for scalar in wanted {
                prop_assert!(text.contains(&scalar), "{scalar} in\n{text}");
            }
        }
    }
}
