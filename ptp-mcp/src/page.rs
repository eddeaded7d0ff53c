//! The page about everything a client finds here, from the tables it is offered from.

use std::fmt::Write as _;

use serde_json::Value;

use crate::prompts::RUNBOOKS;
use crate::resources;
use crate::tool::{Needs, Tool};
use crate::tools::tools;

/// The tools, resources and prompts, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::new();
    for (needs, heading) in [
        (Needs::Agent, "Tools of the agent"),
        (Needs::Change, "Tools that change things: only with the write token"),
        (Needs::Cluster, "Tools on the cluster: only with access to it"),
        (Needs::Command, "Running commands: only where it is switched on"),
    ] {
        writeln!(out, "## {heading}\n").unwrap_or_default();
        for tool in tools().filter(|tool| tool.needs == needs) {
            describe(&mut out, tool);
        }
    }
    writeln!(out, "## Resources\n\n| URI | is |\n|---|---|").unwrap_or_default();
    for (uri, is) in [
        (resources::CURRENT_ALERTS, "the alerts of the last 24 hours, as many as fit"),
        (resources::FLEET, "the fleet in a few figures"),
        ("ptp://incidents/{id}", "an incident with its evidence"),
        ("ptp://nodes/{node}", "a node and its clocks"),
        ("ptp://manual/{code}", "what a finding or root cause means, and what to do"),
    ] {
        writeln!(out, "| `{uri}` | {is} |").unwrap_or_default();
    }
    writeln!(out, "\n## Prompts\n").unwrap_or_default();
    for runbook in RUNBOOKS {
        writeln!(out, "### {}\n\n{}.\n", runbook.name, runbook.about).unwrap_or_default();
        for argument in runbook.arguments {
            let or = if argument.required { "required" } else { argument.otherwise };
            writeln!(out, "- `{}`: {} ({or})", argument.name, argument.about).unwrap_or_default();
        }
        out.push('\n');
    }
    out
}

fn describe(out: &mut String, tool: &Tool) {
    let before = match tool.synonyms {
        [] => String::new(),
        names => format!(" Answers to `{}` as well.", names.join("`, `")),
    };
    writeln!(out, "### {}\n\n{}{before}\n", tool.name, tool.about).unwrap_or_default();
    let input = (tool.input)();
    let required = input.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = input.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let about = schema["description"].as_str().unwrap_or_default();
        let must = if required.iter().any(|r| r == name) { " (required)" } else { "" };
        writeln!(out, "- `{name}`{must}: {about}").unwrap_or_default();
    }
    if properties.is_some_and(|properties| !properties.is_empty()) {
        out.push('\n');
    }
}
