//! Pages, in a real browser. With `PTP_PICTURES=docs/pictures` (from the top, as a whole path) they make the
//! pictures of the documentation.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

#[path = "../live/fleet.rs"]
#[expect(dead_code, reason = "here less is asked of it")]
mod fleet;
mod pages;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the scripts are, if a browser and what they need are installed.
///
/// Without them there is nothing to run. CI installs both, and fails here if it did not.
#[expect(clippy::print_stderr, reason = "it says why nothing is run")]
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let browser = std::env::var_os("CHROMIUM").map_or("/usr/bin/chromium".into(), PathBuf::from);
    let node = Command::new("node").arg("--version").output().is_ok_and(|o| o.status.success());
    if node && browser.exists() && folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    let missing = "skipped: needs Node, Chromium (or CHROMIUM) and `npm ci` in tests/browser";
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("{missing}");
    None
}

/// Runs a script; what it prints is JSON.
fn run(folder: &Path, script: &str, args: &[&str]) -> serde_json::Value {
    let output = Command::new("node").arg(script).args(args).current_dir(folder).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {out}{err}");
    serde_json::from_str(&out).unwrap()
}
