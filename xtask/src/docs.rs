//! `cargo xtask docs`: pages that are written once, in the sources.

use std::fmt::Write as _;
use std::path::Path;

use ptp_conform::{ClockKind, REQUIREMENTS};
use ptp_diagnostics::report::known_bugs::{self, KnownBug};
use ptp_diagnostics::{BUILT_IN, Report, manual};
use ptp_events::deployment::NAMESPACE;

use crate::{Failure, dashboards, root};

const GENERATED: &str = "<!-- Written by `cargo xtask docs`. Change the sources instead. -->\n";

/// Writes the pages; with `check`, only says which are out of date.
pub(crate) fn run(check: bool) -> Result<(), Failure> {
    let settings = std::fs::read_to_string(root().join("ptp-diagnostics/src/settings.rs"))?;
    let pages = [
        ("docs/diagnostics.md", diagnostics()),
        ("docs/thresholds.md", thresholds(&settings)),
        ("docs/known-bugs.md", known_bugs()),
        ("docs/conformance.md", conformance()),
        ("docs/openapi.json", format!("{:#}\n", ptp_api::openapi())),
        ("docs/ptp-report-v1.schema.json", format!("{:#}\n", ptp_api::schema_of::<Report>())),
    ];
    let mut stale = Vec::new();
    for (path, page) in pages.into_iter().chain(dashboards::all()) {
        let file = root().join(Path::new(path));
        if std::fs::read_to_string(&file).unwrap_or_default() == page {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            std::fs::write(file, page)?;
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("out of date: {}; run `cargo xtask docs`", stale.join(", ")).into())
}

fn known_bugs() -> String {
    let mut out = format!(
        "{GENERATED}# Known bugs\n\nBugs of publishers, daemons, linuxptp and drivers that a report names where an \
         incident looks like one (`known_bugs`). Read in the threads that are named, not tried on hardware.\n\n\
         | number | what is wrong | mended | source |\n|---|---|---|---|\n"
    );
    for bug in known_bugs::all() {
        let KnownBug { id, summary, mended, source, .. } = bug;
        writeln!(out, "| {id} | {summary} | {mended} | {source} |").unwrap_or_default();
    }
    out
}

fn conformance() -> String {
    let mut out = format!(
        "{GENERATED}# Conformance\n\n`ptp-cli conform` judges what was recorded against these. The texts: the \
         operator project's published requirements for T-GM (draft of 2026-07-30), T-BC (release 5.1, 2026-09-10) and \
         T-TSC (draft of 2026-06-21) with their gap lists, ITU-T G.8275.1, and O-RAN's notification API. \
         \"Within a second\" is two seconds for stamps of whole seconds. What a node measures of itself is no \
         proof of its accuracy.\n"
    );
    for kind in [ClockKind::TGm, ClockKind::TBc, ClockKind::TTsc] {
        writeln!(
            out,
            "\n## {}\n\n| requirement | must hold | judged by |\n|---|---|---|",
            kind.as_str().to_uppercase()
        )
        .unwrap_or_default();
        for (_, rows) in REQUIREMENTS.iter().filter(|(of, _)| *of == kind) {
            for row in *rows {
                writeln!(out, "| {} | {} | {} |", row.id, row.must, row.judged_by())
                    .unwrap_or_default();
            }
        }
    }
    out
}

fn diagnostics() -> String {
    let mut out = format!(
        "{GENERATED}# Diagnostics\n\nEvery finding and every root cause, as `ptp-cli explain CODE` \
         prints it.\n"
    );
    for (kind, heading) in [("finding", "Findings"), ("root cause", "Root causes")] {
        writeln!(out, "\n## {heading}").unwrap_or_default();
        for page in manual::all(BUILT_IN).iter().filter(|page| page.kind == kind) {
            let manual::Page { code, title, text, .. } = page;
            writeln!(out, "\n### {code}\n\n*{title}*\n\n{text}").unwrap_or_default();
        }
    }
    out
}

/// The fields of `Settings`, with their comments and defaults, from its source.
fn thresholds(source: &str) -> String {
    let mut out = format!(
        "{GENERATED}# Thresholds\n\nKeys of the file given by `--thresholds FILE.toml`. Durations are \
         written as `\"10s\"`, `\"5m\"` or `\"1h30m\"`.\n\n| key | default | meaning |\n|---|---|---|\n"
    );
    let fields = source.split("pub struct Settings {").nth(1).unwrap_or_default();
    let fields = fields.split("\n}").next().unwrap_or_default();
    let mut comment = String::new();
    let mut elsewhere = false;
    for line in fields.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            comment = format!("{comment} {text}");
        } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|f| f.split_once(':')) {
            let default = default_of(source, name);
            let key = name.replace('_', "-");
            if !std::mem::take(&mut elsewhere) {
                writeln!(out, "| `{key}` | {default} |{} |", comment.replace('|', "\\|"))
                    .unwrap_or_default();
            }
            comment.clear();
        } else if line == "#[serde(skip)]" {
            elsewhere = true;
        }
    }
    out
}

/// What `Settings::default` says of a field, as TOML would.
fn default_of(source: &str, name: &str) -> String {
    let body = source.split("fn default() -> Self {").nth(1).unwrap_or_default();
    let line = body.lines().map(str::trim).find(|line| line.starts_with(&format!("{name}:")));
    let value = line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value);
    let value = value.trim_end_matches(',').replace('_', "");
    match value.strip_prefix("secs(").and_then(|v| v.strip_suffix(')')) {
        Some(seconds) => format!("`\"{seconds}s\"`"),
        None if value == "None" => "everything".to_owned(),
        None if value.starts_with("vec![") => "`[\"FREERUN\", \"FAULTY\"]`".to_owned(),
        None if value == "NAMESPACE.toowned()" => format!("`{NAMESPACE:?}`"),
        None => format!("`{}`", value.trim_end_matches(".toowned()")),
    }
}
