//! `cargo xtask package`: whether the crates can be published, and used by who has no more than them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, root, run};

/// The crates for other programs; the rest is for those who build the agent.
const LIBRARIES: [&str; 5] =
    ["ptp-events", "ptp-linuxptp", "ptp-diagnostics", "ptp-subscriber", "ptp-api"];
/// Those whose API is held, with these features: HTTP and Kubernetes would take minutes more, and say little.
const HELD: [(&str, &str); 4] = [
    ("ptp-events", "schema"),
    ("ptp-linuxptp", ""),
    ("ptp-diagnostics", "schema"),
    ("ptp-api", ""),
];
/// The commit whose public API no version of the same number breaks: the last release, or until there is one
/// the last break. Whoever breaks it knowingly writes the new commit here, and says so in CHANGELOG.md.
const API_OF: &str = "639b8b8fc446e141feef21d177a44afc33262a6d";

pub(crate) fn check() -> Result<(), Failure> {
    if has("machete") {
        // Called as `cargo machete` by a program that cargo runs, it takes its own name for a folder.
        run(Command::new("cargo-machete").arg("--skip-target-dir"))?;
    } else {
        missing("cargo-machete", "whether every dependency is needed")?;
    }
    // Uncommitted work may be packaged too: this publishes nothing.
    run(Command::new("cargo")
        .args(["package", "--workspace", "--no-verify", "--quiet", "--allow-dirty"])
        .env("CARGO_TARGET_DIR", target()))?;
    compile_tests()?;
    let is_here = Command::new("git")
        .args(["cat-file", "-e", &format!("{API_OF}^{{commit}}")])
        .current_dir(root())
        .status()?
        .success();
    if !is_here {
        println!("package: {API_OF} is not in this checkout: the API is held against nothing");
    } else if has("semver-checks") {
        for (library, features) in HELD {
            let mut command = Command::new("cargo");
            command.args(["semver-checks", "--only-explicit-features", "--baseline-rev", API_OF]);
            command.args(["--package", library, "--features", features]);
            run(&mut command)?;
        }
    } else {
        missing("cargo-semver-checks", "whether the API broke")?;
    }
    Ok(())
}

/// Where everything is built, so that what the crates depend on is compiled once.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn has(tool: &str) -> bool {
    let output = Command::new(format!("cargo-{tool}")).arg("--help").output();
    output.is_ok_and(|output| output.status.success())
}

/// What is not installed is not checked, but must be where everything is.
fn missing(tool: &str, what: &str) -> Result<(), Failure> {
    if std::env::var_os("CI").is_some() {
        return Err(format!("cargo install --locked {tool}, which says {what}").into());
    }
    println!("package: not checked {what}: cargo install --locked {tool}");
    Ok(())
}

/// Unpacks the crates for other programs, each beside what it needs of ours, and compiles them with their tests.
fn compile_tests() -> Result<(), Failure> {
    let folder = target().join("package");
    let version = env!("CARGO_PKG_VERSION");
    let unpacked = |library: &str| folder.join(format!("{library}-{version}"));
    for library in LIBRARIES {
        let _ = std::fs::remove_dir_all(unpacked(library));
        run(Command::new("tar")
            .arg("xzf")
            .arg(folder.join(format!("{library}-{version}.crate")))
            .arg("-C")
            .arg(&folder))?;
        // A workspace of its own, whatever folder it lies in.
        let manifest = unpacked(library).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest)?;
        std::fs::write(&manifest, format!("{text}\n[workspace]\n"))?;
    }
    for library in LIBRARIES {
        println!("package: {library} compiles with its tests");
        let mut command = Command::new("cargo");
        command.args(["check", "--quiet", "--tests", "--all-features", "--manifest-path"]);
        command.arg(unpacked(library).join("Cargo.toml")).env("CARGO_TARGET_DIR", target());
        for other in LIBRARIES {
            command.arg("--config").arg(patch(other, &unpacked(other)));
        }
        run(&mut command)?;
    }
    Ok(())
}

fn patch(library: &str, path: &Path) -> String {
    format!("patch.crates-io.{library}.path={:?}", path.display().to_string())
}
