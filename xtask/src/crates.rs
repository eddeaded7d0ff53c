//! Who may know whom: our crates by a table, the files of a crate by the rule that a circle of files that need
//! one another has at most three.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use syn::visit::{self, Visit};

use crate::{Failure, root};

/// Of which of our crates each may make use, except in its tests.
const MAY_USE: [(&str, &[&str]); 16] = [
    ("ptp-events", &[]),
    ("ptp-linuxptp", &[]),
    ("ptp-sim", &["ptp-events"]),
    ("ptp-conform", &["ptp-events"]),
    ("ptp-diagnostics", &["ptp-events"]),
    ("ptp-subscriber", &["ptp-events"]),
    ("ptp-api", &["ptp-diagnostics", "ptp-events"]),
    ("ptp-view", &["ptp-api", "ptp-diagnostics", "ptp-events"]),
    ("ptp-mcp", &["ptp-api", "ptp-diagnostics", "ptp-events", "ptp-linuxptp"]),
    ("ptp-store", &["ptp-api", "ptp-events"]),
    ("ptp-sinks", &["ptp-api", "ptp-diagnostics", "ptp-events", "ptp-store"]),
    (
        "ptp-agent",
        &[
            "ptp-api",
            "ptp-diagnostics",
            "ptp-events",
            "ptp-mcp",
            "ptp-sinks",
            "ptp-store",
            "ptp-subscriber",
            "ptp-view",
        ],
    ),
    (
        "ptp-cli",
        &[
            "ptp-api",
            "ptp-conform",
            "ptp-diagnostics",
            "ptp-events",
            "ptp-sim",
            "ptp-subscriber",
            "ptp-view",
        ],
    ),
    ("ptp-examples", &["ptp-api", "ptp-diagnostics", "ptp-events"]),
    ("xtask", &["ptp-api", "ptp-conform", "ptp-diagnostics", "ptp-events", "ptp-sim"]),
    ("ptp-tests", &[]),
];
/// The largest circle of files that is put up with: a folder's own file and two of those in it.
const LARGEST_CIRCLE: usize = 3;

pub(crate) fn check(files: &[PathBuf], complaints: &mut Vec<String>) -> Result<(), Failure> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()?;
    complaints.extend(against_the_table(&serde_json::from_slice(&output.stdout)?));
    for (package, _) in MAY_USE {
        let folder = if package == "ptp-examples" { "examples" } else { package };
        let mut modules = BTreeMap::new();
        for file in files {
            let Some(module) = module(file, &Path::new(folder).join("src")) else { continue };
            modules.insert(module, std::fs::read_to_string(root().join(file))?);
        }
        for circle in circles(&modules)? {
            if circle.len() > LARGEST_CIRCLE {
                complaints.push(format!(
                    "{package}: {} files need one another: {}",
                    circle.len(),
                    circle.join(", ")
                ));
            }
        }
    }
    Ok(())
}

fn against_the_table(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let mut complaints = Vec::new();
    for package in packages {
        let own = name(package);
        let Some((_, may)) = MAY_USE.iter().find(|(name, _)| *name == own) else {
            complaints.push(format!("{own} is not in the table of crates in xtask/src/crates.rs"));
            continue;
        };
        let needs = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        for need in needs.iter().filter(|need| need["kind"].is_null()).map(name) {
            if ours.contains(&need) && !may.contains(&need.as_str()) {
                complaints.push(format!("{own} must not depend on {need}"));
            }
        }
    }
    complaints
}

/// The module that a file of a crate is, `a::b`; `None` for a file of something else, and for the crate's own.
fn module(file: &Path, sources: &Path) -> Option<String> {
    let inside = file.strip_prefix(sources).ok()?.with_extension("");
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    let parts: Vec<_> = inside.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let is_root = matches!(parts[..], ["lib" | "main"] | ["bin", ..]);
    (is_rust && !is_root).then(|| parts.join("::"))
}

/// The modules that need one another, each list a circle; tests do not count.
fn circles(modules: &BTreeMap<String, String>) -> Result<Vec<Vec<String>>, Failure> {
    let mut needs = BTreeMap::new();
    for (module, text) in modules {
        let file = syn::parse_file(text).map_err(|error| format!("{module}: {error}"))?;
        let mut found = Paths { module, modules, needs: BTreeSet::new() };
        found.visit_file(&file);
        needs.insert(module.as_str(), found.needs);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        needs.keys().map(|module| (*module, reach(module, &needs))).collect();
    let mut told = BTreeSet::new();
    let mut circles = Vec::new();
    for (module, reaches) in &reached {
        let circle: Vec<String> = reaches
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)))
            .map(|other| (*other).to_owned())
            .collect();
        if circle.len() > 1 && told.insert(circle.clone()) {
            circles.push(circle);
        }
    }
    Ok(circles)
}

/// What a module needs, directly or not.
fn reach<'a>(module: &'a str, needs: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![module];
    while let Some(module) = next.pop() {
        let new = needs.get(module).into_iter().flatten().filter(|need| reached.insert(**need));
        next.extend(new.copied().collect::<Vec<_>>());
    }
    reached
}

/// The modules of the same crate that a file names.
struct Paths<'a> {
    module: &'a str,
    modules: &'a BTreeMap<String, String>,
    needs: BTreeSet<&'a str>,
}

impl Paths<'_> {
    /// Notes the module that a path leads into, the innermost one.
    fn note(&mut self, path: &[String]) {
        let own: Vec<&str> = self.module.split("::").collect();
        let above = path.iter().take_while(|part| *part == "super").count();
        let base = match path.first().map(String::as_str) {
            Some("crate") => &[][..],
            Some("self") => &own[..],
            Some("super") => &own[..own.len().saturating_sub(above)],
            _ => return,
        };
        let rest = path.iter().skip(above.max(1)).map(String::as_str);
        let mut full: Vec<&str> = base.iter().copied().chain(rest).collect();
        while !full.is_empty() {
            if let Some((module, _)) = self.modules.get_key_value(&full.join("::")) {
                if module != self.module {
                    self.needs.insert(module);
                }
                return;
            }
            full.pop();
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let mut path = before.to_vec();
        match tree {
            syn::UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.note_tree(&path, &inner.tree);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(&path, tree);
                }
            }
            syn::UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.note(&path);
            }
            syn::UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                self.note(&path);
            }
            syn::UseTree::Glob(_) => self.note(&path),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // A module in a file is its tests, or stands in for another one: paths in it begin elsewhere.
        if item.content.is_none() {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    /// `pub(super)` says who may use it, not whom it uses.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> =
            path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.note(&parts);
        visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_circle_is_found_however_its_files_name_one_another() {
        let modules = BTreeMap::from(
            [
                ("a", "use crate::b::{self, X as Y};"),
                ("b", "fn f() -> crate::c::Z { crate::c::Z }"),
                ("c", "use super::a;"),
                ("c::d", "use super::super::a::T; #[cfg(test)] mod tests { use super::*; }"),
                ("e", "// crate::a\nuse crate::a;"),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned())),
        );
        assert_eq!(circles(&modules).unwrap(), [["a", "b", "c"]]);
    }

    #[test]
    fn a_crate_that_reaches_up_and_one_that_nobody_knows_are_told() {
        let package = |name: &str, needs: &[(&str, Option<&str>)]| {
            let needs: Vec<_> =
                needs.iter().map(|(name, kind)| json!({"name": name, "kind": kind})).collect();
            json!({"name": name, "dependencies": needs})
        };
        let metadata = json!({"packages": [
            package("ptp-events", &[("serde", None), ("ptp-sim", Some("dev")), ("ptp-api", None)]),
            package("ptp-api", &[]),
            package("ptp-new", &[]),
        ]});
        assert_eq!(
            against_the_table(&metadata),
            [
                "ptp-events must not depend on ptp-api",
                "ptp-new is not in the table of crates in xtask/src/crates.rs",
            ]
        );
    }
}
