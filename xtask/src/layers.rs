//! The floors of `ptp-diagnostics`: each folder knows only those below it, and nobody knows a cause or a
//! detector by name but its own file.

use std::path::{Path, PathBuf};

use crate::root;

const SOURCES: &str = "ptp-diagnostics/src";

/// From the ground up.
const FLOORS: [&str; 7] =
    ["model", "causes", "detectors", "causality", "incidents", "report", "engine"];

pub(crate) fn check(files: &[PathBuf], complaints: &mut Vec<String>) {
    for file in files.iter().filter(|file| file.starts_with(SOURCES)) {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let inside = file.strip_prefix(SOURCES).unwrap_or(file);
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for wrong in upward(inside, code).into_iter().chain(by_name(inside, code)) {
                complaints.push(format!("{}:{}: {wrong}", file.display(), number + 1));
            }
        }
    }
}

/// The floor a file is on; `None` for what all share, such as the settings.
fn floor(inside: &Path) -> Option<usize> {
    let first = inside.iter().next()?.to_str()?;
    FLOORS.iter().position(|floor| first.trim_end_matches(".rs") == *floor)
}

fn upward(inside: &Path, code: &str) -> Option<String> {
    let own = floor(inside)?;
    let above = &FLOORS[own + 1..];
    let found = above.iter().find(|above| code.contains(&format!("crate::{above}")))?;
    Some(format!("`{}` must not know `{found}`, which is built on it", FLOORS[own]))
}

fn by_name(inside: &Path, code: &str) -> Option<String> {
    let own = inside.starts_with("causes") || inside == Path::new("causes.rs");
    let names_one = code
        .split("RootCause::")
        .skip(1)
        .any(|rest| rest.starts_with(char::is_uppercase) && !rest.starts_with("ALL"));
    let compares = code.contains("code ==") || code.contains("code() ==");
    (!own && (names_one || compares) && !inside.ends_with("manual.rs"))
        .then(|| "a cause or detector is known by name; let its row say what it needs".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_up_and_who_names_names_is_found() {
        let at = Path::new;
        assert!(upward(at("model/node.rs"), "use crate::causes::RootCause;").is_some());
        assert!(upward(at("engine.rs"), "use crate::model::Model;").is_none());
        assert!(upward(at("settings.rs"), "use crate::engine::X;").is_none(), "it has no floor");
        assert!(by_name(at("incidents/filing.rs"), "cause == RootCause::PtpPathLoss").is_some());
        assert!(by_name(at("causality/score.rs"), "for root in RootCause::ALL {").is_none());
        assert!(by_name(at("causes/unknown.rs"), "root: RootCause::Unknown,").is_none());
        assert!(by_name(at("engine/asking.rs"), "if subject.code == \"x\"").is_some());
    }
}
