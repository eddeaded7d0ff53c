//! The official conformance suite for MCP servers, against the program.

use std::process::Command;

use tempfile::TempDir;

use crate::agent::Agent;
use crate::typescript::{installed, said, text};

/// The revisions that are served, and how many checks pass, as docs/mcp.md says.
const REVISIONS: [(&str, u32); 2] = [("2025-11-25", 46), ("2026-07-28", 108)];

/// The suite fails on a check that is not in the list of those that cannot pass, and on one that is
/// and passes.
#[test]
fn the_conformance_suite_finds_nothing_unexplained() {
    let Some(folder) = installed() else { return };
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(&dir.path().join("journal.db"));
    for (revision, expect) in REVISIONS {
        let mut suite = Command::new("node");
        suite.args(["--import", "./old-node.mjs"]);
        suite.arg("node_modules/@modelcontextprotocol/conformance/dist/index.js");
        suite.args([
            "server",
            "--requirements",
            revision,
            "--url",
            &format!("{}/mcp", agent.url()),
        ]);
        suite.args(["--expected-failures", "conformance.yaml"]);
        let output = suite.current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{revision}: {}", said(&output));
        // It would succeed without a check as well.
        let total = text(&output.stdout);
        let passed = total.rsplit_once("Total: ").and_then(|(_, rest)| rest.split_once(" passed"));
        let passed: u32 = passed.unwrap().0.parse().unwrap();
        assert_eq!(passed, expect, "{revision}");
    }
    agent.stop();
}
