//! Tables in JSON: the names of the columns once, and then the values by rows or by columns.
//!
//! Azure and Elasticsearch's SQL write rows (`{"columns":[{"name":…}],"rows":[[…]]}`), Grafana writes columns
//! (`{"schema":{"fields":[{"name":…}]},"data":{"values":[[…],[…]]}}`).

use serde_json::{Map, Value};

/// Where the names of the columns are, and where the values.
const NAMES: [&str; 3] = ["columns", "fields", "schema"];
const VALUES: [&str; 5] = ["rows", "values", "datarows", "data", "results"];

/// The rows of the table that these fields are, each with its columns' names; none if they are no table.
pub(super) fn rows(fields: &Map<String, Value>) -> Vec<Map<String, Value>> {
    let Some(names) = lookup(fields, &NAMES).and_then(|list| names(list)) else {
        return Vec::new();
    };
    let lists = lookup(fields, &VALUES).and_then(|values| {
        values.iter().map(Value::as_array).collect::<Option<Vec<&Vec<Value>>>>()
    });
    let Some(lists) = lists.filter(|lists| !lists.is_empty()) else { return Vec::new() };
    let row = |values: &mut dyn Iterator<Item = &Value>| {
        names.iter().map(|name| (*name).to_owned()).zip(values.cloned()).collect()
    };
    let longest = lists.iter().map(|list| list.len()).max().unwrap_or_default();
    // By columns, unless every list has one value for each name.
    if lists.len() == names.len() && longest != names.len() {
        let nth = |at: usize| row(&mut lists.iter().filter_map(move |list| list.get(at)));
        return (0..longest).map(nth).collect();
    }
    let is_row = |list: &&Vec<Value>| list.len() == names.len();
    lists.into_iter().filter(is_row).map(|list| row(&mut list.iter())).collect()
}

/// A list by one of these keys, or in an object by one of them.
fn lookup<'a>(fields: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Vec<Value>> {
    let by = |fields: &'a Map<String, Value>| {
        keys.iter().find_map(move |key| {
            fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
        })
    };
    match by(fields)? {
        Value::Array(list) => Some(list),
        Value::Object(inner) => {
            let deeper = ["fields", "columns", "values", "rows"];
            deeper.iter().find_map(|key| inner.get(*key)?.as_array())
        }
        _ => None,
    }
}

fn names(list: &[Value]) -> Option<Vec<&str>> {
    (!list.is_empty()).then(|| list.iter().map(name).collect())?
}

fn name(column: &Value) -> Option<&str> {
    match column {
        Value::String(name) => Some(name),
        Value::Object(column) => {
            ["name", "text", "title"].iter().find_map(|key| column.get(*key)?.as_str())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &Value) -> String {
        let rows = json.as_object().map(rows).unwrap_or_default();
        serde_json::to_string(&rows).unwrap()
    }

    #[test]
    fn by_rows_and_by_columns() {
        use serde_json::json;
        let three = r#"[{"line":"x","time":1},{"line":"y","time":2},{"line":"z","time":3}]"#;
        for table in [
            json!({"columns": ["time", "line"], "rows": [[1, "x"], [2, "y"], [3, "z"]]}),
            json!({"columns": [{"name": "time"}, {"name": "line"}], "Rows": [[1, "x"], [2, "y"], [3, "z"]]}),
            json!({"schema": [{"name": "time"}, {"name": "line"}], "datarows": [[1, "x"], [2, "y"], [3, "z"]]}),
            json!({"schema": {"fields": [{"name": "time"}, {"name": "line"}]}, "data": {"values": [[1, 2, 3], ["x", "y", "z"]]}}),
        ] {
            assert_eq!(told(&table), three, "{table}");
        }
        for none in [
            json!({"columns": ["a"], "rows": 3}),
            json!({"columns": [], "rows": [[1]]}),
            json!({"fields": {"a": 1}, "data": {"values": []}}),
            json!({"columns": ["a", "b"], "rows": [[1], [2], [3]]}),
        ] {
            assert_eq!(told(&none), "[]", "{none}");
        }
    }
}
