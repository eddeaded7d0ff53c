//! `cargo xtask tidy`: what no compiler checks.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, root};

/// Runs every check, and tells of all that failed.
pub(crate) fn run() -> Result<(), Failure> {
    let mut complaints = Vec::new();
    let files = tracked_files()?;
    layout(&files, &mut complaints);
    sources(&files, &mut complaints);
    crate::layers::check(&files, &mut complaints);
    crate::crates::check(&files, &mut complaints)?;
    crate::figures::check(&files, &mut complaints);
    pure("ptp-diagnostics", &mut complaints)?;
    pure("ptp-events", &mut complaints)?;
    if complaints.is_empty() {
        println!("tidy: {} files, no complaints", files.len());
        return Ok(());
    }
    Err(format!("tidy:\n  {}", complaints.join("\n  ")).into())
}

fn tracked_files() -> Result<Vec<PathBuf>, Failure> {
    let output = Command::new("git").args(["ls-files"]).current_dir(root()).output()?;
    if !output.status.success() {
        return Err("`git ls-files` failed; tidy needs a git checkout".into());
    }
    Ok(String::from_utf8(output.stdout)?.lines().map(PathBuf::from).collect())
}

fn layout(files: &[PathBuf], complaints: &mut Vec<String>) {
    for wanted in
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "Cargo.lock"]
    {
        if !files.iter().any(|file| file == Path::new(wanted)) {
            complaints.push(format!("there is no {wanted}"));
        }
    }
    for file in files.iter().filter(|file| file.ends_with("mod.rs")) {
        complaints.push(format!("{}: modules are `foo.rs` and `foo/`", file.display()));
    }
}

/// The longest source file; beyond about 400 lines a reader would rather have two.
const MOST_LINES: usize = 700;

fn sources(files: &[PathBuf], complaints: &mut Vec<String>) {
    let rust = files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "rs"));
    for file in rust {
        let Ok(text) = std::fs::read_to_string(root().join(file)) else { continue };
        let name = file.display();
        let lines = text.lines().count();
        if lines > MOST_LINES {
            complaints.push(format!("{name}: {lines} lines; split it"));
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            for (found, why) in [
                ("#[allow(", "say `#[expect(…, reason = …)]`"),
                ("#[ignore", "a test that does not run is no test"),
                ("#[should_panic", "assert on the error instead"),
                ("todo!(", "finish it"),
                ("unimplemented!(", "finish it"),
            ] {
                if code.starts_with(found) {
                    complaints.push(format!("{name}:{}: `{found}`: {why}", number + 1));
                }
            }
        }
    }
}

/// Crates that do I/O, which a pure crate must not depend on, however indirectly.
const IMPURE: [&str; 7] = ["tokio", "hyper", "reqwest", "axum", "kube", "rusqlite", "tracing"];

fn pure(package: &str, complaints: &mut Vec<String>) -> Result<(), Failure> {
    let output = Command::new("cargo")
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"])
        .current_dir(root())
        .output()?;
    let tree = String::from_utf8(output.stdout)?;
    for line in tree.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        if IMPURE.contains(&name) {
            complaints.push(format!("{package} depends on {name}: it must do no I/O"));
        }
    }
    Ok(())
}
